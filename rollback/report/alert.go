package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Alert is the content of a notification about a result, the same for every channel:
// the facts, in the order in which somebody who was just woken up needs them. Its
// texts are single lines of plain text, shortened and without secrets, and not yet
// escaped for a medium. Empty texts and lists are to be left out.
type Alert struct {
	Severity Severity
	// Trial marks a test of the channel: nothing has happened.
	Trial bool
	// Preliminary reports that the alias has moved, and that the checks of production
	// or the restore of the static site are still running.
	Preliminary bool

	Mark     string // emoji for the result
	Headline string // can stand alone in a phone's notification; without the mark
	Message  string // one sentence that can be forwarded unchanged

	Facts     []Fact     // about the result; for a single function, everything about it
	Functions []AlertRow // of several functions, most urgent first
	Left      int        // functions for which there was no room in Functions

	Why     []string         // why this version was selected, and how the failing one was attributed to the run; sentences
	Verdict string           // whether production recovered; a sentence
	Checks  []PublishedCheck // the evidence for it
	Notes   []string         // warnings that somebody should know about

	Next          []string // what to do, most urgent first; sentences
	NotRolledBack string   // what the rollback did not change; a sentence
	Links         []Page   // the page of the run first

	At time.Time
}

// Title returns the headline with its mark, for a subject or the first line.
func (a Alert) Title() string { return a.Mark + " " + a.Headline }

// Fact is one line with a name. URL may be empty.
type Fact struct{ Name, Text, URL string }

// Page is a useful page on the web.
type Page struct{ Name, URL string }

// AlertRow is one of several functions.
type AlertRow struct {
	Mark     string
	Function string // including its alias: "api:live"
	Version  string // the move: "42 → 41"
	Result   string // "rolled back, healthy"
	URL      string // the page of the alias in the AWS console
}

const (
	maxAlertRows   = 40
	maxAlertChecks = 12
	maxAlertNotes  = 6
	// longestHeadline is Slack's limit for a header, the lowest of all media.
	longestHeadline = 140
)

// NewAlert returns the notification for a result. Secrets must be removed from r
// before.
func NewAlert(r Result) Alert {
	all := mostUrgentFirst(r.Functions)
	a := Alert{
		Severity: SeverityOf(r),
		Mark:     r.mark(),
		Headline: headlineIn(r),
		Message:  oneLine(r.Message, longestMessage),
		Verdict:  verdict(r, all),
		Next:     alertSteps(r),
		At:       r.Timestamp,
	}
	if a.Message == "" {
		a.Message = a.Headline
	}
	a.Facts = alertFacts(r, all)
	if len(all) == 1 {
		a.Why = plainText.why(all[0])
	} else {
		a.Functions, a.Left = alertRows(r.Command, all)
	}
	for _, f := range all {
		for _, c := range f.Checks {
			a.Checks = append(a.Checks, alertCheck(c, f, len(all) > 1))
		}
		a.Notes = append(a.Notes, warnings(f.Notes, false)...)
	}
	if r.Site != nil {
		a.Notes = append(a.Notes, warnings(r.Site.Notes, false)...)
	}
	a.Notes = append(a.Notes, warnings(r.Notes, utf8.RuneCountInString(r.Message) <= longestMessage)...)
	a.Checks, a.Notes = worstFirst(a.Checks), limited(a.Notes, maxAlertNotes)
	if r.RolledBack() && isRollback(r.Command) {
		a.NotRolledBack = NotRolledBack(r.Site != nil)
	}
	a.Links = alertLinks(r)
	return a
}

// AsPreliminary returns the notification for the time while production is being
// checked. Its mark must not look like a success: somebody who reads no further must
// not go back to sleep.
func (a Alert) AsPreliminary() Alert {
	a.Preliminary, a.Mark = true, "⏳"
	a.Verdict, a.Checks, a.Next = "Checking now whether production recovered.", nil, nil
	return a
}

// WithSiteInProgress returns the preliminary notification for the time while the static
// site is being restored. checking says whether production is being checked as well.
func (a Alert) WithSiteInProgress(checking bool) Alert {
	const text = "The static site is still being restored."
	if checking {
		a.Verdict += " " + text
	} else {
		a.Verdict = text
	}
	if a.NotRolledBack != "" {
		a.NotRolledBack = NotRolledBack(true)
	}
	return a
}

// AsTrial returns the notification as a test of the channels, marked so that nobody
// reacts to it.
func (a Alert) AsTrial() Alert {
	a.Trial, a.Mark = true, "🔔"
	a.Headline = Cut("Test message, nothing has happened. "+a.Headline, longestHeadline)
	a.Message = "This is a test of this channel, requested by the inputs command: check and notify-on: always. Nothing was moved. What the check found: " + a.Message
	return a
}

// headlineIn returns the headline with the environment at the end. What happened comes
// first, because a phone shows about 40 characters.
func headlineIn(r Result) string {
	return withEnvironment(Headline(r), r)
}

// withEnvironment appends the environment to a headline that does not contain it.
func withEnvironment(text string, r Result) string {
	if r.Environment == "" || strings.HasPrefix(text, plainText.where(r)+" ") {
		return Cut(text, longestHeadline)
	}
	environment := " · " + Line(r.Environment, 30)
	return Cut(text, longestHeadline-len([]rune(environment))) + environment
}

func alertSteps(r Result) []string {
	if r.Reason == InvalidInput && !r.RolledBack() {
		return NextSteps(r)[:1]
	}
	return NextSteps(r)
}

// verdict says whether production recovered.
func verdict(r Result, all []Function) string {
	moved := slices.ContainsFunc(all, WasMoved)
	checked := slices.ContainsFunc(all, Function.wasChecked)
	switch {
	case !isRollback(r.Command):
		return ""
	case r.Healthy == NotHealthy:
		return "Production is NOT healthy after the move."
	case r.Healthy == Healthy && len(all) == 1 && all[0].RecoveryMS != nil:
		return fmt.Sprintf("Production recovered: every check%s passed, %s after the deploy failed.",
			ofServingVersion(all), DurationText((time.Duration(*all[0].RecoveryMS) * time.Millisecond).Round(time.Second)))
	case r.Healthy == Healthy:
		return "Production recovered: every check" + ofServingVersion(all) + " passed."
	case moved && slices.ContainsFunc(all, func(f Function) bool { return f.Healthy == Healthy }):
		return "Production recovered where it was checked, but not everything was checked."
	case moved && checked:
		return "Could not confirm that production recovered: no check failed, but at least one was inconclusive."
	case moved:
		return "No check ran to confirm that production recovered."
	default:
		return ""
	}
}

// ofServingVersion separates the checks that count from those of versions that were
// replaced because they failed, which are also shown.
func ofServingVersion(all []Function) string {
	if !slices.ContainsFunc(all, func(f Function) bool { return len(f.Tried) > 0 }) {
		return ""
	}
	return " of the live version"
}

func alertCheck(c Check, f Function, several bool) PublishedCheck {
	name := oneLine(c.Title(), longestCell)
	if several {
		name = Line(f.Function, longestName) + ": " + name
	}
	return PublishedCheck{Name: name, Status: CheckStatus(Line(string(c.Status), longestName)), Detail: oneLine(c.Detail, longestCell)}
}

// CheckMark returns the emoji for the result of a check, or an empty string for an
// unknown status.
func CheckMark(status CheckStatus) string { return strings.TrimSpace(checkMark(status)) }

// worstFirst puts failed checks first, and limits the number of checks.
func worstFirst(all []PublishedCheck) []PublishedCheck {
	rank := map[CheckStatus]int{CheckFailed: 0, CheckInconclusive: 1}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b PublishedCheck) int {
		ra, bad := rank[a.Status]
		if !bad {
			ra = len(rank)
		}
		rb, bad := rank[b.Status]
		if !bad {
			rb = len(rank)
		}
		return ra - rb
	})
	if len(sorted) <= maxAlertChecks {
		return sorted
	}
	kept := sorted[:maxAlertChecks-1]
	return append(kept, PublishedCheck{Name: fmt.Sprintf("%d more checks", len(all)-len(kept)), Detail: "in the step summary"})
}

// warnings returns the texts of notes, except those contained in a message that is
// shown completely.
func warnings(all []Note, whole bool) []string {
	var out []string
	for _, n := range all {
		if n.Warning && (!whole || !n.InMessage) {
			out = append(out, oneLine(n.Text, longestText))
		}
	}
	return out
}

func limited(all []string, most int) []string {
	if len(all) <= most {
		return all
	}
	return append(slices.Clone(all[:most-1]), fmt.Sprintf("%d more warnings are in the step summary.", len(all)-most+1))
}
