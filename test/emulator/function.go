package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Region is Lambda in one region. Regions know nothing of each other.
type Region struct {
	e         *Emulator
	name      string
	functions map[string]*Function
}

// Lambda gives a region, named as AWS names it.
func (e *Emulator) Lambda(region string) *Region {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.region(region)
}

// region is Lambda for those who hold the lock.
func (e *Emulator) region(name string) *Region {
	r, ok := e.regions[name]
	if !ok {
		r = &Region{e: e, name: name, functions: map[string]*Function{}}
		e.regions[name] = r
	}
	return r
}

// Function is one Lambda function with its versions and aliases.
type Function struct {
	e           *Emulator
	region      string
	name        string
	latest      *Version
	versions    []*Version // published and not deleted, by number
	last        int64      // highest number ever given
	aliases     map[string]*alias
	buried      map[string][]AliasState // histories of deleted aliases
	provisioned map[string]*provisioned // by alias or version
	tags        map[string]string
}

// CreateFunction makes a function with a $LATEST that is Active and no version.
// A function of that name that exists already is given back unchanged.
func (r *Region) CreateFunction(name string) *Function {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	if f, ok := r.functions[name]; ok {
		return f
	}
	f := r.create(name)
	f.latest.State = StateActive
	return f
}

// Function gives the function of that name, nil if there is none.
func (r *Region) Function(name string) *Function {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	return r.functions[name]
}

// create makes a function as AWS does: still Pending.
func (r *Region) create(name string) *Function {
	f := &Function{
		e: r.e, region: r.name, name: name,
		aliases: map[string]*alias{}, buried: map[string][]AliasState{}, provisioned: map[string]*provisioned{},
	}
	f.latest = &Version{
		CodeSha256: digest([]byte(name)), CodeSize: 1024, PackageType: "Zip",
		Runtime: "python3.12", Handler: "index.handler", Architecture: "x86_64",
		Role:       "arn:aws:iam::" + Account + ":role/lambda-execution",
		MemorySize: 128, Timeout: 3, LastModified: r.e.now(), RevisionID: newID(),
		State: StatePending, StateReason: "The function is being created.", StateReasonCode: "Creating",
	}
	r.functions[name] = f
	return f
}

// Name is the function's name.
func (f *Function) Name() string { return f.name }

// Tag puts a tag on the function.
func (f *Function) Tag(key, value string) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	if f.tags == nil {
		f.tags = map[string]string{}
	}
	f.tags[key] = value
}

// ARN is the function's ARN, without qualifier.
func (f *Function) ARN() string { return functionARN(f.region, f.name, "") }

// Publish deploys new code at a moment and publishes it: a new version, Active
// unless a mutate says otherwise. It returns its number.
func (f *Function) Publish(at time.Time, mutate ...func(*Version)) int64 {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	f.latest.CodeSha256 = digest(fmt.Appendf(nil, "%s %d", f.name, f.last+1))
	f.latest.LastModified, f.latest.RevisionID = at, newID()
	f.latest.State, f.latest.StateReason, f.latest.StateReasonCode, f.latest.updating = StateActive, "", "", false
	v := f.publish()
	for _, change := range mutate {
		change(v)
	}
	return v.Number
}

// publish makes the next version out of $LATEST.
func (f *Function) publish() *Version {
	f.last++
	v := f.latest.clone()
	v.Number, v.RevisionID, v.updating, v.basis = f.last, newID(), false, f.latest.Description
	f.versions = append(f.versions, v)
	return v
}

// index is where a version stands among those that exist.
func (f *Function) index(number int64) (int, bool) {
	return slices.BinarySearchFunc(f.versions, number, func(v *Version, n int64) int {
		return int(min(1, max(-1, v.Number-n)))
	})
}

func (f *Function) version(number int64) *Version {
	if i, ok := f.index(number); ok {
		return f.versions[i]
	}
	return nil
}

// Version gives a copy of a version, and whether it exists.
func (f *Function) Version(number int64) (Version, bool) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	v := f.version(number)
	if v == nil {
		return Version{}, false
	}
	return *v.clone(), true
}

// Versions are the numbers of all versions that exist, in rising order.
func (f *Function) Versions() []int64 {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	numbers := make([]int64, 0, len(f.versions))
	for _, v := range f.versions {
		numbers = append(numbers, v.Number)
	}
	return numbers
}

// Change changes a version. Its number stays.
func (f *Function) Change(number int64, mutate func(*Version)) error {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	v := f.version(number)
	if v == nil {
		return notFound("Function not found: %s", functionARN(f.region, f.name, strconv.FormatInt(number, 10)))
	}
	mutate(v)
	v.Number = number
	return nil
}

// SetState puts a version into a state, with the code of its reason
// (ImageDeleted, Creating, Idle …) or none.
func (f *Function) SetState(number int64, state, reasonCode string) error {
	return f.Change(number, func(v *Version) {
		v.State, v.StateReasonCode, v.StateReason, v.PendingReads = state, reasonCode, reasonCode, -1
	})
}

// PendingFor lets a version be Pending for so many reads of its configuration,
// and Active from then on.
func (f *Function) PendingFor(number int64, reads int) error {
	return f.Change(number, func(v *Version) {
		v.State, v.StateReasonCode, v.StateReason = StatePending, "Creating", "The function is being created."
		v.PendingReads = reads
	})
}

// Delete deletes a version. As at AWS, one that an alias leads to stays.
func (f *Function) Delete(number int64) error {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	if r := f.remove(number); r != nil {
		return r
	}
	return nil
}

// ForceDelete deletes a version even if an alias leads to it. AWS has no such
// call; it is for states that should not be.
func (f *Function) ForceDelete(number int64) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	f.drop(number)
}

func (f *Function) remove(number int64) *refusal {
	for _, alias := range slices.Sorted(maps.Keys(f.aliases)) {
		if f.aliases[alias].leadsTo(strconv.FormatInt(number, 10)) {
			return conflict("Version %d cannot be deleted: alias %s points at it", number, alias)
		}
	}
	f.drop(number)
	return nil
}

func (f *Function) drop(number int64) {
	if i, ok := f.index(number); ok {
		f.versions = slices.Delete(f.versions, i, i+1)
		delete(f.provisioned, strconv.FormatInt(number, 10))
	}
}

// resolve finds the version that a qualifier leads to: none or $LATEST, a
// number, or an alias (its main version).
func (f *Function) resolve(qualifier string) *Version {
	if a, ok := f.aliases[qualifier]; ok {
		qualifier = a.now.Version
	}
	if qualifier == "" || qualifier == "$LATEST" {
		return f.latest
	}
	number, err := strconv.ParseInt(qualifier, 10, 64)
	if err != nil {
		return nil
	}
	return f.version(number)
}
