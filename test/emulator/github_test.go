package emulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-github/v62/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const repository = "org/shop"

func githubClient(t *testing.T, e *emulator.Emulator, token string) *github.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	api := github.NewClient(&http.Client{Transport: transport}).WithAuthToken(token)
	base, err := url.Parse(e.GitHubURL + "/")
	require.NoError(t, err)
	api.BaseURL = base
	return api
}

func failedDeploy(e *emulator.Emulator) emulator.WorkflowRun {
	return e.GitHub.AddRun(repository, emulator.WorkflowRun{
		Commit: "Break it\n\nwith a body", Conclusion: "failure", CreatedAt: day,
		Jobs: []emulator.WorkflowJob{
			{
				Name: "deploy", Conclusion: "failure", StartedAt: day.Add(time.Minute), CompletedAt: day.Add(3 * time.Minute),
				Steps: []emulator.WorkflowStep{{Name: "publish", Conclusion: "success"}, {Name: "smoke test", Conclusion: "failure"}},
			},
			{Name: "rollback", RunnerName: "runner-9", StartedAt: day.Add(4 * time.Minute)},
		},
	})
}

func TestRunAndItsJobs(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	run := failedDeploy(e)
	api := githubClient(t, e, e.GitHub.Token)

	got, _, err := api.Actions.GetWorkflowRunByID(t.Context(), "org", "shop", run.ID)
	require.NoError(t, err)
	assert.Equal(t, day, got.GetCreatedAt().Time)
	assert.Equal(t, "main", got.GetHeadBranch())
	assert.Equal(t, "Break it", got.GetDisplayTitle())
	assert.Equal(t, "Break it\n\nwith a body", got.GetHeadCommit().GetMessage())
	assert.Equal(t, repository, got.GetHeadRepository().GetFullName())
	assert.Equal(t, 1, got.GetRunAttempt())
	assert.Equal(t, "failure", got.GetConclusion())

	jobs, _, err := api.Actions.ListWorkflowJobsAttempt(t.Context(), "org", "shop", run.ID, 1, nil)
	require.NoError(t, err)
	require.Len(t, jobs.Jobs, 2)
	assert.Equal(t, 2, jobs.GetTotalCount())
	assert.Equal(t, "smoke test", jobs.Jobs[0].Steps[1].GetName())
	assert.Equal(t, day.Add(3*time.Minute), jobs.Jobs[0].GetCompletedAt().Time)
	assert.Equal(t, "in_progress", jobs.Jobs[1].GetStatus())
	assert.Nil(t, jobs.Jobs[1].Conclusion, "a job that runs has none")
	assert.Nil(t, jobs.Jobs[1].CompletedAt)
	assert.Equal(t, "runner-9", jobs.Jobs[1].GetRunnerName())

	job, _, err := api.Actions.GetWorkflowJobByID(t.Context(), "org", "shop", run.Jobs[0].ID)
	require.NoError(t, err)
	assert.Equal(t, "deploy", job.GetName())

	_, response, err := api.Actions.GetWorkflowRunByID(t.Context(), "org", "shop", 1)
	require.Error(t, err)
	assert.Equal(t, http.StatusNotFound, response.StatusCode)
	assert.Equal(t, "GetWorkflowRunByID", e.Journal()[0].Operation)
	assert.Equal(t, repository, e.Journal()[0].Function)
}

func TestRerunKeepsTheRunAndAddsAnAttempt(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	run := failedDeploy(e)
	again, err := e.GitHub.Rerun(repository, run.ID, emulator.WorkflowRun{
		StartedAt: day.Add(time.Hour), Jobs: []emulator.WorkflowJob{{Name: "deploy", Conclusion: "success"}},
	})
	require.NoError(t, err)
	assert.Equal(t, 2, again.Attempt)
	api := githubClient(t, e, e.GitHub.Token)

	latest, _, err := api.Actions.GetWorkflowRunByID(t.Context(), "org", "shop", run.ID)
	require.NoError(t, err)
	assert.Equal(t, day, latest.GetCreatedAt().Time)
	assert.Equal(t, day.Add(time.Hour), latest.GetRunStartedAt().Time)
	assert.Nil(t, latest.Conclusion)
	first, _, err := api.Actions.GetWorkflowRunAttempt(t.Context(), "org", "shop", run.ID, 1, nil)
	require.NoError(t, err)
	assert.Equal(t, "failure", first.GetConclusion())
	for filter, want := range map[string]int{"latest": 1, "all": 3} {
		jobs, _, err := api.Actions.ListWorkflowJobs(t.Context(), "org", "shop", run.ID, &github.ListWorkflowJobsOptions{Filter: filter})
		require.NoError(t, err)
		assert.Len(t, jobs.Jobs, want, filter)
	}
	_, err = e.GitHub.Rerun(repository, 1, emulator.WorkflowRun{})
	assert.Error(t, err)
	require.NoError(t, e.GitHub.ChangeRun(repository, run.ID, func(r *emulator.WorkflowRun) { r.Status, r.Conclusion = "completed", "success" }))
	latest, _, err = api.Actions.GetWorkflowRunByID(t.Context(), "org", "shop", run.ID)
	require.NoError(t, err)
	assert.Equal(t, "success", latest.GetConclusion())
}

func TestJobsComeInPages(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	var jobs []emulator.WorkflowJob
	for i := range 205 {
		jobs = append(jobs, emulator.WorkflowJob{Name: fmt.Sprintf("test (%d)", i), Conclusion: "success"})
	}
	run := e.GitHub.AddRun(repository, emulator.WorkflowRun{Jobs: jobs})
	api := githubClient(t, e, e.GitHub.Token)
	var sizes []int
	options := &github.ListWorkflowJobsOptions{ListOptions: github.ListOptions{PerPage: 500}}
	for {
		page, response, err := api.Actions.ListWorkflowJobs(t.Context(), "org", "shop", run.ID, options)
		require.NoError(t, err)
		sizes = append(sizes, len(page.Jobs))
		assert.Equal(t, 205, page.GetTotalCount())
		if response.NextPage == 0 {
			break
		}
		options.Page = response.NextPage
	}
	assert.Equal(t, []int{100, 100, 5}, sizes)
}

func TestRunsAreFilteredAndNewestFirst(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	add := func(hours int, run emulator.WorkflowRun) {
		run.CreatedAt = day.Add(time.Duration(hours) * time.Hour)
		e.GitHub.AddRun(repository, run)
	}
	add(0, emulator.WorkflowRun{ID: 1, Conclusion: "success"})
	add(1, emulator.WorkflowRun{ID: 2, Conclusion: "failure"})
	add(2, emulator.WorkflowRun{ID: 3, Branch: "feature"})
	add(3, emulator.WorkflowRun{ID: 4, Event: "schedule"})
	add(4, emulator.WorkflowRun{ID: 5, WorkflowID: 99, WorkflowFile: ".github/workflows/lint.yml"})
	api := githubClient(t, e, e.GitHub.Token)
	at := func(hours int) string { return day.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339) }

	for name, filter := range map[string]struct {
		options github.ListWorkflowRunsOptions
		want    []int64
	}{
		"all of the workflow":  {github.ListWorkflowRunsOptions{}, []int64{4, 3, 2, 1}},
		"of a branch":          {github.ListWorkflowRunsOptions{Branch: "main"}, []int64{4, 2, 1}},
		"of an event":          {github.ListWorkflowRunsOptions{Event: "push"}, []int64{3, 2, 1}},
		"by status":            {github.ListWorkflowRunsOptions{Status: "in_progress"}, []int64{4, 3}},
		"by conclusion":        {github.ListWorkflowRunsOptions{Status: "failure"}, []int64{2}},
		"from a moment on":     {github.ListWorkflowRunsOptions{Created: ">=" + at(1)}, []int64{4, 3, 2}},
		"after a moment":       {github.ListWorkflowRunsOptions{Created: ">" + at(1)}, []int64{4, 3}},
		"before a moment":      {github.ListWorkflowRunsOptions{Created: "<" + at(1)}, []int64{1}},
		"up to a moment":       {github.ListWorkflowRunsOptions{Created: "<=" + at(1)}, []int64{2, 1}},
		"within a range":       {github.ListWorkflowRunsOptions{Created: at(1) + ".." + at(2)}, []int64{3, 2}},
		"from a moment, open":  {github.ListWorkflowRunsOptions{Created: at(3) + "..*"}, []int64{4}},
		"of a day":             {github.ListWorkflowRunsOptions{Created: "2026-01-02"}, []int64{4, 3, 2, 1}},
		"the second page of 3": {github.ListWorkflowRunsOptions{ListOptions: github.ListOptions{PerPage: 3, Page: 2}}, []int64{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs, _, err := api.Actions.ListWorkflowRunsByID(t.Context(), "org", "shop", 4242, &filter.options)
			require.NoError(t, err)
			var ids []int64
			for _, run := range runs.WorkflowRuns {
				ids = append(ids, run.GetID())
			}
			assert.Equal(t, filter.want, ids)
		})
	}
	byFile, _, err := api.Actions.ListWorkflowRunsByFileName(t.Context(), "org", "shop", "lint.yml", nil)
	require.NoError(t, err)
	assert.Equal(t, 1, byFile.GetTotalCount())
	all, _, err := api.Actions.ListRepositoryWorkflowRuns(t.Context(), "org", "shop", nil)
	require.NoError(t, err)
	assert.Equal(t, 5, all.GetTotalCount())
	_, response, err := api.Actions.ListRepositoryWorkflowRuns(t.Context(), "org", "shop", &github.ListWorkflowRunsOptions{Created: ">=soon"})
	require.Error(t, err)
	assert.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
}

func TestTokenIsChecked(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	run := failedDeploy(e)
	status := func(token string) int {
		_, response, err := githubClient(t, e, token).Actions.GetWorkflowRunByID(t.Context(), "org", "shop", run.ID)
		if err == nil {
			return http.StatusOK
		}
		return response.StatusCode
	}
	assert.Equal(t, http.StatusUnauthorized, status("wrong"))
	e.GitHub.WithholdActionsRead(true)
	assert.Equal(t, http.StatusForbidden, status(e.GitHub.Token))
	e.GitHub.WithholdActionsRead(false)
	assert.Equal(t, http.StatusOK, status(e.GitHub.Token))
}

func TestFaultsOnTheSideOfGitHub(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		effect emulator.Effect
		check  func(*testing.T, *github.Response, error)
	}{
		"rate limit": {emulator.Throttle(time.Minute), func(t *testing.T, _ *github.Response, err error) {
			var limited *github.RateLimitError
			assert.ErrorAs(t, err, &limited)
		}},
		"server error": {emulator.Status(http.StatusBadGateway, "", "Server Error"), func(t *testing.T, r *github.Response, _ error) {
			assert.Equal(t, http.StatusBadGateway, r.StatusCode)
		}},
		"denied": {emulator.Deny(), func(t *testing.T, r *github.Response, _ error) {
			assert.Equal(t, http.StatusForbidden, r.StatusCode)
		}},
		"reset":       {emulator.Reset(), func(t *testing.T, _ *github.Response, err error) { assert.Error(t, err) }},
		"lost answer": {emulator.LostAnswer(), func(t *testing.T, _ *github.Response, err error) { assert.Error(t, err) }},
		"truncated": {emulator.Truncated(), func(t *testing.T, _ *github.Response, err error) {
			assert.ErrorContains(t, err, "unexpected EOF")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := emulator.StartFor(t)
			run := failedDeploy(e)
			e.Fault(emulator.Match{Service: emulator.ServiceGitHub}, fault.effect)
			_, response, err := githubClient(t, e, e.GitHub.Token).Actions.GetWorkflowRunByID(t.Context(), "org", "shop", run.ID)
			require.Error(t, err)
			fault.check(t, response, err)
		})
	}
}
