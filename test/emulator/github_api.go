package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// githubRoute names the operation of a path below the repository, of which {id}
// and {n} are numbers, and {w} a workflow by number or file name.
func githubRoute(shape string) string {
	switch shape {
	case "actions/runs":
		return "ListRepositoryWorkflowRuns"
	case "actions/runs/{id}":
		return "GetWorkflowRunByID"
	case "actions/runs/{id}/attempts/{n}":
		return "GetWorkflowRunAttempt"
	case "actions/runs/{id}/jobs":
		return "ListWorkflowJobs"
	case "actions/runs/{id}/attempts/{n}/jobs":
		return "ListWorkflowJobsAttempt"
	case "actions/jobs/{id}":
		return "GetWorkflowJobByID"
	case "actions/workflows/{w}/runs":
		return "ListWorkflowRuns"
	default:
		return ""
	}
}

// identifyGitHub names the operation and the repository. The qualifier is the
// run, the job or the workflow.
func (x *exchange) identifyGitHub() {
	c := x.call
	if len(x.path) < 3 || x.path[0] != "repos" {
		return
	}
	c.Function = x.path[1] + "/" + x.path[2]
	shape := slices.Clone(x.path[3:])
	if len(shape) > 0 && shape[0] != "actions" {
		x.identifyFollowUp(shape)
		return
	}
	if len(shape) > 2 {
		c.Qualifier = shape[2]
		shape[2] = "{id}"
		if shape[1] == "workflows" {
			shape[2] = "{w}"
		}
	}
	if len(shape) > 4 {
		shape[4] = "{n}"
	}
	if c.Method == http.MethodGet {
		c.Operation = githubRoute(strings.Join(shape, "/"))
	}
}

// github answers a call of GitHub's API.
func (x *exchange) github() answer {
	g := x.e.GitHub
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	switch given := x.request.Header.Get("Authorization"); {
	case given == "":
		// GitHub hides what the caller may not see.
		return x.failGitHub(http.StatusNotFound, "Not Found")
	case given != "Bearer "+g.Token && given != "token "+g.Token:
		return x.failGitHub(http.StatusUnauthorized, "Bad credentials")
	case x.call.Operation == "":
		return x.failGitHub(http.StatusNotFound, "Not Found")
	case x.call.Operation == "Viewer":
		return x.ok(http.StatusOK, map[string]any{"data": map[string]any{"viewer": map[string]any{"login": g.Login}}})
	case x.path[3] != "actions":
		return x.followUp(g)
	case !g.has("actions"):
		return x.notAccessible()
	}
	switch x.call.Operation {
	case "ListRepositoryWorkflowRuns", "ListWorkflowRuns":
		return x.listRuns(g)
	case "GetWorkflowJobByID":
		return x.getJob(g)
	}
	stored := g.find(x.call.Function, number(x.call.Qualifier))
	if stored == nil {
		return x.failGitHub(http.StatusNotFound, "Not Found")
	}
	switch x.call.Operation {
	case "GetWorkflowRunByID":
		return x.ok(http.StatusOK, x.runBody(stored.latest()))
	case "ListWorkflowJobs":
		if x.query.Get("filter") == "all" {
			return x.listJobs(stored.attempts)
		}
		return x.listJobs(stored.attempts[len(stored.attempts)-1:])
	}
	for i := range stored.attempts {
		if int64(stored.attempts[i].Attempt) != number(x.path[7]) {
			continue
		}
		if x.call.Operation == "GetWorkflowRunAttempt" {
			return x.ok(http.StatusOK, x.runBody(&stored.attempts[i]))
		}
		return x.listJobs(stored.attempts[i : i+1])
	}
	return x.failGitHub(http.StatusNotFound, "Not Found")
}

// listRuns gives a page of the runs that the filters leave, newest first.
func (x *exchange) listRuns(g *GitHub) answer {
	created, err := parseSpan(x.query.Get("created"))
	if err != nil {
		return x.failGitHub(http.StatusUnprocessableEntity, err.Error())
	}
	known := x.call.Operation != "ListWorkflowRuns"
	bodies := []runBody{}
	for _, stored := range g.runs[x.call.Function] {
		run := stored.latest()
		if x.call.Operation == "ListWorkflowRuns" && !run.of(x.call.Qualifier) {
			continue
		}
		known = true
		status := x.query.Get("status")
		if fits(x.query.Get("branch"), run.Branch) && fits(x.query.Get("event"), run.Event) &&
			fits(x.query.Get("actor"), run.Actor) && fits(x.query.Get("head_sha"), run.SHA) &&
			(fits(status, run.Status) || fits(status, run.Conclusion)) && created.holds(run.CreatedAt) {
			bodies = append(bodies, x.runBody(run))
		}
	}
	if !known {
		return x.failGitHub(http.StatusNotFound, "Not Found")
	}
	slices.SortStableFunc(bodies, func(a, b runBody) int { return b.created.Compare(a.created) })
	items, link := paged(x, bodies)
	return x.linked(map[string]any{"total_count": len(bodies), "workflow_runs": items}, link)
}

// of reports whether the run belongs to a workflow, named by id or file name.
func (run *WorkflowRun) of(workflow string) bool {
	file := run.WorkflowFile[strings.LastIndex(run.WorkflowFile, "/")+1:]
	return workflow == strconv.FormatInt(run.WorkflowID, 10) || workflow == file || workflow == run.WorkflowFile
}

func (x *exchange) listJobs(attempts []WorkflowRun) answer {
	bodies := []jobBody{}
	for i := range attempts {
		for j := range attempts[i].Jobs {
			bodies = append(bodies, x.jobBody(&attempts[i], &attempts[i].Jobs[j]))
		}
	}
	items, link := paged(x, bodies)
	return x.linked(map[string]any{"total_count": len(bodies), "jobs": items}, link)
}

func (x *exchange) getJob(g *GitHub) answer {
	for _, stored := range g.runs[x.call.Function] {
		for i := range stored.attempts {
			for j := range stored.attempts[i].Jobs {
				if job := &stored.attempts[i].Jobs[j]; job.ID == number(x.call.Qualifier) {
					return x.ok(http.StatusOK, x.jobBody(&stored.attempts[i], job))
				}
			}
		}
	}
	return x.failGitHub(http.StatusNotFound, "Not Found")
}

// paged cuts out the page that per_page (30, at most 100) and page ask for, and
// gives the Link header that goes with it, empty for a single page.
func paged[T any](x *exchange, all []T) (items []T, link string) {
	size, current := int(number(x.query.Get("per_page"))), int(number(x.query.Get("page")))
	if size <= 0 {
		size = 30
	}
	size, current = min(size, 100), max(current, 1)
	last := max(1, (len(all)+size-1)/size)
	start := min((min(current, last+1)-1)*size, len(all))
	items = all[start:min(start+size, len(all))]
	var links []string
	add := func(rel string, page int) {
		query := x.request.URL.Query()
		query.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, x.e.URL, x.call.Path, query.Encode(), rel))
	}
	if current > 1 {
		add("prev", min(current-1, last))
	}
	if current < last {
		add("next", current+1)
		add("last", last)
	}
	if current > 1 {
		add("first", 1)
	}
	return items, strings.Join(links, ", ")
}

func (x *exchange) linked(body any, link string) answer {
	a := x.ok(http.StatusOK, body)
	if link != "" {
		a.header.Set("Link", link)
	}
	return a
}

// failGitHub is an error as GitHub words it.
func (x *exchange) failGitHub(status int, message string) answer {
	a := x.ok(status, map[string]any{
		"message":           message,
		"documentation_url": "https://docs.github.com/rest",
		"status":            strconv.Itoa(status),
	})
	a.code = http.StatusText(status)
	return a
}

// notAccessible is what a token without the permission is told.
func (x *exchange) notAccessible() answer {
	return x.failGitHub(http.StatusForbidden, "Resource not accessible by integration")
}

// span is a range of times as GitHub's search writes it: >=t, >t, <=t, <t,
// t..t (* for an open end), or a day.
type span struct {
	from, to             time.Time // zero: open
	withoutFrom, without bool      // whether the ends themselves are left out
}

func (s span) holds(t time.Time) bool {
	if !s.from.IsZero() && (t.Before(s.from) || s.withoutFrom && t.Equal(s.from)) {
		return false
	}
	return s.to.IsZero() || t.Before(s.to) || !s.without && t.Equal(s.to)
}

func parseSpan(text string) (span, error) {
	var s span
	var err error
	moment := func(text string) time.Time {
		for _, form := range []string{time.RFC3339, time.DateOnly} {
			if t, parseErr := time.Parse(form, text); parseErr == nil {
				return t
			}
		}
		if text != "*" {
			err = fmt.Errorf("failed to parse time %q of created: want RFC 3339 or a date", text)
		}
		return time.Time{}
	}
	from, to, isRange := strings.Cut(text, "..")
	switch {
	case text == "":
	case isRange:
		s.from, s.to = moment(from), moment(to)
	case strings.HasPrefix(text, ">="):
		s.from = moment(text[2:])
	case strings.HasPrefix(text, "<="):
		s.to = moment(text[2:])
	case strings.HasPrefix(text, ">"):
		s.from, s.withoutFrom = moment(text[1:]), true
	case strings.HasPrefix(text, "<"):
		s.to, s.without = moment(text[1:]), true
	case len(text) == len(time.DateOnly):
		s.from = moment(text)
		s.to, s.without = s.from.AddDate(0, 0, 1), true
	default:
		s.from = moment(text)
		s.to = s.from
	}
	return s, err
}

// number reads a whole number that a request wrote, 0 where it wrote none.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
