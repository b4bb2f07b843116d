// Package e2e_test runs the workflows of the README and the examples in
// containers: nektos/act is the runner, the Dockerfile is built as a job on
// GitHub would build it, and the action reaches AWS and GitHub, as test/emulator
// plays them, over the network. It needs a Docker engine, so it only runs where
// .ci/containers calls it.
package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

var (
	act  = flag.String("act", "", "the program nektos/act; without it, all of these tests are skipped")
	base = flag.String("base", "", "the image that jobs run in, and that stands in for the Dockerfile's base if that is another one")
)

// checkout is what a job of a workflow finds in its workspace: this repository,
// and the scripts of a user beside it.
var checkout string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	flag.Parse()
	if *act == "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "e2e-test")
	if err != nil {
		fmt.Fprintf(os.Stderr, "failed to make a directory for the checkout: %v\n", err)
		return 1
	}
	defer os.RemoveAll(dir)
	checkout = filepath.Join(dir, "shop")
	if err := prepare(checkout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { // all but the first are what act calls what it built
		_ = exec.Command("docker", "image", "rm", "--force", image, "act-dockeraction", "act-org-lambda-rollback-action-v1-dockeraction", "act-lambda-rollback-action-dockeraction").Run()
	}()
	return m.Run()
}

// needsEngine skips where there is no engine.
func needsEngine(t *testing.T) {
	t.Helper()
	if *act == "" {
		t.Skip("this needs a Docker engine and nektos/act, which .ci/containers brings along: run that")
	}
}

// scripts are what the workflows call. Each hands on to the program that deploys.
// Its credentials are its own, so that the action has to get some by itself.
var scripts = map[string]string{"deploy.sh": "all", "publish.sh": "canary", "publish-version.sh": "publish", "watch.sh": "watch", "promote.sh": "promote", "sync.sh": "sync"}

const script = `#!/usr/bin/env bash
export AWS_ACCESS_KEY_ID=AKIDDEPLOY AWS_SECRET_ACCESS_KEY=deploy
export AWS_REGION="${AWS_REGION:-eu-west-1}" FUNCTIONS="${FUNCTIONS:-checkout-api:live}"
exec ./deploy %s "$@"
`

// prepare makes the checkout. Nothing in it depends on the test, so that the
// image is compiled once.
func prepare(dir string) error {
	listed, err := exec.Command("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("failed to list the files of the repository: %w", err)
	}
	for name := range strings.Lines(string(listed)) {
		if err := copyFile(dir, strings.TrimSuffix(name, "\n")); err != nil {
			return err
		}
	}
	for name, does := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, script, does), 0o755); err != nil {
			return fmt.Errorf("failed to write the script %s: %w", name, err)
		}
	}
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "deploy"), "./deploy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, command := range []*exec.Cmd{
		build,
		exec.Command("git", "-C", dir, "init", "-q", "-b", "main"),
		exec.Command("git", "-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "Sell shoes"),
	} {
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("failed to run %s: %w\n%s", command, err, out)
		}
	}
	return nil
}

func copyFile(dir, name string) error {
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return fmt.Errorf("failed to read %s: %w", name, err)
	}
	if name == "Dockerfile" {
		text = onBase(text)
	}
	to := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("failed to make the directory of %s: %w", name, err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return fmt.Errorf("failed to copy %s: %w", name, err)
	}
	return nil
}

// onBase puts the base image of these tests into the first FROM of the
// Dockerfile. It is the same one, unless no registry can be reached.
func onBase(dockerfile []byte) []byte {
	lines := strings.Split(string(dockerfile), "\n")
	for i, line := range lines {
		if words := strings.Fields(line); len(words) == 5 && words[0] == "FROM" && words[3] == "AS" {
			words[2] = *base
			lines[i] = strings.Join(words, " ")
			break
		}
	}
	return []byte(strings.Join(lines, "\n"))
}
