package runner_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// documented are the actions of docs/iam.md: of the policy that every rollback
// needs, under "", and of the statements of single features, by Sid.
func documented(tb testing.TB) map[string][]string {
	tb.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "iam.md"))
	require.NoError(tb, err)
	type statement struct {
		Sid    string
		Action any
	}
	all := map[string][]string{}
	add := func(feature string, s statement) {
		list, _ := s.Action.([]any)
		for _, action := range list {
			all[feature] = append(all[feature], action.(string))
		}
	}
	for _, match := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(page, -1) {
		var whole struct{ Statement []statement }
		require.NoError(tb, json.Unmarshal(match[1], &whole))
		for _, s := range whole.Statement {
			add("", s)
		}
		if whole.Statement == nil {
			var one statement
			require.NoError(tb, json.Unmarshal(match[1], &one))
			add(one.Sid, one)
		}
	}
	return all
}

// called are the IAM actions of the calls that were made.
func (s *scene) called() []string {
	names := map[string]string{"lambda:Invoke": "lambda:InvokeFunction"}
	var all []string
	for _, c := range s.Journal() {
		if !slices.Contains([]string{emulator.ServiceLambda, emulator.ServiceCloudWatch, emulator.ServiceLogs, emulator.ServiceStacks, emulator.ServiceCodeDeploy}, c.Service) {
			continue
		}
		action := c.Service + ":" + c.Operation
		if name, other := names[action]; other {
			action = name
		}
		all = append(all, action)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// features are the statements of docs/iam.md beside the policy, by Sid, with the
// inputs that need them.
var features = map[string]map[string]string{
	"InvokeThroughTheAlias": {"invoke-payload": "{}"},
	"ReadAlarms":            {"alarms": "errors"},
	"ReadMetrics":           {"observe": "1s"},
	"ReadTheLog":            {"observe": "1s"},
	// A statement that is not an input's but of commands, and of several functions.
	"ReadMoreWhereAllowed": {"command": ""},
	// Of a promotion.
	"InvokeByNumber": {"command": ""}, "SeeProvisionedConcurrency": {"command": ""},
	// Of a rollback and a check, with or without an input.
	"SeeTheStack": {"": ""}, "SeeTheTags": {"": ""}, "SeeCodeDeploy": {"": ""},
	"StopCodeDeploy": {"stop-codedeploy": "true"},
}

// aboutOwners are the actions by which it is seen who else moves the alias.
func aboutOwners(policies map[string][]string) []string {
	return slices.Concat(policies["SeeTheStack"], policies["SeeTheTags"], policies["SeeCodeDeploy"])
}

// What is asked about the owners is what the page says, and all of it is asked
// where a stack failed and CodeDeploy is at work.
func TestThePolicyAboutOwnersIsWhatIsAsked(t *testing.T) {
	t.Parallel()
	policies := documented(t)
	s := newScene(t)
	f := s.function("api", 3)
	s.function("worker", 3) // which no stack has: its tags are asked for
	s.CloudFormation(region).Put(emulator.Stack{
		Name: "checkout", Status: "UPDATE_FAILED", Updated: s.deployed(),
		Resources: []emulator.StackResource{{LogicalID: "Live", PhysicalID: f.ARN() + ":live", Type: "AWS::Lambda::Alias"}},
	})
	s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "api", Alias: "live", Current: 2, Target: 3})
	o := s.step().inputs(map[string]string{"function-name": "api,worker", "stop-codedeploy": "true"}).run()
	require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	var asked []string
	for _, action := range s.called() {
		if !slices.Contains(policies[""], action) {
			asked = append(asked, action)
		}
	}
	assert.ElementsMatch(t, slices.Concat(aboutOwners(policies), policies["StopCodeDeploy"]), asked)
}

// What a feature calls is in the policy and in its own statements, and nothing
// stands there that it does not call.
func TestThePolicyOfEachFeatureIsWhatItCalls(t *testing.T) {
	t.Parallel()
	policies := documented(t)
	assert.Len(t, policies, len(features)+1, "a statement without a feature, or a feature without one")
	for name, inputs := range map[string]map[string]string{
		"none": {}, "health-url": {}, "invoke-payload": {"invoke-payload": "{}"}, "alarms": {"alarms": "errors"}, "observe": {"observe": "1s"},
		"observe-api": {"observe": "1s", "observe-api": "shop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			st := s.step().inputs(inputs)
			if name == "health-url" {
				st.patient().input("health-url", s.answers(200))
			}
			assert.Equal(t, "rolled-back", st.run().status())

			called := s.called()
			allowed := slices.Concat(policies[""], aboutOwners(policies))
			for sid, wants := range features {
				for input := range wants {
					if _, asked := inputs[input]; asked {
						require.NotEmpty(t, policies[sid])
						allowed = append(allowed, policies[sid]...)
						assert.Subset(t, called, policies[sid], "more than it takes")
					}
				}
			}
			assert.Subset(t, allowed, called, "a call without its permission")
		})
	}
}

// statement is one of a policy, with what it covers.
type statement struct {
	Sid              string
	Action, Resource []string
}

// The resources of the policies are those of the calls: the names that the page
// takes as examples are used, and every feature at once, a step back included.
func TestTheResourcesOfThePolicyAreThoseOfTheCalls(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "iam.md"))
	require.NoError(t, err)
	resources := map[string][]string{} // by action
	for _, match := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(page, -1) {
		var whole struct{ Statement []json.RawMessage }
		require.NoError(t, json.Unmarshal(match[1], &whole))
		if whole.Statement == nil {
			whole.Statement = []json.RawMessage{match[1]}
		}
		for _, raw := range whole.Statement {
			var s statement
			if json.Unmarshal(raw, &s) != nil {
				continue // the trust policy
			}
			for _, action := range s.Action {
				resources[action] = append(resources[action], s.Resource...)
			}
		}
	}

	s := newScene(t)
	f := s.function("checkout-api", 5)
	for version := int64(1); version <= 4; version++ {
		require.NoError(t, f.Change(version, func(v *emulator.Version) {
			v.Respond = func([]byte) emulator.Response { return emulator.Response{Error: "Unhandled", Payload: []byte("{}")} }
		}))
	}
	s.step().inputs(map[string]string{
		"function-name": "checkout-api", "invoke-payload": "{}", "alarms": "errors", "observe": "1s", "on-unhealthy": "step-back",
	}).run()
	for _, name := range []string{"check", "list"} {
		s.step().inputs(map[string]string{
			"function-name": "checkout-api", "command": name, "invoke-payload": "{}", "alarms": "errors", "observe": "1s",
		}).run()
	}
	checked := map[string]bool{}
	for _, c := range s.Journal() {
		arn := ""
		switch c.Service {
		case emulator.ServiceLambda:
			arn = "arn:aws:lambda:eu-west-1:123456789012:function:checkout-api"
			if c.Qualifier != "" {
				arn += ":" + c.Qualifier
			}
		case emulator.ServiceCloudWatch:
			arn = "*"
		case emulator.ServiceLogs:
			arn = "arn:aws:logs:eu-west-1:123456789012:log-group:" + c.Function + ":log-stream:"
		default:
			continue
		}
		action := c.Service + ":" + c.Operation
		if action == "lambda:Invoke" {
			action = "lambda:InvokeFunction"
		}
		checked[action] = true
		assert.True(t, slices.ContainsFunc(resources[action], func(pattern string) bool {
			return pattern == arn || strings.HasSuffix(pattern, "*") && strings.HasPrefix(arn, strings.TrimSuffix(pattern, "*"))
		}), "%s on %s, and the page has %s", action, arn, resources[action])
	}
	for _, action := range []string{"lambda:InvokeFunction", "lambda:UpdateAlias", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "logs:FilterLogEvents"} {
		assert.True(t, checked[action], action)
	}
}

// What each command calls is in the policy and in the statement for commands.
func TestThePolicyOfEachCommandIsWhatItCalls(t *testing.T) {
	t.Parallel()
	policies := documented(t)
	all := slices.Concat(policies[""], policies["ReadMoreWhereAllowed"], aboutOwners(policies))
	var more []string
	for _, command := range []string{"list", "check", "snapshot", "drill"} {
		s := newScene(t)
		s.function("api", 3)
		s.step().inputs(map[string]string{"command": command, "environment": "staging"}).run()
		called := s.called()
		assert.Subset(t, all, called, command)
		for _, action := range called {
			if slices.Contains(policies["ReadMoreWhereAllowed"], action) && !slices.Contains(more, action) {
				more = append(more, action)
			}
		}
		switch command {
		case "snapshot":
			assert.Subset(t, policies[""], called, command)
		case "drill":
			assert.Subset(t, slices.Concat(policies[""], aboutOwners(policies)), called, command)
		}
		if command == "snapshot" {
			assert.Subset(t, []string{"lambda:GetAlias", "lambda:UpdateAlias", "lambda:CreateAlias"}, called)
		}
		if command == "drill" {
			assert.NotContains(t, called, "lambda:CreateAlias")
		}
	}
	assert.ElementsMatch(t, policies["ReadMoreWhereAllowed"], more)
}

// A deleted version below the failing one is the way to the one call of the
// policy that few rollbacks make.
func TestEveryActionOfThePolicyIsCalled(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 60)
	for v := int64(3); v < 60; v++ {
		require.NoError(t, f.Delete(v))
	}
	assert.Equal(t, "rolled-back", s.step().run().status())
	policies := documented(t)
	assert.ElementsMatch(t, policies[""], slices.DeleteFunc(s.called(), func(action string) bool {
		return slices.Contains(aboutOwners(policies), action)
	}))
}
