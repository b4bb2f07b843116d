package github

import (
	"cmp"
	"strconv"
	"strings"
)

// Context describes the workflow run in which this program runs, from the environment
// variables of the runner. It is not always the run that failed; see [Event.Run]. Zero
// values mean "not known".
type Context struct {
	EventName    string
	EventPath    string // path of the event payload
	Repository   string // owner/name
	RepositoryID int64
	Ref          string // refs/heads/main
	RefName      string // main
	SHA          string
	RunID        int64
	RunAttempt   int // counted from 1
	RunNumber    int
	Job          string // ID of this job in the workflow file, not its display name
	Workflow     string
	WorkflowFile string // without its folder: deploy.yml
	Actor        string
	ServerURL    string // without a trailing slash
	APIURL       string
	RunnerName   string
	Workspace    string
	OutputPath   string // path of the file for the outputs of the step
	SummaryPath  string // path of the file for the summary of the step
	Debug        bool   // debug logging is on
}

// ReadContext reads the Context from the environment. An invalid or negative number
// counts as not known: a missing value may cost a detail of the report, but never the
// rollback.
func ReadContext(getenv func(string) string) Context {
	return Context{
		EventName:    getenv("GITHUB_EVENT_NAME"),
		EventPath:    getenv("GITHUB_EVENT_PATH"),
		Repository:   getenv("GITHUB_REPOSITORY"),
		RepositoryID: number(getenv("GITHUB_REPOSITORY_ID"), 64),
		Ref:          getenv("GITHUB_REF"),
		RefName:      getenv("GITHUB_REF_NAME"),
		SHA:          getenv("GITHUB_SHA"),
		RunID:        number(getenv("GITHUB_RUN_ID"), 64),
		RunAttempt:   int(number(getenv("GITHUB_RUN_ATTEMPT"), 32)),
		RunNumber:    int(number(getenv("GITHUB_RUN_NUMBER"), 32)),
		Job:          getenv("GITHUB_JOB"),
		Workflow:     getenv("GITHUB_WORKFLOW"),
		WorkflowFile: workflowFile(getenv("GITHUB_WORKFLOW_REF")),
		Actor:        getenv("GITHUB_ACTOR"),
		ServerURL:    strings.TrimRight(cmp.Or(getenv("GITHUB_SERVER_URL"), "https://github.com"), "/"),
		APIURL:       cmp.Or(getenv("GITHUB_API_URL"), defaultAPIURL),
		RunnerName:   getenv("RUNNER_NAME"),
		Workspace:    getenv("GITHUB_WORKSPACE"),
		OutputPath:   getenv("GITHUB_OUTPUT"),
		SummaryPath:  getenv("GITHUB_STEP_SUMMARY"),
		Debug:        getenv("RUNNER_DEBUG") == "1",
	}
}

// RunURL returns the URL of this workflow run; empty: not known.
func (c Context) RunURL() string {
	if c.Repository == "" || c.RunID == 0 {
		return ""
	}
	return c.ServerURL + "/" + c.Repository + "/actions/runs/" + strconv.FormatInt(c.RunID, 10)
}

// Branch returns the branch in GITHUB_REF; empty for a tag or a pull request.
func (c Context) Branch() string {
	if branch, ok := strings.CutPrefix(c.Ref, branchPrefix); ok {
		return branch
	}
	return ""
}

const branchPrefix = "refs/heads/"

func number(text string, bits int) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// workflowFile returns deploy.yml for owner/repo/.github/workflows/deploy.yml@refs/heads/main.
func workflowFile(ref string) string {
	path, _, found := strings.Cut(ref, "@")
	if _, file, is := strings.Cut(path, "/.github/workflows/"); found && is && !strings.Contains(file, "/") {
		return file
	}
	return ""
}
