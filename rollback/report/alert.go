package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Alert is what every channel says of a result: the same facts, in the order in
// which somebody who was just woken needs them. Its texts are single lines of
// plain text, shortened and without secrets, and not yet escaped for any
// medium. Empty texts and lists are to be left out.
type Alert struct {
	Severity Severity
	// Trial: somebody tries the channel out, and nothing has happened.
	Trial bool
	// Preliminary: the alias has moved, and whether production recovered is
	// still being checked.
	Preliminary bool

	Mark     string // emoji of the result
	Headline string // stands alone in a phone's notification; without the mark
	Message  string // one sentence that can be forwarded as it is

	Facts     []Fact     // about the result; of a single function all there is
	Functions []AlertRow // of several functions, the most urgent first
	Left      int        // functions that found no room in Functions

	Why     []string         // why this version, and how the failing one was attributed to the run; sentences
	Verdict string           // whether production recovered, in a sentence
	Checks  []PublishedCheck // what that rests on
	Notes   []string         // warnings that a person should know of

	Next          []string // what to do, the most urgent first; sentences
	NotRolledBack string   // what is as the deploy left it; a sentence
	Links         []Page   // the run first

	At time.Time
}

// Title is the headline with its mark, for a subject or the first line.
func (a Alert) Title() string { return a.Mark + " " + a.Headline }

// Fact is one line with a name. URL may be empty.
type Fact struct{ Name, Text, URL string }

// Page is a page on the web that is worth a look.
type Page struct{ Name, URL string }

// AlertRow is one of several functions.
type AlertRow struct {
	Mark     string
	Function string // with its alias: "api:live"
	Version  string // where it went: "42 → 41"
	Result   string // "rolled back, healthy"
	URL      string // of the alias in the AWS console
}

const (
	maxAlertRows   = 40
	maxAlertChecks = 12
	maxAlertNotes  = 6
	// longestHeadline is what Slack allows in a header, the least of all media.
	longestHeadline = 140
)

// NewAlert words a result for the channels. Secrets must have been taken out of
// r before.
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

// AsPreliminary is the alert for the time while production is being checked.
// Its mark promises nothing: who reads no further must not go back to sleep.
func (a Alert) AsPreliminary() Alert {
	a.Preliminary, a.Mark = true, "⏳"
	a.Verdict, a.Checks, a.Next = "Checking now whether production recovered.", nil, nil
	return a
}

// AsTrial is the alert as a test of the channels, marked so that nobody runs.
func (a Alert) AsTrial() Alert {
	a.Trial, a.Mark = true, "🔔"
	a.Headline = Cut("Test message, nothing has happened. "+a.Headline, longestHeadline)
	a.Message = "This is a test of this channel, asked for by the inputs command: check and notify-on: always. Nothing was moved. What the check found: " + a.Message
	return a
}

// headlineIn is the headline with the environment behind it. What happened comes
// first: a phone shows some 40 characters.
func headlineIn(r Result) string {
	return withEnvironment(Headline(r), r)
}

// withEnvironment puts the environment behind a headline that does not name it.
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

// verdict answers the question whether production recovered.
func verdict(r Result, all []Function) string {
	moved := slices.ContainsFunc(all, WasMoved)
	checked := slices.ContainsFunc(all, Function.wasChecked)
	switch {
	case !isRollback(r.Command):
		return ""
	case r.Healthy == NotHealthy:
		return "Production is NOT healthy after the move."
	case r.Healthy == Healthy && len(all) == 1 && all[0].RecoveryMS != nil:
		return fmt.Sprintf("Production recovered: every check%s passed, %s after the deploy had failed.",
			ofServingVersion(all), durationText(time.Duration(*all[0].RecoveryMS)*time.Millisecond))
	case r.Healthy == Healthy:
		return "Production recovered: every check" + ofServingVersion(all) + " passed."
	case moved && slices.ContainsFunc(all, func(f Function) bool { return f.Healthy == Healthy }):
		return "Production recovered where it was checked, but not everything was checked."
	case moved && checked:
		return "It is not known whether production recovered: no check failed, but at least one was inconclusive."
	case moved:
		return "Nothing checked whether production recovered."
	default:
		return ""
	}
}

// ofServingVersion parts the checks that count from those of versions that were
// left because they failed, which are shown as well.
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

// CheckMark is the emoji for how a check ended; empty for statuses that are none
// of ours.
func CheckMark(status CheckStatus) string { return strings.TrimSpace(checkMark(status)) }

// worstFirst puts the checks that have bad news first, and keeps those where
// there are many.
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

// warnings are texts of notes, without those that a message has which is shown
// whole.
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
