package emulator

import (
	"maps"
	"net/http"
	"strconv"
)

// functionBody is what CreateFunction and UpdateFunctionConfiguration take, as
// far as the emulator keeps it. Nil means "not said".
type functionBody struct {
	FunctionName     string
	Description      *string
	Runtime          *string
	Handler          *string
	Role             *string
	MemorySize       *int
	Timeout          *int
	PackageType      *string
	Architectures    []string
	Layers           []string
	Environment      *environmentBody
	DeadLetterConfig *deadLetterBody
	LoggingConfig    *struct{ LogGroup string }
	Code             struct {
		ZipFile         []byte
		ImageUri        string
		S3Bucket, S3Key string
	}
	Publish    bool
	RevisionId string
}

// apply writes what was said into $LATEST.
func (b *functionBody) apply(v *Version) {
	set(&v.Description, b.Description)
	set(&v.Runtime, b.Runtime)
	set(&v.Handler, b.Handler)
	set(&v.Role, b.Role)
	set(&v.MemorySize, b.MemorySize)
	set(&v.Timeout, b.Timeout)
	set(&v.PackageType, b.PackageType)
	if v.PackageType == "Image" {
		v.Runtime, v.Handler = "", ""
	}
	if len(b.Architectures) > 0 {
		v.Architecture = b.Architectures[0]
	}
	if b.Layers != nil {
		v.Layers = b.Layers
	}
	if b.Environment != nil {
		v.Environment = maps.Clone(b.Environment.Variables)
		if v.Environment == nil {
			v.Environment = map[string]string{}
		}
	}
	if b.DeadLetterConfig != nil {
		v.DeadLetterQueue = b.DeadLetterConfig.TargetArn
	}
	if b.LoggingConfig != nil {
		v.LogGroup = b.LoggingConfig.LogGroup
	}
}

func set[T any](into, from *T) {
	if from != nil {
		*into = *from
	}
}

func (x *exchange) createFunction(region *Region) answer {
	var body functionBody
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	if region.functions[x.call.Function] != nil {
		return x.refuse(conflict("Function already exist: %s", x.call.Function))
	}
	f := region.create(x.call.Function)
	body.apply(f.latest)
	code := body.Code.ZipFile
	if len(code) == 0 {
		code = []byte(body.Code.ImageUri + body.Code.S3Bucket + body.Code.S3Key)
	}
	f.latest.CodeSha256, f.latest.CodeSize = digest(code), int64(len(code))
	answered := f.configuration(f.latest, "")
	if body.Publish {
		v := f.publish()
		v.State, v.StateReason, v.StateReasonCode = StateActive, "", ""
		answered.Version = v.name()
	}
	return x.ok(http.StatusCreated, answered)
}

func (x *exchange) getFunction(f *Function) answer {
	v := f.resolve(x.call.Qualifier)
	if v == nil {
		return x.refuse(x.missingFunction())
	}
	v.settle()
	return x.ok(http.StatusOK, map[string]any{
		"Code":          map[string]string{"RepositoryType": "S3", "Location": x.e.URL + "/code/" + f.name},
		"Configuration": f.configuration(v, x.call.Qualifier),
	})
}

func (x *exchange) getFunctionConfiguration(f *Function) answer {
	v := f.resolve(x.call.Qualifier)
	if v == nil {
		return x.refuse(x.missingFunction())
	}
	v.settle()
	return x.ok(http.StatusOK, f.configuration(v, x.call.Qualifier))
}

// busy refuses changes to a function that still works on the last one.
func (f *Function) busy() *refusal {
	if f.latest.State == StatePending || f.latest.updating {
		return conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", f.ARN())
	}
	return nil
}

func (x *exchange) updateFunctionCode(f *Function) answer {
	var body struct {
		ZipFile                   []byte
		ImageUri, S3Bucket, S3Key string
		Publish                   bool
		RevisionId                string
	}
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	if r := f.changeable(body.RevisionId); r != nil {
		return x.refuse(r)
	}
	code := body.ZipFile
	if len(code) == 0 {
		code = []byte(body.ImageUri + body.S3Bucket + body.S3Key)
	}
	f.latest.CodeSha256, f.latest.CodeSize = digest(code), int64(len(code))
	x.touch(f)
	if body.Publish {
		f.latest.settle()
		return x.ok(http.StatusOK, f.published(f.publishChanged("")))
	}
	return x.ok(http.StatusOK, f.configuration(f.latest, ""))
}

func (x *exchange) updateFunctionConfiguration(f *Function) answer {
	var body functionBody
	if r := x.decode(&body); r != nil {
		return x.refuse(r)
	}
	if r := f.changeable(body.RevisionId); r != nil {
		return x.refuse(r)
	}
	body.apply(f.latest)
	x.touch(f)
	return x.ok(http.StatusOK, f.configuration(f.latest, ""))
}

// changeable refuses a change on a busy function or a revision that is gone.
func (f *Function) changeable(revision string) *refusal {
	if r := f.busy(); r != nil {
		return r
	}
	if revision != "" && revision != f.latest.RevisionID {
		return staleRevision()
	}
	return nil
}

// touch notes a change of $LATEST, which settles at the next read.
func (x *exchange) touch(f *Function) {
	f.latest.LastModified, f.latest.RevisionID, f.latest.updating = x.e.now(), newID(), true
}

func (x *exchange) deleteFunction(region *Region, f *Function) answer {
	switch q := x.call.Qualifier; q {
	case "":
		delete(region.functions, f.name)
	case "$LATEST":
		return x.refuse(invalid("$LATEST version cannot be deleted without deleting the function."))
	default:
		number, err := strconv.ParseInt(q, 10, 64)
		if err != nil {
			return x.refuse(invalid("Deletion of aliases is not currently supported."))
		}
		if r := f.remove(number); r != nil {
			return x.refuse(r)
		}
	}
	return x.ok(http.StatusNoContent, nil)
}
