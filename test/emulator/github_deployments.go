package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Deployment is one record of GitHub's.
type Deployment struct {
	ID          int64
	SHA         string
	Ref         string
	Task        string
	Environment string
	Description string
	Payload     json.RawMessage
	Production  bool
	Creator     string
	CreatedAt   time.Time
	Statuses    []DeploymentStatus // oldest first
}

// DeploymentStatus is one state that a deployment came to.
type DeploymentStatus struct {
	ID          int64
	State       string
	Description string
	LogURL      string
	Creator     string
	CreatedAt   time.Time
}

// State is the latest; empty: none was said.
func (d Deployment) State() string {
	if len(d.Statuses) == 0 {
		return ""
	}
	return d.Statuses[len(d.Statuses)-1].State
}

// AddDeployment adds a deployment, as a job with an environment makes it, in the
// states that it came to. It returns it as stored.
func (g *GitHub) AddDeployment(repository string, d Deployment, states ...string) Deployment {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	for _, state := range states {
		d.Statuses = append(d.Statuses, DeploymentStatus{State: state})
	}
	return g.addDeployment(repository, d).clone()
}

func (g *GitHub) addDeployment(repository string, d Deployment) *Deployment {
	d.ID = cmp.Or(d.ID, g.id())
	d.Ref, d.Task = cmp.Or(d.Ref, d.SHA), cmp.Or(d.Task, "deploy")
	d.Environment = cmp.Or(d.Environment, "production")
	d.Creator = cmp.Or(d.Creator, g.Login)
	d.Production = d.Production || d.Environment == "production"
	if len(d.Payload) == 0 {
		d.Payload = json.RawMessage(`{}`)
	}
	if d.CreatedAt.IsZero() {
		d.CreatedAt = g.e.now()
	}
	d.Statuses = slices.Clone(d.Statuses)
	for i := range d.Statuses {
		s := &d.Statuses[i]
		s.ID, s.Creator = cmp.Or(s.ID, g.id()), cmp.Or(s.Creator, d.Creator)
		if s.CreatedAt.IsZero() {
			s.CreatedAt = d.CreatedAt
		}
	}
	repo := g.repo(repository)
	repo.deployments = append(repo.deployments, &d)
	return &d
}

// Deployments are all of a repository, the oldest first.
func (g *GitHub) Deployments(repository string) []Deployment {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	var all []Deployment
	for _, d := range g.repo(repository).deployments {
		all = append(all, d.clone())
	}
	return all
}

func (d *Deployment) clone() Deployment {
	out := *d
	out.Statuses = slices.Clone(d.Statuses)
	return out
}

func (x *exchange) deployments(g *GitHub, repo *repoState, id int64) answer {
	switch x.call.Operation {
	case "ListDeployments":
		bodies := []map[string]any{}
		for _, d := range newestFirst(repo.deployments) {
			if asked(x, "sha", d.SHA) && asked(x, "ref", d.Ref) && asked(x, "task", d.Task) && asked(x, "environment", d.Environment) {
				bodies = append(bodies, x.deploymentBody(d))
			}
		}
		items, link := paged(x, bodies)
		return x.linked(items, link)
	case "CreateDeployment":
		return x.createDeployment(g)
	}
	at := slices.IndexFunc(repo.deployments, func(d *Deployment) bool { return d.ID == id })
	if at < 0 {
		return x.failGitHub(http.StatusNotFound, "Not Found")
	}
	d := repo.deployments[at]
	if x.call.Operation == "CreateDeploymentStatus" {
		return x.createStatus(g, repo, d)
	}
	bodies := []map[string]any{}
	for _, s := range newestFirst(d.Statuses) {
		bodies = append(bodies, x.statusBody(d, s))
	}
	items, link := paged(x, bodies)
	return x.linked(items, link)
}

// asked is true where a filter is not given, or fits.
func asked(x *exchange, filter, is string) bool {
	wanted := x.query.Get(filter)
	return wanted == "" || wanted == "none" || wanted == is
}

func (x *exchange) createDeployment(g *GitHub) answer {
	var asked struct {
		Ref, Task, Environment, Description string
		Payload                             json.RawMessage
		AutoMerge                           *bool     `json:"auto_merge"`
		RequiredContexts                    *[]string `json:"required_contexts"`
		Production                          bool      `json:"production_environment"`
	}
	if a := x.read(&asked); a != nil {
		return *a
	}
	known := slices.ContainsFunc(g.runs[x.call.Function], func(r *storedRun) bool { return r.latest().SHA == asked.Ref })
	switch {
	case !known:
		return x.failGitHub(http.StatusUnprocessableEntity, "No ref found for: "+asked.Ref)
	case utf8.RuneCountInString(asked.Description) > 140:
		return x.invalid("Deployment", "description", "custom", "description is too long (maximum is 140 characters)")
	case asked.AutoMerge == nil || *asked.AutoMerge:
		return x.failGitHub(http.StatusConflict, "Conflict merging main into "+asked.Ref)
	case asked.RequiredContexts == nil || len(*asked.RequiredContexts) > 0:
		// A run that has failed is one of the checks that must have passed.
		return x.failGitHub(http.StatusConflict, "Conflict: Commit status checks failed for "+asked.Ref)
	}
	d := g.addDeployment(x.call.Function, Deployment{
		SHA: asked.Ref, Ref: asked.Ref, Task: asked.Task, Environment: asked.Environment,
		Description: asked.Description, Payload: asked.Payload, Production: asked.Production,
	})
	return x.ok(http.StatusCreated, x.deploymentBody(d))
}

var deploymentStates = []string{"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}

// createStatus also ends what was active, as auto_inactive says: in no production
// environment, and only where it was in the state success.
func (x *exchange) createStatus(g *GitHub, repo *repoState, d *Deployment) answer {
	var asked struct {
		State, Description string
		LogURL             string `json:"log_url"`
		AutoInactive       *bool  `json:"auto_inactive"`
	}
	if a := x.read(&asked); a != nil {
		return *a
	}
	switch {
	case !slices.Contains(deploymentStates, asked.State):
		return x.invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
	case utf8.RuneCountInString(asked.Description) > 140:
		return x.invalid("DeploymentStatus", "description", "custom", "description is too long (maximum is 140 characters)")
	case asked.LogURL != "" && !strings.HasPrefix(asked.LogURL, "http"):
		return x.invalid("DeploymentStatus", "log_url", "custom", "log_url must use http(s) scheme")
	}
	now := g.e.now()
	if asked.State == "success" && (asked.AutoInactive == nil || *asked.AutoInactive) && !d.Production {
		for _, other := range repo.deployments {
			if other != d && other.Environment == d.Environment && other.State() == "success" {
				other.Statuses = append(other.Statuses, DeploymentStatus{ID: g.id(), State: "inactive", Creator: g.Login, CreatedAt: now})
			}
		}
	}
	status := DeploymentStatus{
		ID: g.id(), State: asked.State, Description: asked.Description, LogURL: asked.LogURL, Creator: g.Login, CreatedAt: now,
	}
	d.Statuses = append(d.Statuses, status)
	return x.ok(http.StatusCreated, x.statusBody(d, status))
}

func (x *exchange) deploymentBody(d *Deployment) map[string]any {
	base := x.e.GitHubURL + "/repos/" + x.call.Function
	url := fmt.Sprintf("%s/deployments/%d", base, d.ID)
	return map[string]any{
		"id": d.ID, "node_id": fmt.Sprintf("DE_%d", d.ID), "sha": d.SHA, "ref": d.Ref, "task": d.Task, "payload": d.Payload,
		"original_environment": d.Environment, "environment": d.Environment, "description": d.Description,
		"creator": x.userBody(d.Creator), "created_at": moment(d.CreatedAt), "updated_at": moment(d.CreatedAt),
		"statuses_url": url + "/statuses", "repository_url": base, "url": url,
		"transient_environment": false, "production_environment": d.Production,
	}
}

func (x *exchange) statusBody(d *Deployment, s DeploymentStatus) map[string]any {
	base := x.e.GitHubURL + "/repos/" + x.call.Function
	deployment := fmt.Sprintf("%s/deployments/%d", base, d.ID)
	return map[string]any{
		"id": s.ID, "node_id": fmt.Sprintf("DES_%d", s.ID), "state": s.State, "creator": x.userBody(s.Creator),
		"description": s.Description, "environment": d.Environment, "target_url": s.LogURL, "log_url": s.LogURL, "environment_url": "",
		"deployment_url": deployment, "repository_url": base, "url": fmt.Sprintf("%s/statuses/%d", deployment, s.ID),
		"created_at": moment(s.CreatedAt), "updated_at": moment(s.CreatedAt),
	}
}

// userBody is an account with all its addresses.
func (x *exchange) userBody(login string) map[string]any {
	kind := "User"
	if strings.HasSuffix(login, "[bot]") {
		kind = "Bot"
	}
	url := x.e.GitHubURL + "/users/" + login
	body := map[string]any{
		"login": login, "id": 583231, "node_id": "U_1", "gravatar_id": "", "url": url, "type": kind, "site_admin": false,
		"html_url": "https://github.com/" + strings.TrimSuffix(login, "[bot]"), "avatar_url": "https://avatars.githubusercontent.com/u/583231",
	}
	for _, list := range []string{"events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred", "subscriptions"} {
		body[list+"_url"] = url + "/" + list
	}
	return body
}
