package owner_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/owner"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

const region = "eu-west-1"

// lab is an emulator with the function api, of which the alias live serves version
// 6, and a clock that never waits: each Sleep does what is next in the script.
type lab struct {
	*emulator.Emulator

	function *emulator.Function
	reader   owner.Reader

	mu     sync.Mutex
	now    time.Time
	script []func()
	lines  []string
}

func (l *lab) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *lab) Sleep(ctx context.Context, d time.Duration) error {
	l.mu.Lock()
	l.now = l.now.Add(d)
	next := func() {}
	if len(l.script) > 0 {
		next, l.script = l.script[0], l.script[1:]
	}
	l.mu.Unlock()
	next()
	return ctx.Err()
}

func (l *lab) Infof(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Emulator: emulator.StartFor(t), now: after}
	l.function = l.Lambda(region).CreateFunction("api")
	for range 6 {
		l.function.Publish(before)
	}
	require.NoError(t, l.function.SetAlias("live", 6, nil))
	config := sdk.Config{
		Region: region, BaseEndpoint: sdk.String(l.URL), Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer: func() sdk.Retryer { return sdk.NopRetryer{} },
	}
	retry := aws.Retry{Log: l, Clock: l}
	deploy := codedeploy.NewFromConfig(config)
	l.reader = owner.Reader{
		Stacks: cloudformation.NewFromConfig(config), Tags: lambda.NewFromConfig(config), Retry: retry,
		Deployments: &owner.DeploymentReader{Lister: deploy, Targets: deploy, Stopper: deploy, Retry: retry},
	}
	return l
}

func (l *lab) aliasARN() string { return l.function.ARN() + ":live" }

func (l *lab) stack(status string, change ...func(*emulator.Stack)) {
	s := emulator.Stack{
		Name: "checkout", Status: status, Updated: after,
		Resources: []emulator.StackResource{
			{LogicalID: "Api", PhysicalID: "api", Type: "AWS::Lambda::Function"},
			{LogicalID: "LiveAlias", PhysicalID: l.aliasARN(), Type: "AWS::Lambda::Alias"},
		},
	}
	for _, c := range change {
		c(&s)
	}
	l.CloudFormation(region).Put(s)
}

func has(logicalID, kind string) func(*emulator.Stack) {
	return func(s *emulator.Stack) {
		s.Resources = append(s.Resources, emulator.StackResource{LogicalID: logicalID, PhysicalID: logicalID, Type: kind})
	}
}

func TestTheToolIsKnownByItsTraces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trace func(*emulator.Stack)
		want  owner.Tool
	}{
		"CDK":           {has("CDKMetadata", "AWS::CDK::Metadata"), owner.CDK},
		"SAM":           {has("ApiVersion640128d35d", "AWS::Lambda::Version"), owner.SAM},
		"Serverless":    {has("ServerlessDeploymentBucket", "AWS::S3::Bucket"), owner.Serverless},
		"plain":         {has("ApiVersion", "AWS::Lambda::Version"), owner.Plain},
		"nothing of it": {func(*emulator.Stack) {}, owner.Plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.stack("UPDATE_COMPLETE", c.trace)
			s, unseen := l.reader.Stack(t.Context(), l.aliasARN())
			require.NotNil(t, s)
			assert.Empty(t, unseen)
			assert.Equal(t, c.want, s.Tool)
			assert.True(t, s.OwnsAlias)
			assert.Equal(t, "checkout", s.Name)
			assert.EqualValues(t, "UPDATE_COMPLETE", s.Status)
			assert.True(t, s.Updated.Equal(after))
			assert.False(t, s.CodeDeploy)
		})
	}
}

func TestAStackWithADeploymentGroup(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.stack("UPDATE_COMPLETE", has("Group", "AWS::CodeDeploy::DeploymentGroup"))
	s, _ := l.reader.Stack(t.Context(), l.aliasARN())
	require.NotNil(t, s)
	assert.True(t, s.CodeDeploy)
}

// What a nested stack has deployed is rolled back with its root.
func TestANestedStackIsInTheStateOfItsRoot(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.stack("UPDATE_COMPLETE", func(s *emulator.Stack) { s.Root = "shop" })
	l.CloudFormation(region).Put(emulator.Stack{Name: "shop", Status: "UPDATE_IN_PROGRESS", Updated: began})
	s, unseen := l.reader.Stack(t.Context(), l.aliasARN())
	require.NotNil(t, s)
	assert.Empty(t, unseen)
	assert.Equal(t, []string{"shop", "checkout"}, []string{s.Name, s.Nested})
	assert.EqualValues(t, "UPDATE_IN_PROGRESS", s.Status)
	l.CloudFormation(region).SetStatus("shop", "UPDATE_ROLLBACK_COMPLETE")
	require.NoError(t, l.reader.Refresh(t.Context(), s))
	assert.EqualValues(t, "UPDATE_ROLLBACK_COMPLETE", s.Status)
	assert.Equal(t, "checkout", s.Nested)
}

func TestTheResourceThatFailedFirstIsNamed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.stack("UPDATE_ROLLBACK_FAILED", func(s *emulator.Stack) {
		s.Events = []emulator.StackEvent{
			{LogicalID: "checkout", Type: "AWS::CloudFormation::Stack", Status: "UPDATE_ROLLBACK_FAILED"},
			{LogicalID: "Table", PhysicalID: "t", Type: "AWS::DynamoDB::Table", Status: "UPDATE_FAILED", Reason: "Resource update cancelled"},
			{LogicalID: "LiveAlias", PhysicalID: "a", Type: "AWS::Lambda::Alias", Status: "UPDATE_FAILED", Reason: "Function not found"},
			{LogicalID: "checkout", Type: "AWS::CloudFormation::Stack", Status: "UPDATE_ROLLBACK_IN_PROGRESS"},
			{LogicalID: "Api", PhysicalID: "api", Type: "AWS::Lambda::Function", Status: "UPDATE_FAILED", Reason: "of the update, not of its rollback"},
		}
	})
	s, unseen := l.reader.Stack(t.Context(), l.aliasARN())
	require.NotNil(t, s)
	assert.Empty(t, unseen)
	assert.Equal(t, owner.Failure{Resource: "LiveAlias", Type: "AWS::Lambda::Alias", Reason: "Function not found"}, s.Failed)
}

func TestWithoutTheAliasItsFunctionsTagsTell(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s, unseen := l.reader.Stack(t.Context(), l.aliasARN())
	assert.Nil(t, s)
	assert.Empty(t, unseen, "that no stack has it is an answer")
	s, unseen = l.reader.StackByTags(t.Context(), l.aliasARN())
	assert.Nil(t, s)
	assert.Empty(t, unseen)

	l.function.Tag("aws:cloudformation:stack-name", "checkout")
	l.function.Tag("lambda:createdBy", "SAM")
	l.CloudFormation(region).Put(emulator.Stack{Name: "checkout", Status: "UPDATE_IN_PROGRESS"})
	s, unseen = l.reader.StackByTags(t.Context(), l.aliasARN())
	require.NotNil(t, s)
	assert.Empty(t, unseen)
	assert.False(t, s.OwnsAlias)
	assert.Equal(t, owner.SAM, s.Tool)
	assert.EqualValues(t, "UPDATE_IN_PROGRESS", s.Status)
}

// What is denied is said once, by the name of the IAM action.
func TestWhatIsDeniedIsSaid(t *testing.T) {
	t.Parallel()
	for operation, c := range map[string]struct{ service, want string }{
		"DescribeStackResources":    {emulator.ServiceStacks, "whether a stack owns the alias: AWS denied cloudformation:DescribeStackResources"},
		"DescribeStacks":            {emulator.ServiceStacks, "the state of the stack checkout: AWS denied cloudformation:DescribeStacks"},
		"DescribeStackEvents":       {emulator.ServiceStacks, "what failed in the stack checkout: AWS denied cloudformation:DescribeStackEvents"},
		"ListDeployments":           {emulator.ServiceCodeDeploy, "whether CodeDeploy is moving the alias: AWS denied codedeploy:ListDeployments"},
		"BatchGetDeployments":       {emulator.ServiceCodeDeploy, "whether CodeDeploy is moving the alias: AWS denied codedeploy:BatchGetDeployments"},
		"ListDeploymentTargets":     {emulator.ServiceCodeDeploy, "whether CodeDeploy is moving the alias: AWS denied codedeploy:ListDeploymentTargets"},
		"BatchGetDeploymentTargets": {emulator.ServiceCodeDeploy, "whether CodeDeploy is moving the alias: AWS denied codedeploy:BatchGetDeploymentTargets"},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.stack("UPDATE_FAILED")
			l.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 5, Target: 6})
			l.Fault(emulator.Match{Service: c.service, Operation: operation}, emulator.Deny())
			w := l.watch(owner.Options{})
			w.Look(t.Context(), l.aliasARN())
			assert.Equal(t, []string{c.want}, w.Known(t.Context(), time.Minute).Unseen)
		})
	}
	t.Run("ListTags", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		l.Fault(emulator.Match{Operation: "ListTags"}, emulator.Deny())
		w := l.watch(owner.Options{})
		w.Look(t.Context(), l.aliasARN())
		assert.Empty(t, w.Known(t.Context(), time.Minute).Unseen, "a move does not depend on it")
		w.Tags(t.Context())
		assert.Equal(t, []string{"whether a stack owns the function: AWS denied lambda:ListTags"}, w.Known(t.Context(), time.Minute).Unseen)
	})
}

// The ARN of an alias that was not read yet is a guess, and the alias has the word.
func TestAnARNThatWasGuessedWrong(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.stack("UPDATE_IN_PROGRESS")
	w := l.watch(owner.Options{})
	w.Look(t.Context(), strings.Replace(l.aliasARN(), emulator.Account, "222222222222", 1))
	assert.Nil(t, w.Known(t.Context(), time.Minute).Stack)
	w.Look(t.Context(), l.aliasARN())
	require.NotNil(t, w.Known(t.Context(), time.Minute).Stack)
	assert.True(t, w.Known(t.Context(), time.Minute).Stack.OwnsAlias)
	w.Look(t.Context(), l.aliasARN())
	assert.Len(t, l.Calls(emulator.Match{Operation: "DescribeStackResources"}), 2, "each ARN is asked about once")
}

// The tags are asked for where no stack owns the alias, and once.
func TestTagsAreReadWhereNoStackOwnsTheAlias(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.function.Tag("aws:cloudformation:stack-name", "checkout")
	l.CloudFormation(region).Put(emulator.Stack{Name: "checkout", Status: "UPDATE_COMPLETE"})
	w := l.watch(owner.Options{})
	w.Look(t.Context(), l.aliasARN())
	assert.Nil(t, w.Known(t.Context(), time.Minute).Stack)
	assert.Empty(t, l.Calls(emulator.Match{Operation: "ListTags"}))
	w.Tags(t.Context())
	w.Tags(t.Context())
	require.NotNil(t, w.Known(t.Context(), time.Minute).Stack)
	assert.Len(t, l.Calls(emulator.Match{Operation: "ListTags"}), 1)

	owned := newLab(t)
	owned.stack("UPDATE_COMPLETE")
	w = owned.watch(owner.Options{})
	w.Look(t.Context(), owned.aliasARN())
	w.Tags(t.Context())
	require.NotNil(t, w.Known(t.Context(), time.Minute).Stack)
	assert.Empty(t, owned.Calls(emulator.Match{Operation: "ListTags"}))
}

func (l *lab) watch(o owner.Options) *owner.Watch {
	return owner.NewWatch(owner.Alias{Function: "api", Name: "live", Region: region}, l.reader, o)
}

func TestADeploymentInFlightIsFoundByItsTarget(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, d := range []emulator.LambdaDeployment{
		{ID: "d-server", Platform: "Server", Function: "api", Alias: "live"},
		{ID: "d-other", Function: "api", Alias: "beta"},
		{ID: "d-done", Status: "Succeeded", Function: "api", Alias: "live"},
		{ID: "d-ours", Application: "shop", Group: "live", Status: "Ready", Function: "api", Alias: "live", Current: 5, Target: 6},
	} {
		l.CodeDeploy(region).Put(d)
	}
	d, unseen := l.reader.Deployments.On(t.Context(), "api", "live")
	require.NotNil(t, d)
	assert.Empty(t, unseen)
	assert.Equal(t, owner.Deployment{ID: "d-ours", Application: "shop", Group: "live", Status: "Ready", Version: "6"}, *d)
	d, _ = l.reader.Deployments.On(t.Context(), "worker", "live")
	assert.Nil(t, d)
	assert.Len(t, l.Calls(emulator.Match{Operation: "ListDeployments"}), 1, "once for all functions")
}

func TestAStackInProgressIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.stack("UPDATE_IN_PROGRESS")
	state := func(status string) func() { return func() { l.CloudFormation(region).SetStatus("checkout", status) } }
	l.script = []func(){func() {}, state("UPDATE_ROLLBACK_IN_PROGRESS"), func() {}, state("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")}
	w := l.watch(owner.Options{})
	w.Look(t.Context(), l.aliasARN())
	v, err := w.Allow(t.Context(), newMove, false)
	require.NoError(t, err)
	assert.Equal(t, owner.Verdict{Again: true}, v)
	assert.Contains(t, l.lines, "the stack checkout is UPDATE_ROLLBACK_IN_PROGRESS now")

	v, err = w.Allow(t.Context(), with(oldMove, func(p *owner.Proposal) { p.Changed = true }), false)
	require.NoError(t, err)
	assert.Equal(t, report.RolledBackByStack, v.Skip)
	told := w.Told(t.Context(), time.Minute)
	require.NotNil(t, told)
	assert.Equal(t, []string{"the stack checkout was UPDATE_IN_PROGRESS: the action waited 20 s for it, and it is UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS now"}, told.Past)
}

func TestAStackWhoseStateMayNotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script func(*lab) []func()
		past   []string
	}{
		"from the first": {},
		"while it is waited for": {func(l *lab) []func() {
			return []func(){func() { l.deny("DescribeStacks") }}
		}, []string{"the stack checkout was UPDATE_IN_PROGRESS: the action waited 5 s for it, and its state can no longer be read: AWS denied cloudformation:DescribeStacks"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.stack("UPDATE_IN_PROGRESS")
			if c.script == nil {
				l.deny("DescribeStacks")
			} else {
				l.script = c.script(l)
			}
			w := l.watch(owner.Options{})
			w.Look(t.Context(), l.aliasARN())
			_, err := w.Allow(t.Context(), newMove, false)
			require.NoError(t, err)
			told := w.Told(t.Context(), time.Minute)
			require.NotNil(t, told)
			assert.Equal(t, "the stack checkout", told.Name)
			assert.Empty(t, told.State)
			assert.Equal(t, c.past, told.Past)
		})
	}
}

func (l *lab) deny(operation string) {
	l.Fault(emulator.Match{Operation: operation}, emulator.Deny())
}

func TestTheTimeIsOverWhileAStackIsInProgress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.stack("UPDATE_IN_PROGRESS")
	ctx, cancel := context.WithCancelCause(t.Context())
	l.script = []func(){func() {}, func() { cancel(assert.AnError) }}
	w := l.watch(owner.Options{})
	w.Look(t.Context(), l.aliasARN())
	_, err := w.Allow(ctx, newMove, false)
	require.ErrorIs(t, err, assert.AnError)
	assert.ErrorContains(t, err, "the stack checkout that owns the alias was still UPDATE_IN_PROGRESS after 10 s")
}

func TestCodeDeployIsStoppedWithItsRollback(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.NoError(t, l.function.SetAlias("live", 5, map[string]float64{"6": 0.1}))
	l.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 5, Target: 6, RollbackReads: 2})
	w := l.watch(owner.Options{StopCodeDeploy: true})
	w.Look(t.Context(), l.aliasARN())
	v, err := w.Allow(t.Context(), newMove, true)
	require.NoError(t, err)
	assert.Equal(t, owner.Verdict{Again: true}, v)
	alias, _ := l.function.Alias("live")
	assert.Equal(t, "5", alias.Version)
	assert.Empty(t, alias.Weights)
	v, err = w.Allow(t.Context(), noMove, false)
	require.NoError(t, err)
	assert.Zero(t, v)
	told := w.Told(t.Context(), time.Minute)
	require.NotNil(t, told)
	assert.Contains(t, told.Past[0], "the CodeDeploy deployment d-1R")
}

// A deployment that was stopped need not tell of its rollback at once.
func TestTheRollbackOfCodeDeployIsToldLate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.NoError(t, l.function.SetAlias("live", 5, map[string]float64{"6": 0.1}))
	l.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 5, Target: 6, UntoldReads: 2, RollbackReads: 1})
	w := l.watch(owner.Options{StopCodeDeploy: true})
	w.Look(t.Context(), l.aliasARN())
	_, err := w.Allow(t.Context(), newMove, true)
	require.NoError(t, err)
	alias, _ := l.function.Alias("live")
	assert.Equal(t, "5", alias.Version)
	assert.Empty(t, alias.Weights)
}

func TestCodeDeployCannotBeStopped(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 5, Target: 6})
	l.Fault(emulator.Match{Operation: "StopDeployment"}, emulator.Deny())
	w := l.watch(owner.Options{StopCodeDeploy: true})
	w.Look(t.Context(), l.aliasARN())
	_, err := w.Allow(t.Context(), newMove, true)
	var refusal *owner.Refusal
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, report.CodeDeployInProgress, refusal.Reason)
	assert.Contains(t, refusal.Text, "AWS denied codedeploy:StopDeployment")
	assert.Contains(t, refusal.Text, "aws deploy stop-deployment --deployment-id d-1 --auto-rollback-enabled")
}

// An endpoint that does not answer holds the move up for a second, not longer.
func TestWhatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Fault(emulator.Match{Service: emulator.ServiceStacks}, emulator.Hang())
	w := l.watch(owner.Options{})
	w.Look(t.Context(), l.aliasARN())
	v, err := w.Allow(t.Context(), newMove, false)
	require.NoError(t, err)
	assert.Zero(t, v)
	assert.Contains(t, w.Known(t.Context(), 0).Unseen, "whether a stack owns the alias: AWS did not respond in time")
}
