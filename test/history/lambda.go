package history

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// live is the alias that serves production; its Description belongs to its
// owner and must never change.
const (
	live            = "live"
	staging         = "staging"
	memory          = "live-rollback"
	liveDescription = "production, do not touch"
)

// Serving is where an alias sends its traffic.
type Serving struct {
	Version  int64
	Weighted int64 // 0: none
}

func (s Serving) String() string {
	if s.Weighted == 0 {
		return strconv.FormatInt(s.Version, 10)
	}
	return fmt.Sprintf("%d+w%d", s.Version, s.Weighted)
}

// has tells whether a version gets any of the traffic.
func (s Serving) has(v int64) bool { return s.Version == v || (v != 0 && s.Weighted == v) }

// alias is one alias of a function, as Lambda keeps it.
type lambdaAlias struct {
	Serving

	revision    int
	description string
}

// version is one published version.
type version struct {
	number    int64
	content   int       // what its code is; equal contents are one build
	modified  time.Time // of $LATEST when it was published
	state     types.State
	reason    types.StateReasonCode
	pending   int // reads until a Pending version becomes Active
	publisher *Run
	hotfix    bool // somebody else published it
}

// usable tells whether it could serve, if one waited for it.
func (v *version) usable() bool { return v.state != types.StateFailed && v.reason == "" }

// Lambda is one function in AWS, in memory. The deploys of the model change it
// directly; the program under test sees it through the SDK's signatures, and
// only these have faults.
type Lambda struct {
	name     string
	mu       sync.Mutex
	versions map[int64]*version
	last     int64
	latest   version // $LATEST: only content and modified
	aliases  map[string]*lambdaAlias
	skew     time.Duration
	left     int64 // what served before the last rollback; 0: there was none
	tag      int64 // what served when the last deploy began, for the rule that relies on it

	// pardoned are rejected versions that a snapshot brought back.
	pardoned map[int64]bool
	// doubted are good versions that the program rejected without a cause.
	doubted map[int64]bool

	faults uint64         // seed of the faults; 0: none
	tries  map[string]int // calls so far in this step, by what they are
	before func()         // runs once, just before the next move of the live alias
	writes int            // UpdateAlias and CreateAlias that took effect
	moves  int            // those on the live alias
}

func newLambda(name string, now time.Time) *Lambda {
	l := &Lambda{name: name, versions: map[int64]*version{}, aliases: map[string]*lambdaAlias{}, pardoned: map[int64]bool{}, doubted: map[int64]bool{}, tries: map[string]int{}}
	l.update(0, now)
	l.publish(nil)
	l.aliases[live] = &lambdaAlias{Serving: Serving{Version: 1}, revision: 1, description: liveDescription}
	return l
}

// update is UpdateFunctionCode.
func (l *Lambda) update(content int, now time.Time) {
	l.latest = version{content: content, modified: now}
}

// publish is PublishVersion: where nothing has changed it gives the last
// version again.
func (l *Lambda) publish(by *Run) int64 {
	if v, ok := l.versions[l.last]; ok && v.content == l.latest.content {
		return l.last
	}
	l.last++
	l.versions[l.last] = &version{
		number: l.last, content: l.latest.content, modified: l.latest.modified, state: types.StateActive, publisher: by,
	}
	return l.last
}

// point moves an alias without a look at who moved it last, as deploys do.
func (l *Lambda) point(to Serving) {
	a := l.aliases[live]
	a.Serving = to
	a.revision++
}

func (l *Lambda) serving() Serving { return l.aliases[live].Serving }

func (l *Lambda) numbers() []int64 { return slices.Sorted(maps.Keys(l.versions)) }

// below is the highest version under a number of which keep is true; 0: none.
func (l *Lambda) below(number int64, keep func(*version) bool) int64 {
	for v := number - 1; v > 0; v-- {
		if found, ok := l.versions[v]; ok && keep(found) {
			return v
		}
	}
	return 0
}

// aliased tells whether any alias holds a version: AWS then refuses to delete
// it.
func (l *Lambda) aliased(number int64) bool {
	for _, a := range l.aliases {
		if a.has(number) {
			return true
		}
	}
	return false
}

// The faults of one try.
const (
	noFault = iota
	throttledFault
	brokenFault // fails before it takes effect
	lostFault   // takes effect, but the answer is lost
)

// fault is decided by what is called and how often it was, not by the order of
// the calls: goroutines would make histories differ from play to play. At most
// two tries in a row go wrong, so that every call succeeds in the end.
func (l *Lambda) fault(what string) int {
	n := l.tries[what]
	l.tries[what]++
	if l.faults == 0 || n%3 == 2 {
		return noFault
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s %d", l.faults, l.name, what, n)
	switch h.Sum64() >> 20 % 12 {
	case 0, 1:
		return throttledFault
	case 2:
		return brokenFault
	case 3, 4:
		return lostFault
	}
	return noFault
}

// call makes one try of one operation, with its fault.
func call[T any](ctx context.Context, l *Lambda, operation, what string, f func() (*T, error)) (*T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch l.fault(operation + " " + what) {
	case throttledFault:
		return nil, refusal(operation, http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded")
	case brokenFault:
		return nil, refusal(operation, http.StatusInternalServerError, "ServiceException", "An error occurred")
	case lostFault:
		_, _ = f()
		return nil, &smithy.OperationError{
			ServiceID: "Lambda", OperationName: operation,
			Err: &smithyhttp.RequestSendError{Err: errors.New("connection reset by peer")},
		}
	}
	out, err := f()
	if r := (*refused)(nil); errors.As(err, &r) {
		return nil, refusal(operation, r.status, r.code, r.message)
	}
	return out, err
}

// refused is an answer of AWS that is not a success.
type refused struct {
	status        int
	code, message string
}

func (r *refused) Error() string { return r.code }

// refusal is such an answer in the form that the SDK gives it.
func refusal(operation string, status int, code, message string) error {
	return &smithy.OperationError{
		ServiceID: "Lambda", OperationName: operation,
		Err: &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		}},
	}
}

// GetAlias is the API's call of that name.
func (l *Lambda) GetAlias(ctx context.Context, in *lambda.GetAliasInput, _ ...func(*lambda.Options)) (*lambda.GetAliasOutput, error) {
	name := aws.ToString(in.Name)
	return call(ctx, l, "GetAlias", name, func() (*lambda.GetAliasOutput, error) {
		a, ok := l.aliases[name]
		if !ok {
			return nil, &refused{http.StatusNotFound, "ResourceNotFoundException", "Cannot find alias arn"}
		}
		arn, version, routing := l.shown(name, a)
		return &lambda.GetAliasOutput{
			AliasArn: arn, Name: in.Name, FunctionVersion: version, RoutingConfig: routing,
			Description: aws.String(a.description), RevisionId: revision(a),
		}, nil
	})
}

// UpdateAlias is the API's call of that name. What is nil stays as it is.
func (l *Lambda) UpdateAlias(ctx context.Context, in *lambda.UpdateAliasInput, _ ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error) {
	name := aws.ToString(in.Name)
	return call(ctx, l, "UpdateAlias", name, func() (*lambda.UpdateAliasOutput, error) {
		if f := l.before; f != nil && name == live {
			l.before = nil
			f()
		}
		a, ok := l.aliases[name]
		if !ok {
			return nil, &refused{http.StatusNotFound, "ResourceNotFoundException", "Alias not found"}
		}
		if in.RevisionId != nil && *in.RevisionId != *revision(a) {
			return nil, &refused{http.StatusPreconditionFailed, "PreconditionFailedException", "The Revision Id provided does not match"}
		}
		to := a.Serving
		if in.FunctionVersion != nil {
			to.Version = l.existing(*in.FunctionVersion)
		}
		if in.RoutingConfig != nil {
			to.Weighted = 0
			for v := range in.RoutingConfig.AdditionalVersionWeights {
				to.Weighted = l.existing(v)
			}
		}
		if to.Version <= 0 || to.Weighted < 0 {
			return nil, &refused{http.StatusNotFound, "ResourceNotFoundException", "Function not found"}
		}
		if to.Version == to.Weighted {
			return nil, &refused{http.StatusBadRequest, "InvalidParameterValueException", "is already included in routing configuration"}
		}
		a.Serving = to
		if in.Description != nil {
			a.description = *in.Description
		}
		a.revision++
		l.writes++
		if name == live {
			l.moves++
		}
		arn, version, routing := l.shown(name, a)
		return &lambda.UpdateAliasOutput{
			AliasArn: arn, Name: in.Name, FunctionVersion: version, RoutingConfig: routing,
			Description: aws.String(a.description), RevisionId: revision(a),
		}, nil
	})
}

// CreateAlias is the API's call of that name.
func (l *Lambda) CreateAlias(ctx context.Context, in *lambda.CreateAliasInput, _ ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error) {
	name := aws.ToString(in.Name)
	return call(ctx, l, "CreateAlias", name, func() (*lambda.CreateAliasOutput, error) {
		if _, ok := l.aliases[name]; ok {
			return nil, &refused{http.StatusConflict, "ResourceConflictException", "Alias already exists"}
		}
		v := l.existing(aws.ToString(in.FunctionVersion))
		if v <= 0 {
			return nil, &refused{http.StatusNotFound, "ResourceNotFoundException", "Function not found"}
		}
		a := &lambdaAlias{Serving: Serving{Version: v}, revision: 1, description: aws.ToString(in.Description)}
		l.aliases[name] = a
		l.writes++
		arn, version, routing := l.shown(name, a)
		return &lambda.CreateAliasOutput{AliasArn: arn, Name: in.Name, FunctionVersion: version, RoutingConfig: routing, RevisionId: revision(a)}, nil
	})
}

// GetFunctionConfiguration is the API's call of that name.
func (l *Lambda) GetFunctionConfiguration(ctx context.Context, in *lambda.GetFunctionConfigurationInput, _ ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	qualifier := aws.ToString(in.Qualifier)
	return call(ctx, l, "GetFunctionConfiguration", qualifier, func() (*lambda.GetFunctionConfigurationOutput, error) {
		number := l.existing(qualifier)
		if number <= 0 {
			return nil, &refused{http.StatusNotFound, "ResourceNotFoundException", "Function not found"}
		}
		v := l.versions[number]
		out := &lambda.GetFunctionConfigurationOutput{
			Version: &qualifier, LastModified: l.shownTime(v.modified), State: v.state, StateReasonCode: v.reason,
			CodeSha256: aws.String(strconv.Itoa(v.content)),
		}
		if v.pending > 0 {
			if v.pending--; v.pending == 0 {
				v.state = types.StateActive
			}
		}
		return out, nil
	})
}

// ListVersionsByFunction is the API's call of that name, in small pages, so
// that a short history has several.
func (l *Lambda) ListVersionsByFunction(ctx context.Context, in *lambda.ListVersionsByFunctionInput, _ ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error) {
	const page = 4
	marker := aws.ToString(in.Marker)
	return call(ctx, l, "ListVersionsByFunction", marker, func() (*lambda.ListVersionsByFunctionOutput, error) {
		out := &lambda.ListVersionsByFunctionOutput{}
		if marker == "" {
			out.Versions = append(out.Versions, types.FunctionConfiguration{Version: aws.String("$LATEST"), LastModified: l.shownTime(l.latest.modified)})
		}
		from, _ := strconv.ParseInt(marker, 10, 64)
		for _, n := range l.numbers() {
			if n < from {
				continue
			}
			if len(out.Versions) == page {
				out.NextMarker = aws.String(strconv.FormatInt(n, 10))
				break
			}
			out.Versions = append(out.Versions, types.FunctionConfiguration{
				Version: aws.String(strconv.FormatInt(n, 10)), LastModified: l.shownTime(l.versions[n].modified),
			})
		}
		return out, nil
	})
}

// existing is the number of a version that exists; -1: there is none.
func (l *Lambda) existing(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || l.versions[n] == nil {
		return -1
	}
	return n
}

func (l *Lambda) shown(name string, a *lambdaAlias) (arn, version *string, routing *types.AliasRoutingConfiguration) {
	if a.Weighted != 0 {
		routing = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{strconv.FormatInt(a.Weighted, 10): 0.1}}
	}
	return aws.String("arn:aws:lambda:eu-west-1:123456789012:function:" + l.name + ":" + name),
		aws.String(strconv.FormatInt(a.Version, 10)), routing
}

func revision(a *lambdaAlias) *string { return aws.String("revision-" + strconv.Itoa(a.revision)) }

func (l *Lambda) shownTime(t time.Time) *string {
	return aws.String(t.Add(l.skew).UTC().Format("2006-01-02T15:04:05.000-0700"))
}
