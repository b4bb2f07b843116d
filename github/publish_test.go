package github_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

var updatePublished = flag.Bool("update", false, "write the golden files anew")

// function is one that was rolled back.
func function(name string) report.Function {
	return report.Function{
		Function: name, ARN: "arn:aws:lambda:eu-west-1:123456789012:function:" + name + ":live", Region: "eu-west-1", Alias: "live",
		Status: report.RolledBack, Reason: report.PreviousVersion, From: "42", To: "41", Rejected: []string{"42"},
		Message: name + " in production was rolled back from version 42 to 41.", Proof: "Version 42 was published while this run was running.",
		Healthy: report.HealthUnknown, MovedAt: "2026-03-07T03:14:05Z", DurationMS: 812,
		Notes: []report.Note{{Warning: true, Text: "The memory alias could not be written."}},
	}
}

func resultOf(functions ...report.Function) report.Result {
	r := report.Result{
		Command: "rollback", Environment: "production", Functions: functions,
		Run:       report.Run{URL: "https://github.com/acme/shop/actions/runs/9001", Branch: "main", SHA: "1a2b3c4d5e6f", Commit: "Break it"},
		OwnURL:    "https://github.com/acme/shop/actions/runs/9002",
		Timestamp: time.Date(2026, 3, 7, 4, 14, 7, 999, time.FixedZone("CET", 3600)),
	}
	report.Conclude(&r)
	return r
}

// published is what the world gets to see.
type published struct {
	log     string
	files   memory
	outputs map[string]string
	errs    []error
}

func publish(t *testing.T, r report.Result, secrets ...string) published {
	t.Helper()
	var out bytes.Buffer
	m := memory{}
	files := m.files()
	files.Random = zeros{}
	errs := github.Publish(r, github.NewLog(&out, env(nil), github.NewRedactor(secrets)), files)
	outputs, err := readOutputs(m["out"])
	require.NoError(t, err)
	return published{out.String(), m, outputs, errs}
}

// TestPublish holds log, outputs and summary, byte for byte.
func TestPublish(t *testing.T) {
	t.Parallel()
	alone := report.Function{Function: "billing", Region: "eu-west-1", Alias: "blue", Status: report.Skipped, Reason: report.NotDeployed, From: "19", Message: "billing was left alone."}
	denied := report.Function{Function: "api", Region: "eu-west-1", Alias: "live", Status: report.Failed, Reason: report.AccessDenied, From: "42", Message: "api is still on version 42: the role may not call lambda:UpdateAlias."}
	for name, r := range map[string]report.Result{
		"one":     resultOf(function("api")),
		"several": resultOf(function("api"), alone),
		"skipped": resultOf(alone),
		"failed":  resultOf(denied),
		"invalid": {Command: "rollback", Status: report.Failed, Reason: report.InvalidInput, Message: "`function-name` is required.", OwnURL: "https://github.com/acme/shop/actions/runs/9002"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publish(t, r)
			require.Empty(t, p.errs)
			golden(t, filepath.Join("testdata", "publish", name+".txt"),
				"=== log\n"+p.log+"=== GITHUB_OUTPUT\n"+p.files["out"]+"=== GITHUB_STEP_SUMMARY\n"+p.files["summary"])
		})
	}
}

// The log is as loud as the channels and the summary.
func TestTheAnnotationFollowsTheSeverity(t *testing.T) {
	t.Parallel()
	with := func(status report.Status, reason report.Reason, healthy report.Health, checks ...report.Check) report.Result {
		f := function("api")
		f.Status, f.Reason, f.Healthy, f.Checks, f.Notes = status, reason, healthy, checks, nil
		return resultOf(f)
	}
	passed := report.Check{Name: "invoke", Status: report.CheckPassed}
	doubtful := report.Check{Name: "invoke", Status: report.CheckInconclusive}
	for name, c := range map[string]struct {
		result report.Result
		want   string
	}{
		"failed":                         {with(report.Failed, report.AccessDenied, ""), "::error title=Lambda rollback::"},
		"moved, and not healthy":         {with(report.Failed, report.Unhealthy, report.NotHealthy), "::error title=Lambda rollback::"},
		"not ready":                      {with(report.NotReady, report.AccessDenied, ""), "::warning title=Lambda rollback::"},
		"nothing to go back to":          {with(report.Skipped, report.NoPreviousVersion, ""), "::warning title=Lambda rollback::"},
		"moved, and checks cannot tell":  {with(report.RolledBack, report.PreviousVersion, report.HealthUnknown, doubtful), "::warning title=Lambda rollback::"},
		"moved, and healthy":             {with(report.RolledBack, report.PreviousVersion, report.Healthy, passed), "::notice title=Lambda rollback::"},
		"moved, and nothing was checked": {with(report.RolledBack, report.PreviousVersion, report.HealthUnknown), "::notice title=Lambda rollback::"},
		"ready":                          {with(report.Ready, "", ""), "::notice title=Lambda rollback::"},
		"planned":                        {with(report.Planned, report.PreviousVersion, ""), ""},
		"listed":                         {with(report.Listed, "", ""), ""},
		"skipped":                        {with(report.Skipped, report.NotDeployed, ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publish(t, c.result)
			assert.Contains(t, p.log, c.want+c.result.Message+"\n")
			if c.want == "" {
				assert.NotContains(t, p.log, "title=")
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *updatePublished {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "no golden file; write it with: go test ./github -run TestPublish -update")
	assert.Equal(t, string(want), got)
}

func TestPublishSetsEveryOutput(t *testing.T) {
	t.Parallel()
	var want []string
	for _, definition := range github.OutputDefinitions() {
		want = append(want, definition.Name)
	}
	for name, r := range map[string]report.Result{"a result": resultOf(function("api")), "nothing at all": {}} {
		var got []string
		for output := range publish(t, r).outputs {
			got = append(got, output)
		}
		assert.ElementsMatch(t, want, got, name)
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	other := function("worker")
	other.Alias = "blue"
	alone := function("api")
	alone.Status, alone.Reason, alone.To = report.Skipped, report.Superseded, ""
	noRun := resultOf(function("api"))
	noRun.Run.URL = ""
	planned := function("api")
	planned.Status = report.Planned
	told := resultOf(function("api"))
	told.Notifications = map[string]string{"slack": "sent", "email": "failed to send: <a&b>\nrefused"}

	for name, c := range map[string]struct {
		result report.Result
		want   map[string]string
	}{
		"one function": {resultOf(function("api")), map[string]string{
			"status": "rolled-back", "reason": "previous-version", "rolled-back": "true", "function-name": "api", "alias": "live",
			"environment": "production", "from-version": "42", "to-version": "41", "timestamp": "2026-03-07T03:14:07Z",
			"healthy": "unknown", "notifications": "{}", "versions": "[]", "run-url": "https://github.com/acme/shop/actions/runs/9001",
		}},
		"several functions: each is in results": {resultOf(function("api"), other), map[string]string{
			"function-name": "", "alias": "", "from-version": "", "to-version": "", "rolled-back": "true",
		}},
		"left alone: from is what serves": {resultOf(alone), map[string]string{
			"status": "skipped", "reason": "superseded", "rolled-back": "false", "from-version": "42", "to-version": "",
		}},
		"a dry run rolled nothing back": {resultOf(planned), map[string]string{"status": "planned", "rolled-back": "false"}},
		"no run is known but the own":   {noRun, map[string]string{"run-url": "https://github.com/acme/shop/actions/runs/9002"}},
		"notifications": {told, map[string]string{
			"notifications": `{"email":"failed to send: <a&b>\\nrefused","slack":"sent"}`,
		}},
		"no functions": {report.Result{Status: report.Failed, Reason: report.InvalidInput}, map[string]string{
			"results": "[]", "function-name": "", "alias": "", "healthy": "unknown", "timestamp": "", "notifications": "{}", "rolled-back": "false",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := publish(t, c.result).outputs
			for output, want := range c.want {
				assert.Equal(t, want, got[output], output)
			}
		})
	}
}

func TestResultsHoldNoNull(t *testing.T) {
	t.Parallel()
	results := publish(t, resultOf(report.Function{Function: "a<b>", Status: report.Skipped})).outputs["results"]
	assert.NotContains(t, results, "null")
	assert.NotContains(t, results, "\n")
	assert.Contains(t, results, `"function":"a<b>"`)
	assert.Contains(t, results, `"rejected":[],`)
	assert.Contains(t, results, `"checks":[],"changes":[],`)
}

func TestOutputsStayBelowTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 1_000_000 // bytes of UTF-16, in which GitHub reckons
	big := func(n int, change func(*report.Function)) report.Result {
		all := make([]report.Function, 0, n)
		for range n {
			f := function("api")
			change(&f)
			all = append(all, f)
		}
		return resultOf(all...)
	}
	long := strings.Repeat("\x1b\"é", 3_000)
	for name, c := range map[string]struct {
		result  report.Result
		kept    int
		warning string
	}{
		"a hundred functions are kept whole": {big(100, func(*report.Function) {}), 100, ""},
		"many changes go first": {big(100, func(f *report.Function) {
			for range 100 {
				f.Changes = append(f.Changes, report.Change{What: "layer", From: "a", To: "b"})
			}
		}), 100, "`changes` is left out."},
		"then the ends of long texts": {big(100, func(f *report.Function) {
			f.Message, f.Proof = long, long
			f.Checks = []report.Check{{Name: "x", Detail: long}}
		}), 100, "texts are shortened."},
		"then functions at the end": {big(5_000, func(*report.Function) {}), -1, "of 5000 functions are missing."},
		"one function that is too large is none": {big(1, func(f *report.Function) { f.Function = strings.Repeat("x", 500_000) }),
			0, "the last 1 of 1 functions are missing."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := publish(t, c.result)
			total := 0
			for output, value := range p.outputs {
				total += 2 * (len(output) + len(utf16.Encode([]rune(value))))
			}
			assert.Less(t, total, limit)
			var results []report.Function
			require.NoError(t, json.Unmarshal([]byte(p.outputs["results"]), &results))
			if c.kept >= 0 {
				assert.Len(t, results, c.kept)
			} else {
				assert.Greater(t, len(results), 500)
			}
			if c.warning == "" {
				assert.NotContains(t, p.log, "too large")
			} else {
				assert.Contains(t, p.log, c.warning)
			}
		})
	}
}

func TestPublishShowsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = `hunter22"_*<x>`
	f := function("api")
	f.Message, f.Proof = "got "+secret, secret
	f.Checks = []report.Check{{Name: secret, Status: "failed", Detail: secret}}
	f.Changes = []report.Change{{What: secret, From: secret, To: secret}}
	f.Notes = []report.Note{{Text: secret}}
	r := resultOf(f)
	r.Environment, r.Run.Commit, r.Run.Branch = secret, secret, secret
	r.Run.Jobs = []report.Job{{Name: secret, Conclusion: "failure", FailedStep: secret}}
	r.Notes = []report.Note{{Warning: true, Text: secret}}
	r.Notifications = map[string]string{"slack": secret}

	p := publish(t, r, secret)
	for _, text := range []string{p.log, p.files["out"], p.files["summary"]} {
		assert.NotContains(t, text, "hunter22")
		assert.Contains(t, text, "***")
	}
	assert.True(t, json.Valid([]byte(p.outputs["results"])))
	assert.Equal(t, secret, r.Functions[0].Checks[0].Detail, "the caller's result stays")
}

func TestPublishIntoFilesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	refused := errors.New("permission denied")
	files := github.Files{Output: "out", Summary: "summary", Random: zeros{}, Append: func(string, []byte) error { return refused }}
	errs := github.Publish(resultOf(function("api")), github.NewLog(&out, env(nil), nil), files)
	require.Len(t, errs, 2)
	require.ErrorIs(t, errs[0], refused)
	assert.Contains(t, out.String(), "::warning title=Lambda rollback::failed to write outputs to GITHUB_OUTPUT: permission denied.")
	assert.Contains(t, out.String(), "::warning title=Lambda rollback::failed to write summary to GITHUB_STEP_SUMMARY: permission denied.")
}

func TestPublishOfHostileTextIssuesNoCommand(t *testing.T) {
	t.Parallel()
	const evil = "::error::x\n::set-env name=a::b\r\n##[group]y\nstatus<<EOF\nskipped\nEOF\n"
	f := function(evil)
	f.Alias, f.Message, f.Proof, f.From, f.To, f.MovedAt, f.Region, f.ARN = evil, evil, evil, evil, evil, evil, evil, evil
	f.Status, f.Notes = report.Failed, []report.Note{{Text: evil}, {Warning: true, Text: evil}}
	r := resultOf(f, f)
	r.Environment, r.Message, r.OwnURL, r.Run = evil, evil, evil, report.Run{Branch: evil, SHA: evil, Commit: evil, URL: evil}

	p := publish(t, r)
	for _, c := range runnerReads(p.log) {
		assert.Contains(t, []string{"group", "endgroup", "error", "warning"}, c.name)
		assert.NotContains(t, c.data, "\n")
	}
	assert.Equal(t, "failed", p.outputs["status"])
	assert.Len(t, p.outputs, len(github.OutputDefinitions()))
	for output, value := range p.outputs {
		assert.NotContains(t, value, "\n", output)
	}
}
