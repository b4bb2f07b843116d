package runner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// stacked puts the alias of the function api into a stack that CDK made.
func (s *scene) stacked(f *emulator.Function, status string) {
	s.CloudFormation(region).Put(emulator.Stack{
		Name: "checkout", Status: status, Updated: s.deployed(),
		Resources: []emulator.StackResource{
			{LogicalID: "Live", PhysicalID: f.ARN() + ":live", Type: "AWS::Lambda::Alias"},
			{LogicalID: "CDKMetadata", PhysicalID: "m", Type: "AWS::CDK::Metadata"},
		},
	})
}

func TestAStackDecidesWhetherTheAliasMoves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  string
		inputs  map[string]string
		put     func(*scene, *emulator.Function)
		want    string
		serves  string
		summary []string
	}{
		"it is quiet":         {status: "UPDATE_COMPLETE", want: "rolled-back/previous-version", serves: "2", summary: []string{"AWS CDK, the stack checkout", "RemovalPolicy.RETAIN"}},
		"it cleans up":        {status: "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", want: "rolled-back/previous-version", serves: "2"},
		"it is in progress":   {status: "UPDATE_IN_PROGRESS", inputs: map[string]string{"timeout": "6s"}, want: "failed/stack-in-progress", serves: "3", summary: []string{"the stack checkout"}},
		"go on beside it":     {status: "UPDATE_IN_PROGRESS", inputs: map[string]string{"on-stack-in-progress": "go-on"}, want: "rolled-back/previous-version", serves: "2"},
		"a dry run beside it": {status: "UPDATE_IN_PROGRESS", inputs: map[string]string{"dry-run": "true"}, want: "planned/previous-version", serves: "3", summary: []string{"UPDATE\\_IN\\_PROGRESS"}},
		"it has rolled back": {status: "UPDATE_ROLLBACK_COMPLETE", want: "skipped/rolled-back-by-stack", serves: "2", put: func(_ *scene, f *emulator.Function) {
			assert.NoError(t, f.SetAlias("live", 2, nil))
		}},
		"its rollback failed": {status: "UPDATE_ROLLBACK_FAILED", want: "rolled-back/previous-version", serves: "2", summary: []string{"aws cloudformation continue-update-rollback --stack-name checkout --region eu-west-1"}},
		"it is being deleted": {status: "DELETE_IN_PROGRESS", want: "failed/stack-in-progress", serves: "3"},
		"CodeDeploy is at work": {status: "UPDATE_COMPLETE", want: "failed/codedeploy-in-progress", serves: "3", put: func(s *scene, _ *emulator.Function) {
			s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 2, Target: 3})
		}, summary: []string{"aws deploy stop-deployment --deployment-id d-1 --auto-rollback-enabled --region eu-west-1"}},
		"nothing may be seen": {status: "UPDATE_IN_PROGRESS", want: "rolled-back/previous-version", serves: "2", put: func(s *scene, _ *emulator.Function) {
			for _, service := range []string{emulator.ServiceStacks, emulator.ServiceCodeDeploy} {
				s.Fault(emulator.Match{Service: service}, emulator.Deny())
			}
			s.Fault(emulator.Match{Operation: "ListTags"}, emulator.Deny())
		}, summary: []string{"Could not determine: ", "AWS denied cloudformation:DescribeStackResources", "AWS denied lambda:ListTags", "AWS denied codedeploy:ListDeployments"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.stacked(f, c.status)
			if c.put != nil {
				c.put(s, f)
			}
			st := s.step().inputs(c.inputs)
			o := st.run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, c.serves, f.Serving("live"))
			for _, text := range c.summary {
				assert.Contains(t, o.summary, text)
			}
		})
	}
}

func TestCodeDeployIsStoppedAndWaitedFor(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	require.NoError(t, f.SetAlias("live", 2, map[string]float64{"3": 0.1}))
	s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 2, Target: 3})
	o := s.step().input("stop-codedeploy", "true").run()
	assert.Equal(t, "skipped", o.status(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	alias, _ := f.Alias("live")
	assert.Empty(t, alias.Weights)
	assert.Contains(t, o.summary, "CodeDeploy deployment d-1R")
	assert.Empty(t, s.Calls(on("UpdateAlias", "live")), "CodeDeploy has brought it back")
}

func TestACheckTellsTheOwner(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.stacked(s.function("api", 3), "UPDATE_COMPLETE")
	o := s.step().input("command", "check").run()
	assert.Equal(t, "ready", o.status(), o.outputs["message"])
	assert.Contains(t, o.summary, "AWS CDK, the stack checkout: it is UPDATE\\_COMPLETE")
	assert.Contains(t, o.outputs["results"], `"name":"owner","status":"inconclusive"`)
}

func TestASnapshotSaysThatItProtects(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	o := s.step().input("command", "snapshot").run()
	assert.Equal(t, "taken", o.status())
	assert.Contains(t, o.summary, "the alias live-rollback points at version 3, and Lambda does not delete a version that an alias points at")
}

// Functions of a stack in progress hold up only themselves, however many they are.
func TestFunctionsThatWaitForAStackHoldUpNoOthers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	stack := emulator.Stack{Name: "checkout", Status: "UPDATE_IN_PROGRESS", Updated: s.deployed()}
	var names []string
	for i := range 9 {
		name := fmt.Sprintf("slow%d", i)
		f := s.function(name, 3)
		stack.Resources = append(stack.Resources, emulator.StackResource{LogicalID: name, PhysicalID: f.ARN() + ":live", Type: "AWS::Lambda::Alias"})
		names = append(names, name)
	}
	s.CloudFormation(region).Put(stack)
	free := s.function("api", 3)
	o := s.step().inputs(map[string]string{"function-name": strings.Join(append(names, "api"), "\n"), "timeout": "10s"}).run()
	assert.Equal(t, "failed", o.status(), o.outputs["message"])
	assert.Equal(t, "2", free.Serving("live"), "its stack is not in progress")
}

// What would be refused is not ready, and what would wait is said.
func TestCheckSaysWhatOwnersWouldDoToARollback(t *testing.T) {
	t.Parallel()
	flight := func(s *scene) {
		s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 2, Target: 3})
	}
	for name, c := range map[string]struct {
		status string
		inputs map[string]string
		put    func(*scene)
		want   string
		said   string
	}{
		"quiet":                   {status: "UPDATE_COMPLETE", want: "ready/", said: "would go from version 3 to version 2"},
		"in progress":             {status: "UPDATE_IN_PROGRESS", want: "ready/", said: "it would wait first: the stack checkout"},
		"being deleted":           {status: "DELETE_IN_PROGRESS", want: "not-ready/stack-in-progress", said: "would be refused: the stack checkout"},
		"CodeDeploy":              {status: "UPDATE_COMPLETE", put: flight, want: "not-ready/codedeploy-in-progress", said: "would be refused: the CodeDeploy deployment d-1"},
		"CodeDeploy, and stop it": {status: "UPDATE_COMPLETE", put: flight, inputs: map[string]string{"stop-codedeploy": "true"}, want: "ready/", said: "it would wait first: the CodeDeploy deployment d-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.stacked(s.function("api", 3), c.status)
			if c.put != nil {
				c.put(s)
			}
			o := s.step().input("command", "check").inputs(c.inputs).run()
			assert.Equal(t, c.want, o.ended())
			assert.Contains(t, o.outputs["message"], c.said)
		})
	}
}

func TestADrillMovesNothingBesideOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  string
		flight  bool
		timeout string
		want    string
	}{
		"quiet":                          {status: "UPDATE_COMPLETE", timeout: "1m", want: "drilled/"},
		"rolled back":                    {status: "UPDATE_ROLLBACK_COMPLETE", timeout: "1m", want: "drilled/"},
		"in progress":                    {status: "UPDATE_IN_PROGRESS", timeout: "6s", want: "failed/stack-in-progress"},
		"CodeDeploy":                     {status: "UPDATE_COMPLETE", flight: true, timeout: "1m", want: "failed/codedeploy-in-progress"},
		"CodeDeploy, which answers late": {status: "UPDATE_COMPLETE", flight: true, timeout: "1m", want: "failed/codedeploy-in-progress"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.stacked(s.function("api", 3), c.status)
			if c.flight {
				s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 2, Target: 3})
			}
			if strings.Contains(name, "late") {
				s.Fault(emulator.Match{Service: emulator.ServiceCodeDeploy}, emulator.Latency(2*time.Second))
			}
			o := s.step().inputs(map[string]string{
				"command": "drill", "allow-production-drill": "true", "timeout": c.timeout, "stop-codedeploy": "true",
			}).run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, strings.HasPrefix(c.want, "drilled"), len(s.mutations()) > 0, s.mutations())
		})
	}
}

// The role and the access key have the account, and with it the ARN of the alias is
// known: who owns it is asked beside the first read, and not after it.
func TestTheOwnerIsLookedUpBesideTheAlias(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(*scene) *step{
		"with a role":        (*scene).byRole,
		"with an access key": (*scene).step,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			s.distant(time.Second)
			o := step(s).input("deployed-version", "3").run()
			require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
			read, owner := s.Calls(on("GetAlias", "live")), s.Calls(emulator.Match{Operation: "DescribeStackResources"})
			require.NotEmpty(t, read)
			require.Len(t, owner, 1)
			assert.True(t, owner[0].Start.Before(read[0].End), "the owner was asked about after the alias was read")
		})
	}
}

// The tags of functions are calls of the limit that moves have, and nothing that a
// move depends on.
func TestTagsAreReadAfterTheMoves(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := make([]string, 12)
	for i := range names {
		names[i] = fmt.Sprintf("api-%02d", i)
		s.function(names[i], 3)
	}
	o := s.step().input("function-name", strings.Join(names, ",")).run()
	require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
	tags, moves := s.Calls(emulator.Match{Operation: "ListTags"}), s.Calls(emulator.Match{Operation: "UpdateAlias"})
	require.Len(t, tags, len(names))
	var last time.Time
	for _, m := range moves {
		if m.Qualifier == "live" && m.Start.After(last) {
			last = m.Start
		}
	}
	for _, c := range tags {
		assert.True(t, c.Start.After(last), "tags were read before the last move")
	}
}

// Where the stack has deleted the earlier versions, the remedy is that of its tool.
func TestTheStackHasDeletedThePreviousVersions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.stacked(f, "UPDATE_COMPLETE")
	for _, v := range []int64{1, 2} {
		require.NoError(t, f.Delete(v))
	}
	o := s.step().run()
	assert.Equal(t, "skipped/no-previous-version", o.ended())
	assert.Contains(t, o.outputs["message"], "the earlier versions were deleted")
	assert.Contains(t, o.summary, "AWS CDK deploys")
	assert.Contains(t, o.summary, "removalPolicy: RemovalPolicy.RETAIN")
	assert.Contains(t, o.summary, "command: snapshot")
	assert.NotContains(t, o.summary, "prune `number`")
	assert.NotContains(t, o.summary, "serverless-prune-plugin")
}

// The stack is gone while it is waited for: the state that was read before says
// nothing about the present, and the move goes on.
func TestAStackThatIsGoneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.stacked(f, "UPDATE_IN_PROGRESS")
	s.Fault(emulator.Match{Service: emulator.ServiceStacks, Operation: "DescribeStacks"},
		emulator.Status(400, "ValidationError", "Stack with id checkout does not exist").Skip(1))
	o := s.step().input("timeout", "30s").run()
	assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	assert.Contains(t, o.summary, "its state can no longer be read: cloudformation:DescribeStacks: ValidationError: Stack with id checkout does not exist")
}
