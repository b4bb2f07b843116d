package rollback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/terminal"
)

// person is the user who started the program on the command line.
type person struct {
	screen      terminal.Screen
	interactive bool // prompts can be answered
	confirmed   bool // by the flag --yes
}

// needsConfirmation reports whether the user must confirm before an alias moves. A
// drill always needs confirmation. A rollback needs it at a terminal; otherwise only
// if a target version is not given.
func needsConfirmation(a *action) bool {
	if a.person == nil || a.person.confirmed || a.inputs.DryRun {
		return false
	}
	switch a.inputs.Command {
	case "drill":
		return true
	case "rollback": // a script that names the version needs no confirmation
		return a.person.interactive || slices.ContainsFunc(a.inputs.Functions, func(f github.Function) bool { return f.Target == 0 })
	default:
		return false
	}
}

// refuseUnconfirmed refuses a command that needs confirmation if nobody can be
// prompted, and reports whether it did.
func refuseUnconfirmed(a *action) bool {
	if !needsConfirmation(a) || a.person.interactive {
		return false
	}
	what := "choose the version with --target-version, or accept the last good one with --yes"
	if a.inputs.Command == "drill" {
		what = "add --yes to confirm"
	}
	a.setAll(report.Failed, report.InvalidInput,
		"nothing was moved: this is not a terminal, so the action cannot ask for confirmation: "+what+"; --dry-run shows what would change")
	return true
}

// prompt shows the versions, lets the user choose, and asks for confirmation. If it
// returns false, the result says that nothing was moved.
func prompt(a *action, functions []alias.Function) bool {
	listed := listForPrompt(a, functions)
	if a.result.Status == report.Failed || refuseLatest(a, listed) || refuseMissing(a, listed) {
		return false
	}
	s := &selection{
		screen: a.person.screen, command: a.inputs.Command, environment: a.inputs.Environment, reason: a.inputs.Reason, withSite: a.inputs.Site.Bucket != "",
		functions: a.inputs.Functions, listed: listed, now: awsNow(a), choices: map[int]*terminal.Choice{},
	}
	if why := s.ask(a.lifetime.work); why != "" {
		decline(a, why, listed)
		return false
	}
	for i, f := range listed {
		seen := &a.inputs.Functions[i]
		seen.Seen, seen.SeenBeside = versionNumber(f.From), versionNumber(f.CanaryVersion)
		if choice, chosen := s.choices[i]; chosen {
			seen.Target = versionNumber(choice.Value)
		}
	}
	a.inputs.Reason = s.reason
	a.result.RequestReason = s.reason
	return true
}

// listForPrompt reads the versions of every function.
func listForPrompt(a *action, functions []alias.Function) []report.Function {
	ctx, cancel := a.limited()
	defer cancel()
	listed := alias.List(ctx, functions, a.inputs.ListLimit)
	for _, f := range listed {
		if f.Status == report.Failed {
			message := "nothing was moved: " + f.Message
			if a.inputs.Command == "rollback" && f.Reason != report.Cancelled {
				message += "; --target-version and --yes skip the list and the prompt"
			}
			a.setAll(report.Failed, f.Reason, message)
			a.result.Declined = f.Reason == report.Cancelled
			return nil
		}
	}
	for i := range listed {
		listed[i] = a.redactor.Function(listed[i])
	}
	return listed
}

// refuseLatest refuses a drill of an alias on $LATEST before it asks for confirmation:
// the drill could not return to $LATEST.
func refuseLatest(a *action, listed []report.Function) bool {
	if a.inputs.Command != "drill" {
		return false
	}
	at := slices.IndexFunc(listed, func(f report.Function) bool { return f.From == "$LATEST" })
	if at < 0 {
		return false
	}
	a.setAll(report.Failed, report.AliasOnLatest, fmt.Sprintf(
		"nothing was moved: of %s, %s", a.inputs.Functions[at], listed[at].Why))
	return true
}

// refuseMissing refuses a target version that does not exist before it asks for
// confirmation. The list always contains the target versions that exist.
func refuseMissing(a *action, listed []report.Function) bool {
	if a.inputs.Command != "rollback" {
		return false
	}
	for i, f := range listed {
		target := strconv.FormatInt(a.inputs.Functions[i].Target, 10)
		if a.inputs.Functions[i].Target == 0 || slices.ContainsFunc(f.Versions, func(v report.Version) bool { return v.Version == target }) {
			continue
		}
		a.setAll(report.Failed, report.VersionNotFound, fmt.Sprintf("nothing was moved: of %s, %s", a.inputs.Functions[i], f.Why))
		return true
	}
	return false
}

// decline sets the result of a prompt that was not confirmed.
func decline(a *action, why string, listed []report.Function) {
	var where []string
	for i, f := range listed {
		where = append(where, fmt.Sprintf("%s serves version %s", a.inputs.Functions[i], strings.Join(servingOf(f), " and ")))
	}
	a.setAll(report.Failed, report.Cancelled, "nothing was moved: "+why+"; "+strings.Join(where, ", "))
	a.result.Declined = true
}

// longestReason is the length limit of the reason, in characters.
const longestReason = github.LongestReason

// selection is the content of the prompt, and the answers to it.
type selection struct {
	screen      terminal.Screen
	command     string
	environment string
	reason      string
	withSite    bool
	functions   []github.Function
	listed      []report.Function // the same functions, with their versions
	now         time.Time
	choices     map[int]*terminal.Choice // by index of the function
}

// ask shows the versions and asks the questions. It returns why nothing is to be
// moved; empty: the user confirmed the move, or there is nothing to confirm.
func (s *selection) ask(ctx context.Context) (declined string) {
	if !s.anythingToMove() {
		return ""
	}
	var pages []terminal.Page
	for i, f := range s.listed {
		if s.command == "rollback" && s.functions[i].Target != 0 {
			continue
		}
		table := report.VersionsText(f, s.now, s.screen.Width)
		if len(s.listed) > 1 && table != "" {
			table = label(f) + "\n" + table
		}
		s.show(table)
		if s.command == "drill" {
			continue
		}
		choice := s.choice(f)
		if len(choice.Options) == 0 {
			return "there is no other version of " + f.Function + " to choose from"
		}
		s.choices[i] = choice
		title := question(f)
		pages = append(pages, terminal.Page{Title: func() string { return title }, Choice: choice})
	}
	why := &terminal.Input{Limit: longestReason, Value: s.reason}
	sure := &terminal.Confirm{Yes: "Yes, move", No: "No, cancel"}
	if s.command == "rollback" && s.reason == "" {
		pages = append(pages, terminal.Page{
			Title: func() string { return "Reason (optional, shown in the log and the summary)" }, Input: why,
		})
	}
	last := terminal.Page{Title: s.lastQuestion, Confirm: sure}
	if s.command == "rollback" {
		last.Description = func() string { return s.preview(s.listed, s.choices) }
		last.DescriptionLines = min(s.longestPreview(), s.screen.ConfirmSpace())
	}
	err := s.screen.Ask(ctx, append(pages, last))
	switch {
	case err != nil && !errors.Is(err, terminal.ErrAborted):
		return err.Error()
	case err != nil || !sure.Value:
		return "the move was not confirmed"
	}
	s.reason = strings.TrimSpace(why.Value)
	return ""
}

// anythingToMove reports whether any alias does not yet send 100% of its traffic to
// the given target version. For a drill, it always returns true.
func (s *selection) anythingToMove() bool {
	for i, f := range s.listed {
		target := strconv.FormatInt(s.functions[i].Target, 10)
		if s.command != "rollback" || !slices.Equal(servingOf(f), []string{target}) {
			return true
		}
	}
	return false
}

func (s *selection) show(text string) {
	if text != "" {
		_, _ = fmt.Fprintf(s.screen.Out, "\n%s\n\n", text)
	}
}

const (
	cursorColumns = 6 // to the left of a label, and a margin
	leastLabel    = 30
)

// choice returns the versions to choose from, with the cursor on the proposed one.
func (s *selection) choice(f report.Function) *terminal.Choice {
	c := &terminal.Choice{}
	for _, v := range f.Versions {
		if v.Serving && len(servingOf(f)) == 1 {
			continue // already live
		}
		label := v.Label()
		if s.screen.Width > 0 && !s.screen.Accessible {
			label = ansi.Truncate(label, max(s.screen.Width-cursorColumns, leastLabel), "…")
		}
		c.Options = append(c.Options, terminal.Option{Label: label, Value: v.Version})
	}
	if len(c.Options) > 0 {
		c.Value = cmp.Or(f.Target, c.Options[0].Value)
	}
	return c
}

// preview returns what will change: first the versions, then the differences between
// them, as far as they fit on the screen.
func (s *selection) preview(listed []report.Function, choices map[int]*terminal.Choice) string {
	var ways, differences []string
	for i, f := range listed {
		target := s.target(i, choices)
		ways = append(ways, moveText(f, target))
		if at := slices.IndexFunc(f.Versions, func(v report.Version) bool { return v.Version == target }); at >= 0 {
			text := report.ChangesText(f.Versions[at].Changes, f.From, target, s.screen.Width-cursorColumns)
			if text != "" && len(listed) > 1 {
				text = label(f) + "\n" + text
			}
			differences = append(differences, text)
		}
	}
	all := append(append(ways, report.NotRolledBack(s.withSite)), slices.DeleteFunc(differences, func(text string) bool { return text == "" })...)
	return s.fit(strings.Join(all, "\n\n"))
}

// target returns the version that a function moves to: the chosen one, or else the one
// in the inputs.
func (s *selection) target(i int, choices map[int]*terminal.Choice) string {
	if choice, chosen := choices[i]; chosen {
		return choice.Value
	}
	return strconv.FormatInt(s.functions[i].Target, 10)
}

// fit cuts a text to the available space. The result shows the whole text.
func (s *selection) fit(text string) string {
	space := s.screen.ConfirmSpace()
	lines := strings.Split(text, "\n")
	used := 0
	for i, line := range lines {
		if used += max(s.screen.LineCount(line), 1); used > space || used == space && i < len(lines)-1 {
			return strings.TrimRight(strings.Join(lines[:i], "\n"), "\n") + fmt.Sprintf("\n… and %d more lines, shown in the result", len(lines)-i)
		}
	}
	return text
}

// longestPreview returns the largest number of lines of the preview for any choice.
func (s *selection) longestPreview() int {
	total := s.screen.LineCount(s.preview(s.listed, s.choices))
	for i, choice := range s.choices {
		chosen, now, most := choice.Value, 0, 0
		for _, o := range choice.Options {
			choice.Value = o.Value
			n := s.screen.LineCount(s.preview(s.listed[i:i+1], map[int]*terminal.Choice{0: choice}))
			if most = max(most, n); o.Value == chosen {
				now = n
			}
		}
		choice.Value = chosen
		total += most - now
	}
	return total
}

func (s *selection) lastQuestion() string {
	names := make([]string, len(s.functions))
	for i, f := range s.functions {
		names[i] = f.String()
	}
	which := strings.Join(names, ", ")
	text := fmt.Sprintf("Move %s in %s now?", which, s.environment)
	switch {
	case s.command == "drill" && len(s.listed) == 1 && s.listed[0].Target != "":
		text = fmt.Sprintf("Move %s in %s to version %s and back now? Until it is moved back, users get that version.", which, s.environment, s.listed[0].Target)
	case s.command == "drill":
		text = fmt.Sprintf("Move %s in %s to the proposed version and back now? Until it is moved back, users get that version.", which, s.environment)
	case len(s.functions) == 1:
		text = fmt.Sprintf("Move %s in %s to version %s now?", which, s.environment, s.target(0, s.choices))
	}
	return report.Line(text, longestProblems)
}

// question returns the question about a function, with the proposed version and the
// reason for it.
func question(f report.Function) string {
	text := report.Line(fmt.Sprintf("Which version should %s:%s serve? It serves %s.", f.Function, f.Alias, strings.Join(servingOf(f), " and ")), longestProblems)
	switch {
	case f.Target != "":
		text += "\n" + report.Line(fmt.Sprintf("Version %s is proposed: %s.", f.Target, f.Why), longestProblems)
	case f.Why != "":
		text += "\n" + report.Line(fmt.Sprintf("No version is proposed: %s.", f.Why), longestProblems)
	}
	return text
}

// moveText returns which version a function moves from, and which version it moves
// to.
func moveText(f report.Function, target string) string {
	text := fmt.Sprintf("%s:%s moves from version %s to version %s.", f.Function, f.Alias, strings.Join(servingOf(f), " and "), target)
	if at := slices.IndexFunc(f.Versions, func(v report.Version) bool { return v.Version == target }); at >= 0 {
		v := f.Versions[at]
		if v.Rejected {
			text += fmt.Sprintf(" Version %s was rejected%s; this move removes the rejection.", target, byRun(v.RejectedBy))
		}
		if v.State != "" && v.State != "Active" {
			text += fmt.Sprintf(" Its state is %s.", v.State)
		}
	}
	return report.Line(text, longestProblems)
}

func byRun(run string) string {
	if run == "" {
		return ""
	}
	return " by run " + run
}

// label is the heading for one of several functions.
func label(f report.Function) string {
	return report.Line(f.Function+":"+f.Alias, longestProblems)
}

// versionNumber parses a version of the list; 0: not a number.
func versionNumber(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0 // $LATEST, or nothing
	}
	return n
}

func servingOf(f report.Function) []string {
	var all []string
	for _, v := range []string{f.From, f.CanaryVersion} {
		if v != "" {
			all = append(all, v)
		}
	}
	return all
}
