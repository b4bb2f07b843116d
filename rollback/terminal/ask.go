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

// LineCount is how many lines a text takes on the screen, with some room for where
// it is broken.
func (s Screen) LineCount(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if s.Width > 0 {
			n += ansi.StringWidth(line) / max(s.Width-margin, minWidth)
		}
	}
	return n
}

// ConfirmSpace is how many lines fit above a question for yes or no.
func (s Screen) ConfirmSpace() int {
	if s.Height == 0 || s.Accessible {
		return math.MaxInt
	}
	return max(s.Height-confirmLines, minLines)
}

// Page is one question, with what is to be read before it. One of Choice,
// Input and Confirm is given.
type Page struct {
	// Description gives the text above the question, for which the answers of the
	// earlier pages are known; nil: none.
	Description func() string
	// DescriptionLines is how many lines that text can have: space is reserved for
	// it before it is known.
	DescriptionLines int
	Title            func() string

	Choice  *Choice
	Input   *Input
	Confirm *Confirm
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

// Input is a question for a line of text. Nothing is an answer, too.
type Input struct {
	Limit int // in characters
	Value string
}

// Confirm is a question for yes or no. What is not said is no.
type Confirm struct {
	Yes, No string
	Value   bool
}

const (
	noteLines    = 2  // lines that a note has around its text
	margin       = 10 // columns, more than the decoration takes
	minWidth     = 20 // columns that a text is given on any terminal
	confirmLines = 10 // of a question for yes or no: title, buttons, help, noteLines
	minLines     = 4
	helpLines    = 3 // below a choice
)

// maxOptions is how many options are on the screen at once.
const maxOptions = 15

// Ask goes through the pages. The error is ErrAborted where somebody left.
//
// All pages are one program on the screen: of two in a row, the first could
// swallow what is typed for the second.
func (s Screen) Ask(ctx context.Context, pages []Page) error {
	if s.Accessible {
		return s.askAccessible(ctx, pages)
	}
	// Each text is given as it is now, too: the space that the screen reserves is
	// computed from that.
	groups := make([]*huh.Group, len(pages))
	answers := make([]any, len(pages)) // what the texts depend on
	for i, p := range pages {
		var fields []huh.Field
		if p.Description != nil {
			fields = append(fields, huh.NewNote().Height(p.DescriptionLines+noteLines).Description(escapeMarkdown(p.Description())).DescriptionFunc(func() string { return escapeMarkdown(p.Description()) }, &answers))
		}
		switch {
		case p.Choice != nil:
			answers[i] = p.Choice
			fields = append(fields, p.selectField(s).Title(p.Title()).TitleFunc(p.Title, &answers))
		case p.Input != nil:
			answers[i] = p.Input
			fields = append(fields, huh.NewInput().CharLimit(p.Input.Limit).Value(&p.Input.Value).Title(p.Title()).TitleFunc(p.Title, &answers))
		case p.Confirm != nil:
			fields = append(fields, huh.NewConfirm().Affirmative(p.Confirm.Yes).Negative(p.Confirm.No).Value(&p.Confirm.Value).Title(p.Title()).TitleFunc(p.Title, &answers))
		}
		groups[i] = huh.NewGroup(fields...)
	}
	// A signal ends ctx: a second handler would get in the way of that.
	form := huh.NewForm(groups...).WithTheme(huh.ThemeFunc(theme)).
		WithProgramOptions(tea.WithoutSignalHandler()).WithInput(s.In).WithOutput(s.Out)
	defer s.saveState()()
	return s.runUntilDone(ctx, func() error { return form.RunWithContext(ctx) })
}

// theme marks the button that Enter would press: colours alone say nothing
// where there are none.
func theme(isDark bool) *huh.Styles {
	t := huh.ThemeCharm(isDark)
	t.Focused.FocusedButton = t.Focused.FocusedButton.SetString(">")
	return t
}

// selectField shows as many options as fit on the screen.
func (p Page) selectField(s Screen) *huh.Select[string] {
	title := s.LineCount(p.Title())
	shown := min(len(p.Choice.Options), maxOptions)
	if s.Height > 0 {
		shown = min(shown, max(s.Height-title-helpLines, minLines))
	}
	choices := make([]huh.Option[string], len(p.Choice.Options))
	for i, o := range p.Choice.Options {
		choices[i] = huh.NewOption(o.Label, o.Value)
	}
	return huh.NewSelect[string]().Options(choices...).Height(shown + title).Value(&p.Choice.Value)
}

// escapeMarkdown keeps a note from reading characters in the text as a style.
func escapeMarkdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "_", `\_`, "*", `\*`, "`", "\\`").Replace(text)
}

// askAccessible asks one question after the other, each on lines of its own.
func (s Screen) askAccessible(ctx context.Context, pages []Page) error {
	in := &byteReader{from: s.In}
	for _, p := range pages {
		if p.Description != nil {
			_, _ = fmt.Fprintf(s.Out, "\n%s\n\n", p.Description())
		}
		var field huh.Field
		switch {
		case p.Choice != nil:
			field = p.selectField(s).Title(p.Title())
		case p.Input != nil:
			field = huh.NewInput().Title(p.Title()).CharLimit(p.Input.Limit).Value(&p.Input.Value)
		case p.Confirm != nil:
			field = huh.NewConfirm().Title(p.Title()).Affirmative(p.Confirm.Yes).Negative(p.Confirm.No).Value(&p.Confirm.Value)
		}
		field = field.WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return &huh.Styles{} })) // no colours
		err := s.runUntilDone(ctx, func() error { return field.RunAccessible(s.Out, in) })
		switch {
		case err != nil:
			return err
		case in.ended.Load(): // which is no answer
			return ErrAborted
		}
	}
	return nil
}

// quitLimit is how long a question may take to leave the screen in order.
const quitLimit = 500 * time.Millisecond

// runUntilDone asks until there is an answer or ctx ends: what somebody may type
// after that is not read.
func (s Screen) runUntilDone(ctx context.Context, ask func() error) error {
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
			grace, stop := context.WithTimeout(context.WithoutCancel(ctx), quitLimit)
			defer stop()
			select {
			case <-done: //nolint:errcheck // ctx has ended: that is the answer
			case <-grace.Done():
			}
		}
		return ErrAborted
	}
}

// saveState gives what restores the terminal's present state, whatever a question
// that was given up has left.
func (s Screen) saveState() func() {
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

// byteReader hands on one byte at a time, so that a question takes no more of the
// input than its own line, and takes note of the input's end.
type byteReader struct {
	from  io.Reader
	ended atomic.Bool
}

func (l *byteReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := l.from.Read(p[:1])
	if err != nil {
		l.ended.Store(true)
	}
	return n, err
}
