package github_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	repoPath  = "/repos/octo-org/octo-repo/"
	runURI    = repoPath + "actions/runs/100"
	jobsURI   = runURI + "/attempts/2/jobs"
	newerURI  = repoPath + "actions/workflows/7/runs"
	testToken = "ghs_secretTokenOfThisTest"

	runBody = `{"id": 100, "run_attempt": 2, "run_number": 20, "workflow_id": 7, "name": "deploy", "head_branch": "main",
		"head_sha": "abc", "event": "push", "status": "in_progress", "conclusion": null, "created_at": "2026-03-01T10:00:00Z",
		"head_commit": {"message": "Add feature\n\nbody"}, "actor": {"login": "octocat"}, "html_url": "https://github.com/r/100",
		"repository": {"full_name": "octo-org/octo-repo", "custom_properties": {"tier": ["a", "b"]}}}`
	jobsBody = `{"total_count": 3, "jobs": [
		{"id": 1, "name": "tests", "status": "completed", "conclusion": "success", "started_at": "2026-03-01T10:00:05Z", "completed_at": "2026-03-01T10:01:00Z"},
		{"id": 2, "name": "deploy", "status": "completed", "conclusion": "failure", "started_at": "2026-03-01T12:01:05.5+02:00", "completed_at": "2026-03-01T10:03:00Z",
		 "html_url": "https://github.com/j/2", "steps": [{"name": "Build", "conclusion": "success"}, {"name": "Smoke test", "conclusion": "failure"}, {"name": "Post", "conclusion": "failure"}]},
		{"id": 3, "name": "Roll back", "status": "in_progress", "conclusion": null, "started_at": "2026-03-01T10:03:05Z", "completed_at": null, "runner_name": "runner 9"}]}`
	noRuns = `{"total_count": 0, "workflow_runs": []}`
)

// enough is for tests in which time plays no part, on a busy machine too.
const enough = 30 * time.Second

// answers maps a path to what the fake GitHub says there.
type answers map[string]http.HandlerFunc

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// firstly gives the first handlers once each, the last one for ever.
func firstly(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[0]
		if len(handlers) > 1 {
			handlers = handlers[1:]
		}
		mu.Unlock()
		handler(w, r)
	}
}

func resets(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// breaks closes the connection in the middle of a body.
func breaks(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"id": 100`))
	_ = http.NewResponseController(w).Flush()
	resets(w, r)
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// fake is a GitHub that answers only what it is told to, and remembers what it
// was asked.
type fake struct {
	*httptest.Server

	mu    sync.Mutex
	asked []string
}

func fakeGitHub(t *testing.T, prefix string, known answers) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r.URL.RequestURI())
		f.mu.Unlock()
		assert.Equal(t, "Bearer "+testToken, r.Header.Get("Authorization"))
		handler, ok := known[strings.TrimPrefix(r.URL.Path, prefix)]
		switch {
		case ok:
		case strings.HasSuffix(r.URL.Path, runURI+"/jobs"): // of all attempts
			handler = says(http.StatusOK, `{"total_count": 0, "jobs": []}`)
		default:
			handler = says(http.StatusNotFound, `{"message": "Not Found"}`)
		}
		handler(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) calls(part string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	for _, uri := range f.asked {
		if strings.Contains(uri, part) {
			found = append(found, uri)
		}
	}
	return found
}

func (f *fake) api(t *testing.T) *github.API {
	t.Helper()
	api, err := github.NewAPI(f.Client(), wallClock{}, f.URL, testToken, "octo-org/octo-repo")
	require.NoError(t, err)
	return api
}

// wallClock is the clock of a test in real time.
type wallClock struct{}

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, "2026-03-01T"+clock+"Z")
	if err != nil {
		panic(err)
	}
	return t
}

var (
	ownContext = github.Context{Repository: "octo-org/octo-repo", RunID: 100, RunAttempt: 2, Job: "rollback", RunnerName: "runner 9"}
	// pushed is what a push's payload tells of the own run.
	pushed = report.Run{
		ID: 100, Attempt: 2, Repository: "octo-org/octo-repo", Branch: "main", SHA: "abc",
		CreatedAt: at("09:59:50"), CreatedBound: true,
	}
)

func TestEvidence(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", answers{
		runURI: says(200, runBody), jobsURI: says(200, jobsBody),
		newerURI: says(200, `{"total_count": 6, "workflow_runs": [
			{"id": 105, "run_number": 25, "workflow_id": 7, "head_branch": "main", "created_at": "2026-03-01T10:10:00Z", "head_repository": {"full_name": "octo-org/octo-repo"}},
			{"id": 103, "run_number": 23, "head_branch": "main", "head_repository": {"full_name": "mallory/octo-repo"}},
			{"id": 102, "run_number": 22, "head_branch": "main", "head_repository": null, "event": "pull_request"},
			{"id": 101, "run_number": 21, "head_branch": "main"},
			{"id": 100, "run_number": 20, "head_branch": "main"},
			{"id": 109, "run_number": 19, "head_branch": "main"}]}`),
		repoPath + "actions/runs/105/jobs": says(200, `{"total_count": 1, "jobs": [{"id": 9, "name": "deploy", "status": "queued", "started_at": "2026-03-01T10:10:01Z"}]}`),
		repoPath + "actions/runs/101/jobs": says(200, `{"total_count": 1, "jobs": [{"id": 8, "name": "deploy", "status": "in_progress", "started_at": "2026-03-01T10:05:00Z", "runner_name": "runner 9"}]}`),
	})

	run, notes := server.api(t).Evidence(within(t, enough), ownContext, pushed, true)

	assert.Empty(t, notes)
	assert.Equal(t, report.Run{
		ID: 100, Attempt: 2, Number: 20, WorkflowID: 7, Workflow: "deploy", Repository: "octo-org/octo-repo",
		Branch: "main", SHA: "abc", Commit: "Add feature", Actor: "octocat", Event: "push",
		URL: "https://github.com/r/100", Status: "in_progress", CreatedAt: at("10:00:00"),
		Jobs: []report.Job{
			{ID: 1, Name: "tests", Status: "completed", Conclusion: "success", StartedAt: at("10:00:05"), CompletedAt: at("10:01:00")},
			{ID: 2, Name: "deploy", Status: "completed", Conclusion: "failure", StartedAt: at("10:01:05"), CompletedAt: at("10:03:00"), FailedStep: "Smoke test", URL: "https://github.com/j/2"},
			{ID: 3, Name: "Roll back", Status: "in_progress", StartedAt: at("10:03:05"), Own: true},
		},
		Newer: []report.Run{
			{ID: 101, Number: 21, Repository: "octo-org/octo-repo", Branch: "main", Jobs: []report.Job{{ID: 8, Name: "deploy", Status: "in_progress", StartedAt: at("10:05:00")}}},
			{ID: 105, Number: 25, WorkflowID: 7, Repository: "octo-org/octo-repo", Branch: "main", CreatedAt: at("10:10:00"), Jobs: []report.Job{{ID: 9, Name: "deploy", Status: "queued"}}},
		},
		NewerKnown: true, // the older runs are not: one in that list has no jobs to read
	}, run)
	listing := server.calls("workflows/7/runs")
	require.Len(t, listing, 2)
	slices.Sort(listing) // "%3E" comes before "2026"
	assert.Contains(t, listing[1], "created=2026-03-01T04%3A00%3A00Z..2026-03-01T10%3A00%3A00Z")
	assert.Contains(t, listing[0], "branch=main")
	assert.Contains(t, listing[0], "created=%3E%3D2026-03-01T10%3A00%3A00Z")
	assert.Contains(t, server.calls("runs/101/jobs")[0], "filter=all")
}

func TestEvidenceOfTheRunInThePayload(t *testing.T) {
	t.Parallel()
	// All questions are open before the first is answered.
	var together sync.WaitGroup
	together.Add(3)
	meet := func(handler http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			together.Done()
			together.Wait()
			handler(w, r)
		}
	}
	server := fakeGitHub(t, "", answers{
		runURI: meet(says(200, runBody)), jobsURI: meet(says(200, jobsBody)), newerURI: meet(says(200, noRuns)),
	})
	from := pushed
	from.WorkflowID, from.CreatedAt, from.CreatedBound = 7, at("10:00:00"), false
	other := ownContext
	other.RunID = 555

	run, notes := server.api(t).Evidence(within(t, enough), other, from, true)

	assert.Empty(t, notes)
	assert.True(t, run.NewerKnown)
	assert.Empty(t, run.Newer)
	for _, job := range run.Jobs {
		assert.False(t, job.Own, "the failed run is not the own one")
	}
}

// The environment and the payload tell enough to list the runs without waiting for
// the run, and one list serves for the newer and the older ones.
func TestEvidenceInOneRound(t *testing.T) {
	t.Parallel()
	const total = `"total_count": 4, `
	listed := `{` + total + `"workflow_runs": [
		{"id": 101, "run_number": 21, "workflow_id": 7, "head_branch": "main", "status": "in_progress", "created_at": "2026-03-01T10:02:00Z"},
		{"id": 100, "run_number": 20, "workflow_id": 7, "head_branch": "main", "status": "in_progress", "created_at": "2026-03-01T10:00:00Z"},
		{"id": 99, "run_number": 19, "workflow_id": 7, "head_branch": "main", "status": "in_progress", "created_at": "2026-03-01T09:50:00Z"},
		{"id": 98, "run_number": 18, "workflow_id": 7, "head_branch": "main", "status": "completed", "created_at": "2026-03-01T09:40:00Z", "updated_at": "2026-03-01T09:45:00Z"}]}`
	proven := pushed
	proven.NotBefore = pushed.CreatedAt
	for name, tt := range map[string]struct {
		from     report.Run
		list     string
		listings int // that come after the first
		created  string
	}{
		"the payload proves a beginning": {proven, listed, 0, "created=%3E%3D2026-03-01T03%3A59%3A50Z"},
		"nothing proves one":             {pushed, listed, 0, ""},
		"the page does not reach back":   {proven, strings.Replace(listed, total, `"total_count": 104, `, 1), 3, "created="},
		"another workflow had the name":  {proven, strings.Replace(listed, `"workflow_id": 7`, `"workflow_id": 8`, 1), 2, "created="},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var together sync.WaitGroup
			together.Add(3)
			meet := func(handler http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					together.Done()
					together.Wait()
					handler(w, r)
				}
			}
			oneJob := says(200, `{"total_count": 1, "jobs": [{"id": 9, "name": "deploy", "status": "in_progress", "started_at": "2026-03-01T10:02:01Z"}]}`)
			server := fakeGitHub(t, "", answers{
				runURI: meet(says(200, runBody)), jobsURI: meet(says(200, jobsBody)),
				repoPath + "actions/workflows/deploy.yml/runs": meet(says(200, tt.list)),
				newerURI:                           says(200, listed),
				repoPath + "actions/runs/101/jobs": oneJob, repoPath + "actions/runs/99/jobs": oneJob,
			})
			own := ownContext
			own.WorkflowFile = "deploy.yml"

			run, notes := server.api(t).Evidence(within(t, enough), own, tt.from, true)

			assert.Empty(t, notes)
			assert.True(t, run.NewerKnown)
			assert.True(t, run.OlderKnown)
			require.Len(t, run.Newer, 1)
			assert.Equal(t, int64(101), run.Newer[0].ID)
			assert.Len(t, run.Newer[0].Jobs, 1)
			require.Len(t, run.Older, 1)
			assert.Equal(t, int64(99), run.Older[0].ID)
			first := server.calls("workflows/deploy.yml/runs")
			require.Len(t, first, 1)
			assert.Contains(t, first[0], tt.created)
			assert.Equal(t, tt.created != "", strings.Contains(first[0], "created="))
			assert.LessOrEqual(t, len(server.calls("workflows/7/runs")), tt.listings)
			assert.Equal(t, tt.listings > 0, len(server.calls("workflows/7/runs")) > 0)
		})
	}
}

func TestEvidenceThatCannotBeRead(t *testing.T) {
	t.Parallel()
	forbidden := says(403, `{"message": "Resource not accessible by integration `+testToken+`\n::error::x"}`)
	all := func(handler http.HandlerFunc) answers {
		return answers{runURI: handler, jobsURI: handler, newerURI: handler}
	}
	for name, tt := range map[string]struct {
		known    answers
		says     []string
		mostCall int // to the run
	}{
		"no permission":            {all(forbidden), []string{"run 100, the jobs of run 100, the newer runs of its workflow", "403", "permission actions: read"}, 1},
		"not found":                {answers{}, []string{"404", "permission actions: read"}, 1},
		"a bad token":              {all(says(401, `{"message": "Bad credentials"}`)), []string{"401", "github-token"}, 1},
		"server errors throughout": {all(says(502, "<html>")), []string{"502"}, 3},
		// Go's transport may repeat a GET by itself on a connection that was kept.
		"reset throughout": {all(resets), []string{"could not be reached"}, 6},
		"broken answers":   {all(breaks), []string{"could not be reached"}, 6},
		"hanging":          {all(hangs), []string{"did not respond in time"}, 1},
		"hanging in the body": {all(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			hangs(w, r)
		}), []string{"did not respond in time"}, 1},
		"malformed":       {all(says(200, `{"id": `)), []string{"unexpected response"}, 1},
		"an odd type":     {all(says(200, `{"id": "x", "jobs": 1, "workflow_runs": 1}`)), []string{"unexpected response"}, 1},
		"an empty answer": {all(says(200, ``)), []string{"unexpected response", "run 0 came"}, 1},
		"a list":          {all(says(200, `[]`)), []string{"unexpected response"}, 1},
		"another run":     {all(says(200, `{"id": 1}`)), []string{"run 1 came", "no list of jobs"}, 1},
		"gigantic": {all(func(w http.ResponseWriter, _ *http.Request) {
			for range 9 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<20))); err != nil {
					return
				}
			}
		}), []string{"longer than 8388608 bytes"}, 1},
		"rate limit": {all(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Ratelimit-Remaining", "0")
			w.Header().Set("X-Ratelimit-Reset", "4102444800")
			forbidden(w, r)
		}), []string{"rate limit of the token is exceeded"}, 1},
		"asked to wait too long": {all(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}), []string{"429"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakeGitHub(t, "", tt.known)
			limit := enough
			if strings.HasPrefix(name, "hanging") {
				limit = 500 * time.Millisecond
			}
			run, notes := server.api(t).Evidence(within(t, limit), ownContext, pushed, true)

			assert.Equal(t, pushed, run, "the payload's knowledge stays")
			require.Len(t, notes, 1, "one warning")
			assert.True(t, notes[0].Warning)
			for _, part := range append(tt.says, "The event payload is used instead.") {
				assert.Contains(t, notes[0].Text, part)
			}
			assert.NotContains(t, github.NewRedactor([]string{testToken}).Redact(notes[0].Text), testToken)
			assert.NotContains(t, notes[0].Text, "\n")
			assert.LessOrEqual(t, len(slices.DeleteFunc(server.calls(runURI), func(uri string) bool { return strings.Contains(uri, "jobs") })), tt.mostCall)
		})
	}
}

func TestEvidenceReadInPart(t *testing.T) {
	t.Parallel()
	newer := `{"total_count": 1, "workflow_runs": [{"id": 101, "run_number": 21, "head_branch": "main"}]}`
	for name, tt := range map[string]struct {
		known      answers
		says       string
		jobs, runs int
		exact      bool // the time is the run's own
		newerKnown bool
	}{
		"the jobs are missing":               {answers{runURI: says(200, runBody), newerURI: says(200, noRuns)}, "the jobs of run 100 from GitHub's API: it answered 404", 0, 0, true, true},
		"the run is missing":                 {answers{jobsURI: says(200, jobsBody)}, "run 100, the newer runs of its workflow from GitHub's API: it answered 404", 3, 0, false, false},
		"the newer runs are missing":         {answers{runURI: says(200, runBody), jobsURI: says(200, jobsBody)}, "Could not read the newer runs of its workflow", 3, 0, true, false},
		"a newer run's jobs are missing":     {answers{runURI: says(200, runBody), jobsURI: says(200, jobsBody), newerURI: says(200, newer)}, "Could not read the newer runs of its workflow", 3, 1, true, false},
		"newer runs without end":             {answers{runURI: says(200, runBody), jobsURI: says(200, jobsBody), newerURI: says(200, `{"total_count": 1001, "workflow_runs": []}`)}, "1001 newer runs", 3, 0, true, false},
		"jobs without end":                   {answers{runURI: says(200, runBody), newerURI: says(200, noRuns), jobsURI: says(200, strings.Replace(jobsBody, `"total_count": 3`, `"total_count": 99999`, 1))}, "more than 1000 jobs", 0, 0, true, true},
		"the jobs fail in a long-winded way": {answers{runURI: says(200, runBody), newerURI: says(200, noRuns), jobsURI: says(422, `{"message": "`+strings.Repeat("x", 500)+`"}`)}, `it answered 422 "xxx`, 0, 0, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, notes := fakeGitHub(t, "", tt.known).api(t).Evidence(within(t, enough), ownContext, pushed, true)
			require.Len(t, notes, 1)
			assert.Contains(t, notes[0].Text, tt.says)
			assert.Less(t, len(notes[0].Text), 500)
			assert.Len(t, run.Jobs, tt.jobs)
			assert.Len(t, run.Newer, tt.runs)
			assert.Equal(t, tt.jobs == 0, run.Jobs == nil)
			assert.Equal(t, tt.exact, !run.CreatedBound)
			assert.Equal(t, tt.newerKnown, run.NewerKnown)
		})
	}
}

func TestEvidenceOfARerunHasTheJobsOfEarlierAttempts(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", answers{
		runURI: says(200, runBody), jobsURI: says(200, jobsBody), newerURI: says(200, noRuns),
		runURI + "/jobs": says(200, `{"total_count": 2, "jobs": [
			{"id": 9, "run_attempt": 1, "name": "deploy", "status": "completed", "conclusion": "failure", "started_at": "2026-03-01T09:00:05Z", "completed_at": "2026-03-01T09:01:00Z"},
			{"id": 2, "run_attempt": 2, "name": "deploy", "status": "completed", "conclusion": "failure", "started_at": "2026-03-01T10:01:05Z", "completed_at": "2026-03-01T10:03:00Z"}]}`),
	})
	run, notes := server.api(t).Evidence(within(t, enough), ownContext, pushed, true)
	assert.Empty(t, notes)
	require.Len(t, run.Earlier, 1)
	assert.Equal(t, int64(9), run.Earlier[0].ID)
	assert.Contains(t, server.calls("runs/100/jobs")[0], "filter=all")
}

func TestEvidenceTriesAgain(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]http.HandlerFunc{
		"after a server error": says(500, ""),
		"after a reset":        resets,
		"after half an answer": breaks,
		"after too many":       says(429, ""),
		"after a short wait": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakeGitHub(t, "", answers{
				runURI: firstly(trouble, says(200, runBody)), jobsURI: firstly(trouble, says(200, jobsBody)), newerURI: says(200, noRuns),
			})
			run, notes := server.api(t).Evidence(within(t, enough), ownContext, pushed, true)
			assert.Empty(t, notes)
			assert.False(t, run.CreatedBound)
			assert.Len(t, run.Jobs, 3)
			assert.True(t, run.NewerKnown)
		})
	}
}

func TestEvidenceEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", answers{runURI: hangs, jobsURI: says(200, jobsBody)})
	began := time.Now()
	run, notes := server.api(t).Evidence(within(t, 300*time.Millisecond), ownContext, pushed, true)
	assert.Less(t, time.Since(began), 2*time.Second)
	assert.Len(t, run.Jobs, 3, "what came in time is used")
	require.Len(t, notes, 1)
	assert.Contains(t, notes[0].Text, "Could not read run 100, the newer runs of its workflow from GitHub's API: it did not respond in time")
}

func TestEvidenceOfManyJobs(t *testing.T) {
	t.Parallel()
	const total = 250
	for _, linked := range []bool{true, false} {
		t.Run(fmt.Sprintf("pages with links %t", linked), func(t *testing.T) {
			t.Parallel()
			server := fakeGitHub(t, "", answers{
				runURI: says(200, runBody), newerURI: says(200, noRuns),
				jobsURI: func(w http.ResponseWriter, r *http.Request) {
					var page int
					_, err := fmt.Sscan(r.URL.Query().Get("page"), &page)
					assert.NoError(t, err)
					assert.Equal(t, "100", r.URL.Query().Get("per_page"))
					var jobs []string
					for id := (page-1)*100 + 1; id <= min(page*100, total); id++ {
						jobs = append(jobs, fmt.Sprintf(`{"id": %d, "name": "job (%d)", "status": "completed"}`, id, id))
					}
					if linked && page*100 < total {
						w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=%d>; rel="next"`, r.Host, r.URL.Path, page+1))
					}
					_, _ = fmt.Fprintf(w, `{"total_count": %d, "jobs": [%s]}`, total, strings.Join(jobs, ","))
				},
			})
			run, notes := server.api(t).Evidence(within(t, enough), ownContext, pushed, true)
			assert.Empty(t, notes)
			require.Len(t, run.Jobs, total)
			assert.Equal(t, int64(total), run.Jobs[total-1].ID)
		})
	}
}

func TestEvidenceOfManyNewerRuns(t *testing.T) {
	t.Parallel()
	const total = 205 // with the own one, number 20
	known := answers{runURI: says(200, runBody), jobsURI: says(200, jobsBody)}
	var mu sync.Mutex
	now, most := 0, 0
	for number := 21; number <= 20+total; number++ {
		known[fmt.Sprintf("%sactions/runs/%d/jobs", repoPath, number+80)] = func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(20 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			says(200, `{"total_count": 0, "jobs": []}`)(w, r)
		}
	}
	known[newerURI] = func(w http.ResponseWriter, r *http.Request) {
		var page int
		_, err := fmt.Sscan(r.URL.Query().Get("page"), &page)
		assert.NoError(t, err)
		var runs []string
		for i := (page - 1) * 100; i < min(page*100, total); i++ {
			number := 20 + total - 1 - i
			runs = append(runs, fmt.Sprintf(`{"id": %d, "run_number": %d, "head_branch": "main"}`, number+80, number))
		}
		_, _ = fmt.Fprintf(w, `{"total_count": %d, "workflow_runs": [%s]}`, total, strings.Join(runs, ","))
	}
	server := fakeGitHub(t, "", known)

	run, notes := server.api(t).Evidence(within(t, enough), ownContext, pushed, true)

	assert.Empty(t, notes)
	assert.True(t, run.NewerKnown)
	var numbers []int
	for _, newer := range run.Newer {
		numbers = append(numbers, newer.Number)
		assert.NotNil(t, newer.Jobs)
	}
	assert.Equal(t, []int{21, 22, 23, 24, 25, 26, 27, 28, 29, 30}, numbers, "the oldest ten")
	assert.LessOrEqual(t, most, 4)
}

func TestEvidenceOfAnEarlierAttempt(t *testing.T) {
	t.Parallel()
	later := strings.NewReplacer(`"run_attempt": 2`, `"run_attempt": 3`, `"conclusion": null`, `"conclusion": "success"`, `"in_progress"`, `"completed"`).Replace(runBody)
	server := fakeGitHub(t, "", answers{runURI: says(200, later), jobsURI: says(200, jobsBody), newerURI: says(200, noRuns)})
	from := pushed
	from.Status, from.Conclusion = "completed", "failure"

	run, notes := server.api(t).Evidence(within(t, enough), github.Context{RunID: 555}, from, true)

	assert.Empty(t, notes)
	assert.Equal(t, 2, run.Attempt)
	assert.Equal(t, "failure", run.Conclusion, "the conclusion of a later attempt is not this one's")
	assert.Equal(t, at("10:00:00"), run.CreatedAt, "a re-run keeps the time")
}

func TestEvidenceOfAnUnknownAttempt(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", answers{runURI: says(200, runBody), runURI + "/jobs": says(200, jobsBody), newerURI: says(200, noRuns)})
	from := pushed
	from.Attempt = 0
	run, notes := server.api(t).Evidence(within(t, enough), ownContext, from, true)
	assert.Empty(t, notes)
	assert.Len(t, run.Jobs, 3)
	assert.Equal(t, 2, run.Attempt)
}

func TestEvidenceWhereTheDeploysRunIsNotKnown(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", answers{runURI: says(200, runBody), jobsURI: says(200, jobsBody), newerURI: says(200, noRuns)})
	run, notes := server.api(t).Evidence(within(t, enough), ownContext, pushed, false)
	assert.Empty(t, notes)
	want := pushed
	want.Commit = "Add feature"
	assert.Equal(t, want, run, "neither times nor jobs of the own run")
	assert.Empty(t, server.calls("jobs"))

	_, notes = fakeGitHub(t, "", nil).api(t).Evidence(within(t, enough), ownContext, pushed, false)
	require.Len(t, notes, 1)
	assert.Contains(t, notes[0].Text, "the message of the commit")
}

func TestEvidenceAsksNothing(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", nil)
	for name, tt := range map[string]struct {
		token string
		from  report.Run
		says  string
	}{
		"without a token":     {"", pushed, "github-token is empty"},
		"without a run's id ": {testToken, report.Run{}, "ID of the failed run is not known"},
	} {
		api, err := github.NewAPI(server.Client(), wallClock{}, server.URL, tt.token, "octo-org/octo-repo")
		require.NoError(t, err)
		run, notes := api.Evidence(within(t, time.Second), ownContext, tt.from, true)
		assert.Equal(t, tt.from, run, name)
		require.Len(t, notes, 1, name)
		assert.True(t, notes[0].Warning)
		assert.Contains(t, notes[0].Text, tt.says)
	}
	assert.Empty(t, server.calls(""))
}

func TestOwnJob(t *testing.T) {
	t.Parallel()
	const running = "in_progress"
	type job struct{ name, status, runner string }
	for name, tt := range map[string]struct {
		jobs []job
		own  int // -1: none
	}{
		"by the runner":                {[]job{{"a", running, "x"}, {"b", running, "runner 9"}}, 1},
		"a finished job of the runner": {[]job{{"a", "completed", "runner 9"}, {"b", running, ""}}, 1},
		"the only one at work":         {[]job{{"a", "completed", "x"}, {"Zurück", running, "renamed"}, {"c", "queued", ""}}, 1},
		"by its id":                    {[]job{{"a", running, ""}, {"rollback", running, ""}}, 1},
		"in a called workflow":         {[]job{{"a", running, ""}, {"caller / rollback", running, ""}}, 1},
		"in a matrix":                  {[]job{{"rollback (eu, 1)", running, ""}, {"a", running, ""}}, 0},
		"runner names twice":           {[]job{{"rollback", running, "runner 9"}, {"a", running, "runner 9"}}, 0},
		"in doubt":                     {[]job{{"rollback (eu)", running, ""}, {"rollback (us)", running, ""}}, -1},
		"another with such a name":     {[]job{{"rollbacks", running, ""}, {"b", running, ""}}, -1},
		"none at work":                 {[]job{{"rollback", "completed", "runner 9"}}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []string
			for i, j := range tt.jobs {
				list = append(list, fmt.Sprintf(`{"id": %d, "name": %q, "status": %q, "runner_name": %q}`, i, j.name, j.status, j.runner))
			}
			server := fakeGitHub(t, "", answers{
				runURI: says(200, runBody), newerURI: says(200, noRuns),
				jobsURI: says(200, fmt.Sprintf(`{"total_count": %d, "jobs": [%s]}`, len(list), strings.Join(list, ","))),
			})
			run, _ := server.api(t).Evidence(within(t, enough), ownContext, pushed, true)
			require.Len(t, run.Jobs, len(tt.jobs))
			for i, job := range run.Jobs {
				assert.Equal(t, i == tt.own, job.Own, job.Name)
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body, want string
	}{
		"ended well":             {`{"id": 100, "status": "completed", "conclusion": "success"}`, "success"},
		"ended badly":            {`{"id": 100, "status": "completed", "conclusion": "failure"}`, "failure"},
		"at work":                {`{"id": 100, "status": "in_progress", "conclusion": null}`, ""},
		"a word from before":     {`{"id": 100, "status": "queued", "conclusion": "success"}`, ""},
		"a status nobody gave":   {`{"id": 100, "conclusion": "success"}`, ""},
		"completed, but not how": {`{"id": 100, "status": "completed"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := fakeGitHub(t, "", answers{runURI: says(200, tt.body), runURI + "/jobs": says(200, `{"total_count": 1, "jobs": [{"id": 1, "name": "deploy", "conclusion": "failure"}]}`)}).api(t).Outcome(within(t, enough), 100)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Conclusion)
			require.Len(t, got.Jobs, 1)
			assert.Equal(t, "deploy", got.Jobs[0].Name)
		})
	}
	t.Run("not told", func(t *testing.T) {
		t.Parallel()
		got, err := fakeGitHub(t, "", nil).api(t).Outcome(within(t, enough), 100)
		require.ErrorContains(t, err, "failed to read run 100")
		require.ErrorContains(t, err, "actions: read")
		assert.Empty(t, got.Conclusion)
	})
	t.Run("no token", func(t *testing.T) {
		t.Parallel()
		api, err := github.NewAPI(nil, wallClock{}, "", "", "octo-org/octo-repo")
		require.NoError(t, err)
		_, err = api.Outcome(t.Context(), 100)
		require.ErrorContains(t, err, "github-token is empty")
	})
}

// A job whose approval was refused, or that was cancelled while it waited, has times
// from its creation on, and nothing ran in them.
func TestAJobThatNeverRan(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rest string // of the job
		want bool
	}{
		"cancelled while it waited":  {`"conclusion": "cancelled", "steps": [], "runner_id": 0, "runner_name": ""`, true},
		"its approval was refused":   {`"conclusion": "failure", "steps": [], "runner_id": null, "runner_name": null`, true},
		"a runner had taken it":      {`"conclusion": "cancelled", "steps": [], "runner_id": 7, "runner_name": "runner 7"`, false},
		"it had steps":               {`"conclusion": "failure", "steps": [{"name": "Set up job", "conclusion": "success"}], "runner_id": 0`, false},
		"its steps are not told":     {`"conclusion": "failure", "runner_id": 0`, false},
		"it succeeded without steps": {`"conclusion": "success", "steps": [], "runner_id": 0`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"total_count": 1, "jobs": [{"id": 1, "name": "deploy", "status": "completed", "started_at": "2026-03-01T10:00:05Z", "completed_at": "2026-03-01T10:40:00Z", ` + tt.rest + `}]}`
			got, err := fakeGitHub(t, "", answers{runURI: says(200, runBody), runURI + "/jobs": says(200, body)}).api(t).Outcome(within(t, enough), 100)
			require.NoError(t, err)
			require.Len(t, got.Jobs, 1)
			assert.Equal(t, tt.want, got.Jobs[0].NeverRan)
		})
	}
}
