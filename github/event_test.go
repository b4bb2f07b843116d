package github_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// payload gives the bytes of a file in testdata/events with some values
// changed: "workflow_run.head_branch" names a field, absent takes it out.
func payload(t testing.TB, file string, changes map[string]any) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "events", file+".json"))
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var document map[string]any
	require.NoError(t, decoder.Decode(&document))
	for path, value := range changes {
		keys := strings.Split(path, ".")
		object := document
		for _, key := range keys[:len(keys)-1] {
			next, ok := object[key].(map[string]any)
			require.True(t, ok, "%s has no object %s", file, path)
			object = next
		}
		last := keys[len(keys)-1]
		if value == absent {
			delete(object, last)
		} else {
			object[last] = value
		}
	}
	raw, err = json.Marshal(document)
	require.NoError(t, err)
	return raw
}

type absentField struct{}

var absent = absentField{}

func fileWith(raw []byte) func(string) ([]byte, error) {
	return func(string) ([]byte, error) { return raw, nil }
}

func event(t testing.TB, name, file string, changes map[string]any) github.Event {
	t.Helper()
	e, err := github.ReadEvent(name, "event.json", fileWith(payload(t, file, changes)))
	require.NoError(t, err)
	return e
}

func TestReadEventThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path string
		read func(string) ([]byte, error)
		want string
	}{
		"no path":       {"", fileWith([]byte("{}")), "GITHUB_EVENT_PATH is not set"},
		"missing file":  {"e.json", func(string) ([]byte, error) { return nil, os.ErrNotExist }, "file does not exist"},
		"empty file":    {"e.json", fileWith(nil), "the file is empty"},
		"blank file":    {"e.json", fileWith([]byte(" \n ")), "the file is empty"},
		"null":          {"e.json", fileWith([]byte("null")), "not a JSON object"},
		"a list":        {"e.json", fileWith([]byte("[]")), "not a JSON object"},
		"cut off":       {"e.json", fileWith([]byte(`{"workflow_run": {"id": 1`)), "unexpected end of JSON input"},
		"an odd type":   {"e.json", fileWith([]byte(`{"workflow_run": 1, "deployment": 1, "ref": 1, "branch": 1, "schedule": }`)), "failed to read event payload"},
		"gigantic file": {"e.json", fileWith(append([]byte(`{"a":"`), bytes.Repeat([]byte("a"), 33<<20)...)), "the limit is 33554432"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"push", "workflow_run", "deployment_status", "repository_dispatch", "schedule", "no-such-event", ""} {
				e, err := github.ReadEvent(kind, tt.path, tt.read)
				require.ErrorContains(t, err, tt.want, kind)
				assert.Equal(t, kind, e.Name)
				run := e.Run(github.Context{RunID: 7, RunAttempt: 1})
				assert.Equal(t, int64(7), run.ID, "the own run is all that is left")
			}
		})
	}
}

func TestReadEventKeepsTheCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk gone")
	_, err := github.ReadEvent("push", "e.json", func(string) ([]byte, error) { return nil, cause })
	require.ErrorIs(t, err, cause)
}

func TestEventRun(t *testing.T) {
	t.Parallel()
	own := github.Context{
		EventName: "some-event", Repository: "octo-org/octo-repo", Ref: "refs/heads/main", SHA: "0wn",
		RunID: 555, RunAttempt: 3, RunNumber: 12, Workflow: "rollback", Actor: "hubot", ServerURL: "https://github.com",
	}
	ownRun := report.Run{
		ID: 555, Attempt: 3, Number: 12, Workflow: "rollback", Repository: "octo-org/octo-repo", Branch: "main",
		SHA: "0wn", Actor: "hubot", Event: "some-event", URL: "https://github.com/octo-org/octo-repo/actions/runs/555",
	}
	with := func(change func(*report.Run)) report.Run {
		run := ownRun
		change(&run)
		return run
	}
	pushed := time.Date(2019, 5, 15, 15, 20, 57, 0, time.UTC)
	deployed := time.Date(2019, 5, 15, 15, 20, 53, 0, time.UTC)

	for name, tt := range map[string]struct {
		event     github.Event
		want      report.Run
		wantTimes bool
	}{
		"workflow_run: the run in the payload": {
			event: event(t, "workflow_run", "workflow_run", map[string]any{
				"workflow_run.conclusion": "failure", "workflow_run.run_attempt": 2,
				"workflow_run.head_commit.message": "Deploy  \r\n\r\nwith a body",
			}),
			want: report.Run{
				ID: 289782451, Attempt: 2, Number: 163, WorkflowID: 2823525, Workflow: "test",
				Repository: "octo-org/octo-repo", Branch: "master", SHA: "3484a3fb816e0859fd6e1cea078d76385ff50625",
				Commit: "Deploy", Actor: "Codertocat", Event: "repository_dispatch",
				URL:    "https://github.com/octo-org/octo-repo/actions/runs/289782451",
				Status: "completed", Conclusion: "failure", CreatedAt: time.Date(2020, 10, 5, 16, 33, 24, 0, time.UTC), NotBefore: time.Date(2020, 10, 5, 16, 33, 24, 0, time.UTC),
				EndedBy: time.Date(2020, 10, 5, 16, 33, 49, 0, time.UTC),
			},
			wantTimes: true,
		},
		"workflow_run without a run: the own one, and no times": {
			event: event(t, "workflow_run", "workflow_run", map[string]any{"workflow_run": absent}),
			want:  ownRun,
		},
		"deployment_status by a run: that run": {
			event: event(t, "deployment_status", "deployment_status_of_run", nil),
			want: report.Run{
				ID: 289782451, Attempt: 1, Number: 1, WorkflowID: 17248323, Workflow: "pages build and deployment",
				Repository: "octo-org/octo-repo", Branch: "gh-pages", SHA: "9e602444f49b8b69c3a9a51fa97a115f3d323508",
				Actor: "Codertocat", Event: "dynamic",
				URL:    "https://github.com/Codertocat/Hello-World/actions/runs/289782451",
				Status: "in_progress", CreatedAt: time.Date(2022, 1, 3, 1, 27, 48, 0, time.UTC), NotBefore: time.Date(2022, 1, 3, 1, 27, 48, 0, time.UTC),
			},
			wantTimes: true,
		},
		"deployment_status from outside: the deployment's time bounds": {
			event: event(t, "deployment_status", "deployment_status", nil),
			want: with(func(r *report.Run) {
				r.Branch, r.SHA, r.Actor = "master", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", "Codertocat"
				r.CreatedAt, r.CreatedBound = deployed, true
			}),
		},
		"push: the time of the push bounds, in seconds": {
			event: event(t, "push", "push", map[string]any{"repository.pushed_at": 1557933657}),
			want: with(func(r *report.Run) {
				r.Commit, r.CreatedAt, r.CreatedBound, r.NotBefore = "Initial commit", pushed, true, pushed
			}),
			wantTimes: true,
		},
		"push: the time of the push bounds, as text in another zone": {
			event: event(t, "push", "push", map[string]any{"repository.pushed_at": "2019-05-15T17:20:57+02:00"}),
			want: with(func(r *report.Run) {
				r.Commit, r.CreatedAt, r.CreatedBound, r.NotBefore = "Initial commit", pushed, true, pushed
			}),
			wantTimes: true,
		},
		"push without the time": {
			event:     event(t, "push", "push", map[string]any{"repository.pushed_at": nil, "head_commit": nil}),
			want:      ownRun,
			wantTimes: true,
		},
		"workflow_dispatch":   {event: event(t, "workflow_dispatch", "workflow_dispatch", nil), want: ownRun, wantTimes: true},
		"repository_dispatch": {event: event(t, "repository_dispatch", "repository_dispatch", nil), want: ownRun, wantTimes: true},
		"schedule":            {event: event(t, "schedule", "schedule", nil), want: ownRun, wantTimes: true},
		"an event nobody knows": {
			event: event(t, "moon_landing", "schedule", nil), want: ownRun, wantTimes: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, tt.event.Run(own))
			assert.Equal(t, tt.wantTimes, tt.event.TimesByAPI())
		})
	}
}

// go-github's type for a custom property is text; GitHub also sends lists.
func TestCustomPropertyWithSeveralValuesHidesNothing(t *testing.T) {
	t.Parallel()
	properties := map[string]any{"tier": []string{"gold", "prod"}}
	for file, path := range map[string]string{
		"push": "repository.custom_properties", "deployment_status_of_run": "repository.custom_properties",
		"workflow_run": "workflow_run.head_repository.custom_properties", "workflow_dispatch": "repository.custom_properties",
	} {
		name := strings.TrimSuffix(file, "_of_run")
		changed := map[string]any{path: properties}
		assert.Equal(t, event(t, name, file, nil).Run(github.Context{}), event(t, name, file, changed).Run(github.Context{}), file)
	}
}

func TestCommitTitleIsCut(t *testing.T) {
	t.Parallel()
	e := event(t, "push", "push", map[string]any{"head_commit.message": strings.Repeat("ä", 5000) + "\nbody"})
	assert.Equal(t, strings.Repeat("ä", 200)+"…", e.Run(github.Context{}).Commit)
}

func FuzzReadEvent(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		for _, name := range []string{"push", "workflow_run", "deployment_status", "pull_request", "schedule", "repository_dispatch"} {
			f.Add(name, raw)
		}
	}
	f.Add("workflow_run", []byte(`{"workflow_run":{"head_repository":null},"repository":null}`))
	f.Add("workflow_run", []byte(`{"workflow_run":null}`))
	f.Add("deployment_status", []byte(`{"deployment":null,"deployment_status":{},"workflow_run":[]}`))
	f.Add("push", []byte(`{"commits":[null],"head_commit":null,"repository":{"pushed_at":1e3}}`))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		e, err := github.ReadEvent(name, "event.json", fileWith(raw))
		assert.Equal(t, name, e.Name)
		c := github.Context{RunID: 1, Repository: "octo-org/octo-repo", Ref: "refs/heads/main"}
		e.Run(c)
		verdict := github.Trigger{Command: "rollback", Branches: []string{"*"}, Environment: "production", Context: c, Event: e}.Judge()
		if err != nil && (name == "workflow_run" || name == "deployment_status" || name == "pull_request") {
			assert.Equal(t, report.BranchNotAllowed, verdict.Reason, "an unreadable payload never lets act")
		}
		assert.NotContains(t, verdict.Message+verdict.Because, "\n")
		if !verdict.Act && !verdict.AskJobs {
			assert.NotEmpty(t, verdict.Reason)
			assert.NotEmpty(t, verdict.Message)
		}
	})
}
