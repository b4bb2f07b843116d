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

// ErrAborted is returned if the prompt is cancelled: by Ctrl-C, by a signal, or by
// the end of the input.
var ErrAborted = errors.New("the prompt was cancelled")

// Screen shows prompts.
type Screen struct {
	In         io.Reader
	Out        io.Writer
	Accessible bool // line by line, without drawing
	// Width and Height are the size of the terminal, in cells; 0: not known.
	Width, Height int
}

// LineCount returns how many lines a text takes up on the screen. It rounds up,
// because lines break between words.
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

// ConfirmSpace returns how many lines fit above a yes-or-no question.
func (s Screen) ConfirmSpace() int {
	if s.Height == 0 || s.Accessible {
		return math.MaxInt
	}
	return max(s.Height-confirmLines, minLines)
}

// Page is one question, with the text above it. Exactly one of Choice, Input and
// Confirm is set.
type Page struct {
	// Description returns the text above the question; nil: none. It is called once
	// at the start to reserve space, and again when the earlier pages are answered.
	Description func() string
	// DescriptionLines is the largest number of lines of that text. The space is
	// reserved before the text is known.
	DescriptionLines int
	Title            func() string

	Choice  *Choice
	Input   *Input
	Confirm *Confirm
}

// Choice is a question with one answer out of several options.
type Choice struct {
	Options []Option
	Value   string // the answer; until then, the option under the cursor
}

// Option is one option of a Choice.
type Option struct {
	Label string // one line of plain text
	Value string
}

// Input is a question for a line of text. The answer may be empty.
type Input struct {
	Limit int // in characters
	Value string
}

// Confirm is a yes-or-no question. The default is no.
type Confirm struct {
	Yes, No string
	Value   bool
}

const (
	noteLines    = 2  // lines around the text of a note
	margin       = 10 // columns, more than the decoration takes
	minWidth     = 20 // columns for a text on any terminal
	confirmLines = 10 // of a yes-or-no question: title, buttons, help, noteLines
	minLines     = 4
	helpLines    = 3 // below a choice
)

// maxOptions is how many options are shown at once.
const maxOptions = 15

// Ask asks the questions of all pages in order. It returns ErrAborted if the prompt
// is cancelled.
//
// All pages run in a single Bubble Tea program: with one program per page, the first
// could read the keys that were typed for the second.
func (s Screen) Ask(ctx context.Context, pages []Page) error {
	if s.Accessible {
		return s.askAccessible(ctx, pages)
	}
	// Each text is set twice, as a value and as a function: the space that huh
	// reserves on the screen is computed from the value.
	groups := make([]*huh.Group, len(pages))
	answers := make([]any, len(pages)) // the texts are evaluated again when these change
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
	// A signal cancels ctx already: Bubble Tea must not handle it as well.
	form := huh.NewForm(groups...).WithTheme(huh.ThemeFunc(theme)).
		WithProgramOptions(tea.WithoutSignalHandler()).WithInput(s.In).WithOutput(s.Out)
	defer s.saveState()()
	return s.runUntilDone(ctx, func() error { return form.RunWithContext(ctx) })
}

// theme marks the button that Enter would press, for terminals without colours.
func theme(isDark bool) *huh.Styles {
	t := huh.ThemeCharm(isDark)
	t.Focused.FocusedButton = t.Focused.FocusedButton.SetString(">")
	return t
}

// selectField returns the field for a Choice. It shows as many options as fit on the
// screen.
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

// escapeMarkdown escapes the characters that a note would interpret as Markdown.
func escapeMarkdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "_", `\_`, "*", `\*`, "`", "\\`").Replace(text)
}

// askAccessible asks the questions line by line.
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
		case in.ended.Load(): // the end of the input is not an answer
			return ErrAborted
		}
	}
	return nil
}

// quitLimit is how long a prompt may take to restore the screen.
const quitLimit = 500 * time.Millisecond

// runUntilDone runs ask until it returns or ctx ends. Anything typed after that is
// not read.
func (s Screen) runUntilDone(ctx context.Context, ask func() error) error {
	done := make(chan error, 1)
	go func() { done <- ask() }()
	select {
	case err := <-done:
		switch {
		case errors.Is(err, huh.ErrUserAborted), ctx.Err() != nil:
			return ErrAborted
		case err != nil:
			return fmt.Errorf("failed to show the prompt: %w", err)
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

// saveState returns a function that restores the present state of the terminal,
// because a prompt that is abandoned may leave the terminal in raw mode.
func (s Screen) saveState() func() {
	file, is := s.In.(interface{ Fd() uintptr })
	if !is {
		return func() {}
	}
	state, err := term.GetState(int(file.Fd()))
	if err != nil {
		return func() {} // not a terminal
	}
	return func() { _ = term.Restore(int(file.Fd()), state) }
}

// byteReader reads one byte at a time, so that a question reads no more of the input
// than its own line. It records the end of the input.
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
