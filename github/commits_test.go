package github_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

const repository = "octo-org/octo-repo"

// emulated is an API that asks the emulator, by a client of the test's own.
func emulated(t *testing.T, e *emulator.Emulator) *github.API {
	t.Helper()
	return emulatedBy(t, e, describedBy(t, e))
}

func emulatedBy(t *testing.T, e *emulator.Emulator, transport http.RoundTripper) *github.API {
	t.Helper()
	api, err := github.NewAPI(&http.Client{Transport: transport}, wallClock{}, e.GitHubURL, e.GitHub.Token, repository)
	require.NoError(t, err)
	return api
}

// pastDeploy is a run that deployed for two minutes and ended after five.
func pastDeploy(created time.Time, conclusion string) emulator.WorkflowRun {
	return emulator.WorkflowRun{
		CreatedAt: created, Conclusion: conclusion, UpdatedAt: created.Add(5 * time.Minute), WorkflowID: 7,
		SHA: shaOf(created),
		Jobs: []emulator.WorkflowJob{
			{Name: "tests", Conclusion: "success", StartedAt: created.Add(10 * time.Second), CompletedAt: created.Add(time.Minute)},
			{Name: "deploy", Conclusion: conclusion, StartedAt: created.Add(2 * time.Minute), CompletedAt: created.Add(4 * time.Minute)},
			{Name: "rollback", Conclusion: "skipped", StartedAt: created.Add(4 * time.Minute), CompletedAt: created.Add(5 * time.Minute)},
		},
	}
}

func shaOf(created time.Time) string { return fmt.Sprintf("%040x", created.Unix()) }

// failedAt is the run that failed, as Evidence gives it.
func failedAt(created time.Time) report.Run {
	return report.Run{
		ID: 100, Number: 20, WorkflowID: 7, Repository: repository, Branch: "main", SHA: shaOf(created), CreatedAt: created,
		NewerKnown: true, OlderKnown: true,
		Jobs: []report.Job{
			{Name: "tests", Conclusion: "success", StartedAt: created.Add(10 * time.Second), CompletedAt: created.Add(time.Minute)},
			{Name: "deploy", Conclusion: "failure", StartedAt: created.Add(2 * time.Minute), CompletedAt: created.Add(4 * time.Minute)},
			{Name: "rollback", Own: true, StartedAt: created.Add(5 * time.Minute)},
		},
	}
}

func TestCommitsOf(t *testing.T) {
	t.Parallel()
	const minute, day = time.Minute, 24 * time.Hour
	now := at("12:00:00")
	bad, good := now.Add(3*minute), now.Add(-day).Add(3*minute).Add(400*time.Millisecond)
	both := map[string]time.Time{"42": bad, "41": good}

	withOlder := failedAt(now)
	withOlder.Older = []report.Run{{ID: 90, SHA: "older", Jobs: []report.Job{{Name: "tests", StartedAt: now.Add(-minute), CompletedAt: now.Add(10 * minute)}}}}
	twoDeploy := failedAt(now)
	twoDeploy.Older = []report.Run{{ID: 90, SHA: "older", Conclusion: "success", Jobs: []report.Job{{Name: "deploy", StartedAt: now.Add(-minute), CompletedAt: now.Add(10 * minute)}}}}
	unread := failedAt(now)
	unread.Jobs, unread.NewerKnown = nil, false
	noWorkflow := failedAt(now)
	noWorkflow.WorkflowID = 0

	fork := pastDeploy(now.Add(-day), "success")
	fork.HeadRepository = "mallory/octo-repo"
	long := pastDeploy(now.Add(-day).Add(-time.Hour), "success") // waited for its reviewers
	long.Jobs[1].StartedAt, long.Jobs[1].CompletedAt, long.UpdatedAt = now.Add(-day).Add(minute), now.Add(-day).Add(9*minute), now.Add(-day).Add(10*minute)
	tested := pastDeploy(now.Add(-day).Add(2*minute).Add(30*time.Second), "failure") // in its tests when 41 was made
	again := pastDeploy(now.Add(-day).Add(-minute), "success")
	again.SHA = shaOf(now.Add(-day))
	failed := pastDeploy(now.Add(-day).Add(30*time.Second), "failure")

	for name, tt := range map[string]struct {
		run  report.Run
		past []emulator.WorkflowRun
		made map[string]time.Time
		want map[string]string
	}{
		"each of the run that deployed it": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success"), pastDeploy(now.Add(-2*day), "success")}, both,
			map[string]string{"42": shaOf(now), "41": shaOf(now.Add(-day))},
		},
		"made by hand, between the runs": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-2*day), "success")}, both, map[string]string{"42": shaOf(now)},
		},
		"within a run, and in none of its jobs": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success")},
			map[string]time.Time{"41": now.Add(-day).Add(90 * time.Second)}, map[string]string{},
		},
		"while only a skipped job of a run had times": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success")},
			map[string]time.Time{"41": now.Add(-day).Add(4*minute + 30*time.Second)}, map[string]string{},
		},
		"a fork's run from its own main": {failedAt(now), []emulator.WorkflowRun{fork}, both, map[string]string{"42": shaOf(now)}},
		"a run that waited an hour for its reviewers": {
			failedAt(now), []emulator.WorkflowRun{long}, both, map[string]string{"42": shaOf(now), "41": long.SHA},
		},
		"another run was testing meanwhile": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success"), tested}, both,
			map[string]string{"42": shaOf(now), "41": shaOf(now.Add(-day))},
		},
		"two runs deployed at once, one with success": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success"), failed}, both,
			map[string]string{"42": shaOf(now), "41": shaOf(now.Add(-day))},
		},
		"two runs deployed at once, both with success": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success"), long}, both, map[string]string{"42": shaOf(now)},
		},
		"two runs deployed the same commit at once": {
			failedAt(now), []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success"), again}, both,
			map[string]string{"42": shaOf(now), "41": shaOf(now.Add(-day))},
		},
		"an older run was testing while the failing version was made": {
			withOlder, nil, map[string]time.Time{"42": bad}, map[string]string{"42": shaOf(now)},
		},
		"an older run was deploying while the failing version was made": {
			twoDeploy, nil, map[string]time.Time{"42": bad}, map[string]string{},
		},
		"the run's own jobs could not be read": {
			unread, []emulator.WorkflowRun{pastDeploy(now.Add(-day), "success"), pastDeploy(now.Add(-minute), "success")}, both,
			map[string]string{"41": shaOf(now.Add(-day))},
		},
		"no time is known": {failedAt(now), nil, map[string]time.Time{"42": {}}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := emulator.StartFor(t)
			for _, run := range tt.past {
				e.GitHub.AddRun(repository, run)
			}
			e.GitHub.AddRun(repository, emulator.WorkflowRun{CreatedAt: now.Add(-100 * day), Conclusion: "success", WorkflowID: 7})

			got, err := emulated(t, e).CommitsOf(within(t, enough), tt.run, []map[string]time.Time{tt.made})

			require.NoError(t, err)
			assert.Equal(t, []map[string]string{tt.want}, got)
			assert.LessOrEqual(t, len(e.Journal()), 4)
		})
	}

	t.Run("the workflow is not known", func(t *testing.T) {
		t.Parallel()
		e := emulator.StartFor(t)
		got, err := emulated(t, e).CommitsOf(within(t, enough), noWorkflow, []map[string]time.Time{both})
		require.ErrorContains(t, err, "failed to read the runs of the workflow")
		assert.Equal(t, []map[string]string{{"42": shaOf(now)}}, got, "what is known without asking is told all the same")
	})
	t.Run("the token may not read runs", func(t *testing.T) {
		t.Parallel()
		e := emulator.StartFor(t)
		e.GitHub.WithholdActionsRead(true)
		got, err := emulated(t, e).CommitsOf(within(t, enough), failedAt(now), []map[string]time.Time{both, nil})
		require.ErrorContains(t, err, "give the job the permission actions: read")
		assert.Equal(t, []map[string]string{{"42": shaOf(now)}, {}}, got)
	})
}

// A fleet is asked about as few times as possible.
func TestCommitsOfManyFunctionsTakeFewCalls(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	now := at("12:00:00")
	for days := range 30 {
		e.GitHub.AddRun(repository, pastDeploy(now.Add(-time.Duration(days+1)*24*time.Hour), "success"))
	}
	published := make([]map[string]time.Time, 40)
	for i := range published {
		made := now.Add(-time.Duration(i%8+1) * 24 * time.Hour).Add(3*time.Minute + time.Duration(i)*time.Second)
		published[i] = map[string]time.Time{"42": now.Add(3 * time.Minute), "41": made}
	}
	got, err := emulated(t, e).CommitsOf(within(t, enough), failedAt(now), published)
	require.NoError(t, err)
	for i := range got {
		assert.Equal(t, map[string]string{"42": shaOf(now), "41": shaOf(now.Add(-time.Duration(i%8+1) * 24 * time.Hour))}, got[i])
	}
	assert.Len(t, e.Journal(), 9, "one list, and the jobs of eight runs")
}

// Where more runs began within hours than a page has, one that was running may be
// missing from it.
func TestCommitsOfABusyBranchAreNotGuessed(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	now := at("12:00:00")
	yesterday := now.Add(-24 * time.Hour)
	slow := pastDeploy(yesterday.Add(-5*time.Hour), "success") // it published, and is not on the page
	slow.Jobs[1].CompletedAt, slow.UpdatedAt = yesterday.Add(time.Hour), yesterday.Add(time.Hour)
	e.GitHub.AddRun(repository, slow)
	for i := range 150 {
		run := pastDeploy(yesterday.Add(-time.Duration(i)*time.Minute), "success")
		if i > 0 {
			run.Jobs = nil
		}
		e.GitHub.AddRun(repository, run)
	}
	got, err := emulated(t, e).CommitsOf(within(t, enough), failedAt(now), []map[string]time.Time{{"41": yesterday.Add(3 * time.Minute)}})
	require.NoError(t, err)
	assert.Equal(t, []map[string]string{{}}, got)
}

// A run whose jobs cannot be read may be the one.
func TestCommitsAreNotGuessedFromHalfOfTheRuns(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	now := at("12:00:00")
	e.GitHub.AddRun(repository, pastDeploy(now.Add(-24*time.Hour), "success"))
	other := e.GitHub.AddRun(repository, pastDeploy(now.Add(-24*time.Hour).Add(time.Minute), "success"))
	e.GitHub.AddRun(repository, pastDeploy(now.Add(-48*time.Hour), "success"))
	e.Fault(emulator.Match{Operation: "ListWorkflowJobs", Qualifier: strconv.FormatInt(other.ID, 10)}, emulator.Status(http.StatusNotFound, "", "Not Found"))
	made := map[string]time.Time{"42": now.Add(3 * time.Minute), "41": now.Add(-24 * time.Hour).Add(3 * time.Minute), "40": now.Add(-48 * time.Hour).Add(3 * time.Minute)}
	got, err := emulated(t, e).CommitsOf(within(t, enough), failedAt(now), []map[string]time.Time{made})
	require.ErrorContains(t, err, "failed to read the jobs of runs from GitHub's API")
	assert.Equal(t, []map[string]string{{"42": shaOf(now), "40": shaOf(now.Add(-48 * time.Hour))}}, got)
}
