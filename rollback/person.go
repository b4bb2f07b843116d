package rollback

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/terminal"
)

// person is whoever started the program with arguments.
type person struct {
	terminal.Screen

	asks bool // questions can be asked
	yes  bool // and are not wanted
}

// longestReason is how many characters a person may give as a reason.
const longestReason = 300

// mustBeAsked tells whether what was asked for needs a person's word: it would
// move an alias to where nobody has said.
func (s *story) mustBeAsked() bool {
	if s.person == nil || s.person.yes || s.in.DryRun {
		return false
	}
	switch s.in.Command {
	case "drill":
		return true
	case "rollback":
		return slices.ContainsFunc(s.in.Functions, func(f github.Function) bool { return f.Target == 0 })
	default:
		return false
	}
}

// refuseUnasked refuses what nobody can be asked about.
func (s *story) refuseUnasked() bool {
	if !s.mustBeAsked() || s.person.asks {
		return false
	}
	what := "choose the version by --target-version, or take the last good one by --yes"
	if s.in.Command == "drill" {
		what = "say so by --yes"
	}
	s.everywhere(report.Failed, report.InvalidInput,
		"nothing was moved: this is not a terminal, so nobody could be asked: "+what+"; --dry-run shows what would be done")
	return true
}

// consult shows a person what there is, lets choose, and asks whether to go on.
// Where it gives false, the result says that nothing was moved.
func (s *story) consult(functions []alias.Function) bool {
	looked := s.lookAt(functions)
	if s.result.Status == report.Failed || s.refuseLatest(looked) {
		return false
	}
	p := s.person
	choices := map[int]*terminal.Choice{}
	var pages []terminal.Page
	for i, f := range looked {
		if s.in.Command == "rollback" && s.in.Functions[i].Target != 0 {
			continue
		}
		table := report.VersionsText(f, s.Clock.Now(), p.Width)
		if len(looked) > 1 && table != "" {
			table = label(f) + "\n" + table
		}
		p.show(table)
		if s.in.Command == "drill" {
			continue
		}
		choice := p.choice(f)
		if len(choice.Options) == 0 {
			s.left("there is no other version of "+f.Function+" to choose", looked)
			return false
		}
		choices[i] = choice
		title := question(f)
		pages = append(pages, terminal.Page{Title: func() string { return title }, Choice: choice})
	}
	outlook := func() string { return s.outlook(looked, choices) }
	why := &terminal.Line{Limit: longestReason, Value: s.in.Reason}
	sure := &terminal.Sure{Yes: "Yes, move", No: "No, leave all as it is"}
	if s.in.Command == "rollback" && s.in.Reason == "" {
		pages = append(pages, terminal.Page{
			Title: func() string { return "Why? (the log and the summary repeat it; Enter leaves it out)" }, Line: why,
		})
	}
	last := terminal.Page{Title: func() string { return s.lastQuestion(looked, choices) }, Sure: sure}
	if s.in.Command == "rollback" {
		last.Before, last.Lines = outlook, min(s.longestOutlook(looked, choices), p.Room())
	}
	err := p.Ask(s.work, append(pages, last))
	switch {
	case err != nil && !errors.Is(err, terminal.ErrAborted):
		s.left(err.Error(), looked)
		return false
	case err != nil || !sure.Value:
		s.left("it was not confirmed", looked)
		return false
	}
	for i, f := range looked {
		seen := &s.in.Functions[i]
		seen.Seen, seen.SeenBeside = versionNumber(f.From), versionNumber(f.CanaryVersion)
		if choice, chosen := choices[i]; chosen {
			seen.Target = versionNumber(choice.Value)
		}
	}
	s.in.Reason = strings.TrimSpace(why.Value)
	s.result.RequestReason = s.in.Reason
	return true
}

// lookAt reads the versions of every function.
func (s *story) lookAt(functions []alias.Function) []report.Function {
	ctx, cancel := s.limited()
	defer cancel()
	looked := alias.List(ctx, functions, s.in.ListLimit)
	for _, f := range looked {
		if f.Status == report.Failed {
			s.everywhere(report.Failed, f.Reason, "nothing was moved: "+f.Message)
			s.result.Declined = f.Reason == report.Cancelled
			return nil
		}
	}
	for i := range looked {
		looked[i] = s.redactor.Function(looked[i])
	}
	return looked
}

func (p *person) show(text string) {
	if text != "" {
		_, _ = fmt.Fprintf(p.Out, "\n%s\n\n", text)
	}
}

// question is what a person is asked about a function, with what is proposed
// and why.
func question(f report.Function) string {
	text := report.Line(fmt.Sprintf("Which version should %s:%s serve? It serves %s.", f.Function, f.Alias, strings.Join(servingOf(f), " and ")), longestProblems)
	switch {
	case f.Target != "":
		text += "\n" + report.Line(fmt.Sprintf("Version %s is proposed: %s.", f.Target, f.Why), longestProblems)
	case f.Why != "":
		text += "\n" + report.Line(fmt.Sprintf("None is proposed: %s.", f.Why), longestProblems)
	}
	return text
}

// refuseLatest refuses to ask where no answer could be carried out.
func (s *story) refuseLatest(looked []report.Function) bool {
	at := slices.IndexFunc(looked, func(f report.Function) bool { return f.From == "$LATEST" })
	if at < 0 {
		return false
	}
	s.everywhere(report.Failed, report.AliasOnLatest, fmt.Sprintf(
		"nothing was moved: of %s, %s", s.in.Functions[at], looked[at].Why))
	return true
}

const (
	labelsOwn  = 6 // columns of the cursor before a label, and some room
	leastLabel = 30
)

// choice has the versions to choose from; the cursor is on the proposed one.
func (p *person) choice(f report.Function) *terminal.Choice {
	c := &terminal.Choice{}
	for _, v := range f.Versions {
		if v.Serving && len(servingOf(f)) == 1 {
			continue // it is there already
		}
		label := v.Label()
		if p.Width > 0 && !p.Accessible {
			label = ansi.Truncate(label, max(p.Width-labelsOwn, leastLabel), "…")
		}
		c.Options = append(c.Options, terminal.Option{Label: label, Value: v.Version})
	}
	if len(c.Options) > 0 {
		c.Value = cmp.Or(f.Target, c.Options[0].Value)
	}
	return c
}

// versionNumber reads a version of the list; 0: it is none.
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

// label heads what is about one of several functions.
func label(f report.Function) string {
	return report.Line(f.Function+":"+f.Alias, longestProblems)
}

// outlook is what will change: first which versions, then what differs between
// them, as far as there is room for it.
func (s *story) outlook(looked []report.Function, choices map[int]*terminal.Choice) string {
	var ways, differences []string
	for i, f := range looked {
		target := strconv.FormatInt(s.in.Functions[i].Target, 10)
		if choice, chosen := choices[i]; chosen {
			target = choice.Value
		}
		ways = append(ways, way(f, target))
		if at := slices.IndexFunc(f.Versions, func(v report.Version) bool { return v.Version == target }); at >= 0 {
			text := report.ChangesText(f.Versions[at].Changes, f.From, target, s.person.Width-labelsOwn)
			if text != "" && len(looked) > 1 {
				text = label(f) + "\n" + text
			}
			differences = append(differences, text)
		}
	}
	all := append(append(ways, report.NotRolledBack), slices.DeleteFunc(differences, func(text string) bool { return text == "" })...)
	return s.fit(strings.Join(all, "\n\n"))
}

// fit cuts a text to what there is room for; the result has it all.
func (s *story) fit(text string) string {
	room := s.person.Room()
	lines := strings.Split(text, "\n")
	used := 0
	for i, line := range lines {
		if used += max(s.person.Lines(line), 1); used > room || used == room && i < len(lines)-1 {
			return strings.TrimRight(strings.Join(lines[:i], "\n"), "\n") + fmt.Sprintf("\n… and %d more lines, which the result will have", len(lines)-i)
		}
	}
	return text
}

// longestOutlook is how many lines the outlook can have, whatever is chosen.
func (s *story) longestOutlook(looked []report.Function, choices map[int]*terminal.Choice) int {
	total := s.person.Lines(s.outlook(looked, choices))
	for i, choice := range choices {
		chosen, now, most := choice.Value, 0, 0
		for _, o := range choice.Options {
			choice.Value = o.Value
			n := s.person.Lines(s.outlook(looked[i:i+1], map[int]*terminal.Choice{0: choice}))
			if most = max(most, n); o.Value == chosen {
				now = n
			}
		}
		choice.Value = chosen
		total += most - now
	}
	return total
}

// way is where one function goes.
func way(f report.Function, target string) string {
	text := fmt.Sprintf("%s:%s goes from version %s to version %s.", f.Function, f.Alias, strings.Join(servingOf(f), " and "), target)
	if at := slices.IndexFunc(f.Versions, func(v report.Version) bool { return v.Version == target }); at >= 0 {
		v := f.Versions[at]
		if v.Rejected {
			text += fmt.Sprintf(" Version %s was rejected before%s; it will count as good again.", target, byRun(v.RejectedBy))
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

func (s *story) lastQuestion(looked []report.Function, choices map[int]*terminal.Choice) string {
	text := fmt.Sprintf("Move %s in %s now?", s.which(), s.in.Environment)
	switch {
	case s.in.Command == "drill" && len(looked) == 1 && looked[0].Target != "":
		text = fmt.Sprintf("Move %s in %s to version %s and back now? Users of it are served that version meanwhile.", s.which(), s.in.Environment, looked[0].Target)
	case s.in.Command == "drill":
		text = fmt.Sprintf("Move %s in %s to the proposed version and back now? Users are served that one meanwhile.", s.which(), s.in.Environment)
	case len(s.in.Functions) == 1:
		text = fmt.Sprintf("Move %s in %s to version %s now?", s.which(), s.in.Environment, choices[0].Value)
	}
	return report.Line(text, longestProblems)
}

func (s *story) which() string {
	var all []string
	for _, f := range s.in.Functions {
		all = append(all, f.String())
	}
	return strings.Join(all, ", ")
}

// left is the result of a person who did not want to go on, or cannot.
func (s *story) left(why string, looked []report.Function) {
	var where []string
	for i, f := range looked {
		where = append(where, fmt.Sprintf("%s serves version %s", s.in.Functions[i], strings.Join(servingOf(f), " and ")))
	}
	s.everywhere(report.Failed, report.Cancelled, "nothing was moved: "+why+"; "+strings.Join(where, ", "))
	s.result.Declined = true
}
