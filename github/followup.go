package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// followUpLimit bounds each of the follow-ups, which are made side by side.
const followUpLimit = 10 * time.Second

// The follow-ups, as the output `notifications` names them.
const (
	FollowUpDeployment = "deployment"
	FollowUpComment    = "pull-request-comment"
	FollowUpIssue      = "issue"
)

// sent is what is said of a follow-up that was made.
const sent = "sent"

// FollowUp leaves behind on GitHub what is wanted, where it is due: where this run
// has moved an alias, and an issue also where manual action is required. Of each that was
// tried it tells `sent`, why there was nothing to do, or what went wrong; of the
// last two there is a note as well, in the order of the inputs. What is written is
// logged before it is. It changes nothing of the result, and takes at most
// followUpLimit. A nil API can be asked, and says why it did nothing.
func (a *API) FollowUp(ctx context.Context, wanted FollowUps, c Context, r report.Result, log *Log) (map[string]string, []report.Note) {
	wanted = wanted.due(r)
	f := &followUp{api: a, c: c, log: log, r: log.redactor.Result(r), environment: r.Environment}
	f.login = sync.OnceValue(func() string {
		ctx, cancel := context.WithTimeout(ctx, followUpLimit)
		defer cancel()
		return a.login(ctx)
	})
	tasks := []struct {
		name, input string
		due         bool // it is wanted, and there is something to follow
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
				ctx, cancel := context.WithTimeout(ctx, followUpLimit)
				defer cancel()
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

// due are those of the follow-ups that a result gives a reason for.
func (w FollowUps) due(r report.Result) FollowUps {
	if r.DryRun || r.Command != "" && r.Command != "rollback" {
		return FollowUps{}
	}
	w.RecordDeployment = w.RecordDeployment && r.Moved()
	w.CommentOnPullRequest = w.CommentOnPullRequest && r.Moved()
	w.OpenIssue = w.OpenIssue && issueDue(r)
	return w
}

// AnyDue reports whether a result gives a reason for one of the follow-ups.
func (w FollowUps) AnyDue(r report.Result) bool { return w.due(r) != FollowUps{} }

// issueDue is true where something is to be learnt or done: not where a
// person has moved an alias forward, and not where an input was wrong.
func issueDue(r report.Result) bool {
	if r.Reason == report.InvalidInput {
		return false
	}
	return slices.ContainsFunc(r.Functions, needsIssue)
}

// needsIssue is true for a function that an issue is about.
func needsIssue(f report.Function) bool {
	return f.Status == report.Failed || f.NeedsAttention() || report.WasMoved(f) && !report.Forward(f)
}

// followUp is what the follow-ups of one result share.
type followUp struct {
	api *API // nil: it cannot be asked
	c   Context
	log *Log
	r   report.Result // without secrets
	// environment is the name that GitHub knows, as the input gave it.
	environment string
	login       func() string // under which login own texts are written
}

func (f *followUp) try(ctx context.Context, do func(context.Context) (string, error)) (string, error) {
	if f.api == nil {
		return "", errors.New("GitHub's API cannot be asked: GITHUB_REPOSITORY or GITHUB_API_URL is not validSHA")
	}
	return do(ctx)
}

// failed words an error of a call.
func (f *followUp) failed(what string, err error, permission string) error {
	return &callError{text: fmt.Sprintf("failed to %s: %s", what, causeOf(err, permission)), err: err}
}

// callError keeps what it came from.
type callError struct {
	text string
	err  error
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() error { return e.err }

// isRefused is true where the token may not do this, so that trying more of it is
// in vain.
func isRefused(err error) bool {
	answer, is := errors.AsType[*gh.ErrorResponse](err)
	return errors.Is(err, errNoToken) || is && answer.Response != nil &&
		(answer.Response.StatusCode == http.StatusForbidden || answer.Response.StatusCode == http.StatusUnauthorized)
}

// commitID is what a commit may be called in a path and in a record.
var commitID = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)

// validSHA empties what is not the id of a commit.
func validSHA(sha string) string {
	if commitID.MatchString(sha) {
		return sha
	}
	return ""
}

// key says what was rolled back by which run: the same for each attempt, another
// one for each job of a matrix.
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

// digest is short enough for a mark and long enough to be the only one.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// webAddress empties what GitHub would refuse as the address of a log.
func webAddress(address string) string {
	if u, err := url.Parse(address); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return address
	}
	return ""
}

// listAll reads all pages of a list, a thousand entries at most: the first ones.
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
