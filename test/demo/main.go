// Demo shows to a newcomer what the action does: it builds it, starts it as
// GitHub's runner would, and shows what it makes of situations that a deploy
// can leave behind. AWS and GitHub are played by test/emulator, Slack and the
// like by test/people; nothing leaves this machine.
//
//	go run ./test/demo            all scenes
//	go run ./test/demo -scene 2   one of them
//	go run ./test/demo -brief     only the closing table
//	go run ./test/demo -keep DIR  the summaries as files, too
//
// It exits with 1 where a scene ends otherwise than it should.
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
	flags.IntVar(&o.scene, "scene", 0, "show the scene with this `number` alone")
	flags.BoolVar(&o.brief, "brief", false, "show the closing table alone")
	flags.StringVar(&o.keep, "keep", "", "write the step summaries to this `directory`")
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil: // flags said so
		return 2
	}
	all := scenes()
	if count := len(all); o.scene < 0 || o.scene > count || flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "demo: -scene takes a number from 1 to %d; there are no arguments beside the flags\n", count)
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
	scene int // counted from 1; 0: all
	brief bool
	keep  string
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
		if o.scene != 0 && o.scene != i+1 {
			continue
		}
		s, err := perform(ctx, r, s)
		if err != nil {
			return wrong, err
		}
		s.number = i + 1
		all = append(all, s)
		if len(s.wrong()) > 0 {
			wrong++
		}
		if !o.brief {
			p.scene(s)
		}
		if err := keep(o.keep, s); err != nil {
			return wrong, err
		}
	}
	p.table(all)
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
