package runner_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

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
		"all others are bad":           {scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=1-2") }, want: "not-ready/no-previous-version", says: "no version below version 3 can be gone back to: those that exist were rejected or cannot serve; deploy good code once more"},
		"an alias on $LATEST":          {scene: func(s *scene, f *emulator.Function) { require.NoError(s.tb, f.SetAliasToLatest("live")) }, want: "not-ready/alias-on-latest", says: "$LATEST"},
		"no such function":             {inputs: map[string]string{"function-name": "apy"}, want: "not-ready/function-not-found", says: "does not exist"},
		"no such alias":                {inputs: map[string]string{"alias": "prod"}, want: "not-ready/alias-not-found", says: `no alias "prod"`},
		"a target that does not exist": {inputs: map[string]string{"target-version": "9"}, want: "not-ready/version-not-found", says: "version 9"},
		"credentials that do not count": {scene: func(s *scene, _ *emulator.Function) {
			s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Status(403, "UnrecognizedClientException", "x"))
		}, want: "not-ready/no-credentials", says: "did not accept the credentials"},
		"another branch":               {inputs: map[string]string{"branch": "release"}, want: "ready/"},
		"no failure":                   {inputs: map[string]string{"needs": `{"deploy":{"result":"success","outputs":{}}}`}, want: "ready/"},
		"an alarm that does not exist": {inputs: map[string]string{"alarms": "errors"}, want: "not-ready/invalid-input", says: "no metric or composite alarm of that name"},
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
			want:  "ready/", line: "memory", status: "passed", detail: "remembers: rejected=1@77",
		},
		"the memory is somebody's own": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "do not touch") },
			want:  "ready/", line: "memory", status: "inconclusive", detail: "is not readable and counts as empty",
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
	assert.Contains(t, detail, "after a move AWS shifts the traffic for minutes; give timeout and timeout-minutes room for it")
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

// version is an element of the output `versions`.
type version struct {
	Function, Version, Published, Description, State string

	Aliases                   []string
	Serving, Rejected, Target bool
	RejectedBy                string `json:"rejected-by"`
	Changes                   []struct{ What, From, To string }
}

func (o outcome) versions(tb testing.TB) []version {
	tb.Helper()
	var all []version
	require.NoError(tb, json.Unmarshal([]byte(o.outputs["versions"]), &all))
	return all
}

func TestListTellsWhatThereIs(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 6)
	require.NoError(t, f.Change(3, func(v *emulator.Version) { v.Description = "release 1.3 | <b>@octocat</b>"; v.MemorySize = 999 }))
	require.NoError(t, f.SetAlias("blue", 2, nil))
	require.NoError(t, f.SetAlias("live-rollback", 4, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected=5@77 run=77/1 at=2026-11-20T08:32:47Z by=rollback"))
	require.NoError(t, f.SetState(1, emulator.StateInactive, "Idle"))
	unchanged := s.unchanged(t, f)

	o := s.step().input("command", "list").run()

	unchanged()
	assert.Empty(t, s.mutations(), "a list asks for no change at all")
	assert.Equal(t, "listed/", o.ended())
	all := o.versions(t)
	require.Len(t, all, 6)
	assert.Equal(t, []string{"6", "5", "4", "3", "2", "1"}, []string{all[0].Version, all[1].Version, all[2].Version, all[3].Version, all[4].Version, all[5].Version})
	assert.True(t, all[0].Serving)
	assert.Equal(t, []string{"live"}, all[0].Aliases)
	assert.True(t, all[1].Rejected)
	assert.Equal(t, "77", all[1].RejectedBy)
	assert.True(t, all[2].Target)
	assert.Equal(t, []string{"live-rollback"}, all[2].Aliases)
	assert.Equal(t, "release 1.3 | <b>@octocat</b>", all[3].Description)
	assert.Equal(t, "memory", all[3].Changes[1].What)
	assert.Equal(t, []string{"blue"}, all[4].Aliases)
	assert.Equal(t, "Inactive", all[5].State)
	assert.Contains(t, o.summary, "| **4** |")
	assert.NotContains(t, o.summary, "<b>@octocat")
	assert.NotContains(t, o.summary, " @octocat")
	assert.Contains(t, o.stdout, "::group::Versions of api")
}

func TestListIsBounded(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]int{"": 20, "3": 3, "all": 130} {
		t.Run("list-limit "+limit, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 130)
			o := s.step().inputs(map[string]string{"command": "list", "list-limit": limit}).run()
			assert.Empty(t, s.mutations())
			all := o.versions(t)
			require.Len(t, all, want)
			assert.Equal(t, "130", all[0].Version)
			assert.Equal(t, strconv.Itoa(131-want), all[want-1].Version)
			if want < 130 {
				assert.Contains(t, o.summary, fmt.Sprintf("%d more versions are not shown", 130-want))
			}
		})
	}
}

// What serves and where a rollback would go are of interest however many
// versions came after them.
func TestAListHasWhatServes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 130)
	require.NoError(t, f.SetAlias("live", 5, map[string]float64{"7": 0.1}))
	o := s.step().inputs(map[string]string{"command": "list", "list-limit": "3"}).run()
	var numbers []string
	for _, v := range o.versions(t) {
		numbers = append(numbers, v.Version)
		assert.Equal(t, v.Version == "5" || v.Version == "7", v.Serving, v.Version)
		assert.Equal(t, v.Version == "5", v.Target, v.Version)
		assert.Equal(t, "Active", v.State, v.Version)
	}
	assert.Equal(t, []string{"130", "129", "128", "7", "5"}, numbers)
	assert.Contains(t, o.summary, "125 more versions are not shown")
}

// On $LATEST there is nothing to compare with.
func TestAListOfAnAliasOnLatest(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.NoError(t, s.function("api", 3).SetAliasToLatest("live"))
	o := s.step().input("command", "list").run()
	assert.Equal(t, "listed/", o.ended())
	assert.Len(t, o.versions(t), 3)
	assert.NotContains(t, o.summary, "| nothing |")
	assert.Contains(t, o.outputs["message"], "$LATEST")
}

// Thousands of versions: as many calls as there are pages, within Lambda's pace,
// and an output that GitHub takes.
func TestListOfThousands(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3_000)
	s.LimitControlPlane(15, 15)
	o := s.step().inputs(map[string]string{"command": "list", "list-limit": "all"}).run()
	assert.Equal(t, "listed/", o.ended(), o.outputs["message"])
	assert.NotEmpty(t, o.versions(t))
	for _, c := range s.asked(emulator.ServiceLambda) {
		assert.NotEqual(t, 429, c.Status, "never above Lambda's pace")
	}
	pages := s.Calls(emulator.Match{Service: emulator.ServiceLambda, Operation: "ListVersionsByFunction"})
	assert.Less(t, len(pages), 63)
}

// What is printed for a program is not held to GitHub's limits.
func TestJSONOfThousandsIsWhole(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 2_000)
	got := s.call("list", "--function-name", "api", "--list-limit", "all", "--json")
	assert.Zero(t, got.code, got.err)
	var result struct{ Versions []version }
	require.NoError(t, json.Unmarshal([]byte(got.out), &result))
	require.Len(t, result.Versions, 2_000)
	assert.NotEmpty(t, result.Versions[1_900].Changes)
	assert.NotContains(t, got.err, "too large")
}

func TestListWithoutListAliases(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "ListAliases"}, emulator.Deny())
	o := s.step().input("command", "list").run()
	assert.Equal(t, "listed/", o.ended())
	assert.Equal(t, []string{"live"}, o.versions(t)[0].Aliases)
	assert.Contains(t, o.summary, "lambda:ListAliases")
}

// snapshotOf takes a snapshot in an earlier job of the run.
func (s *scene) snapshotOf(inputs map[string]string) outcome {
	return s.step().inputs(map[string]string{"command": "snapshot", "needs": ""}).inputs(inputs).run()
}

func TestSnapshotIsWhatTheRollbackOfTheRunRestores(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before  func(s *scene, f *emulator.Function)
		between func(s *scene, f *emulator.Function)
		want    string // of the rollback
		serving string
	}{
		"a new version is deployed": {
			between: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", f.Publish(time.Now()), nil))
			},
			want: "rolled-back/snapshot", serving: "5",
		},
		"an old version is promoted": {
			between: func(s *scene, f *emulator.Function) { require.NoError(s.tb, f.SetAlias("live", 2, nil)) },
			want:    "rolled-back/snapshot", serving: "5",
		},
		"several are published and the first deployed": {
			between: func(s *scene, f *emulator.Function) {
				v := f.Publish(time.Now())
				f.Publish(time.Now())
				f.Publish(time.Now())
				require.NoError(s.tb, f.SetAlias("live", v, nil))
			},
			want: "rolled-back/snapshot", serving: "5",
		},
		"nothing is deployed": {
			between: func(*scene, *emulator.Function) {}, want: "skipped/not-deployed", serving: "5",
		},
		"a version that was rejected serves": {
			before: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=5@77") },
			between: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", f.Publish(time.Now()), nil))
			},
			want: "rolled-back/snapshot", serving: "5",
		},
		"a canary was in flight": {
			before: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", 4, map[string]float64{"5": 0.2}))
			},
			between: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", f.Publish(time.Now()), nil))
			},
			want: "rolled-back/snapshot", serving: "4",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			// The deploy is the run's, and goes on while the jobs of the test do.
			require.NoError(t, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].CompletedAt = s.now.Add(time.Minute)
			}))
			f := s.Lambda(region).CreateFunction("api")
			for i := 5; i > 0; i-- {
				f.Publish(s.ago(time.Duration(i) * 24 * time.Hour))
			}
			require.NoError(t, f.SetAlias("live", 5, nil))
			if c.before != nil {
				c.before(s, f)
			}
			took := s.snapshotOf(nil)
			assert.Equal(t, "taken/", took.ended(), took.outputs["message"])
			assert.Zero(t, took.code)
			c.between(s, f)
			o := s.step().run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, c.serving, f.Serving("live"))
			state, _ := f.Alias("live")
			assert.Empty(t, state.Weights)
		})
	}
}

func TestSnapshotSaysWhatItDid(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	a, b := s.function("a", 3), s.function("b", 4)
	require.NoError(t, b.SetAlias("live", 3, map[string]float64{"4": 0.25}))
	o := s.snapshotOf(map[string]string{"function-name": "a\nb"})
	assert.Equal(t, "taken/", o.ended(), o.outputs["message"])
	for f, version := range map[*emulator.Function]string{a: "3", b: "3"} {
		memory, has := f.Alias("live-rollback")
		require.True(t, has)
		assert.Equal(t, version, memory.Version)
		assert.Contains(t, memory.Description, "run=7001/1")
		assert.Contains(t, memory.Description, "by=snapshot")
		assert.Len(t, f.History("live"), map[*emulator.Function]int{a: 1, b: 2}[f], "the serving alias is not touched")
	}
	assert.Contains(t, o.summary, "25% go to version 4")
	again := s.snapshotOf(map[string]string{"function-name": "a\nb"})
	assert.Equal(t, "taken/", again.ended())
	assert.Len(t, a.History("live-rollback"), 1, "what is noted already is not written again")
}

// A re-run of the failed jobs runs the snapshot's job again at most: what the
// failed attempt has deployed must not become what is gone back to.
func TestASnapshotOfALaterAttemptKeepsTheFirst(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	require.NoError(t, f.SetAlias("live", 2, nil))
	assert.Equal(t, "taken/", s.snapshotOf(nil).ended())
	require.NoError(t, f.SetAlias("live", 3, nil))
	_, err := s.GitHub.Rerun(repository, s.run.ID, emulator.WorkflowRun{
		StartedAt: s.now, Jobs: []emulator.WorkflowJob{{Name: "rollback", StartedAt: s.now, RunnerName: runnerName}},
	})
	require.NoError(t, err)
	o := s.step().set("GITHUB_RUN_ATTEMPT", "2").inputs(map[string]string{"command": "snapshot", "needs": ""}).run()
	assert.Equal(t, "taken/", o.ended(), o.outputs["message"])
	memory, _ := f.Alias("live-rollback")
	assert.Equal(t, "2", memory.Version, o.outputs["message"])
}

func TestSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *scene, st *step)
		want   string
	}{
		"another branch": {func(_ *scene, st *step) { st.set("GITHUB_REF", "refs/heads/x").set("GITHUB_REF_NAME", "x") }, "skipped/branch-not-allowed"},
		"without memory": {func(_ *scene, st *step) { st.input("remember", "false") }, "failed/invalid-input"},
		"$LATEST": {func(s *scene, _ *step) {
			require.NoError(s.tb, s.Lambda(region).Function("api").SetAliasToLatest("live"))
		}, "failed/alias-on-latest"},
		"it may not create": {func(s *scene, _ *step) { s.Fault(emulator.Match{Operation: "CreateAlias"}, emulator.Deny()) }, "failed/access-denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step().inputs(map[string]string{"command": "snapshot", "needs": ""})
			c.change(s, st)
			o := st.run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			_, has := f.Alias("live-rollback")
			assert.False(t, has)
		})
	}
}

// drilled is a step that practises.
func (s *scene) drill() *step {
	return s.step().inputs(map[string]string{"command": "drill", "environment": "staging", "needs": ""})
}

func TestDrill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene  func(s *scene, f *emulator.Function)
		inputs func(s *scene) map[string]string
		want   string // status/reason healthy
		moves  []string
		says   string
	}{
		"there and back": {want: "drilled/ unknown", moves: []string{"4", "5"}, says: "serves version 5, as before: the drill took it to version 4 in"},
		"with a health page": {
			inputs: func(s *scene) map[string]string { return map[string]string{"health-url": s.by(4, 5)} },
			want:   "drilled/ true", moves: []string{"4", "5"}, says: "all checks passed, there and back",
		},
		"with an invocation": {
			inputs: func(*scene) map[string]string { return map[string]string{"invoke-payload": "{}"} },
			want:   "drilled/ true", moves: []string{"4", "5"},
		},
		"the older version is not well": {
			inputs: func(s *scene) map[string]string { return map[string]string{"health-url": s.by(5)} },
			want:   "failed/unhealthy false", moves: []string{"4", "5"}, says: "serves version 5, as before: ",
		},
		"it is not well after the way back": {
			inputs: func(s *scene) map[string]string { return map[string]string{"health-url": s.by(4)} },
			want:   "failed/unhealthy false", moves: []string{"4", "5"}, says: "and is NOT healthy there",
		},
		"a canary returns, weights and all": {
			scene: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", 4, map[string]float64{"5": 0.1}))
			},
			want: "drilled/ unknown", moves: []string{"4", "4+5"},
		},
		"a rejected one is passed over": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=4") },
			want:  "drilled/ unknown", moves: []string{"3", "5"},
		},
		"nothing to go to": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=1-4") },
			want:  "skipped/no-previous-version unknown",
		},
		"a dry run": {
			inputs: func(*scene) map[string]string { return map[string]string{"dry-run": "true"} },
			want:   "planned/previous-version unknown", says: "nothing was changed",
		},
		"the way there is denied": {
			scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.Deny()) },
			want:  "failed/access-denied unknown", says: "serves version 5, as before; the drill failed: ",
		},
		"the traffic shifts slowly": {
			scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.SlowWeights(2)) },
			want:  "drilled/ unknown", moves: []string{"4", "5"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 5)
			if c.scene != nil {
				c.scene(s, f)
			}
			was, _ := f.Alias("live")
			memory, _ := f.Alias("live-rollback")
			before := len(f.History("live"))
			st := s.drill().quick()
			if c.inputs != nil {
				st.inputs(c.inputs(s))
			}
			o := st.run()

			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			assert.Contains(t, o.outputs["message"], c.says)
			assert.Equal(t, "false", o.outputs["rolled-back"])
			is, _ := f.Alias("live")
			assert.Equal(t, was.Version, is.Version)
			assert.Equal(t, fmt.Sprint(was.Weights), fmt.Sprint(is.Weights))
			after, _ := f.Alias("live-rollback")
			assert.Equal(t, memory, after, "a drill remembers nothing")
			var moves []string
			for _, m := range f.History("live")[before:] {
				text := append([]string{m.Version}, slices.Collect(maps.Keys(m.Weights))...)
				moves = append(moves, strings.Join(text, "+"))
			}
			assert.Equal(t, c.moves, moves)
		})
	}
}

func TestADrillInProductionNeedsToBeAllowed(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"", "production", "Production"} {
		s := newScene(t)
		f := s.function("api", 3)
		o := s.drill().input("environment", environment).run()
		refused(t, s, o)
		assert.Contains(t, o.outputs["message"], "allow-production-drill")
		assert.Equal(t, "3", f.Serving("live"))
		o = s.drill().input("environment", environment).input("allow-production-drill", "true").run()
		assert.Equal(t, "drilled/", o.ended(), o.outputs["message"])
	}
}

func TestTheTimesOfADrillAreTold(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 5)
	o := s.drill().quick().input("health-url", s.answers(200)).run()
	assert.Equal(t, []string{"started", "alias-moved", "traffic-moved", "verified", "returned", "verified"}, o.proven(t).events())
	assert.Contains(t, o.summary, "Alias returned")
}

// Somebody deploys in the middle of a drill: that is left alone.
func TestADeployDuringADrillStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	s.Fault(on("UpdateAlias", "live"), emulator.After(func(emulator.Call) {
		v := f.Publish(time.Now())
		assert.NoError(t, f.SetAlias("live", v, nil))
	}).Times(1))
	o := s.drill().run()
	assert.Equal(t, "6", f.Serving("live"))
	assert.Equal(t, "failed/alias-changed", o.ended(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "version 6")
}

// Somebody rolls back to the very version that the drill goes to: that is no
// move of the drill's, and is not taken back.
func TestARollbackDuringADrillStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	s.Fault(on("UpdateAlias", "live"), emulator.Before(func(emulator.Call) {
		assert.NoError(t, f.SetAlias("live", 4, nil))
	}).Times(1))
	o := s.drill().run()
	assert.Equal(t, "4", f.Serving("live"), o.outputs["message"])
	assert.Equal(t, "failed/alias-changed", o.ended(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "somebody else has changed api:live in staging during the drill: it serves version 4 now, and is left there")
	assert.Equal(t, "false", o.outputs["rolled-back"])
}

// Every kind of fault at every single call: the alias ends where it began.
func TestEveryFaultOfADrill(t *testing.T) {
	t.Parallel()
	faults := map[string]func() emulator.Effect{
		"throttled":   func() emulator.Effect { return emulator.Throttle(0) },
		"error 500":   func() emulator.Effect { return emulator.Status(500, "ServiceException", "x") },
		"reset":       emulator.Reset,
		"lost answer": emulator.LostAnswer,
		"truncated":   emulator.Truncated,
		"denied":      emulator.Deny,
		"412":         func() emulator.Effect { return emulator.Status(412, "PreconditionFailedException", "x") },
		"404":         func() emulator.Effect { return emulator.Status(404, "ResourceNotFoundException", "x") },
	}
	for kind, effect := range faults {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for nth := 1; nth <= 40; nth++ {
				s := newScene(t)
				f := s.function("api", 4)
				fault := s.Fault(emulator.Match{Service: emulator.ServiceLambda}, effect().Nth(nth))
				o := s.drill().run()
				about := fmt.Sprintf("the fault at call %d: %s: %s", nth, o.ended(), o.outputs["message"])
				assert.Equal(t, "4", f.Serving("live"), about)
				assert.Contains(t, []string{"drilled", "failed"}, o.status(), about)
				assert.Equal(t, "false", o.outputs["rolled-back"], about)
				if o.status() == "drilled" {
					assert.Contains(t, o.outputs["message"], "serves version 4, as before", about)
				}
				if fault.Hits() == 0 { // there are no more calls
					assert.Greater(t, nth, 6, "a drill makes more calls than that")
					return
				}
			}
			assert.Fail(t, "a drill of one function has no end of calls")
		})
	}
}

// A signal at every single call, of two functions, one of them with a canary:
// each ends where it began, weights included.
func TestASignalAtEveryCallOfADrill(t *testing.T) {
	t.Parallel()
	const calls = 20 // of two functions; those of the way back included
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for nth := 1; nth <= calls; nth++ {
			t.Run(fmt.Sprintf("%s at call %d", sig, nth), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				a, b := s.function("a", 5), s.function("b", 5)
				require.NoError(t, a.SetAlias("live", 4, map[string]float64{"5": 0.1}))
				var p *process
				ready := make(chan struct{})
				fault := s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Before(func(emulator.Call) {
					<-ready
					_ = p.cmd.Process.Signal(sig)
				}).Nth(nth))
				p = s.drill().input("function-name", "a\nb").start()
				close(ready)
				o := p.wait()
				assert.Equal(t, 1, fault.Hits(), "there are fewer calls: lower their number here")
				about := o.ended() + ": " + o.outputs["message"]
				assert.Equal(t, "5", b.Serving("live"), about)
				is, _ := a.Alias("live")
				assert.Equal(t, "4", is.Version, about)
				assert.Equal(t, map[string]float64{"5": 0.1}, is.Weights, about)
				assert.Equal(t, "failed/cancelled", o.ended(), about)
				assert.Equal(t, "false", o.outputs["rolled-back"], about)
			})
		}
	}
}

// After a signal the way back is still gone, in time.
func TestSignalsDuringADrill(t *testing.T) {
	t.Parallel()
	for sig, limit := range map[syscall.Signal]time.Duration{syscall.SIGINT: afterInterrupt, syscall.SIGTERM: afterTerminate} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 4)
			p := s.drill().inputs(map[string]string{"health-url": s.answers(500), "health-timeout": "60s", "health-interval": "50ms"}).start()
			require.Eventually(t, func() bool { return f.Serving("live") == "3" && len(s.asked(emulator.ServiceHealth)) > 0 }, 20*time.Second, 5*time.Millisecond)
			o, after := p.stop(sig)
			assert.Less(t, after, limit)
			assert.Equal(t, "4", f.Serving("live"), o.outputs["message"])
			assert.Equal(t, "failed/cancelled", o.ended(), o.outputs["message"])
			assert.Contains(t, o.outputs["message"], "serves version 4, as before")
			assert.Equal(t, "false", o.outputs["rolled-back"])
		})
	}
}

func TestADrillOfSeveralFunctions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	var all []*emulator.Function
	var names []string
	for _, name := range []string{"a", "b", "c"} {
		all, names = append(all, s.function(name, 4)), append(names, name)
	}
	s.Fault(emulator.Match{Operation: "UpdateAlias", Function: "b"}, emulator.Deny().Times(1))
	o := s.drill().input("function-name", strings.Join(names, "\n")).run()
	assert.Equal(t, "failed/access-denied", o.ended(), o.outputs["message"])
	for _, f := range all {
		assert.Equal(t, "4", f.Serving("live"), f.Name())
	}
	var statuses []string
	for _, r := range o.results(t) {
		statuses = append(statuses, r.Status)
	}
	assert.True(t, slices.Equal([]string{"drilled", "failed", "drilled"}, statuses), statuses)
}
