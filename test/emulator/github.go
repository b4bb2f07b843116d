package emulator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// GitHub is GitHub's API with the repositories in it.
type GitHub struct {
	// Token is what GITHUB_TOKEN takes.
	Token string

	// Login is who the token speaks for.
	Login string

	e       *Emulator
	granted map[string]bool // permissions that the token has; nil: all
	nextID  int64
	runs    map[string][]*storedRun // by owner/repository, oldest first
	repos   map[string]*repoState   // what else is in them, by the same
}

// WorkflowRun is one run of a workflow, as its latest attempt shows it. What is
// left zero in AddRun gets a value that GitHub could have given.
type WorkflowRun struct {
	ID             int64
	Number         int
	Attempt        int
	WorkflowID     int64
	Workflow       string // name
	WorkflowFile   string // path in the repository
	Repository     string // owner/name
	HeadRepository string // owner/name; Repository, unless a fork ran it
	Branch         string
	SHA            string
	Commit         string // commit message
	Actor          string
	Event          string
	Status         string // completed, in_progress, queued …
	Conclusion     string // empty while it runs
	CreatedAt      time.Time
	// StartedAt is when this attempt started; the run was created before.
	StartedAt time.Time
	UpdatedAt time.Time
	Jobs      []WorkflowJob
}

// WorkflowJob is one job of an attempt.
type WorkflowJob struct {
	ID          int64
	Name        string
	Status      string
	Conclusion  string // empty while it runs
	StartedAt   time.Time
	CompletedAt time.Time // zero while it runs
	RunnerName  string
	Steps       []WorkflowStep
}

// WorkflowStep is one step of a job.
type WorkflowStep struct {
	Name        string
	Status      string
	Conclusion  string
	StartedAt   time.Time
	CompletedAt time.Time
}

// storedRun is a run with all its attempts, the first one first.
type storedRun struct {
	attempts []WorkflowRun
}

func (s *storedRun) latest() *WorkflowRun {
	return &s.attempts[len(s.attempts)-1]
}

func newGitHub(e *Emulator) *GitHub {
	return &GitHub{
		Token: "ghs_emulator", Login: "github-actions[bot]", e: e, nextID: 9_000_000_000,
		runs: map[string][]*storedRun{}, repos: map[string]*repoState{},
	}
}

// The permissions that calls take, reading and writing alike.
var permissions = []string{"actions", "contents", "deployments", "issues", "pull-requests"}

// GrantOnly makes the token one that has these permissions and no other, as a job
// that names them has it.
func (g *GitHub) GrantOnly(permissions ...string) {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	g.granted = map[string]bool{}
	for _, permission := range permissions {
		g.granted[permission] = true
	}
}

// WithholdActionsRead makes the token one without the permission actions: read,
// or one with all.
func (g *GitHub) WithholdActionsRead(withheld bool) {
	if withheld {
		g.GrantOnly(permissions[1:]...)
	} else {
		g.GrantOnly(permissions...)
	}
}

// has is true where the token has one of the permissions.
func (g *GitHub) has(permissions ...string) bool {
	return g.granted == nil || slices.ContainsFunc(permissions, func(p string) bool { return g.granted[p] })
}

// AddRun adds a run to a repository (owner/name) and returns it as stored.
func (g *GitHub) AddRun(repository string, run WorkflowRun) WorkflowRun {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	run.Repository = repository
	run.HeadRepository = cmp.Or(run.HeadRepository, repository)
	run.ID = cmp.Or(run.ID, g.id())
	run.Number = cmp.Or(run.Number, len(g.runs[repository])+1)
	run.Attempt = cmp.Or(run.Attempt, 1)
	run.WorkflowID = cmp.Or(run.WorkflowID, 4242)
	run.Workflow = cmp.Or(run.Workflow, "deploy")
	run.WorkflowFile = cmp.Or(run.WorkflowFile, ".github/workflows/deploy.yml")
	run.Branch = cmp.Or(run.Branch, "main")
	run.SHA = cmp.Or(run.SHA, digestHex(strconv.FormatInt(run.ID, 10))[:40])
	run.Commit = cmp.Or(run.Commit, "a change")
	run.Actor = cmp.Or(run.Actor, "octocat")
	run.Event = cmp.Or(run.Event, "push")
	if run.CreatedAt.IsZero() {
		run.CreatedAt = g.e.now()
	}
	g.complete(&run)
	g.runs[repository] = append(g.runs[repository], &storedRun{attempts: []WorkflowRun{run}})
	return run.clone()
}

// Rerun adds an attempt to a run: StartedAt, Status, Conclusion and Jobs of
// attempt are its own, all else stays as it was.
func (g *GitHub) Rerun(repository string, id int64, attempt WorkflowRun) (WorkflowRun, error) {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	stored := g.find(repository, id)
	if stored == nil {
		return WorkflowRun{}, fmt.Errorf("failed to find run %d of %s: add it before it is run again", id, repository)
	}
	run := *stored.latest()
	run.Attempt++
	run.StartedAt, run.UpdatedAt = attempt.StartedAt, attempt.UpdatedAt
	run.Status, run.Conclusion, run.Jobs = attempt.Status, attempt.Conclusion, attempt.Jobs
	if run.StartedAt.IsZero() {
		run.StartedAt = g.e.now()
	}
	g.complete(&run)
	stored.attempts = append(stored.attempts, run)
	return run.clone(), nil
}

// ChangeRun changes the latest attempt of a run: a job ends, a run concludes.
func (g *GitHub) ChangeRun(repository string, id int64, mutate func(*WorkflowRun)) error {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	stored := g.find(repository, id)
	if stored == nil {
		return fmt.Errorf("failed to find run %d of %s: add it before it is changed", id, repository)
	}
	mutate(stored.latest())
	g.complete(stored.latest())
	return nil
}

// complete fills in what an attempt left open. It copies the jobs, so that the
// caller's own stay as they are.
func (g *GitHub) complete(run *WorkflowRun) {
	if run.StartedAt.IsZero() {
		run.StartedAt = run.CreatedAt
	}
	if run.UpdatedAt.IsZero() {
		run.UpdatedAt = run.StartedAt
	}
	run.Status = statusOf(run.Status, run.Conclusion)
	run.Jobs = slices.Clone(run.Jobs)
	for i := range run.Jobs {
		job := &run.Jobs[i]
		job.ID = cmp.Or(job.ID, g.id())
		job.Status = statusOf(job.Status, job.Conclusion)
		job.RunnerName = cmp.Or(job.RunnerName, fmt.Sprintf("GitHub Actions %d", i+1))
		job.Steps = slices.Clone(job.Steps)
		for j := range job.Steps {
			job.Steps[j].Status = statusOf(job.Steps[j].Status, job.Steps[j].Conclusion)
		}
	}
}

// statusOf is a status that goes with a conclusion where none was said.
func statusOf(status, conclusion string) string {
	if status != "" {
		return status
	}
	if conclusion != "" {
		return "completed"
	}
	return "in_progress"
}

func (g *GitHub) id() int64 {
	g.nextID++
	return g.nextID
}

func (g *GitHub) find(repository string, id int64) *storedRun {
	for _, stored := range g.runs[repository] {
		if stored.latest().ID == id {
			return stored
		}
	}
	return nil
}

// clone shares nothing with run that either could change.
func (run WorkflowRun) clone() WorkflowRun {
	run.Jobs = slices.Clone(run.Jobs)
	for i := range run.Jobs {
		run.Jobs[i].Steps = slices.Clone(run.Jobs[i].Steps)
	}
	return run
}
