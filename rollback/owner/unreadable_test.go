package owner_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/owner"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

var describe = emulator.Match{Service: emulator.ServiceStacks, Operation: "DescribeStacks"}

// waiting is a watch of a stack in progress that has been seen once.
func waiting(t *testing.T) (*lab, *owner.Watch) {
	t.Helper()
	l := newLab(t)
	l.stack("UPDATE_IN_PROGRESS")
	w := l.watch(owner.Options{})
	w.Look(t.Context(), l.aliasARN())
	require.NotNil(t, w.Known(t.Context(), time.Minute).Stack)
	return l, w
}

// goesOn wants a move to go on after a wait, on a new reading of the alias, and
// returns what is told of the wait.
func goesOn(t *testing.T, w *owner.Watch) *report.Owner {
	t.Helper()
	decidesAnew(t, w, false)
	v, err := w.Allow(t.Context(), newMove, false)
	require.NoError(t, err)
	assert.Zero(t, v, "the move goes on")
	told := w.Told(t.Context(), time.Minute)
	require.NotNil(t, told)
	return told
}

// decidesAnew wants a wait to end with a new reading of the alias, and returns what is
// told of the wait.
func decidesAnew(t *testing.T, w *owner.Watch, shared bool) *report.Owner {
	t.Helper()
	v, err := w.Allow(t.Context(), newMove, shared)
	require.NoError(t, err)
	assert.Equal(t, owner.Verdict{Again: true}, v)
	told := w.Told(t.Context(), time.Minute)
	require.NotNil(t, told)
	return told
}

// What AWS refuses for good is not asked again until the time is over: a stack
// that cannot be read stops nothing, and the alias is read and decided on anew.
func TestAStackThatCanNoLongerBeReadIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault emulator.Effect
		why   string
	}{
		"it does not exist": {emulator.Status(400, "ValidationError", "Stack with id checkout does not exist"),
			"cloudformation:DescribeStacks: ValidationError: Stack with id checkout does not exist"},
		"it may not be read": {emulator.Deny(), "AWS denied cloudformation:DescribeStacks"},
		"the credentials ended": {emulator.Status(403, "ExpiredToken", "The security token included in the request is expired"),
			"cloudformation:DescribeStacks: ExpiredToken: The security token included in the request is expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, w := waiting(t)
			l.Fault(describe, c.fault)
			told := goesOn(t, w)
			assert.Empty(t, told.State)
			assert.Equal(t, []string{"the stack checkout was UPDATE_IN_PROGRESS: the action waited 5 s for it, and its state can no longer be read: " + c.why}, told.Past)
		})
	}
}

// What passes without a fix is waited through.
func TestAStackThatCannotBeReadForAWhileIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Effect{
		"an error of the service": emulator.Status(503, "ServiceUnavailable", ""),
		"throttled":               emulator.Status(400, "Throttling", "Rate exceeded"),
		"a connection is cut":     emulator.Reset(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, w := waiting(t)
			l.Fault(describe, fault.Times(6)) // three tries a read: the third read succeeds
			l.Fault(describe, emulator.Before(func(emulator.Call) { l.CloudFormation(region).SetStatus("checkout", "UPDATE_COMPLETE") }))
			told := decidesAnew(t, w, false)
			require.Len(t, told.Past, 1)
			assert.Regexp(t, "^the stack checkout was UPDATE_IN_PROGRESS: the action waited 1[5-9] s for it, and it is UPDATE_COMPLETE now$", told.Past[0])
		})
	}
}

// An outage of CloudFormation does not keep production down: what was seen at work a
// minute ago is no longer waited for.
func TestAStackThatStaysUnreadableIsNotWaitedForUntilTheTimeIsOver(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Effect{
		"an error of the service": emulator.Status(503, "ServiceUnavailable", "Slow down"),
		"throttled":               emulator.Status(400, "Throttling", "Rate exceeded"),
		"a connection is cut":     emulator.Reset(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, w := waiting(t)
			l.Fault(describe, fault)
			told := goesOn(t, w)
			require.Len(t, told.Past, 1)
			assert.Regexp(t, "^the stack checkout was UPDATE_IN_PROGRESS: the action waited 1 min(?: [0-9] s)? for it, and its state can no longer be read: ", told.Past[0])
		})
	}
}

// The same of a deployment that CodeDeploy rolls back.
func TestADeploymentThatStaysUnreadableIsNotWaitedForUntilTheTimeIsOver(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.NoError(t, l.function.SetAlias("live", 5, map[string]float64{"6": 0.1}))
	l.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 5, Target: 6, RollbackReads: 100})
	w := l.watch(owner.Options{StopCodeDeploy: true})
	w.Look(t.Context(), l.aliasARN())
	require.NotNil(t, w.Known(t.Context(), time.Minute).Deployment)
	l.Fault(emulator.Match{Operation: "BatchGetDeployments"}, emulator.Status(500, "InternalFailure", ""))
	told := decidesAnew(t, w, true)
	assert.Regexp(t, "^the CodeDeploy deployment d-1 was stopped or was rolling back, and after 1 min(?: [0-9] s)? its state could not be read any more: ", told.Past[0])
}

// A state that was seen long ago is not said to be the present one.
func TestAStateThatWasNotReadAgainIsNotThePresentOne(t *testing.T) {
	t.Parallel()
	l, w := waiting(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	l.script = []func(){
		func() {}, // a read that succeeds, 5 s later
		func() { l.Fault(describe, emulator.Status(503, "ServiceUnavailable", "Slow down")) },
		func() {}, func() {}, // the pauses between the tries of a read that fails
		func() { cancel(assert.AnError) },
	}
	_, err := w.Allow(ctx, newMove, false)
	require.ErrorIs(t, err, assert.AnError)
	assert.Regexp(t, `^the stack checkout that owns the alias was UPDATE_IN_PROGRESS when its state was last read, 1[01] s ago, and could not be read since \(cloudformation:DescribeStacks: ServiceUnavailable: Slow down\); `, err.Error())
	assert.ErrorContains(t, err, "run this again when it has ended, or set on-stack-in-progress: go-on to move the alias now")
	assert.NotContains(t, err.Error(), "still")
}
