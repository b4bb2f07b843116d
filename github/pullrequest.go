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

// comment tells the pull request whose merge was rolled back: by one comment for
// each run, which a further attempt edits.
func (f *followUp) comment(ctx context.Context) (string, error) {
	if !slices.ContainsFunc(f.r.Functions, func(one report.Function) bool { return report.WasMoved(one) && !report.Forward(one) }) {
		return "no pull request: the alias was moved to a newer version, as a person chose", nil
	}
	sha := validSHA(report.FailedCommit(f.r))
	if sha == "" {
		return "no pull request: which commit was rolled back is not known", nil
	}
	if report.SameCommit(f.r) {
		return "no pull request: what serves again was made from the same commit " + report.ShortSHA(sha), nil
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
			f.log.Infof("GitHub: a comment is made on pull request %d", number)
			return f.postComment(ctx, number, body)
		})
	if err == nil && !created && !sameText(old.GetBody(), body) {
		f.log.Infof("GitHub: comment %d on pull request %d is edited", old.GetID(), number)
		err = f.api.send(ctx, http.MethodPatch, "issues/comments/"+strconv.FormatInt(old.GetID(), 10), gh.IssueComment{Body: &body}, &gh.IssueComment{})
	}
	if err != nil {
		return "", f.failed(fmt.Sprintf("comment on pull request %d", number), err, pullRequestsWrite)
	}
	return sent, nil
}

// sameText leaves out of account what a server may do to line ends.
func sameText(a, b string) bool {
	plain := func(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }
	return plain(a) == plain(b)
}

// mergedBy picks the pull request that a commit merged: the one that says so, else
// the newest one into the branch that was merged with the commit in it, else the
// newest merged one. A commit can be part of several: a feature's and a release's.
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

// commentMark is the first line of a comment, which GitHub does not show.
func commentMark(key string) string {
	return "<!-- lambda-rollback comment=" + key + " -->"
}

// ownComment finds the comment that begins with a mark and is the own one: anybody
// can write the mark, and who may write here could be made to edit what a
// stranger has written, under that stranger's name.
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

// comments are those of an issue or a pull request, as far as they can be of this
// run: none that was last changed before it began.
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
