// Play is the demo itself; see the parent directory. It builds the action, starts
// it as GitHub's runner would, and shows what it makes of situations that a deploy
// can leave behind. AWS and GitHub are played by test/emulator, Slack and the like
// by test/people; nothing leaves this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	os.Exit(realMain())
}

func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.IntVar(&o.scene, "scene", 0, "show the scene with this `number` in full instead of the first one")
	flags.BoolVar(&o.all, "all", false, "show every scene in full")
	flags.BoolVar(&o.brief, "brief", false, "show only the table of all scenes")
	flags.StringVar(&o.keep, "keep", "", "also write the step summaries to this `directory`")
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil: // flags said so
		return 2
	}
	all := scenes()
	if count := len(all); o.scene < 0 || o.scene > count || flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "demo: -scene takes a number from 1 to %d; there are no other arguments\n", count)
		return 2
	}
	wrong, err := demo(ctx, o, all, page{w: os.Stdout, colour: colourful(os.Stdout)})
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	case wrong > 0:
		return 1
	}
	return 0
}

type options struct {
	scene int // shown in full, counted from 1; 0: the first one
	all   bool
	brief bool
	keep  string
}

// shows tells whether the scene with this number is shown in full.
func (o options) shows(number int) bool {
	return !o.brief && (o.all || number == max(o.scene, 1))
}

// demo plays the scenes and says how many of them ended wrong.
func demo(ctx context.Context, o options, scenes []scene, p page) (wrong int, err error) {
	work, err := os.MkdirTemp("", "lambda-rollback-demo-")
	if err != nil {
		return 0, fmt.Errorf("failed to make a scratch directory: %w", err)
	}
	defer os.RemoveAll(work)
	if o.keep != "" {
		if err := os.MkdirAll(o.keep, 0o755); err != nil {
			return 0, fmt.Errorf("failed to make the directory for the summaries: %w", err)
		}
	}
	if !o.brief {
		p.introduction()
	}
	r, err := newRunner(ctx, work)
	if err != nil {
		return 0, err
	}
	var all []shown
	for i, s := range scenes {
		s, err := perform(ctx, r, s)
		if err != nil {
			return wrong, err
		}
		s.number = i + 1
		all = append(all, s)
		if len(s.wrong()) > 0 {
			wrong++
		}
		if o.shows(s.number) {
			p.scene(s)
		}
		if err := keep(o.keep, s); err != nil {
			return wrong, err
		}
	}
	p.table(all)
	promoted, err := playPromotions(work)
	if err != nil {
		return wrong, err
	}
	for _, s := range promoted {
		if !s.right() {
			wrong++
		}
	}
	p.promotions(promoted, o.all)
	if !o.brief && !o.all {
		p.line("More: go run ./test/demo -scene N shows another scene in full, -all shows all of them.")
	}
	return wrong, nil
}

// keep writes the summary of a scene as a file; GitHub shows it rendered.
func keep(dir string, s shown) error {
	if dir == "" {
		return nil
	}
	name := filepath.Join(dir, fmt.Sprintf("%d-%s.md", s.number, dashed(s.name)))
	if err := os.WriteFile(name, []byte(s.last().summary), 0o644); err != nil {
		return fmt.Errorf("failed to keep the summary: %w", err)
	}
	return nil
}

// colourful: colours are for people at a terminal who have not asked for none
// (https://no-color.org).
func colourful(f io.Writer) bool {
	file, ok := f.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
