// Package runner_test drives the shipped binary as GitHub's runner does: as a
// child process with the container's environment and files, against AWS and
// GitHub as test/emulator plays them, over real sockets. It knows nothing of
// the program's inside: what it takes from the repository is action.yml.
package runner_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/test/binary"
)

// program is the path of the program.
var program string

// manifest is what action.yml tells the runner.
var manifest struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Outputs map[string]any `yaml:"outputs"`
}

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

// atOnce is how many tests run side by side, on any machine: nearly all of them
// wait. With many more they wait for each other's processors.
const atOnce = "32"

func testMain(m *testing.M) int {
	flag.Parse()
	if asked := flag.Lookup("test.parallel"); asked.Value.String() == asked.DefValue {
		_ = asked.Value.Set(atOnce)
	}
	dir, err := os.MkdirTemp("", "runner-test")
	if err != nil {
		fmt.Fprintf(os.Stderr, "failed to make a directory for the binary: %v\n", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go watchLateness()
	return m.Run()
}

// noticed reads each file that the program is made of. go test shows an earlier
// result again where the files that a test read are the same, and of what is read
// to build the program it knows nothing.
var noticed = sync.OnceValue(func() error {
	list := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{$dir := .Dir}}{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$dir}}/{{.}}
{{end}}{{range $.EmbedFiles}}{{$dir}}/{{.}}
{{end}}{{end}}{{end}}{{end}}`, "github.com/org/lambda-rollback-action")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("failed to list the files of the program: %w", err)
	}
	for _, name := range append(strings.Fields(string(out)), "../../action.yml", "../../go.mod") {
		if _, err := os.ReadFile(name); err != nil {
			return fmt.Errorf("failed to read a file of the program: %w", err)
		}
	}
	return nil
})

func prepare(dir string) error {
	text, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	if err != nil {
		return fmt.Errorf("failed to read the manifest: %w", err)
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		return fmt.Errorf("failed to parse the manifest: %w", err)
	}
	program, err = binary.Build(context.Background(), dir)
	return err
}
