package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// ErrAborted is the answer of somebody who does not want to go on: Ctrl-C, a
// signal, or the end of the input.
var ErrAborted = errors.New("left at the prompt")

// Screen asks questions.
type Screen struct {
	In         io.Reader
	Out        io.Writer
	Accessible bool // line by line
	// Width and Height are those of the terminal, in cells; 0: not known.
	Width, Height int
}

// Lines is how many lines a text takes on the screen, with some room for where
// it is broken.
func (s Screen) Lines(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if s.Width > 0 {
			n += ansi.StringWidth(line) / max(s.Width-margin, leastWidth)
		}
	}
	return n
}

// Room is how many lines there are above a question for yes or no.
func (s Screen) Room() int {
	if s.Height == 0 || s.Accessible {
		return math.MaxInt
	}
	return max(s.Height-sureLines, leastRoom)
}

// Page is one question, with what is to be read before it. One of Choice, Line
// and Sure is given.
type Page struct {
	// Before gives the text above the question, for which the answers of the
	// earlier pages are known; nil: none.
	Before func() string
	// Lines is how many lines that text can have: room is made for it before it
	// is known.
	Lines int
	Title func() string

	Choice *Choice
	Line   *Line
	Sure   *Sure
}

// Choice is a question for one of several.
type Choice struct {
	Options []Option
	Value   string // the answer; before it, where the cursor is
}

// Option is one of several to choose from.
type Option struct {
	Label string // one line of plain text
	Value string
}

// Line is a question for a line of text. Nothing is an answer, too.
type Line struct {
	Limit int // in characters
	Value string
}

// Sure is a question for yes or no. What is not said is no.
type Sure struct {
	Yes, No string
	Value   bool
}

const (
	notesOwn   = 2  // lines that a note has around its text
	margin     = 10 // columns, more than the decoration takes
	leastWidth = 20 // columns that a text is given on any terminal
	sureLines  = 10 // of a question for yes or no: title, buttons, help, notesOwn
	leastRoom  = 4
	helpLines  = 3 // below a choice
)

// mostShown is how many options are on the screen at once.
const mostShown = 15

// Ask goes through the pages. The error is ErrAborted where somebody left.
//
// All pages are one program on the screen: of two in a row, the first could
// swallow what is typed for the second.
func (s Screen) Ask(ctx context.Context, pages []Page) error {
	if s.Accessible {
		return s.askInLines(ctx, pages)
	}
	// Each text is given as it is now, too: what room the screen keeps is
	// reckoned from that.
	groups := make([]*huh.Group, len(pages))
	answers := make([]any, len(pages)) // what the texts depend on
	for i, p := range pages {
		var fields []huh.Field
		if p.Before != nil {
			fields = append(fields, huh.NewNote().Height(p.Lines+notesOwn).Description(unstyled(p.Before())).DescriptionFunc(func() string { return unstyled(p.Before()) }, &answers))
		}
		switch {
		case p.Choice != nil:
			answers[i] = p.Choice
			fields = append(fields, p.choose(s).Title(p.Title()).TitleFunc(p.Title, &answers))
		case p.Line != nil:
			answers[i] = p.Line
			fields = append(fields, huh.NewInput().CharLimit(p.Line.Limit).Value(&p.Line.Value).Title(p.Title()).TitleFunc(p.Title, &answers))
		case p.Sure != nil:
			fields = append(fields, huh.NewConfirm().Affirmative(p.Sure.Yes).Negative(p.Sure.No).Value(&p.Sure.Value).Title(p.Title()).TitleFunc(p.Title, &answers))
		}
		groups[i] = huh.NewGroup(fields...)
	}
	// A signal ends ctx: a second handler would get in the way of that.
	form := huh.NewForm(groups...).WithTheme(huh.ThemeFunc(theme)).
		WithProgramOptions(tea.WithoutSignalHandler()).WithInput(s.In).WithOutput(s.Out)
	defer s.tidy()()
	return s.run(ctx, func() error { return form.RunWithContext(ctx) })
}

// theme marks the button that Enter would press: colours alone tell nothing
// where there are none.
func theme(isDark bool) *huh.Styles {
	t := huh.ThemeCharm(isDark)
	t.Focused.FocusedButton = t.Focused.FocusedButton.SetString(">")
	return t
}

// choose has as many options on the screen as there is room for.
func (p Page) choose(s Screen) *huh.Select[string] {
	title := s.Lines(p.Title())
	shown := min(len(p.Choice.Options), mostShown)
	if s.Height > 0 {
		shown = min(shown, max(s.Height-title-helpLines, leastRoom))
	}
	choices := make([]huh.Option[string], len(p.Choice.Options))
	for i, o := range p.Choice.Options {
		choices[i] = huh.NewOption(o.Label, o.Value)
	}
	return huh.NewSelect[string]().Options(choices...).Height(shown + title).Value(&p.Choice.Value)
}

// unstyled keeps a note from reading signs in the text as a style.
func unstyled(text string) string {
	return strings.NewReplacer(`\`, `\\`, "_", `\_`, "*", `\*`, "`", "\\`").Replace(text)
}

// askInLines asks one question after the other, each on lines of its own.
func (s Screen) askInLines(ctx context.Context, pages []Page) error {
	in := &lines{from: s.In}
	for _, p := range pages {
		if p.Before != nil {
			_, _ = fmt.Fprintf(s.Out, "\n%s\n\n", p.Before())
		}
		var field huh.Field
		switch {
		case p.Choice != nil:
			field = p.choose(s).Title(p.Title())
		case p.Line != nil:
			field = huh.NewInput().Title(p.Title()).CharLimit(p.Line.Limit).Value(&p.Line.Value)
		case p.Sure != nil:
			field = huh.NewConfirm().Title(p.Title()).Affirmative(p.Sure.Yes).Negative(p.Sure.No).Value(&p.Sure.Value)
		}
		field = field.WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return &huh.Styles{} })) // no colours
		err := s.run(ctx, func() error { return field.RunAccessible(s.Out, in) })
		switch {
		case err != nil:
			return err
		case in.ended.Load(): // which is no answer
			return ErrAborted
		}
	}
	return nil
}

// leaveLimit is how long a question may take to leave the screen in order.
const leaveLimit = 500 * time.Millisecond

// run asks. Where ctx ends, it gives that up: what somebody may still type is
// not read by anyone.
func (s Screen) run(ctx context.Context, ask func() error) error {
	done := make(chan error, 1)
	go func() { done <- ask() }()
	select {
	case err := <-done:
		switch {
		case errors.Is(err, huh.ErrUserAborted), ctx.Err() != nil:
			return ErrAborted
		case err != nil:
			return fmt.Errorf("failed to ask: %w", err)
		}
		return nil
	case <-ctx.Done():
		if !s.Accessible {
			select {
			case <-done: //nolint:errcheck // ctx has ended: that is the answer
			case <-time.After(leaveLimit):
			}
		}
		return ErrAborted
	}
}

// tidy gives what puts the terminal back into its state of now, whatever a
// question that had to be given up has left.
func (s Screen) tidy() func() {
	file, is := s.In.(interface{ Fd() uintptr })
	if !is {
		return func() {}
	}
	state, err := term.GetState(int(file.Fd()))
	if err != nil {
		return func() {} // it is no terminal
	}
	return func() { _ = term.Restore(int(file.Fd()), state) }
}

// lines hands on one byte at a time, so that a question takes no more of the
// input than its own line, and takes note of the input's end.
type lines struct {
	from  io.Reader
	ended atomic.Bool
}

func (l *lines) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := l.from.Read(p[:1])
	if err != nil {
		l.ended.Store(true)
	}
	return n, err
}
