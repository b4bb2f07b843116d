package emulator_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

var update = emulator.Match{Operation: "UpdateAlias", Function: "api", Qualifier: "live"}

func TestThrottleTheFirstCalls(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	api := client(e, region, w)
	f := withVersions(t, e, 2)
	fault := e.Fault(update, emulator.Throttle(2*time.Second).Times(2))

	for range 2 {
		_, err := moveTo(t.Context(), api, "1")
		assert.Equal(t, "TooManyRequestsException", code(err))
		assert.Equal(t, http.StatusTooManyRequests, w.status)
		assert.Equal(t, "2", w.header.Get("Retry-After"))
		assert.Equal(t, "2", f.Serving("live"))
	}
	_, err := moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	assert.Equal(t, 2, fault.Hits())
	calls := e.Calls(update)
	assert.Equal(t, "throttled", calls[0].Fault)
	assert.Equal(t, "TooManyRequestsException", calls[0].ErrorCode)
	assert.Empty(t, calls[2].Fault)
}

func TestControlPlaneHasOneRateForAllCalls(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	// One token in ten seconds: none comes back while this test runs.
	limit := e.LimitControlPlane(0.1, 3)
	refused := 0
	for range 5 {
		_, err := getAlias(t, api, "api", "live")
		if code(err) == "TooManyRequestsException" {
			refused++
		}
	}
	assert.Equal(t, 2, refused)
	_, err := api.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("api")})
	require.NoError(t, err, "GetFunction has a limit of its own")
	_, err = api.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("api")})
	require.NoError(t, err, "Invoke too")

	elsewhere := e.Lambda("us-east-1").CreateFunction("api")
	require.NoError(t, elsewhere.SetAlias("live", elsewhere.Publish(day), nil))
	_, err = getAlias(t, client(e, "us-east-1", newWire(t)), "api", "live")
	assert.NoError(t, err, "each region has its own rate")

	limit.Remove()
	_, err = getAlias(t, api, "api", "live")
	assert.NoError(t, err)
}

func TestRateLetsCallsThroughAgain(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	e.LimitControlPlane(50, 1)
	_, err := getAlias(t, api, "api", "live")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := getAlias(t, api, "api", "live")
		return err == nil
	}, 5*time.Second, 30*time.Millisecond)
}

func TestStatusOfAnyKindOnTheNthCall(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	e.Fault(emulator.Match{Operation: "GetAlias"}, emulator.Status(http.StatusInternalServerError, "ServiceException", "try again").Nth(2))
	var codes []string
	for range 3 {
		_, err := getAlias(t, api, "api", "live")
		codes = append(codes, code(err))
	}
	assert.Equal(t, []string{"", "ServiceException", ""}, codes)
}

func TestDenials(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	api := client(e, region, w)
	f := withVersions(t, e, 2)
	denied := e.Fault(update, emulator.Deny())
	_, err := moveTo(t.Context(), api, "1")
	assert.Equal(t, "AccessDeniedException", code(err))
	require.ErrorContains(t, err, "user/AKIDTEST is not authorized to perform: lambda:UpdateAlias on resource: "+f.ARN()+":live")

	denied.Remove()
	e.Fault(update, emulator.DenyWithoutMessage())
	_, err = moveTo(t.Context(), api, "1")
	assert.Equal(t, "AccessDeniedException", code(err))
	assert.JSONEq(t, `{"Message":null}`, string(w.body))
	assert.Equal(t, "2", f.Serving("live"))
}

func TestResetComesBeforeTheWork(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	e.Fault(update, emulator.Reset())
	_, err := moveTo(t.Context(), api, "1")
	require.ErrorIs(t, err, syscall.ECONNRESET)
	assert.Equal(t, "2", f.Serving("live"))
	assert.Zero(t, e.Calls(update)[0].Status)
}

func TestLostAnswerComesAfterTheWork(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	before, _ := f.Alias("live")
	e.Fault(update, emulator.LostAnswer().Times(1))
	move := func() error {
		_, err := api.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
			FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: aws.String("1"), RevisionId: &before.RevisionID,
		})
		return err
	}
	assert.ErrorIs(t, move(), syscall.ECONNRESET)
	assert.Equal(t, "1", f.Serving("live"))
	assert.Equal(t, "PreconditionFailedException", code(move()), "the retry meets the new revision")
}

func TestTruncatedAnswer(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	e.Fault(emulator.Match{Operation: "GetAlias"}, emulator.Truncated())
	_, err := getAlias(t, api, "api", "live")
	assert.ErrorContains(t, err, "unexpected EOF")
}

// untilHit returns a context that ends shortly after a call has met the fault, however
// long a busy machine takes to send it.
func untilHit(tb testing.TB, fault *emulator.Fault) context.Context {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	go func() {
		for fault.Hits() == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		cancel()
	}()
	return ctx
}

func TestLatencyDelaysTheWork(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	slow := e.Fault(update, emulator.Latency(time.Minute).Times(1))
	_, err := moveTo(untilHit(t, slow), api, "1")
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "2", f.Serving("live"), "the caller gave up before the work")

	e.Fault(update, emulator.Latency(30*time.Millisecond))
	began := time.Now()
	_, err = moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(began), 30*time.Millisecond)
}

func TestLateAnswerDelaysAfterTheWork(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	e.Fault(update, emulator.LateAnswer(time.Minute))
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	failed := make(chan error, 1)
	go func() {
		_, err := moveTo(ctx, api, "1")
		failed <- err
	}()
	require.Eventually(t, func() bool { return f.Serving("live") == "1" }, 5*time.Second, time.Millisecond)
	giveUp()
	assert.ErrorIs(t, <-failed, context.Canceled)
}

func TestHangLastsUntilTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	hang := e.Fault(update, emulator.Hang())
	_, err := moveTo(untilHit(t, hang), api, "1")
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "2", f.Serving("live"))
}

func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	e.Fault(update, emulator.Hang())
	failed := make(chan error, 1)
	go func() {
		_, err := moveTo(context.Background(), api, "1")
		failed <- err
	}()
	require.Eventually(t, func() bool { return len(e.Calls(update)) == 1 }, 5*time.Second, time.Millisecond)
	e.Close()
	var network net.Error
	if err := <-failed; !errors.As(err, &network) {
		assert.Error(t, err)
	}
}

func TestSlowWeightsAreShownForSomeReads(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	e.Fault(update, emulator.SlowWeights(2))
	moved, err := moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	assert.Equal(t, "1", *moved.FunctionVersion)

	var shown []map[string]float64
	for range 3 {
		out, err := getAlias(t, api, "api", "live")
		require.NoError(t, err)
		assert.Equal(t, "1", *out.FunctionVersion)
		assert.Equal(t, *moved.RevisionId, *out.RevisionId)
		var weights map[string]float64
		if out.RoutingConfig != nil {
			weights = out.RoutingConfig.AdditionalVersionWeights
		}
		shown = append(shown, weights)
	}
	assert.Equal(t, []map[string]float64{{"2": 0.9}, {"2": 0.45}, nil}, shown)
	state, _ := f.Alias("live")
	assert.Empty(t, state.Weights, "they are no weights of the alias's own")
}

func TestSlowWeightsForATime(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	e.Fault(update, emulator.SlowWeightsFor(time.Second))
	_, err := moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	out, err := getAlias(t, api, "api", "live")
	require.NoError(t, err)
	assert.NotNil(t, out.RoutingConfig)
	require.Eventually(t, func() bool {
		out, err := getAlias(t, api, "api", "live")
		return err == nil && out.RoutingConfig == nil
	}, 5*time.Second, 20*time.Millisecond)
}

func TestDeployThatGetsInBetween(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	e.Fault(update, emulator.Before(func(emulator.Call) {
		assert.NoError(t, f.SetAlias("live", f.Publish(day), nil))
	}).Times(1))
	seen, err := getAlias(t, api, "api", "live")
	require.NoError(t, err)
	_, err = api.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("api"), Name: aws.String("live"), FunctionVersion: aws.String("1"), RevisionId: seen.RevisionId,
	})
	assert.Equal(t, "PreconditionFailedException", code(err))
	assert.Equal(t, "3", f.Serving("live"))
}

func TestDeployRightAfterTheMove(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	f := withVersions(t, e, 2)
	e.Fault(update, emulator.After(func(call emulator.Call) {
		assert.Equal(t, "UpdateAlias", call.Operation)
		assert.NoError(t, f.SetAlias("live", f.Publish(day), nil))
	}))
	out, err := moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	assert.Equal(t, "1", *out.FunctionVersion)
	assert.Equal(t, "3", f.Serving("live"))
}

func TestFaultsAreAimed(t *testing.T) {
	t.Parallel()
	e, api := start(t)
	withVersions(t, e, 2)
	for _, miss := range []emulator.Match{
		{Operation: "GetAlias"},
		{Function: "other"},
		{Qualifier: "blue"},
		{Region: "us-east-1"},
		{Service: emulator.ServiceSTS},
		{Where: func(c emulator.Call) bool { return strings.HasSuffix(c.Path, "/blue") }},
	} {
		e.Fault(miss, emulator.Deny())
	}
	_, err := moveTo(t.Context(), api, "1")
	assert.NoError(t, err)
	e.Fault(emulator.Match{}, emulator.Deny())
	_, err = moveTo(t.Context(), api, "1")
	assert.Equal(t, "AccessDeniedException", code(err))
	e.ClearFaults()
	_, err = moveTo(t.Context(), api, "1")
	assert.NoError(t, err)
}
