package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	issuesWrite = "issues: write"

	// issueLabel is the label by which post-mortems are found. GitHub creates a label
	// that does not exist.
	issueLabel = "lambda-rollback"
	// maxKeys is the maximum number of functions in a mark.
	maxKeys = 200
)

// openIssue opens a post-mortem. If an issue about the same version of a function is
// already open, it gets a comment instead: its text may have been edited since, and
// GitHub notifies its subscribers only of a comment.
func (f *followUp) openIssue(ctx context.Context) (string, error) {
	mark := f.issueMark()
	issue, created, err := findOrCreate(ctx, f.api.clock,
		func(ctx context.Context) (*gh.Issue, error) { return f.findIssue(ctx, mark.keys) },
		func(ctx context.Context) (*gh.Issue, error) { return f.createIssue(ctx, mark) })
	if err != nil {
		return "", f.failed("open an issue", err, issuesWrite)
	}
	if created {
		return sent, nil
	}
	if old, found := parseIssueMark(issue.GetBody()); found && old.event == mark.event {
		f.log.Infof("open-issue: issue %d already covers this attempt", issue.GetNumber())
		return sent, nil
	}
	again := eventMark(mark.event)
	_, _, err = findOrCreate(ctx, f.api.clock,
		func(ctx context.Context) (*gh.IssueComment, error) {
			return f.ownComment(ctx, issue.GetNumber(), again)
		},
		func(ctx context.Context) (*gh.IssueComment, error) {
			f.log.Infof("GitHub: commenting on issue %d, which is about the same version", issue.GetNumber())
			return f.postComment(ctx, issue.GetNumber(), again+"\n"+report.IssueUpdate(f.r))
		})
	if err != nil {
		return "", f.failed(fmt.Sprintf("comment on issue %d", issue.GetNumber()), err, issuesWrite)
	}
	return sent, nil
}

// findIssue returns the newest open issue with the label that this program opened and
// that is about one of the keys; nil: there is none. It reads the list of issues,
// which is up to date immediately, unlike GitHub's search.
func (f *followUp) findIssue(ctx context.Context, keys []string) (*gh.Issue, error) {
	all, err := listAll[gh.Issue](ctx, f.api, "issues", url.Values{"labels": {issueLabel}, "state": {"open"}})
	if err != nil {
		return nil, err
	}
	for _, issue := range all { // the newest comes first
		mark, found := parseIssueMark(issue.GetBody())
		about := slices.ContainsFunc(mark.keys, func(key string) bool { return slices.Contains(keys, key) })
		if found && about && !issue.IsPullRequest() && f.isOwn(issue.GetUser()) {
			return issue, nil
		}
	}
	return nil, nil
}

func (f *followUp) createIssue(ctx context.Context, mark issueMark) (*gh.Issue, error) {
	title, body := report.IssueTitle(f.r), mark.String()+"\n"+report.Issue(f.r)
	f.log.Infof("GitHub: opening an issue: %s", title)
	issue := &gh.Issue{}
	request := gh.IssueRequest{Title: &title, Body: &body, Labels: &[]string{issueLabel}}
	return issue, f.api.send(ctx, http.MethodPost, "issues", request, issue)
}

// issueMark is the first line of an issue, which GitHub does not display.
type issueMark struct {
	keys  []string // one per function, with its alias and the version that failed
	event string   // the attempt that the text is about, and how it ended
}

func (f *followUp) issueMark() issueMark {
	mark := issueMark{event: digest(
		strconv.FormatInt(f.c.RunID, 10), strconv.Itoa(f.c.RunAttempt), strconv.FormatInt(f.r.Run.ID, 10), strconv.Itoa(f.r.Run.Attempt),
		string(f.r.Status), string(f.r.Reason))}
	for _, one := range f.r.Functions {
		if needsIssue(one) && len(mark.keys) < maxKeys {
			mark.keys = append(mark.keys, digest(f.environment, one.Region, one.Function, one.Alias, report.LeftVersion(one)))
		}
	}
	return mark
}

func (m issueMark) String() string {
	return "<!-- lambda-rollback issue keys=" + strings.Join(m.keys, ",") + " event=" + m.event + " -->"
}

var issueMarkForm = newPattern(`^<!-- lambda-rollback issue keys=([0-9a-f,]+) event=([0-9a-f]+) -->`)

func parseIssueMark(body string) (issueMark, bool) {
	parts := issueMarkForm().FindStringSubmatch(body)
	if parts == nil {
		return issueMark{}, false
	}
	return issueMark{keys: strings.Split(parts[1], ","), event: parts[2]}, true
}

// eventMark returns the first line of a comment on an issue.
func eventMark(event string) string {
	return "<!-- lambda-rollback event=" + event + " -->"
}
