package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// longestIssueBody is in characters, as GitHub counts.
const longestIssueBody = 65_536

// Issue is an issue or, where Pull is set, a pull request.
type Issue struct {
	Number    int
	Title     string
	Body      string
	Author    string
	State     string
	Labels    []string
	Locked    bool
	CreatedAt time.Time
	UpdatedAt time.Time
	Comments  []Comment // oldest first
	Pull      *Pull     // nil: an issue
}

// Pull is what a pull request has beside an issue.
type Pull struct {
	Base     string // branch
	Merge    string // commit that merged it; empty: it was not
	MergedAt time.Time
	Commits  []string // that it consists of, the merge not among them
}

// Comment is one on an issue or a pull request.
type Comment struct {
	ID        int64
	Author    string
	Body      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// AddIssue adds an issue or a pull request and returns it as stored.
func (g *GitHub) AddIssue(repository string, issue Issue) Issue {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	return g.addIssue(repository, issue).clone()
}

func (g *GitHub) addIssue(repository string, issue Issue) *Issue {
	repo := g.repo(repository)
	issue.Number = cmp.Or(issue.Number, len(repo.issues)+1)
	issue.Author, issue.State = cmp.Or(issue.Author, "octocat"), cmp.Or(issue.State, "open")
	issue.Title = cmp.Or(issue.Title, "a title")
	if issue.CreatedAt.IsZero() {
		issue.CreatedAt = g.e.now()
	}
	issue.UpdatedAt = issue.CreatedAt
	issue.Comments = slices.Clone(issue.Comments)
	for i := range issue.Comments {
		g.completeComment(&issue.Comments[i])
	}
	if issue.Pull != nil {
		pull := *issue.Pull
		pull.Base = cmp.Or(pull.Base, "main")
		if pull.Merge != "" && pull.MergedAt.IsZero() {
			pull.MergedAt = issue.CreatedAt
		}
		issue.Pull = &pull
	}
	repo.issues = append(repo.issues, &issue)
	return &issue
}

func (g *GitHub) completeComment(c *Comment) {
	c.ID, c.Author = cmp.Or(c.ID, g.id()), cmp.Or(c.Author, "octocat")
	if c.CreatedAt.IsZero() {
		c.CreatedAt = g.e.now()
	}
	if c.UpdatedAt.IsZero() {
		c.UpdatedAt = c.CreatedAt
	}
}

// Issues are all of a repository, pull requests among them, the oldest first.
func (g *GitHub) Issues(repository string) []Issue {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	var all []Issue
	for _, issue := range g.repo(repository).issues {
		all = append(all, issue.clone())
	}
	return all
}

// ChangeIssue changes an issue as a person does.
func (g *GitHub) ChangeIssue(repository string, number int, change func(*Issue)) error {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	issue := g.repo(repository).issue(number)
	if issue == nil {
		return fmt.Errorf("failed to find issue %d of %s: add it before it is changed", number, repository)
	}
	change(issue)
	for i := range issue.Comments {
		g.completeComment(&issue.Comments[i])
	}
	return nil
}

// DisableIssues turns issues off in a repository's settings.
func (g *GitHub) DisableIssues(repository string) {
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	g.repo(repository).noIssues = true
}

func (issue *Issue) clone() Issue {
	out := *issue
	out.Comments, out.Labels = slices.Clone(issue.Comments), slices.Clone(issue.Labels)
	return out
}

// listPulls gives those that a commit merged or is part of.
func (x *exchange) listPulls(repo *repoState) answer {
	bodies := []map[string]any{}
	for _, issue := range newestFirst(repo.issues) {
		if pull := issue.Pull; pull != nil && (pull.Merge == x.call.Qualifier || slices.Contains(pull.Commits, x.call.Qualifier)) {
			bodies = append(bodies, x.pullBody(issue))
		}
	}
	items, link := paged(x, bodies)
	return x.linked(items, link)
}

func (x *exchange) listIssues(repo *repoState) answer {
	state := cmp.Or(x.query.Get("state"), "open")
	bodies := []map[string]any{}
	for _, issue := range newestFirst(repo.issues) {
		labels := x.query.Get("labels")
		fitting := labels == ""
		for label := range strings.SplitSeq(labels, ",") {
			fitting = fitting || slices.Contains(issue.Labels, label)
		}
		if fitting && (state == "all" || state == issue.State) && asked(x, "creator", issue.Author) {
			bodies = append(bodies, x.issueBody(issue))
		}
	}
	items, link := paged(x, bodies)
	return x.linked(items, link)
}

// written is what is given for an issue or a comment; nil: not given.
type written struct {
	Title, Body, State *string
	Labels             *[]string
}

func (x *exchange) createIssue(g *GitHub, repo *repoState) answer {
	var asked written
	if a := x.readWritten(&asked); a != nil {
		return *a
	}
	if asked.Title == nil || *asked.Title == "" {
		return x.invalid("Issue", "title", "missing_field", "title can't be blank")
	}
	issue := Issue{Title: *asked.Title, Author: g.Login, Number: len(repo.issues) + 1}
	if asked.Body != nil {
		issue.Body = *asked.Body
	}
	if asked.Labels != nil {
		issue.Labels = *asked.Labels
	}
	return x.ok(http.StatusCreated, x.issueBody(g.addIssue(x.call.Function, issue)))
}

func (x *exchange) editIssue(g *GitHub, issue *Issue) answer {
	var asked written
	if a := x.readWritten(&asked); a != nil {
		return *a
	}
	for _, change := range []struct{ to, field *string }{{asked.Title, &issue.Title}, {asked.Body, &issue.Body}, {asked.State, &issue.State}} {
		if change.to != nil {
			*change.field = *change.to
		}
	}
	issue.UpdatedAt = g.e.now()
	return x.ok(http.StatusOK, x.issueBody(issue))
}

func (x *exchange) listComments(issue *Issue) answer {
	since, _ := time.Parse(time.RFC3339, x.query.Get("since"))
	bodies := []map[string]any{}
	for i := range issue.Comments {
		if !issue.Comments[i].UpdatedAt.Before(since) {
			bodies = append(bodies, x.commentBody(issue, &issue.Comments[i]))
		}
	}
	items, link := paged(x, bodies)
	return x.linked(items, link)
}

func (x *exchange) createComment(g *GitHub, issue *Issue) answer {
	var asked written
	switch a := x.readWritten(&asked); {
	case a != nil:
		return *a
	case asked.Body == nil || *asked.Body == "":
		return x.invalid("IssueComment", "body", "missing_field", "body can't be blank")
	case issue.Locked:
		return x.failGitHub(http.StatusForbidden, "Unable to create comment because issue is locked.")
	}
	comment := Comment{Author: g.Login, Body: *asked.Body}
	g.completeComment(&comment)
	issue.Comments = append(issue.Comments, comment)
	return x.ok(http.StatusCreated, x.commentBody(issue, &comment))
}

// editComment edits a stranger's comment as well: whoever may write, may.
func (x *exchange) editComment(g *GitHub, issue *Issue, comment *Comment) answer {
	var asked written
	if a := x.readWritten(&asked); a != nil {
		return *a
	}
	if asked.Body == nil {
		return x.invalid("IssueComment", "body", "missing_field", "body can't be blank")
	}
	comment.Body, comment.UpdatedAt = *asked.Body, g.e.now()
	return x.ok(http.StatusOK, x.commentBody(issue, comment))
}

func (x *exchange) readWritten(into *written) *answer {
	if a := x.read(into); a != nil {
		return a
	}
	if into.Body != nil && utf8.RuneCountInString(*into.Body) > longestIssueBody {
		a := x.invalid("Issue", "body", "custom", "body is too long (maximum is 65536 characters)")
		return &a
	}
	if into.Title != nil && utf8.RuneCountInString(*into.Title) > 256 {
		a := x.invalid("Issue", "title", "custom", "title is too long (maximum is 256 characters)")
		return &a
	}
	return nil
}
