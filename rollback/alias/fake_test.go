package alias_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// fakeLambda is one function in Lambda's control plane. It keeps the rules
// that matter to a move (revisions, routing weights) and breaks on request.
type fakeLambda struct {
	latency time.Duration
	// shifting is how long traffic moves by temporary weights after an update,
	// as with provisioned concurrency.
	shifting time.Duration
	// faults break a call, by its name and the number of its occurrence,
	// counted from 1.
	faults func(call string, n int) *fault
	// before and after stand beside each call: what others do meanwhile.
	before, after func(call string, n int)
	// stale tells of the n-th reading of `live` that it still shows what was there
	// before the last update.
	stale func(n int) bool

	mu        sync.Mutex
	aliases   map[string]*fakeAlias
	versions  map[int64]fakeVersion
	deleted   bool // the whole function
	revision  int
	calls     []string
	updates   []*lambda.UpdateAliasInput
	firstUp   time.Time // when the first update of `live` arrived
	previous  *fakeAlias
	reads     int                 // of `live`
	movesMade map[string][]string // the versions that updates brought each alias to
}

type fakeAlias struct {
	version     string
	weights     map[string]float64
	description string
	revision    string
	from        string    // the version that temporary weights still go to …
	until       time.Time // … until then
}

type fakeVersion struct {
	modified time.Time
	state    types.State
	reason   types.StateReasonCode
}

// fault is what happens to one call instead of a plain answer.
type fault struct {
	err       error
	processed bool // it was carried out anyway
	hang      bool // there is no answer at all
	empty     bool // the answer has nothing in it
}

func newFakeLambda(versions map[int64]time.Time) *fakeLambda {
	l := &fakeLambda{aliases: map[string]*fakeAlias{}, versions: map[int64]fakeVersion{}}
	for v, modified := range versions {
		l.versions[v] = fakeVersion{modified: modified, state: types.StateActive}
	}
	return l
}

// set is what somebody else does to an alias.
func (l *fakeLambda) set(name string, version int64, weights map[string]float64, description string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.aliases[name] = &fakeAlias{
		version: strconv.FormatInt(version, 10), weights: weights,
		description: description, revision: l.next(),
	}
}

func (l *fakeLambda) remove(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.aliases, name)
}

// serving is an alias as one text: "41", or "41+42:0.1" with a weight.
func (l *fakeLambda) serving(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.aliases[name]
	if a == nil {
		return ""
	}
	parts := []string{a.version}
	for _, v := range slices.Sorted(maps.Keys(a.weights)) {
		parts = append(parts, fmt.Sprintf("%s:%g", v, a.weights[v]))
	}
	return strings.Join(parts, "+")
}

func (l *fakeLambda) description(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.aliases[name]; a != nil {
		return a.description
	}
	return ""
}

func (l *fakeLambda) count(call string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

func (l *fakeLambda) next() string {
	l.revision++
	return fmt.Sprintf("revision-%d", l.revision)
}

// serve is one call, from its arrival to its answer or to what comes instead.
func serve[T any](ctx context.Context, l *fakeLambda, operation, call string, do func() (T, error)) (T, error) {
	var none T
	l.mu.Lock()
	l.calls = append(l.calls, call)
	n := 0
	for _, c := range l.calls {
		if c == call {
			n++
		}
	}
	l.mu.Unlock()
	if ctx.Err() != nil {
		return none, cancelled(operation, ctx)
	}
	if l.before != nil {
		l.before(call, n)
	}
	select {
	case <-time.After(l.latency):
	case <-ctx.Done():
		return none, cancelled(operation, ctx)
	}
	var f fault
	if l.faults != nil {
		if given := l.faults(call, n); given != nil {
			f = *given
		}
	}
	broken := f.err != nil || f.hang || f.empty
	var out T
	var err error
	if !broken || f.processed {
		l.mu.Lock()
		out, err = do()
		l.mu.Unlock()
	}
	if l.after != nil {
		l.after(call, n)
	}
	switch {
	case f.hang:
		<-ctx.Done()
		return none, cancelled(operation, ctx)
	case f.empty:
		return reflect.New(reflect.TypeFor[T]().Elem()).Interface().(T), nil
	case f.err != nil:
		return none, &smithy.OperationError{ServiceID: "Lambda", OperationName: operation, Err: f.err}
	case err != nil:
		return none, &smithy.OperationError{ServiceID: "Lambda", OperationName: operation, Err: err}
	}
	return out, nil
}

// cancelled is what the SDK gives for a request whose context ended: not the
// RequestSendError of a broken connection, even if the request had gone out.
func cancelled(operation string, ctx context.Context) error {
	return &smithy.OperationError{ServiceID: "Lambda", OperationName: operation, Err: &smithy.CanceledError{Err: ctx.Err()}}
}

func (l *fakeLambda) GetAlias(ctx context.Context, in *lambda.GetAliasInput, _ ...func(*lambda.Options)) (*lambda.GetAliasOutput, error) {
	name := aws.ToString(in.Name)
	return serve(ctx, l, "GetAlias", "GetAlias "+name, func() (*lambda.GetAliasOutput, error) {
		a := l.aliases[name]
		if l.deleted || a == nil {
			return nil, answer(404, "ResourceNotFoundException", "Cannot find alias arn: "+arn(name))
		}
		if name == "live" {
			l.reads++
			if l.stale != nil && l.previous != nil && l.stale(l.reads) {
				a = l.previous
			}
		}
		return &lambda.GetAliasOutput{
			AliasArn: aws.String(arn(name)), Name: in.Name, Description: &a.description,
			FunctionVersion: &a.version, RevisionId: &a.revision, RoutingConfig: a.routing(),
		}, nil
	})
}

func (l *fakeLambda) UpdateAlias(ctx context.Context, in *lambda.UpdateAliasInput, _ ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error) {
	name := aws.ToString(in.Name)
	l.mu.Lock()
	l.updates = append(l.updates, in)
	if name == "live" && l.firstUp.IsZero() {
		l.firstUp = time.Now()
	}
	l.mu.Unlock()
	return serve(ctx, l, "UpdateAlias", "UpdateAlias "+name, func() (*lambda.UpdateAliasOutput, error) {
		a := l.aliases[name]
		switch {
		case a == nil:
			return nil, answer(404, "ResourceNotFoundException", "Alias not found: "+arn(name))
		case !l.exists(aws.ToString(in.FunctionVersion)):
			return nil, answer(404, "ResourceNotFoundException", "Function not found: api:"+aws.ToString(in.FunctionVersion))
		case in.RevisionId != nil && *in.RevisionId != a.revision:
			return nil, answer(412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id")
		}
		old := a.version
		if name == "live" {
			was := *a
			l.previous = &was
		}
		if in.FunctionVersion != nil {
			a.version = *in.FunctionVersion
		}
		if in.RoutingConfig != nil {
			a.weights = maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
		}
		if in.Description != nil {
			a.description = *in.Description
		}
		if l.shifting > 0 && old != a.version {
			a.from, a.until = old, time.Now().Add(l.shifting)
		}
		a.revision = l.next()
		if l.movesMade == nil {
			l.movesMade = map[string][]string{}
		}
		l.movesMade[name] = append(l.movesMade[name], a.version)
		return &lambda.UpdateAliasOutput{
			AliasArn: aws.String(arn(name)), Name: in.Name, Description: &a.description,
			FunctionVersion: aws.String(a.version), RevisionId: aws.String(a.revision), RoutingConfig: a.routing(),
		}, nil
	})
}

func (l *fakeLambda) CreateAlias(ctx context.Context, in *lambda.CreateAliasInput, _ ...func(*lambda.Options)) (*lambda.CreateAliasOutput, error) {
	name := aws.ToString(in.Name)
	return serve(ctx, l, "CreateAlias", "CreateAlias "+name, func() (*lambda.CreateAliasOutput, error) {
		if l.aliases[name] != nil {
			return nil, answer(409, "ResourceConflictException", "Alias already exists: "+arn(name))
		}
		a := &fakeAlias{version: aws.ToString(in.FunctionVersion), description: aws.ToString(in.Description), revision: l.next()}
		l.aliases[name] = a
		return &lambda.CreateAliasOutput{AliasArn: aws.String(arn(name)), FunctionVersion: &a.version, RevisionId: &a.revision}, nil
	})
}

func (l *fakeLambda) GetFunctionConfiguration(ctx context.Context, in *lambda.GetFunctionConfigurationInput, _ ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error) {
	qualifier := aws.ToString(in.Qualifier)
	return serve(ctx, l, "GetFunctionConfiguration", strings.TrimSpace("GetFunctionConfiguration "+qualifier), func() (*lambda.GetFunctionConfigurationOutput, error) {
		if qualifier == "" && !l.deleted {
			return &lambda.GetFunctionConfigurationOutput{Version: aws.String("$LATEST")}, nil
		}
		if l.deleted || !l.exists(qualifier) {
			return nil, answer(404, "ResourceNotFoundException", "Function not found: api:"+qualifier)
		}
		n, _ := strconv.ParseInt(qualifier, 10, 64)
		v := l.versions[n]
		return &lambda.GetFunctionConfigurationOutput{
			Version: aws.String(qualifier), LastModified: stamp(v.modified), State: v.state, StateReasonCode: v.reason,
			CodeSha256: aws.String("sha-" + qualifier),
		}, nil
	})
}

// ListVersionsByFunction gives 50 a page, the oldest first, without states.
func (l *fakeLambda) ListVersionsByFunction(ctx context.Context, in *lambda.ListVersionsByFunctionInput, _ ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error) {
	return serve(ctx, l, "ListVersionsByFunction", "ListVersionsByFunction", func() (*lambda.ListVersionsByFunctionOutput, error) {
		start, _ := strconv.Atoi(aws.ToString(in.Marker))
		all := slices.Sorted(maps.Keys(l.versions))
		out := &lambda.ListVersionsByFunctionOutput{}
		if start == 0 {
			out.Versions = append(out.Versions, types.FunctionConfiguration{Version: aws.String("$LATEST")})
		}
		end := min(start+50-len(out.Versions), len(all))
		for _, v := range all[start:end] {
			out.Versions = append(out.Versions, types.FunctionConfiguration{
				Version: aws.String(strconv.FormatInt(v, 10)), LastModified: stamp(l.versions[v].modified),
			})
		}
		if end < len(all) {
			out.NextMarker = aws.String(strconv.Itoa(end))
		}
		return out, nil
	})
}

func (l *fakeLambda) exists(version string) bool {
	n, err := strconv.ParseInt(version, 10, 64)
	_, found := l.versions[n]
	return err == nil && found
}

func (a *fakeAlias) routing() *types.AliasRoutingConfiguration {
	weights := maps.Clone(a.weights)
	if len(weights) == 0 && time.Now().Before(a.until) {
		weights = map[string]float64{a.from: 0.4}
	}
	if len(weights) == 0 {
		return nil
	}
	return &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
}

func arn(alias string) string {
	return "arn:aws:lambda:eu-west-1:123456789012:function:api:" + alias
}

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return aws.String(t.UTC().Format("2006-01-02T15:04:05.000+0000"))
}

// answer is an error that Lambda answered with, as the SDK hands it out.
func answer(status int, code, message string, header ...string) error {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return response(status, h, &smithy.GenericAPIError{Code: code, Message: message})
}

func response(status int, h http.Header, err error) error {
	return &awshttp.ResponseError{
		RequestID: "4c1e6b1f",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: h}}, Err: err,
		},
	}
}

// The faults that may pass by themselves. Whether the request was carried out
// cannot be told from those without an answer.
var passingFaults = map[string]fault{
	"throttled (429)":                      {err: answer(429, "TooManyRequestsException", "Rate Exceeded.")},
	"throttled, bare of any code":          {err: answer(429, "UnknownError", "UnknownError")},
	"throttled, with Retry-After":          {err: answer(429, "TooManyRequestsException", "Rate Exceeded.", "Retry-After", "7")},
	"server error (500)":                   {err: answer(500, "ServiceException", "An error occurred")},
	"server error after all was done":      {err: answer(500, "ServiceException", "An error occurred"), processed: true},
	"unavailable (503)":                    {err: answer(503, "ServiceUnavailable", "")},
	"connection reset before it arrived":   {err: &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}},
	"answer lost after it was carried out": {err: &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}, processed: true},
	"answer breaks off": {err: response(200, http.Header{},
		&smithy.DeserializationError{Err: fmt.Errorf("failed to decode response body, %w", io.ErrUnexpectedEOF)}), processed: true},
	"{} from something in between":         {empty: true},
	"{} after all was done":                {empty: true, processed: true},
	"timeout of something in between":      {err: response(408, http.Header{}, &smithy.GenericAPIError{Code: "UnknownError", Message: "UnknownError"})},
	"no answer":                            {hang: true},
	"no answer, though it was carried out": {hang: true, processed: true},
}

// inspected has provisioned concurrency, or an error instead.
type inspected struct {
	*fakeLambda

	err error
}

func (i inspected) GetProvisionedConcurrencyConfig(context.Context, *lambda.GetProvisionedConcurrencyConfigInput, ...func(*lambda.Options)) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	return nil, &smithy.OperationError{ServiceID: "Lambda", OperationName: "GetProvisionedConcurrencyConfig", Err: i.err}
}

func sendError(text string) error { return &smithyhttp.RequestSendError{Err: errors.New(text)} }

// bubbleClock is the time of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time { return time.Now() }

func (bubbleClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// fakeRuns is GitHub, as far as it is asked about other runs.
type fakeRuns struct {
	conclusions map[int64]string
	older       []report.Run
	silent      bool // it does not answer
}

var errSilent = errors.New("GitHub answered 403")

func (r fakeRuns) Outcome(_ context.Context, run int64) (report.Run, error) {
	if r.silent {
		return report.Run{}, errSilent
	}
	return report.Run{ID: run, Conclusion: r.conclusions[run], Jobs: []report.Job{{Name: "deploy", Conclusion: r.conclusions[run], StartedAt: time.Now()}}}, nil
}

func (r fakeRuns) AtWork(context.Context, report.Run, time.Time, time.Time) ([]report.Run, error) {
	if r.silent {
		return nil, errSilent
	}
	return r.older, nil
}

// fakeLog keeps what was said.
type fakeLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *fakeLog) Infof(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}
