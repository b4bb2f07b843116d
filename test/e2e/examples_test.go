package e2e_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// TestEveryExampleIsRun: none is only looked at.
func TestEveryExampleIsRun(t *testing.T) {
	t.Parallel()
	tests, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var said strings.Builder
	for _, name := range tests {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		said.Write(text)
	}
	found, err := filepath.Glob(filepath.Join(root, "examples", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for _, path := range found {
		assert.Contains(t, said.String(), `example(t, "`+filepath.Base(path)+`")`)
	}
}

// failedPush runs an example for a push to main whose deploy fails.
func (s *scene) failedPush(workflow string, env map[string]string) workflowRun {
	s.t.Helper()
	if env == nil {
		env = fails
	}
	return s.run(workflow, "push", "main", s.push("main"), env)
}

// in puts a text of a workflow in the place of another, which must be there.
func in(t *testing.T, workflow string, replace ...string) string {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, workflow, replace[i])
		workflow = strings.ReplaceAll(workflow, replace[i], replace[i+1])
	}
	return workflow
}

func ended(outputs map[string]string) string { return outputs["status"] + " " + outputs["reason"] }

func TestTheExamplesOfOneDeployJob(t *testing.T) {
	for name, workflow := range map[string]string{
		"minimal":   example(t, "minimal.yml"),
		"two roles": example(t, "oidc.yml"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			run := s.failedPush(workflow, nil)
			outputs := run.outputs("rollback-on-failure")
			assert.Equal(t, "rolled-back previous-version", ended(outputs), outputs["message"])
			assert.Equal(t, "4 to 3", outputs["from-version"]+" to "+outputs["to-version"])
			assert.Equal(t, s.before, s.function.Serving("live"))
		})
	}
}

// The version is known only by the output of the deploy job: the API, by which
// time would tell, is down.
func TestTheVersionIsHandedFromJobToJob(t *testing.T) {
	s := newScene(t)
	s.GitHub.WithholdActionsRead(true)
	run := s.failedPush(example(t, "oidc.yml"), nil)
	outputs := run.outputs("rollback-on-failure")
	assert.Equal(t, "rolled-back previous-version", ended(outputs), outputs["message"])
	assert.NotContains(t, run.said("rollback-on-failure"), "not proven")
}

func TestTheExampleOfACanary(t *testing.T) {
	for name, c := range map[string]struct {
		failing, reason, from string
	}{
		"the canary fails":                  {"watch", "canary-stopped", "3"},
		"it fails when it is for everybody": {"promote", "previous-version", "4"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.CloudWatch(region).SetAlarm("checkout-errors", emulator.AlarmOK)
			health := s.Health("checkout-api", "live", func(version int64) int {
				if version == 4 {
					return 500
				}
				return 200
			})
			// Nobody calls the function here, so a long watch would show no more.
			workflow := in(t, example(t, "canary.yml"), "https://shop.example.com/health", health, "observe: 5m", "observe: 2s")
			run := s.failedPush(workflow, map[string]string{"FAIL": c.failing})
			outputs := run.outputs("rollback-on-failure")
			assert.Equal(t, "rolled-back "+c.reason, ended(outputs), outputs["message"])
			assert.Equal(t, "3", outputs["to-version"])
			alias, _ := s.function.Alias("live")
			assert.Equal(t, "3", alias.Version)
			assert.Empty(t, alias.Weights)
		})
	}
}

func TestTheExampleOfAPromotion(t *testing.T) {
	s := newScene(t)
	require.NoError(t, s.function.SetAlias("live", 2, nil))
	payload := map[string]any{"ref": "refs/heads/main", "inputs": map[string]any{"version": "1"}}
	run := s.run(example(t, "promote-with-snapshot.yml"), "workflow_dispatch", "main", payload, map[string]string{"FAIL": "promote"})
	assert.Equal(t, "taken", run.outputs("snapshot")["status"])
	assert.Contains(t, run.said("promote"), "checkout-api:live serves version 1")
	outputs := run.outputs("rollback-on-failure")
	assert.Equal(t, "rolled-back snapshot", ended(outputs), outputs["message"])
	assert.Equal(t, "2", s.function.Serving("live"), "an older version was promoted, and a newer one is there, too")
}

// The time of the steps is left out: nobody calls the function here, so that a watch
// would show no more.
func TestTheExamplesOfPromotions(t *testing.T) {
	for name, c := range map[string]struct {
		workflow string
		from     string
	}{
		"canary":     {in(t, example(t, "promote-canary.yml"), "steps: 10% 5m, 50% 5m, 100% 5m", "steps: 10%, 50%, 100%"), "3"},
		"blue-green": {in(t, example(t, "blue-green.yml"), "steps: 0%, 100% 5m", "steps: 0%, 100%"), "3"},
		"bake":       {in(t, example(t, "bake.yml"), "steps: 100% 10m", "steps: 100%"), "4"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.CloudWatch(region).SetAlarm("checkout-errors", emulator.AlarmOK)
			health := s.Health("checkout-api", "live", func(int64) int { return 200 })
			run := s.run(strings.ReplaceAll(c.workflow, "https://shop.example.com/health", health), "push", "main", s.push("main"), map[string]string{"FAIL": "nothing"})
			outputs := run.outputs("deploy-production")
			assert.Equal(t, "promoted", outputs["status"], outputs["message"])
			assert.Equal(t, "4", s.function.Serving("live"))
		})
	}
}

func TestTheExampleOfAFreeze(t *testing.T) {
	s := newScene(t)
	run := s.failedPush(example(t, "freeze.yml"), nil)
	assert.Equal(t, "ready", run.outputs("check")["status"], run.outputs("check")["message"])
	outputs := run.outputs("rollback-on-failure")
	assert.Equal(t, "rolled-back previous-version", ended(outputs), outputs["message"])
}

func TestTheExampleOfAStaticSite(t *testing.T) {
	s := newScene(t)
	now := time.Now()
	ago := time.Hour
	store := storage.New(func() time.Time { return time.Now().Add(-ago) })
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	bucket := store.Bucket("shop-site")
	distribution := store.Distribution("E1ABCDEF234567")
	distribution.Bucket = "shop-site"
	bucket.PutText("www/index.html", "<script src=app.1.js></script>")
	bucket.PutText("www/app.1.js", "good")
	bucket.PutText("other/index.html", "another site")
	ago = 0
	before := bucket.Current()
	// The image that jobs run in has no AWS CLI.
	workflow := in(t, example(t, "static-site.yml"), "aws s3 sync", "mkdir dist; echo '<script src=app.2.js></script>' >dist/index.html; echo bad >dist/app.2.js; ./sync.sh")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(checkout, "dist")) })
	run := s.failedPush(workflow, map[string]string{
		"FAIL": "all", "AWS_ENDPOINT_URL_S3": server.URL, "AWS_ENDPOINT_URL_CLOUDFRONT": server.URL,
	})
	assert.Equal(t, "taken", run.outputs("snapshot")["status"], run.outputs("snapshot")["message"])
	assert.Contains(t, run.said("deploy"), "delete: s3://shop-site/www/app.1.js")
	outputs := run.outputs("rollback-on-failure")
	assert.Equal(t, "rolled-back snapshot", ended(outputs), outputs["message"])
	assert.Equal(t, s.before, s.function.Serving("live"))
	after := bucket.Current()
	for _, key := range []string{"www/index.html", "www/app.1.js", "other/index.html"} {
		assert.Equal(t, string(before[key].Body), string(after[key].Body), key)
	}
	assert.NotContains(t, after, "www/app.2.js")
	assert.Equal(t, before["other/index.html"].ID, after["other/index.html"].ID)
	assert.Len(t, distribution.Invalidations(), 1)
	assert.Contains(t, run.summary("rollback-on-failure"), "The static site")
	t.Logf("%s after the start: %s", time.Since(now).Round(time.Second), outputs["message"])
}

func TestTheExampleOfSeveralFunctions(t *testing.T) {
	s := newScene(t)
	worker := s.Lambda(region).CreateFunction("worker")
	worker.Publish(time.Now().Add(-time.Hour))
	require.NoError(t, worker.SetAlias("stable", 1, nil))
	// The image that jobs run in here has no jq, which GitHub's runners have.
	const reads = `jq -r '.[] | "\(.function) \(.status) \(.from) -> \(.to)"' <<<"$RESULTS"`
	workflow := in(t, example(t, "several-functions.yml"), reads, `echo "$RESULTS"`)
	run := s.failedPush(workflow, map[string]string{"FAIL": "all", "FUNCTIONS": "checkout-api:live worker:stable"})
	assert.Equal(t, "rolled-back", run.outputs("rollback-on-failure")["status"])
	assert.Equal(t, "3", s.function.Serving("live"))
	assert.Equal(t, "1", worker.Serving("stable"))
	results := run.said("tell")
	require.JSONEq(t, run.outputs("rollback-on-failure")["results"], results)
	jq := exec.Command("bash", "-c", reads)
	jq.Env = append(os.Environ(), "RESULTS="+results)
	said, err := jq.Output()
	require.NoError(t, err)
	assert.Equal(t, "checkout-api rolled-back 4 -> 3\nworker rolled-back 2 -> 1\n", string(said))
}

func TestTheExampleOfSeveralRegions(t *testing.T) {
	s := newScene(t)
	functions := map[string]*emulator.Function{region: s.function}
	for _, other := range []string{"us-east-1", "ap-southeast-2"} {
		functions[other] = s.Lambda(other).CreateFunction("checkout-api")
		for range 3 {
			functions[other].Publish(time.Now().Add(-24 * time.Hour))
		}
		require.NoError(t, functions[other].SetAlias("live", 3, nil))
	}
	run := s.failedPush(example(t, "regions.yml"), map[string]string{"FAIL": "all", "FAIL_REGION": "us-east-1"})
	assert.NotZero(t, run.code)
	for in, f := range functions {
		assert.Equal(t, "3", f.Serving("live"), in)
		assert.Contains(t, f.Versions(), int64(4), "%s was deployed to, and then all regions went back", in)
	}
}

// The workflow that failed is another one, and its run has ended.
func TestTheExampleAfterAnotherWorkflow(t *testing.T) {
	for name, c := range map[string]struct {
		conclusion, headRepository, serves, want string
	}{
		"it failed":           {"failure", repository, "3", "rolled-back previous-version"},
		"it succeeded":        {"success", repository, "4", " "},
		"a run of a fork did": {"failure", "mallory/shop", "4", "skipped untrusted-fork"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			const failed = 8000
			now := time.Now()
			s.GitHub.AddRun(repository, emulator.WorkflowRun{
				ID: failed, Workflow: "Deploy", Branch: "main", Event: "push", Status: "completed", Conclusion: c.conclusion, CreatedAt: now.Add(-10 * time.Minute),
				Jobs: []emulator.WorkflowJob{{Name: "deploy", Status: "completed", Conclusion: c.conclusion, StartedAt: now.Add(-9 * time.Minute), CompletedAt: now.Add(-time.Minute)}},
			})
			require.NoError(t, s.function.SetAlias("live", s.function.Publish(now.Add(-2*time.Minute)), nil))
			payload := map[string]any{
				"action":     "completed",
				"repository": map[string]any{"id": 1, "full_name": repository},
				"workflow_run": map[string]any{
					"id": failed, "name": "Deploy", "run_attempt": 1, "conclusion": c.conclusion, "status": "completed", "head_branch": "main", "event": "push",
					"created_at": now.Add(-10 * time.Minute), "head_repository": map[string]any{"id": map[bool]int{true: 1, false: 2}[c.headRepository == repository], "full_name": c.headRepository},
				},
			}
			run := s.run(example(t, "after-workflow.yml"), "workflow_run", "main", payload, nil)
			outputs := run.outputs("rollback")
			assert.Equal(t, c.want, ended(outputs), outputs["message"])
			assert.Zero(t, run.code)
			assert.Equal(t, c.conclusion == "failure", run.result("rollback") == "success", "the job ran")
			assert.Equal(t, c.serves, s.function.Serving("live"))
		})
	}
}

func TestTheExampleOfADailyCheck(t *testing.T) {
	s := newScene(t)
	worker := s.Lambda(region).CreateFunction("worker")
	for range 2 {
		worker.Publish(time.Now().Add(-time.Hour))
	}
	require.NoError(t, worker.SetAlias("live", 2, nil))
	for _, name := range []string{"checkout-api", "worker"} {
		s.Logs(region).CreateGroup("/aws/lambda/" + name)
	}
	s.CloudWatch(region).SetAlarm("checkout-errors", emulator.AlarmOK)
	health := s.Health("checkout-api", "live", func(int64) int { return 200 })
	run := s.run(in(t, example(t, "scheduled-check.yml"), "https://shop.example.com/health", health), "schedule", "main", map[string]any{"schedule": "41 6 * * *"}, nil)
	outputs := run.outputs("check")
	assert.Equal(t, "ready", outputs["status"], outputs["message"])
	assert.Len(t, s.function.History("live"), 1, "it is as it was made")
}

func TestTheExampleOfADrill(t *testing.T) {
	s := newScene(t)
	staging := s.Lambda(region).CreateFunction("checkout-api-staging")
	for range 2 {
		staging.Publish(time.Now().Add(-time.Hour))
	}
	require.NoError(t, staging.SetAlias("live", 2, nil))
	health := s.Health("checkout-api-staging", "live", func(int64) int { return 200 })
	run := s.run(in(t, example(t, "weekly-drill.yml"), "https://staging.shop.example.com/health", health), "workflow_dispatch", "main", map[string]any{"ref": "refs/heads/main"}, nil)
	outputs := run.outputs("drill")
	assert.Equal(t, "drilled", outputs["status"], outputs["message"])
	assert.Equal(t, "2", staging.Serving("live"))
	assert.Len(t, staging.History("live"), 3, "there and back")
}

// An action of somebody else cannot be had here. What stands in for it shows
// what it was handed.
func standIn(t *testing.T, inputs ...string) string {
	t.Helper()
	type declared struct {
		Required bool `yaml:"required"`
	}
	names := map[string]declared{}
	env := map[string]string{}
	var text strings.Builder
	for _, input := range inputs {
		names[input] = declared{}
		variable := strings.ToUpper(input)
		env[variable] = "${{ inputs." + input + " }}"
		text.WriteString("echo \"<" + input + ">$" + variable + "</" + input + ">\"\n")
	}
	action, err := yaml.Marshal(map[string]any{
		"name": "Stands in", "description": "Shows what it is handed", "inputs": names,
		"runs": map[string]any{"using": "composite", "steps": []any{map[string]any{"shell": "bash", "env": env, "run": text.String()}}},
	})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "action.yml"), action, 0o600))
	return dir
}

// handed is an input that the stand-in was handed.
func (r workflowRun) handed(t *testing.T, job, input string) string {
	t.Helper()
	_, rest, found := strings.Cut(r.said(job), "<"+input+">")
	require.True(t, found, "%s was handed nothing", job)
	value, _, _ := strings.Cut(rest, "</"+input+">")
	return value
}

// uses is what a workflow names of an action, with its commit.
func uses(t *testing.T, workflow, action string) string {
	t.Helper()
	_, rest, found := strings.Cut(workflow, "uses: "+action+"@")
	require.True(t, found)
	commit, _, _ := strings.Cut(rest, " ")
	return action + "@" + commit
}

func TestTheExampleOfSlackAfterTheFact(t *testing.T) {
	workflow := example(t, "slack.yml")
	s := newScene(t)
	s.local = map[string]string{uses(t, workflow, "slackapi/slack-github-action"): standIn(t, "method", "payload")}
	run := s.failedPush(workflow, nil)
	message := run.outputs("rollback-on-failure")["message"]
	require.NotEmpty(t, message)
	var payload struct {
		Channel, Text string
		Blocks        []struct {
			Text     struct{ Text string }
			Elements []struct{ URL string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(run.handed(t, "tell", "payload")), &payload))
	assert.Equal(t, "C0123456789", payload.Channel)
	assert.Equal(t, message, payload.Text)
	require.Len(t, payload.Blocks, 2)
	assert.Equal(t, message, payload.Blocks[0].Text.Text)
	require.Len(t, payload.Blocks[1].Elements, 1)
	assert.Equal(t, run.outputs("rollback-on-failure")["run-url"], payload.Blocks[1].Elements[0].URL)
}

// A rollback that failed fails its job, and people hear of it all the same.
func TestTheExampleOfEmailAfterTheFact(t *testing.T) {
	for name, c := range map[string]struct {
		scene   func(*scene)
		action  string // in the place of the action
		subject string
		says    string
	}{
		"rolled back": {subject: "rolled-back", says: "checkout-api:live in production is back on version 3"},
		"nothing to go back to": {scene: func(s *scene) {
			for _, version := range []int64{1, 2} {
				require.NoError(s.t, s.function.Delete(version))
			}
			require.NoError(s.t, s.function.SetState(3, emulator.StateFailed, "x"))
		}, subject: "skipped", says: "no version below version 4"},
		"failed": {scene: func(s *scene) {
			s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "GetFunctionConfiguration"}, emulator.Deny())
		}, subject: "failed", says: "AWS denied lambda:GetFunctionConfiguration"},
		"was interrupted": {action: "exit 1", subject: "rollback was interrupted", says: "The rollback was interrupted. Check which version is live."},
	} {
		t.Run(name, func(t *testing.T) {
			workflow := example(t, "email.yml")
			s := newScene(t)
			if c.scene != nil {
				c.scene(s)
			}
			s.local = map[string]string{uses(t, workflow, "dawidd6/action-send-mail"): standIn(t, "subject", "body")}
			if c.action != "" {
				workflow = regexp.MustCompile(`(?s)uses: `+self+`v1\b.*?\n\n`).ReplaceAllString(workflow, "run: "+c.action+"\n\n")
			}
			run := s.failedPush(workflow, nil)
			assert.Equal(t, "Production: "+c.subject, run.handed(t, "tell", "subject"))
			body := run.handed(t, "tell", "body")
			assert.Contains(t, body, c.says)
			assert.Contains(t, body, run.outputs("rollback-on-failure")["message"])
			assert.Contains(t, body, "\n\nhttps://github.com/org/shop/actions/runs/9001")
		})
	}
}

// The job as a call. Its checkout of the action, at a commit that act does not
// know of, is made by a stand-in.
func TestTheExampleOfACall(t *testing.T) {
	called, err := os.ReadFile(filepath.Join(root, ".github/workflows/rollback-on-failure.yml"))
	require.NoError(t, err)
	dir := t.TempDir()
	action := "name: Checkout\ndescription: Stands in\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: |\n" +
		"        mkdir .lambda-rollback-action\n        cp -r Dockerfile .dockerignore action.yml go.mod go.sum *.go github notify rollback .lambda-rollback-action/\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "action.yml"), []byte(action), 0o600))
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(checkout, ".lambda-rollback-action")) })
	s := newScene(t)
	s.local = map[string]string{uses(t, string(called), "actions/checkout"): dir}
	health := s.Health("checkout-api", "live", func(int64) int { return 200 })
	run := s.failedPush(in(t, example(t, "reusable.yml"), "https://shop.example.com/health", health), nil)
	assert.Equal(t, s.before, s.function.Serving("live"))
	assert.Contains(t, run.said("tell"), "checkout-api:live")
	t.Logf("the caller's later job was handed: %s", run.said("tell"))
}
