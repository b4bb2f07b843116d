package report

import (
	"fmt"
	"slices"
	"time"
)

// Verdict is the result of the checks of one function whose alias was moved.
type Verdict struct {
	Healthy Health
	Own     Health // without the checks that several functions share
	Checks  []Check
	Watched *Watched // nil if no metrics were read
	LogTail string   // the end of the log of the test invocation, without secrets
	Notes   []Note

	Started, Ended time.Time
}

// Recovery describes what the verdict means for production after a rollback.
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

// Condition describes what it means in a drill, in which nothing had to recover.
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

// AllPassed says that all checks passed, as part of a sentence.
func AllPassed(checks []Check) string {
	if len(checks) == 1 {
		return "the check passed"
	}
	return fmt.Sprintf("all %d checks passed", len(checks))
}

// FirstThat returns the first check with a status, and the number of others, as part
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
