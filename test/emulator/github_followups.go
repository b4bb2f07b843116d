package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// repoState is what a repository has beside its runs.
type repoState struct {
	deployments []*Deployment // oldest first, as all of these
	issues      []*Issue      // pull requests among them
	noIssues    bool

	refs    map[string]string // the commit that a branch or tag stands on, by its full name
	parents map[string]string // of a commit

	messages map[string]string // of a commit
}

func (g *GitHub) repo(name string) *repoState {
	if g.repos[name] == nil {
		g.repos[name] = &repoState{}
	}
	return g.repos[name]
}

// followUpRoute names the operation of a method and a path below the repository.
func followUpRoute(method, shape string) string {
	switch method + " " + shape {
	case "GET deployments":
		return "ListDeployments"
	case "POST deployments":
		return "CreateDeployment"
	case "GET deployments/{id}/statuses":
		return "ListDeploymentStatuses"
	case "POST deployments/{id}/statuses":
		return "CreateDeploymentStatus"
	case "GET commits/{id}/branches-where-head":
		return "ListBranchesHeadCommit"
	case "GET compare/{id}":
		return "CompareCommits"
	case "GET tags":
		return "ListTags"
	case "GET branches":
		return "ListBranches"
	case "GET commits/{id}/pulls":
		return "ListPullRequestsWithCommit"
	case "GET issues":
		return "ListIssues"
	case "POST issues":
		return "CreateIssue"
	case "PATCH issues/{id}":
		return "EditIssue"
	case "GET issues/{id}/comments":
		return "ListComments"
	case "POST issues/{id}/comments":
		return "CreateComment"
	case "PATCH issues/comments/{id}":
		return "EditComment"
	default:
		return ""
	}
}

func (x *exchange) identifyFollowUp(shape []string) {
	if len(shape) > 3 && shape[0] == "git" && shape[1] == "ref" && x.call.Method == http.MethodGet {
		x.call.Operation, x.call.Qualifier = "GetRef", strings.Join(shape[2:], "/")
		return
	}
	if shape[0] == "compare" && len(shape) > 2 { // a branch with slashes
		shape = []string{"compare", strings.Join(shape[1:], "/")}
	}
	at := 1
	if len(shape) > 2 && shape[1] == "comments" {
		at = 2
	}
	if len(shape) > at {
		x.call.Qualifier, shape[at] = shape[at], "{id}"
	}
	x.call.Operation = followUpRoute(x.call.Method, strings.Join(shape, "/"))
}

// followUp answers what is asked of deployments, pull requests and issues.
func (x *exchange) followUp(g *GitHub) answer {
	repo := g.repo(x.call.Function)
	id := number(x.call.Qualifier)
	switch x.call.Operation {
	case "ListDeployments", "CreateDeployment", "ListDeploymentStatuses", "CreateDeploymentStatus":
		if !g.has("deployments") {
			return x.notAccessible()
		}
		return x.deployments(g, repo, id)
	case "GetRef", "ListBranchesHeadCommit", "CompareCommits", "ListTags", "ListBranches":
		if !g.has("contents") {
			return x.notAccessible()
		}
		return x.refs(repo)
	case "ListPullRequestsWithCommit":
		if !g.has("pull-requests") {
			return x.notAccessible()
		}
		return x.listPulls(repo)
	case "EditComment":
		issue, comment := repo.comment(id)
		if comment == nil {
			return x.failGitHub(http.StatusNotFound, "Not Found")
		}
		if !x.mayTouch(g, issue) {
			return x.notAccessible()
		}
		return x.editComment(g, issue, comment)
	case "ListIssues", "CreateIssue":
		if !g.has("issues") {
			return x.notAccessible()
		}
		if repo.noIssues {
			return x.failGitHub(http.StatusGone, "Issues has been disabled in this repository.")
		}
		if x.call.Operation == "ListIssues" {
			return x.listIssues(repo)
		}
		return x.createIssue(g, repo)
	}
	issue := repo.issue(int(id))
	switch {
	case issue == nil:
		return x.failGitHub(http.StatusNotFound, "Not Found")
	case !x.mayTouch(g, issue):
		return x.notAccessible()
	case x.call.Operation == "EditIssue":
		return x.editIssue(g, issue)
	case x.call.Operation == "ListComments":
		return x.listComments(issue)
	default:
		return x.createComment(g, issue)
	}
}

// mayTouch: a pull request is an issue, too, and either permission will do.
func (x *exchange) mayTouch(g *GitHub, issue *Issue) bool {
	if issue.Pull != nil {
		return g.has("issues", "pull-requests")
	}
	return g.has("issues")
}

// read decodes the body of a request; nil: it is fine.
func (x *exchange) read(into any) *answer {
	if err := json.Unmarshal(x.body, into); err != nil {
		a := x.failGitHub(http.StatusBadRequest, "Problems parsing JSON")
		return &a
	}
	return nil
}

// invalid is a refusal that names the field.
func (x *exchange) invalid(resource, field, code, message string) answer {
	a := x.ok(http.StatusUnprocessableEntity, map[string]any{
		"message":           "Validation Failed",
		"errors":            []map[string]any{{"resource": resource, "field": field, "code": code, "message": message}},
		"documentation_url": "https://docs.github.com/rest",
	})
	a.code = http.StatusText(http.StatusUnprocessableEntity)
	return a
}

func (r *repoState) issue(number int) *Issue {
	for _, issue := range r.issues {
		if issue.Number == number {
			return issue
		}
	}
	return nil
}

func (r *repoState) comment(id int64) (*Issue, *Comment) {
	for _, issue := range r.issues {
		for i := range issue.Comments {
			if issue.Comments[i].ID == id {
				return issue, &issue.Comments[i]
			}
		}
	}
	return nil, nil
}

// newestFirst turns a list round.
func newestFirst[T any](all []T) []T {
	turned := slices.Clone(all)
	slices.Reverse(turned)
	return turned
}
