// Demo shows a newcomer what the action does: failed deploys and their rollbacks,
// against an emulator of AWS and GitHub on this machine.
//
//	go run ./test/demo            one scene in full, and a table of all scenes
//	go run ./test/demo -scene 2   another scene in full
//	go run ./test/demo -all       every scene in full
//	go run ./test/demo -brief     only the table
//	go run ./test/demo -keep DIR  also write the step summaries to files
//
// It exits with 1 if a scene does not end as it should. The package play contains
// the scenes. This program is small, so that it can say immediately what takes so
// long the first time: the compiler.
package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

func main() {
	os.Exit(realMain())
}

func realMain() int {
	// The scenes handle an interrupt themselves, and clean up.
	signal.Ignore(os.Interrupt)
	say("Compiling the action and an emulator of AWS and GitHub. The first time this takes up to a minute.\n\n")
	work, err := os.MkdirTemp("", "lambda-rollback-demo-")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	program := filepath.Join(work, "demo")
	if err := run("go", "build", "-o", program, "github.com/org/lambda-rollback-action/test/demo/play"); err != nil {
		return fail(err)
	}
	err = run(program, os.Args[1:]...)
	if exit, exited := err.(*exec.ExitError); exited { //nolint:errorlint // run returns the error unwrapped
		return exit.ExitCode()
	}
	if err != nil {
		return fail(err)
	}
	return 0
}

func run(name string, args ...string) error {
	command := exec.Command(name, args...) //nolint:noctx // the same interrupt ends it
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}

func fail(err error) int {
	say("demo: " + err.Error() + "\n")
	return 1
}

// say does not use fmt, because that would have to be compiled first.
func say(text string) { _, _ = os.Stderr.WriteString(text) }
