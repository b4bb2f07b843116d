package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/report"
	"github.com/org/lambda-rollback-action/rollback"
	"github.com/org/lambda-rollback-action/terminal"
)

// person is whoever started the program with arguments.
type person struct {
	terminal.Screen

	asks bool // questions can be asked
	yes  bool // and are not wanted
	out  io.Writer
	// width is that of the terminal, in columns; 0: not known.
	width int
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
func (s *story) consult(functions []rollback.Function) bool {
	looked := s.lookAt(functions)
	if s.result.Status == report.Failed {
		return false
	}
	p := s.person
	choices := map[int]*terminal.Choice{}
	var pages []terminal.Page
	for i, f := range looked {
		if s.in.Command == "rollback" && s.in.Functions[i].Target != 0 {
			continue
		}
		p.show(report.VersionsText(f, s.clock.Now(), p.width))
		if s.in.Command == "drill" {
			continue
		}
		choice := p.choice(f)
		if len(choice.Options) == 0 {
			s.left("there is no other version of "+f.Function+" to choose", looked)
			return false
		}
		choices[i] = choice
		title := report.Line(fmt.Sprintf("Which version should %s:%s serve? It serves %s.", f.Function, f.Alias, strings.Join(servingOf(f), " and ")), longestProblems)
		pages = append(pages, terminal.Page{Title: func() string { return title }, Choice: choice})
	}
	outlook := func() string {
		var all []string
		for i, choice := range choices {
			all = append(all, s.outlook(looked[i], choice.Value))
		}
		slices.Sort(all)
		return strings.Join(append(all, report.NotRolledBackText), "\n\n")
	}
	why := &terminal.Line{Limit: longestReason, Value: s.in.Reason}
	sure := &terminal.Sure{Yes: "Yes, move", No: "No, leave all as it is"}
	if s.in.Command == "rollback" && s.in.Reason == "" {
		pages = append(pages, terminal.Page{
			Title: func() string { return "Why? (the log and the summary repeat it; Enter leaves it out)" }, Line: why,
		})
	}
	last := terminal.Page{Title: func() string { return s.question(choices) }, Sure: sure}
	if s.in.Command == "rollback" {
		last.Before, last.Lines = outlook, p.lines(report.NotRolledBackText)
		for i, choice := range choices {
			most := 0
			for _, o := range choice.Options {
				most = max(most, p.lines(s.outlook(looked[i], o.Value)))
			}
			last.Lines += most + 1
		}
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
	for i, choice := range choices {
		s.in.Functions[i].Target, s.in.Functions[i].Seen = versionNumber(choice.Value), versionNumber(looked[i].From)
	}
	s.in.Reason = strings.TrimSpace(why.Value)
	s.result.Because = s.in.Reason
	return true
}

// lookAt reads the versions of every function.
func (s *story) lookAt(functions []rollback.Function) []report.Function {
	ctx, cancel := s.limited()
	defer cancel()
	looked := rollback.List(ctx, functions, s.in.ListLimit)
	for _, f := range looked {
		if f.Status == report.Failed {
			s.result.Functions = looked
			report.Conclude(&s.result)
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
		_, _ = fmt.Fprintf(p.out, "\n%s\n\n", text)
	}
}

// lines is how many lines a text takes on the screen, with some room for where
// it is broken.
func (p *person) lines(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if p.width > 0 {
			n += len(line) / max(p.width-10, 20)
		}
	}
	return n
}

// choice has the versions to choose from; the cursor is on the proposed one.
func (p *person) choice(f report.Function) *terminal.Choice {
	c := &terminal.Choice{}
	for _, v := range f.Versions {
		if v.Serving && len(servingOf(f)) == 1 {
			continue // it is there already
		}
		c.Options = append(c.Options, terminal.Option{Label: v.Label(f.Why), Value: v.Version})
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
	for _, v := range f.Versions {
		if v.Serving {
			all = append(all, v.Version)
		}
	}
	if len(all) == 0 {
		return []string{f.From}
	}
	return all
}

// outlook is what will change for one function.
func (s *story) outlook(f report.Function, target string) string {
	at := slices.IndexFunc(f.Versions, func(v report.Version) bool { return v.Version == target })
	if at < 0 {
		return ""
	}
	v := f.Versions[at]
	text := fmt.Sprintf("%s:%s goes from version %s to version %s.", f.Function, f.Alias, f.From, target)
	if v.Rejected {
		text += fmt.Sprintf(" Version %s was rejected before%s; it will count as good again.", target, byRun(v.RejectedBy))
	}
	if v.State != "" && v.State != "Active" {
		text += fmt.Sprintf(" Its state is %s.", v.State)
	}
	text = report.Line(text, longestProblems)
	if changes := report.ChangesText(v.Changes, f.From, target); changes != "" {
		text += "\n\n" + changes
	}
	return text
}

func byRun(run string) string {
	if run == "" {
		return ""
	}
	return " by run " + run
}

func (s *story) question(choices map[int]*terminal.Choice) string {
	text := fmt.Sprintf("Move %s in %s now?", s.which(), s.in.Environment)
	switch {
	case s.in.Command == "drill":
		text = fmt.Sprintf("Move %s in %s back and forth now? Users of it are served the older version meanwhile.", s.which(), s.in.Environment)
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
