package github

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// containsLimit bounds how long it may take to compare two commits.
	containsLimit = 15 * time.Second
	// comparedPerPage and maxComparedPages bound how many commits are read that came
	// after the one that was rolled back.
	comparedPerPage  = 100
	maxComparedPages = 10
)

// Containment says whether a commit still has what a failed run deployed.
type Containment struct {
	Run report.Run // the run that failed
	// Contains: its commit is in the history of the other one, and no later commit
	// there reverts it.
	Contains bool
	// RevertedBy is the commit that reverts it; empty: none does.
	RevertedBy string
	// Partial: there are more commits after it than were read.
	Partial bool
}

// Contains asks GitHub whether a commit has the one of a failed run in its history,
// and whether a commit in between reverts it.
func Contains(ctx context.Context, a *API, runID int64, sha string) (Containment, error) {
	fail := func(what string, err error) (Containment, error) {
		return Containment{}, fmt.Errorf("GitHub's API did not %s: %s", what, causeOf(err, contentsRead))
	}
	ctx, cancel := context.WithTimeout(ctx, containsLimit)
	defer cancel()
	run, err := a.run(ctx, runID)
	if err != nil {
		return Containment{}, fmt.Errorf("GitHub's API did not give the run %d: %s", runID, cause(err))
	}
	c := Containment{Run: runFrom(run, "")}
	if !isSHA(c.Run.SHA) || !isSHA(sha) {
		return Containment{}, fmt.Errorf("the run %d has no commit to compare with %s", runID, quoteValue(sha))
	}
	var later []commitMessage
	for page := 1; page <= maxComparedPages; page++ {
		var compared gh.CommitsComparison
		path := "compare/" + c.Run.SHA + "..." + sha
		query := url.Values{"per_page": {strconv.Itoa(comparedPerPage)}, "page": {strconv.Itoa(page)}}
		if _, err := a.get(ctx, path, query, &compared); err != nil {
			return fail("compare "+short(c.Run.SHA)+" with "+short(sha), err)
		}
		switch compared.GetStatus() {
		case "ahead", "identical":
		case "behind", "diverged":
			return c, nil
		default:
			return fail("compare "+short(c.Run.SHA)+" with "+short(sha), errOddAnswer)
		}
		for _, commit := range compared.Commits {
			later = append(later, commitMessage{commit.GetSHA(), commit.GetCommit().GetMessage()})
		}
		if c.Partial = len(later) < compared.GetTotalCommits(); len(compared.Commits) == 0 || !c.Partial {
			break
		}
	}
	c.RevertedBy = revertedBy(commitMessage{c.Run.SHA, c.Run.Commit}, later)
	c.Contains = c.RevertedBy == ""
	return c, nil
}

// commitMessage is a commit with its message.
type commitMessage struct{ sha, message string }

var (
	fullSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)
	// revertsCommit is what git writes into the message of a revert.
	revertsCommit = regexp.MustCompile(`(?i)\bThis reverts commit ([0-9a-f]{7,40})\b`)
	// revertsPull is what GitHub writes into the description of a pull request that
	// reverts another one, and so into the message where it is squashed.
	revertsPull = regexp.MustCompile(`(?im)^Reverts (?:[\w.-]+/[\w.-]+)?#(\d+)\b`)
	// pullOfSquash and pullOfMerge are how GitHub names the pull request in the
	// message of the commit that brings it in.
	pullOfSquash = regexp.MustCompile(`\(#(\d+)\)$`)
	pullOfMerge  = regexp.MustCompile(`^Merge pull request #(\d+) `)
)

func isSHA(text string) bool { return fullSHA.MatchString(text) }

func short(sha string) string { return sha[:min(len(sha), 7)] }

// revertedBy is the commit that reverts a commit in the end, among those that came
// after it in their order: a revert that is itself reverted does not count. Empty:
// none does.
func revertedBy(rejected commitMessage, later []commitMessage) string {
	undone := make([]bool, len(later)) // whether a later commit that counts reverts it
	by := ""
	for i, l := range slices.Backward(later) {
		if undone[i] {
			continue
		}
		for k := range i {
			undone[k] = undone[k] || reverts(l.message, later[k])
		}
		if by == "" && reverts(l.message, rejected) {
			by = l.sha
		}
	}
	return by
}

// reverts reports whether a message says that its commit reverts another one.
func reverts(message string, target commitMessage) bool {
	for _, match := range revertsCommit.FindAllStringSubmatch(message, -1) {
		if strings.HasPrefix(target.sha, strings.ToLower(match[1])) {
			return true
		}
	}
	pull := pullOf(target.message)
	return pull != "" && slices.ContainsFunc(revertsPull.FindAllStringSubmatch(message, -1), func(match []string) bool { return match[1] == pull })
}

// pullOf is the number of the pull request that a commit brought in, by its message;
// empty: it does not say.
func pullOf(message string) string {
	first, _, _ := strings.Cut(message, "\n")
	for _, form := range []*regexp.Regexp{pullOfSquash, pullOfMerge} {
		if match := form.FindStringSubmatch(strings.TrimSpace(first)); match != nil {
			return match[1]
		}
	}
	return ""
}
