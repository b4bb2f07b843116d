package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// followUpLimit is the time limit for each of the follow-ups, which run concurrently.
const followUpLimit = 10 * time.Second

// The names of the follow-ups in the output `notifications`.
const (
	FollowUpDeployment = "deployment"
	FollowUpComment    = "pull-request-comment"
	FollowUpIssue      = "issue"
)

// sent is the result of a follow-up that succeeded.
const sent = "sent"

// FollowUp makes the requested follow-ups on GitHub that the result calls for: if
// this run has moved an alias, and for an issue, also if manual action is required.
// For each follow-up that was tried, it returns `sent`, why there was nothing to do,
// or what went wrong. In the last two cases it also returns a note, in the order of
// the inputs. Every write is logged before it is made. FollowUp does not change the
// result, and takes at most followUpLimit. A nil API is allowed: the result then says
// why nothing was done.
func (a *API) FollowUp(ctx context.Context, wanted FollowUps, c Context, r report.Result, log *Log) (map[string]string, []report.Note) {
	ctx, cancel := context.WithTimeout(ctx, followUpLimit)
	defer cancel()
	wanted = wanted.due(r)
	f := &followUp{api: a, c: c, log: log, r: log.redactor.Result(r), environment: r.Environment}
	f.login = sync.OnceValue(func() string { return a.login(ctx) })
	tasks := []struct {
		name, input string
		due         bool // it is requested, and the result calls for it
		do          func(context.Context) (string, error)
	}{
		{FollowUpDeployment, "record-deployment", wanted.RecordDeployment, f.recordDeployment},
		{FollowUpComment, "comment-on-pull-request", wanted.CommentOnPullRequest, f.comment},
		{FollowUpIssue, "open-issue", wanted.OpenIssue, f.openIssue},
	}
	texts, errs := make([]string, len(tasks)), make([]error, len(tasks))
	var all sync.WaitGroup
	for i, task := range tasks {
		if task.due {
			all.Go(func() {
				texts[i], errs[i] = f.try(ctx, task.do)
			})
		}
	}
	all.Wait()

	results := map[string]string{}
	var notes []report.Note
	for i, task := range tasks {
		text := texts[i]
		if errs[i] != nil {
			text = errs[i].Error()
		}
		if !task.due {
			continue
		}
		results[task.name] = log.redactor.Redact(text)
		if text != sent {
			notes = append(notes, report.Note{Warning: errs[i] != nil, Text: fmt.Sprintf("%s: %s", task.input, results[task.name])})
		}
	}
	return results, notes
}

// due returns the requested follow-ups that a result calls for.
func (w FollowUps) due(r report.Result) FollowUps {
	if r.DryRun || r.Command != "" && r.Command != "rollback" {
		return FollowUps{}
	}
	w.RecordDeployment = w.RecordDeployment && r.Moved()
	w.CommentOnPullRequest = w.CommentOnPullRequest && r.Moved()
	w.OpenIssue = w.OpenIssue && issueDue(r)
	return w
}

// AnyDue reports whether a result calls for any of the requested follow-ups.
func (w FollowUps) AnyDue(r report.Result) bool { return w.due(r) != FollowUps{} }

// issueDue reports whether there is something to learn or to do. There is nothing if
// a person has moved an alias forward, or if an input was invalid.
func issueDue(r report.Result) bool {
	if r.Reason == report.InvalidInput {
		return false
	}
	return slices.ContainsFunc(r.Functions, needsIssue)
}

// needsIssue reports whether an issue must cover the function.
func needsIssue(f report.Function) bool {
	return f.Status == report.Failed || f.NeedsAttention() || report.WasMoved(f) && !report.Forward(f)
}

// followUp has what the follow-ups of one result share.
type followUp struct {
	api *API // nil: it cannot be called
	c   Context
	log *Log
	r   report.Result // without secrets
	// environment is the name that GitHub knows, exactly as in the input.
	environment string
	login       func() string // returns the login under which this program writes
}

func (f *followUp) try(ctx context.Context, do func(context.Context) (string, error)) (string, error) {
	if f.api == nil {
		return "", errors.New("GitHub's API cannot be called: GITHUB_REPOSITORY or GITHUB_API_URL is not valid")
	}
	return do(ctx)
}

// failed describes the error of a call.
func (f *followUp) failed(what string, err error, permission string) error {
	return &callError{text: fmt.Sprintf("failed to %s: %s", what, causeOf(err, permission)), err: err}
}

// callError has a readable text, and wraps the error that caused it.
type callError struct {
	text string
	err  error
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() error { return e.err }

// isRefused reports whether the token does not have the permission, so that further
// attempts would be pointless.
func isRefused(err error) bool {
	answer, is := errors.AsType[*gh.ErrorResponse](err)
	return errors.Is(err, errNoToken) || is && answer.Response != nil &&
		(answer.Response.StatusCode == http.StatusForbidden || answer.Response.StatusCode == http.StatusUnauthorized)
}

// commitID matches a commit ID, also a short one, as allowed in a path and in a
// record.
var commitID = newPattern(`^[0-9a-fA-F]{7,64}$`)

// validSHA returns sha, or an empty string if it is not a commit ID.
func validSHA(sha string) string {
	if commitID().MatchString(sha) {
		return sha
	}
	return ""
}

// key identifies what was rolled back for which run. It is the same for each attempt,
// and different for each job of a matrix.
func (f *followUp) key() string {
	run := f.r.Run.ID
	if run == 0 {
		run = f.c.RunID
	}
	parts := []string{strconv.FormatInt(run, 10), f.environment}
	for _, one := range f.r.Functions {
		parts = append(parts, one.Region, one.Function, one.Alias)
	}
	return digest(parts...)
}

// digest returns a hash that is short enough for a mark and long enough to be unique.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// webAddress returns address, or an empty string if GitHub would refuse it as the URL
// of a log.
func webAddress(address string) string {
	if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return address
	}
	return ""
}

// listAll reads all pages of a list, but at most the first thousand entries.
func listAll[T any](ctx context.Context, a *API, path string, query url.Values) ([]*T, error) {
	all := []*T{}
	for page := 1; page <= maxPages; page++ {
		var items []*T
		resp, err := a.get(ctx, path, paged(query, page), &items)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if resp.NextPage == 0 {
			break
		}
	}
	return slices.DeleteFunc(all, func(item *T) bool { return item == nil }), nil
}
