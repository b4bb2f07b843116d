// Bench measures how fast a failed deploy is rolled back. It runs the program as it
// is shipped, against fakes of AWS and GitHub on loopback that take as long as the
// real ones.
//
//	go run ./test/bench              # a table, in a few minutes
//	go run ./test/bench -run 60/300  # only the cases whose name contains this
//	go run ./test/bench -write       # also docs/performance.md and its plot
//
// For comparison, it also measures a floor of two calls (read the alias, move it)
// and, if they are installed, the AWS CLI and lambroll, which check nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == floorArgument {
		if err := floor(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bench(ctx context.Context) error {
	pick := flag.String("run", "", "measure only the cases whose name contains this")
	runs := flag.Int("n", 7, "runs of each case; the median is shown")
	write := flag.Bool("write", false, "write docs/performance.md and its plot")
	binary := flag.String("binary", "", "measure this binary instead of building one")
	flag.Parse()

	work, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return fmt.Errorf("failed to make a directory for the work: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	l := &lab{work: work, binary: *binary}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	var all []measured
	for _, c := range cases() {
		if !strings.Contains(c.name, *pick) {
			continue
		}
		m, err := l.measure(ctx, c, *runs)
		if err != nil {
			return fmt.Errorf("failed to measure %q: %w", c.name, err)
		}
		if len(all) == 0 {
			fmt.Println(header)
		}
		fmt.Println(m.line())
		all = append(all, m)
	}
	if len(all) == 0 {
		return errors.New("no case has that in its name")
	}
	if !*write {
		return nil
	}
	sizes, err := l.sizes(ctx)
	if err != nil {
		return err
	}
	return writePage(filepath.Join(l.module, "docs"), all, sizes)
}

// prepare builds the program to measure.
func (l *lab) prepare(ctx context.Context) error {
	gomod, err := output(ctx, "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	l.module = filepath.Dir(gomod)
	if l.binary == "" {
		l.binary = filepath.Join(l.work, "lambda-rollback-action")
		fmt.Fprintln(os.Stderr, "building the program…")
		if err := build(ctx, l.module, l.binary, "github.com/org/lambda-rollback-action"); err != nil {
			return err
		}
	}
	if l.image, err = imageEnvironment(filepath.Join(l.module, "Dockerfile")); err != nil {
		return err
	}
	l.self, err = os.Executable()
	return err
}

// imageEnvironment returns the environment variables that the image sets for the
// program.
func imageEnvironment(dockerfile string) (map[string]string, error) {
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		return nil, fmt.Errorf("failed to read the Dockerfile: %w", err)
	}
	_, stage, _ := strings.Cut(string(text), "\nFROM scratch\n")
	variables := map[string]string{}
	for line := range strings.Lines(stage) {
		if assignment, found := strings.CutPrefix(line, "ENV "); found {
			name, value, _ := strings.Cut(strings.TrimSpace(assignment), "=")
			variables[name] = value
		}
	}
	return variables, nil
}

func build(ctx context.Context, dir, out, what string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, what)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("failed to build %s: %w\n%s", what, err, text)
	}
	return nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("failed to run %s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
