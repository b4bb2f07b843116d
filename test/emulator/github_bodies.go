package emulator

import (
	"fmt"
	"strings"
	"time"
)

// runBody is a workflow run on the wire, in GitHub's words.
type runBody struct {
	ID              int64          `json:"id"`
	Name            string         `json:"name"`
	NodeID          string         `json:"node_id"`
	HeadBranch      string         `json:"head_branch"`
	HeadSHA         string         `json:"head_sha"`
	Path            string         `json:"path"`
	DisplayTitle    string         `json:"display_title"`
	RunNumber       int            `json:"run_number"`
	Event           string         `json:"event"`
	Status          string         `json:"status"`
	Conclusion      *string        `json:"conclusion"`
	WorkflowID      int64          `json:"workflow_id"`
	CheckSuiteID    int64          `json:"check_suite_id"`
	URL             string         `json:"url"`
	HTMLURL         string         `json:"html_url"`
	PullRequests    []struct{}     `json:"pull_requests"`
	CreatedAt       string         `json:"created_at"`
	UpdatedAt       string         `json:"updated_at"`
	Actor           accountBody    `json:"actor"`
	RunAttempt      int            `json:"run_attempt"`
	RunStartedAt    string         `json:"run_started_at"`
	TriggeringActor accountBody    `json:"triggering_actor"`
	JobsURL         string         `json:"jobs_url"`
	LogsURL         string         `json:"logs_url"`
	WorkflowURL     string         `json:"workflow_url"`
	HeadCommit      commitBody     `json:"head_commit"`
	Repository      repositoryBody `json:"repository"`
	HeadRepository  repositoryBody `json:"head_repository"`

	created time.Time
}

type accountBody struct {
	Login string `json:"login"`
	ID    int64  `json:"id"`
	Type  string `json:"type"`
}

type commitBody struct {
	ID        string     `json:"id"`
	TreeID    string     `json:"tree_id"`
	Message   string     `json:"message"`
	Timestamp string     `json:"timestamp"`
	Author    authorBody `json:"author"`
	Committer authorBody `json:"committer"`
}

type authorBody struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

type repositoryBody struct {
	ID       int64       `json:"id"`
	Name     string      `json:"name"`
	FullName string      `json:"full_name"`
	Owner    accountBody `json:"owner"`
	Private  bool        `json:"private"`
	Fork     bool        `json:"fork"`
	HTMLURL  string      `json:"html_url"`
	URL      string      `json:"url"`
}

// jobBody is a job on the wire.
type jobBody struct {
	ID              int64      `json:"id"`
	RunID           int64      `json:"run_id"`
	RunURL          string     `json:"run_url"`
	RunAttempt      int        `json:"run_attempt"`
	NodeID          string     `json:"node_id"`
	HeadSHA         string     `json:"head_sha"`
	HeadBranch      string     `json:"head_branch"`
	URL             string     `json:"url"`
	HTMLURL         string     `json:"html_url"`
	Status          string     `json:"status"`
	Conclusion      *string    `json:"conclusion"`
	CreatedAt       string     `json:"created_at"`
	StartedAt       *string    `json:"started_at"`
	CompletedAt     *string    `json:"completed_at"`
	Name            string     `json:"name"`
	Steps           []stepBody `json:"steps"`
	CheckRunURL     string     `json:"check_run_url"`
	Labels          []string   `json:"labels"`
	RunnerID        int64      `json:"runner_id"`
	RunnerName      string     `json:"runner_name"`
	RunnerGroupID   int64      `json:"runner_group_id"`
	RunnerGroupName string     `json:"runner_group_name"`
	WorkflowName    string     `json:"workflow_name"`
}

type stepBody struct {
	Name        string  `json:"name"`
	Status      string  `json:"status"`
	Conclusion  *string `json:"conclusion"`
	Number      int     `json:"number"`
	StartedAt   *string `json:"started_at"`
	CompletedAt *string `json:"completed_at"`
}

func (x *exchange) runBody(run *WorkflowRun) runBody {
	url := fmt.Sprintf("%s/repos/%s/actions/runs/%d", x.e.GitHubURL, run.Repository, run.ID)
	title, _, _ := strings.Cut(run.Commit, "\n")
	author := authorBody{Name: run.Actor, Email: run.Actor + "@users.noreply.github.com"}
	return runBody{
		ID: run.ID, Name: run.Workflow, NodeID: fmt.Sprintf("WFR_%d", run.ID),
		HeadBranch: run.Branch, HeadSHA: run.SHA, Path: run.WorkflowFile, DisplayTitle: title,
		RunNumber: run.Number, Event: run.Event, Status: run.Status, Conclusion: maybe(run.Conclusion),
		WorkflowID: run.WorkflowID, CheckSuiteID: run.ID + 1, URL: url,
		HTMLURL:      fmt.Sprintf("https://github.com/%s/actions/runs/%d", run.Repository, run.ID),
		PullRequests: []struct{}{}, CreatedAt: moment(run.CreatedAt), UpdatedAt: moment(run.UpdatedAt),
		Actor: account(run.Actor), TriggeringActor: account(run.Actor),
		RunAttempt: run.Attempt, RunStartedAt: moment(run.StartedAt),
		JobsURL: url + "/jobs", LogsURL: url + "/logs",
		WorkflowURL: fmt.Sprintf("%s/repos/%s/actions/workflows/%d", x.e.GitHubURL, run.Repository, run.WorkflowID),
		HeadCommit: commitBody{
			ID: run.SHA, TreeID: run.SHA, Message: run.Commit, Timestamp: moment(run.CreatedAt),
			Author: author, Committer: author,
		},
		Repository:     x.repositoryBody(run.Repository, false),
		HeadRepository: x.repositoryBody(run.HeadRepository, run.HeadRepository != run.Repository),
		created:        run.CreatedAt,
	}
}

func (x *exchange) repositoryBody(name string, fork bool) repositoryBody {
	owner, short, _ := strings.Cut(name, "/")
	body := repositoryBody{
		ID: 1, Name: short, FullName: name, Owner: account(owner), Private: true, Fork: fork,
		HTMLURL: "https://github.com/" + name, URL: x.e.GitHubURL + "/repos/" + name,
	}
	body.Owner.Type = "Organization"
	if fork {
		body.ID = 2
	}
	return body
}

func (x *exchange) jobBody(run *WorkflowRun, job *WorkflowJob) jobBody {
	base := x.e.GitHubURL + "/repos/" + run.Repository
	body := jobBody{
		ID: job.ID, RunID: run.ID, RunURL: fmt.Sprintf("%s/actions/runs/%d", base, run.ID),
		RunAttempt: run.Attempt, NodeID: fmt.Sprintf("CR_%d", job.ID), HeadSHA: run.SHA, HeadBranch: run.Branch,
		URL:     fmt.Sprintf("%s/actions/jobs/%d", base, job.ID),
		HTMLURL: fmt.Sprintf("https://github.com/%s/actions/runs/%d/job/%d", run.Repository, run.ID, job.ID),
		Status:  job.Status, Conclusion: maybe(job.Conclusion),
		CreatedAt: moment(run.StartedAt), StartedAt: maybeMoment(job.StartedAt), CompletedAt: maybeMoment(job.CompletedAt),
		Name: job.Name, Steps: []stepBody{}, CheckRunURL: fmt.Sprintf("%s/check-runs/%d", base, job.ID),
		Labels: []string{"ubuntu-latest"}, RunnerID: 1, RunnerName: job.RunnerName, RunnerGroupName: "GitHub Actions",
		WorkflowName: run.Workflow,
	}
	for i, step := range job.Steps {
		body.Steps = append(body.Steps, stepBody{
			Name: step.Name, Status: step.Status, Conclusion: maybe(step.Conclusion), Number: i + 1,
			StartedAt: maybeMoment(step.StartedAt), CompletedAt: maybeMoment(step.CompletedAt),
		})
	}
	return body
}

func account(login string) accountBody {
	return accountBody{Login: login, ID: 583231, Type: "User"}
}

// moment is a time as GitHub writes it, to the second.
func moment(t time.Time) string {
	return t.UTC().Format(time.RFC3339)
}

func maybe(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func maybeMoment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return maybe(moment(t))
}
