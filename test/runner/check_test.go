package runner_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// unchanged wants that a command has changed nothing at AWS: no alias has a new
// state. What AWS was asked to change and refused is no change.
func (s *scene) unchanged(tb testing.TB, functions ...*emulator.Function) func() {
	tb.Helper()
	before := map[string]int{}
	for _, f := range functions {
		for _, alias := range f.Aliases() {
			before[f.ARN()+alias] = len(f.History(alias))
		}
	}
	return func() {
		tb.Helper()
		for _, f := range functions {
			for _, alias := range f.Aliases() {
				assert.Len(tb, f.History(alias), before[f.ARN()+alias], "%s:%s", f.Name(), alias)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene  func(s *scene, f *emulator.Function)
		inputs map[string]string
		want   string // status/reason
		says   string
	}{
		"all is well": {want: "ready/", says: "a rollback now would go from version 3 to version 2"},
		"a canary": {scene: func(s *scene, f *emulator.Function) {
			require.NoError(s.tb, f.SetAlias("live", 2, map[string]float64{"3": 0.1}))
		}, want: "ready/", says: "to version 2"},
		"the version before is gone":   {scene: func(s *scene, f *emulator.Function) { require.NoError(s.tb, f.Delete(2)) }, want: "ready/", says: "to version 1"},
		"the version before is bad":    {scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=2") }, want: "ready/", says: "to version 1"},
		"the version before is Failed": {scene: func(s *scene, f *emulator.Function) { require.NoError(s.tb, f.SetState(2, emulator.StateFailed, "x")) }, want: "ready/", says: "to version 1"},
		"all others are bad":           {scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=1-2") }, want: "not-ready/no-previous-version", says: "no version below version 3 is a valid target: those that exist were rejected or cannot serve traffic; deploy good code once more"},
		"an alias on $LATEST":          {scene: func(s *scene, f *emulator.Function) { require.NoError(s.tb, f.SetAliasToLatest("live")) }, want: "not-ready/alias-on-latest", says: "$LATEST"},
		"no such function":             {inputs: map[string]string{"function-name": "apy"}, want: "not-ready/function-not-found", says: "does not exist"},
		"no such alias":                {inputs: map[string]string{"alias": "prod"}, want: "not-ready/alias-not-found", says: `no alias "prod"`},
		"a target that does not exist": {inputs: map[string]string{"target-version": "9"}, want: "not-ready/version-not-found", says: "version 9"},
		"credentials that do not count": {scene: func(s *scene, _ *emulator.Function) {
			s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Status(403, "UnrecognizedClientException", "x"))
		}, want: "not-ready/no-credentials", says: "did not accept the credentials"},
		"another branch":               {inputs: map[string]string{"branch": "release"}, want: "ready/"},
		"no failure":                   {inputs: map[string]string{"needs": `{"deploy":{"result":"success","outputs":{}}}`}, want: "ready/"},
		"an alarm that does not exist": {inputs: map[string]string{"alarms": "errors"}, want: "not-ready/invalid-input", says: "no metric or composite alarm with that name"},
		"a page that is not well now":  {scene: nil, inputs: map[string]string{"health-url": "http://127.0.0.1:9/"}, want: "ready/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			if c.scene != nil {
				c.scene(s, f)
			}
			unchanged := s.unchanged(t, f)
			o := s.step().input("command", "check").inputs(c.inputs).run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Contains(t, o.outputs["message"], c.says)
			if _, to, says := strings.Cut(c.says, "to version "); says {
				assert.Equal(t, to, o.outputs["to-version"])
			}
			want := 0
			if strings.HasPrefix(c.want, "not-ready") {
				want = 1
			}
			assert.Equal(t, want, o.code)
			unchanged()
			for _, call := range s.Journal() {
				assert.False(t, call.Mutates() && call.Status < 400, "%s changed something", call.Operation)
			}
		})
	}
}

func rejects(s *scene, f *emulator.Function, description string) {
	require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
	require.NoError(s.tb, f.DescribeAlias("live-rollback", description))
}

// What will be needed is what is tried: each permission that is missing is found
// before the night it is needed, and named.
func TestCheckFindsEachMissingPermission(t *testing.T) {
	t.Parallel()
	checks := map[string]string{"invoke-payload": "{}", "alarms": "errors", "observe": "1m"}
	for action, ready := range map[string]bool{
		"lambda:GetAlias": false, "lambda:GetFunctionConfiguration": false, "lambda:ListVersionsByFunction": false,
		"lambda:UpdateAlias": false, "lambda:InvokeFunction": false,
		"cloudwatch:DescribeAlarms": false, "cloudwatch:GetMetricData": false, "logs:FilterLogEvents": false,
		// A rollback works without these, so they are told and no more.
		"lambda:CreateAlias": true, "lambda:GetProvisionedConcurrencyConfig": true,
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.CloudWatch(region).SetAlarm("errors", emulator.AlarmOK)
			s.Logs(region).CreateGroup("/aws/lambda/api")
			service, operation, _ := strings.Cut(action, ":")
			operation = strings.Replace(operation, "InvokeFunction", "Invoke", 1)
			s.Fault(emulator.Match{Service: service, Operation: operation}, emulator.Deny())
			unchanged := s.unchanged(t, f)
			o := s.step().input("command", "check").inputs(checks).run()
			if ready {
				assert.Equal(t, "ready/", o.ended(), o.outputs["message"])
			} else {
				assert.Equal(t, "not-ready/access-denied", o.ended(), o.outputs["message"])
				assert.Contains(t, o.outputs["message"], action)
			}
			assert.Contains(t, o.summary, action)
			unchanged()
		})
	}
}

// What is told of the memory and of the credentials is what was found.
func TestCheckTellsOfMemoryAndCredentials(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene          func(s *scene, f *emulator.Function)
		want           string // status/reason
		line           string
		status, detail string
	}{
		"there is no memory yet": {want: "ready/", line: "memory", status: "passed", detail: "does not exist yet"},
		"the memory is readable": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=1@77") },
			want:  "ready/", line: "memory", status: "passed", detail: "stores: rejected=1@77",
		},
		"the memory is somebody's own": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "do not touch") },
			want:  "not-ready/invalid-input", line: "memory", status: "failed", detail: "is not this action's memory",
		},
		"the memory is damaged": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=do not touch") },
			want:  "ready/", line: "memory", status: "inconclusive", detail: "is not readable and is treated as empty",
		},
		"the memory may not be read": {
			scene: func(s *scene, f *emulator.Function) {
				rejects(s, f, "rejected=1@77")
				s.Fault(on("GetAlias", "live-rollback"), emulator.Deny())
			},
			want: "not-ready/access-denied", line: "memory", status: "failed", detail: "lambda:GetAlias on api:live-rollback",
		},
		"the memory may not be written": {
			scene: func(s *scene, f *emulator.Function) {
				rejects(s, f, "rejected=1@77")
				s.Fault(on("UpdateAlias", "live-rollback"), emulator.Deny())
			},
			want: "ready/", line: "memory", status: "inconclusive", detail: "AWS denied lambda:UpdateAlias on api:live-rollback",
		},
		"something else is being changed": {
			scene: func(s *scene, _ *emulator.Function) {
				s.Fault(on("UpdateAlias", "live"), emulator.Status(409, "ResourceConflictException", "an update is in progress"))
			},
			want: "ready/", line: "permission lambda:UpdateAlias", status: "passed",
		},
		"the credentials count": {want: "ready/", line: "credentials", status: "passed"},
		"they may do nothing": {
			scene: func(s *scene, _ *emulator.Function) {
				s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Deny())
			},
			want: "not-ready/access-denied", line: "credentials", status: "passed",
		},
		"they do not count": {
			scene: func(s *scene, _ *emulator.Function) {
				s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Status(403, "UnrecognizedClientException", "x"))
			},
			want: "not-ready/no-credentials", line: "credentials", status: "failed", detail: "did not accept the credentials",
		},
		"actions: read is missing": {
			scene: func(s *scene, _ *emulator.Function) { s.GitHub.WithholdActionsRead(true) },
			want:  "ready/", line: "permissions actions: read", status: "inconclusive",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			if c.scene != nil {
				c.scene(s, f)
			}
			unchanged := s.unchanged(t, f)
			o := s.step().input("command", "check").run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			status, detail := o.proven(t).check(t, c.line)
			assert.Equal(t, c.status, status, detail)
			assert.Contains(t, detail, c.detail)
			assert.LessOrEqual(t, strings.Count(o.outputs["message"], "did not accept the credentials"), 1)
			unchanged()
		})
	}
}

// The trust policy must allow what the job's token says, so check says it, also
// where the role was refused. The token itself is nobody's to read.
func TestCheckTellsWhatTheTokenSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject string
		refused bool
		says    []string
	}{
		"names only":              {"repo:org/shop:environment:production", false, []string{`sub "repo:org/shop:environment:production" (names only`, `aud "sts.amazonaws.com"`}},
		"names with IDs":          {"repo:org@12/shop@34:ref:refs/heads/main", false, []string{`sub "repo:org@12/shop@34:ref:refs/heads/main" (names with IDs`}},
		"a template":              {"job_workflow_ref:org/ci/.github/workflows/deploy.yml@refs/heads/main", false, []string{"a custom template"}},
		"what would be a command": {"repo:org/shop\n::error::x", false, []string{`shop\n::error::x`}},
		"a role that is refused":  {"repo:org@12/shop@34:ref:refs/heads/main", true, []string{"names with IDs"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			s.IssueFor(c.subject)
			want := "ready/"
			if c.refused {
				s.Fault(emulator.Match{Service: emulator.ServiceSTS}, emulator.Status(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))
				want = "not-ready/no-credentials"
			}
			o := s.byRole().input("command", "check").input("timeout", "60s").run()
			assert.Equal(t, want, o.ended(), o.outputs["message"])
			status, detail := o.proven(t).check(t, "OIDC token")
			assert.Equal(t, "passed", status)
			for _, text := range c.says {
				assert.Contains(t, detail, text)
				assert.Contains(t, o.stdout, text)
			}
			assert.NotRegexp(t, `eyJ[\w-]+\.[\w-]+`, o.stdout+o.summary+o.outputs["results"])
		})
	}
	t.Run("no role is assumed", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		s.function("api", 3)
		o := s.step().input("command", "check").run()
		assert.NotContains(t, o.outputs["results"], "OIDC token")
	})
}

// provision gives the alias provisioned concurrency.
func (s *scene) provision(function string, instances int) {
	s.tb.Helper()
	address := s.Env()["AWS_ENDPOINT_URL"] + "/2019-09-30/functions/" + function + "/provisioned-concurrency?Qualifier=live"
	body := strings.NewReader(fmt.Sprintf(`{"ProvisionedConcurrentExecutions":%d}`, instances))
	request, err := http.NewRequestWithContext(s.tb.Context(), http.MethodPut, address, body)
	require.NoError(s.tb, err)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEMULATOR/20261122/"+region+"/lambda/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(s.tb, err)
	defer answer.Body.Close()
	require.Equal(s.tb, http.StatusAccepted, answer.StatusCode)
	s.ResetJournal()
}

func TestCheckTellsOfProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.provision("api", 5)
	unchanged := s.unchanged(t, f)
	o := s.step().input("command", "check").run()
	assert.Equal(t, "ready/", o.ended(), o.outputs["message"])
	status, detail := o.proven(t).check(t, "provisioned concurrency")
	assert.Equal(t, "passed", status)
	assert.Contains(t, detail, "5 instances")
	assert.Contains(t, detail, "after a move, AWS takes minutes to shift the traffic; set timeout and timeout-minutes high enough")
	unchanged()
}

func TestCheckOfSeveralFunctions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("good", 3)
	s.function("lonely", 1)
	o := s.step().inputs(map[string]string{"command": "check", "function-name": "good\nlonely"}).run()
	assert.Equal(t, "not-ready/no-previous-version", o.ended(), o.outputs["message"])
	statuses := []string{}
	for _, r := range o.results(t) {
		statuses = append(statuses, r.Function+" "+r.Status)
	}
	assert.Equal(t, []string{"good ready", "lonely not-ready"}, statuses)
}
