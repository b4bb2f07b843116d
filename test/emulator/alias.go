package emulator

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// AliasState is what an alias was at some time, and what made it so.
type AliasState struct {
	Version     string // number or $LATEST
	Weights     map[string]float64
	Description string
	RevisionID  string
	At          time.Time
	Cause       string // operation, or the method of this package that set it
	Actor       string // ARN of the caller; empty for the Go API
	RequestID   string // empty for the Go API
	Deleted     bool   // the alias was deleted; the rest is what it was before
}

func (s AliasState) clone() AliasState {
	s.Weights = maps.Clone(s.Weights)
	return s
}

// alias is an alias with everything it went through. A deleted alias leaves its
// history to one created after it.
type alias struct {
	name    string
	now     AliasState
	history []AliasState
	shift   *shift  // traffic that is still moving
	debt    float64 // share of invokes due to the weighted version
}

// shift is traffic on its way from one version to another.
type shift struct {
	from  string
	reads int // how many reads it lasts; 0 for one that lasts a time
	left  int
	until time.Time
	total time.Duration
}

// share is how much of the traffic is still on the old version: 0 when done.
func (s *shift) share() float64 {
	if s == nil {
		return 0
	}
	if s.reads > 0 {
		return 0.9 * float64(s.left) / float64(s.reads)
	}
	if s.total <= 0 {
		return 0
	}
	return 0.9 * max(0, float64(time.Until(s.until))/float64(s.total))
}

// leadsTo reports whether any traffic is meant for the version.
func (a *alias) leadsTo(version string) bool {
	_, weighted := a.now.Weights[version]
	return weighted || a.now.Version == version
}

// shown are the weights as a reader sees them, a shift under way included.
func (a *alias) shown() map[string]float64 {
	share := a.shift.share()
	if share == 0 || len(a.now.Weights) > 0 {
		return a.now.Weights
	}
	return map[string]float64{a.shift.from: share}
}

// read is shown, and counts as one read of a shift.
func (a *alias) read() map[string]float64 {
	weights := a.shown()
	if a.shift != nil && a.shift.left > 0 {
		a.shift.left--
	}
	return weights
}

// set makes next the alias's state, with a new revision.
func (a *alias) set(next AliasState) {
	next.RevisionID = newID()
	next.Weights = maps.Clone(next.Weights)
	a.now = next
	a.history = append(a.history, next)
}

// pick says which version the next invoke runs. Over a hundred invokes a weight
// of 0.2 gives twenty, evenly spread: no chance is involved.
func (a *alias) pick() string {
	for version, weight := range a.shown() {
		a.debt += weight
		// The sum of many weights misses whole numbers by a hair.
		if a.debt >= 1-1e-9 {
			a.debt--
			return version
		}
	}
	return a.now.Version
}

// past is what an alias went through so far, lives before a deletion included.
func (f *Function) past(name string) []AliasState {
	if a, ok := f.aliases[name]; ok {
		return a.history
	}
	return f.buried[name]
}

// SetAlias points an alias at a version as a deploy would: with a new revision,
// and created if it is new. A nil weights clears them. It keeps the description.
func (f *Function) SetAlias(name string, version int64, weights map[string]float64) error {
	return f.setAlias(name, strconv.FormatInt(version, 10), weights)
}

// SetAliasToLatest points an alias at $LATEST.
func (f *Function) SetAliasToLatest(name string) error {
	return f.setAlias(name, "$LATEST", nil)
}

func (f *Function) setAlias(name, version string, weights map[string]float64) error {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	if r := f.checkTargets(version, weights); r != nil {
		return r
	}
	a := f.aliases[name]
	if a == nil {
		a = &alias{name: name, history: f.past(name)}
		f.aliases[name] = a
	}
	a.shift = nil
	a.set(AliasState{
		Version: version, Weights: weights, Description: a.now.Description,
		At: f.e.now(), Cause: "SetAlias",
	})
	return nil
}

// DescribeAlias writes an alias's description, with a new revision.
func (f *Function) DescribeAlias(name, description string) error {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	a := f.aliases[name]
	if a == nil {
		return notFound("Alias not found: %s", functionARN(f.region, f.name, name))
	}
	next := a.now
	next.Description, next.At, next.Cause, next.Actor, next.RequestID = description, f.e.now(), "DescribeAlias", "", ""
	a.set(next)
	return nil
}

// Alias is what an alias is now, and whether it exists. Weights that only show
// traffic on its way (SlowWeights) are not part of it.
func (f *Function) Alias(name string) (AliasState, bool) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	a := f.aliases[name]
	if a == nil {
		return AliasState{}, false
	}
	return a.now.clone(), true
}

// Serving is the version an alias points at; empty if there is no such alias.
func (f *Function) Serving(name string) string {
	state, _ := f.Alias(name)
	return state.Version
}

// Aliases are the names of all aliases, sorted.
func (f *Function) Aliases() []string {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	return slices.Sorted(maps.Keys(f.aliases))
}

// History is every state an alias ever had, oldest first, deletions included.
func (f *Function) History(name string) []AliasState {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	past := f.past(name)
	history := make([]AliasState, 0, len(past))
	for _, state := range past {
		history = append(history, state.clone())
	}
	return history
}
