package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const pullRequestsWrite = "pull-requests: write"

// comment comments on the pull request whose merge was rolled back. There is one
// comment per run, which a further attempt edits.
func (f *followUp) comment(ctx context.Context) (string, error) {
	if !slices.ContainsFunc(f.r.Functions, func(one report.Function) bool { return report.WasMoved(one) && !report.Forward(one) }) {
		return "no pull request: the alias was moved forward, to a newer version that was chosen manually", nil
	}
	sha := validSHA(report.FailedCommit(f.r))
	if sha == "" {
		return "no pull request: could not determine which commit was rolled back", nil
	}
	if report.SameCommit(f.r) {
		return "no pull request: the version that is live again was built from the same commit " + report.ShortSHA(sha), nil
	}
	pulls, err := listAll[gh.PullRequest](ctx, f.api, "commits/"+sha+"/pulls", nil)
	if err != nil {
		return "", f.failed("find the pull request of commit "+report.ShortSHA(sha), err, pullRequestsWrite)
	}
	pull := mergedBy(pulls, sha, f.r.Run.Branch)
	if pull == nil {
		return "no pull request: none was merged by commit " + report.ShortSHA(sha), nil
	}
	mark := commentMark(f.key())
	body := mark + "\n" + report.Comment(f.r)
	number := pull.GetNumber()
	old, created, err := findOrCreate(ctx, f.api.clock,
		func(ctx context.Context) (*gh.IssueComment, error) { return f.ownComment(ctx, number, mark) },
		func(ctx context.Context) (*gh.IssueComment, error) {
			f.log.Infof("GitHub: commenting on pull request %d", number)
			return f.postComment(ctx, number, body)
		})
	if err == nil && !created && !sameText(old.GetBody(), body) {
		f.log.Infof("GitHub: editing comment %d on pull request %d", old.GetID(), number)
		err = f.api.send(ctx, http.MethodPatch, "issues/comments/"+strconv.FormatInt(old.GetID(), 10), gh.IssueComment{Body: &body}, &gh.IssueComment{})
	}
	if err != nil {
		return "", f.failed(fmt.Sprintf("comment on pull request %d", number), err, pullRequestsWrite)
	}
	return sent, nil
}

// sameText reports whether two texts are equal, regardless of what a server may do to
// line endings.
func sameText(a, b string) bool {
	plain := func(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

// mergedBy returns the pull request that a commit merged: the one whose merge commit
// it is, otherwise the newest one that was merged into the branch with the commit in
// it, otherwise the newest merged one. A commit can be part of several pull requests,
// such as those of a feature and of a release.
func mergedBy(pulls []*gh.PullRequest, sha, branch string) *gh.PullRequest {
	merged := slices.DeleteFunc(slices.Clone(pulls), func(p *gh.PullRequest) bool { return p.GetMergedAt().IsZero() || p.GetNumber() == 0 })
	if len(merged) == 0 {
		return nil
	}
	rank := func(p *gh.PullRequest) int {
		switch {
		case p.GetMergeCommitSHA() == sha:
			return 2
		case branch != "" && p.GetBase().GetRef() == branch:
			return 1
		default:
			return 0
		}
	}
	return slices.MaxFunc(merged, func(a, b *gh.PullRequest) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.GetMergedAt().Compare(b.GetMergedAt().Time), cmp.Compare(a.GetNumber(), b.GetNumber()))
	})
}

// commentMark returns the first line of a comment, which GitHub does not display.
func commentMark(key string) string {
	return "<!-- lambda-rollback comment=" + key + " -->"
}

// ownComment returns the comment that begins with a mark and that this program wrote;
// nil: there is none. Anybody can write the mark, and could otherwise make this
// program edit a stranger's comment, under the stranger's name.
func (f *followUp) ownComment(ctx context.Context, number int, mark string) (*gh.IssueComment, error) {
	comments, err := f.comments(ctx, number)
	if err != nil {
		return nil, err
	}
	for _, c := range comments {
		if strings.HasPrefix(c.GetBody(), mark) && f.isOwn(c.GetUser()) {
			return c, nil
		}
	}
	return nil, nil
}

// comments returns the comments on an issue or a pull request that can belong to the
// failed run: none that was last changed before the run was created.
func (f *followUp) comments(ctx context.Context, number int) ([]*gh.IssueComment, error) {
	query := url.Values{}
	if at := f.r.Run.CreatedAt; !at.IsZero() {
		query.Set("since", at.UTC().Format(time.RFC3339))
	}
	return listAll[gh.IssueComment](ctx, f.api, commentsPath(number), query)
}

func (f *followUp) isOwn(user *gh.User) bool {
	return user.GetLogin() != "" && strings.EqualFold(user.GetLogin(), f.login())
}

func (f *followUp) postComment(ctx context.Context, number int, body string) (*gh.IssueComment, error) {
	comment := &gh.IssueComment{}
	return comment, f.api.send(ctx, http.MethodPost, commentsPath(number), gh.IssueComment{Body: &body}, comment)
}

func commentsPath(number int) string {
	return "issues/" + strconv.Itoa(number) + "/comments"
}
