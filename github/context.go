package github

import (
	"cmp"
	"strconv"
	"strings"
)

// Context is where this program runs: what the runner says in its environment
// about the own run. It is not always the run that failed; see [Event.Run].
// Zero values mean "not known".
type Context struct {
	EventName    string
	EventPath    string // file with the payload of the event
	Repository   string // owner/name
	RepositoryID int64
	Ref          string // refs/heads/main
	RefName      string // main
	SHA          string
	RunID        int64
	RunAttempt   int // counted from 1
	RunNumber    int
	Job          string // id of the own job in the workflow file, not its display name
	Workflow     string
	WorkflowFile string // of the own run, without its folder: deploy.yml
	Actor        string
	ServerURL    string // without a slash at its end
	APIURL       string
	RunnerName   string
	Workspace    string
	OutputPath   string // file for the outputs of the step
	SummaryPath  string // file for the summary of the step
	Debug        bool   // debug logging is on
}

// ReadContext takes the Context from the environment. A number that is none,
// or is negative, counts as not known: what is missing here costs a detail of
// the report, never the rollback.
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

// RunURL is the page of the own run; empty where the runner did not say which
// run it is.
func (c Context) RunURL() string {
	if c.Repository == "" || c.RunID == 0 {
		return ""
	}
	return c.ServerURL + "/" + c.Repository + "/actions/runs/" + strconv.FormatInt(c.RunID, 10)
}

// Branch is the branch that GITHUB_REF names; empty for a tag or a pull
// request.
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

// workflowFile is the file of owner/repo/.github/workflows/deploy.yml@refs/heads/main.
func workflowFile(ref string) string {
	path, _, found := strings.Cut(ref, "@")
	if _, file, is := strings.Cut(path, "/.github/workflows/"); found && is && !strings.Contains(file, "/") {
		return file
	}
	return ""
}
