package github

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// containsLimit is the time limit for comparing two commits.
	containsLimit = 15 * time.Second
	// comparedPerPage and maxComparedPages limit how many of the commits after the
	// one that was rolled back are read.
	comparedPerPage  = 100
	maxComparedPages = 10
)

// Containment says whether a commit still contains what a failed run deployed.
type Containment struct {
	Run report.Run // the run that failed
	// Contains reports that the commit of Run is in the history of the other commit,
	// and that no later commit there reverts it.
	Contains bool
	// RevertedBy is the commit that reverts it; empty: none.
	RevertedBy string
	// Partial reports that there are more later commits than were read.
	Partial bool
}

// Contains asks GitHub whether the history of a commit includes the commit of a
// failed run, and whether a commit in between reverts it.
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
	fullSHA = newPattern(`^[0-9a-f]{40}$`)
	// revertsCommit matches what git writes into the message of a revert.
	revertsCommit = newPattern(`(?i)\bThis reverts commit ([0-9a-f]{7,40})\b`)
	// revertsPull matches what GitHub writes into the description of a pull request
	// that reverts another one. If the pull request is squashed, it is also in the
	// commit message.
	revertsPull = newPattern(`(?im)^Reverts (?:[\w.-]+/[\w.-]+)?#(\d+)\b`)
	// pullOfSquash and pullOfMerge match the number of the pull request in the
	// message of the commit that merges it.
	pullOfSquash = newPattern(`\(#(\d+)\)$`)
	pullOfMerge  = newPattern(`^Merge pull request #(\d+) `)
)

func isSHA(text string) bool { return fullSHA().MatchString(text) }

func short(sha string) string { return sha[:min(len(sha), 7)] }

// revertedBy returns the commit that finally reverts the rejected one, among the
// later commits in order; empty: none. A revert that is itself reverted does not
// count.
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
	for _, match := range revertsCommit().FindAllStringSubmatch(message, -1) {
		if strings.HasPrefix(target.sha, strings.ToLower(match[1])) {
			return true
		}
	}
	pull := pullOf(target.message)
	return pull != "" && slices.ContainsFunc(revertsPull().FindAllStringSubmatch(message, -1), func(match []string) bool { return match[1] == pull })
}

// pullOf returns the number of the pull request that a commit merged, according to
// its message; empty: the message does not say.
func pullOf(message string) string {
	first, _, _ := strings.Cut(message, "\n")
	for _, form := range []pattern{pullOfSquash, pullOfMerge} {
		if match := form().FindStringSubmatch(strings.TrimSpace(first)); match != nil {
			return match[1]
		}
	}
	return ""
}
