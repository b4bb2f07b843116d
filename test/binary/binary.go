// Package binary builds the program for the tests and the demo that run it.
package binary

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const program = "github.com/org/lambda-rollback-action"

// Build puts the program into dir, built with the Dockerfile's flags, and gives
// its path. It links only what was not linked before, by whichever package: go
// run keeps what it links in Go's build cache, and go build does not. For that
// the program needs a build ID, which the image leaves out.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "lambda-rollback-action")
	build := exec.CommandContext(ctx, "go", "run", "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-exec", `sh -c 'cp "$0" "$COPY"'`, program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "COPY="+path)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("failed to build the program: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return path, nil
}
