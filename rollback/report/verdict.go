package report

import (
	"fmt"
	"slices"
	"time"
)

// Verdict is what the checks found out about one function whose alias was moved.
type Verdict struct {
	Healthy Health
	Own     Health // without the checks that several functions share
	Checks  []Check
	Watched *Watched // nil: no metrics were read
	LogTail string   // the end of the test invocation's log, without secrets
	Notes   []Note

	Started, Ended time.Time
}

// Recovery says what it means for production after a rollback.
func (h Health) Recovery() string {
	switch h {
	case Healthy:
		return "recovered"
	case NotHealthy:
		return "not recovered"
	default:
		return "inconclusive"
	}
}

// Condition says what it means in a drill, where nothing had to recover.
func (h Health) Condition() string {
	switch h {
	case Healthy:
		return "healthy"
	case NotHealthy:
		return "not healthy"
	default:
		return "inconclusive"
	}
}

// AllPassed says of checks that all of them passed, as a part of a sentence.
func AllPassed(checks []Check) string {
	if len(checks) == 1 {
		return "the check passed"
	}
	return fmt.Sprintf("all %d checks passed", len(checks))
}

// FirstThat names the first check that ended so, and how many more did, as a part
// of a sentence.
func FirstThat(checks []Check, status CheckStatus) string {
	is := func(c Check) bool { return c.Status == status }
	at := slices.IndexFunc(checks, is)
	if at < 0 {
		return "nothing was checked"
	}
	text := checks[at].Name + ": " + checks[at].Detail
	more := 0
	for _, c := range checks[at+1:] {
		if is(c) {
			more++
		}
	}
	if more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}
