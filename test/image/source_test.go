// Package image_test holds the Dockerfile, and the image that comes of it, to
// what they promise: nothing inside but the program and the certificates, small,
// and the same bytes for the same commit.
package image_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/org/lambda-rollback-action"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(text)
}

// sources are the files that the program is made of, relative to the root.
func sources(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,GoFiles,EmbedFiles", module)
	list.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	out, err := list.Output()
	require.NoError(t, err)
	var files []string
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for decoder.More() {
		var p struct {
			ImportPath          string
			GoFiles, EmbedFiles []string
		}
		require.NoError(t, decoder.Decode(&p))
		if folder, ours := strings.CutPrefix(p.ImportPath, module); ours {
			for _, file := range slices.Concat(p.GoFiles, p.EmbedFiles) {
				files = append(files, path.Join(strings.TrimPrefix(folder, "/"), file))
			}
		}
	}
	require.NotEmpty(t, files)
	return files
}

// ignored tells whether .dockerignore keeps a file away from the build. It knows
// the few forms that stand there; the last line that fits decides.
func ignored(t *testing.T, rules, file string) bool {
	t.Helper()
	result := false
	for rule := range strings.Lines(rules) {
		rule = strings.TrimSpace(rule)
		pattern, wanted := strings.CutPrefix(rule, "!")
		var fits bool
		switch deep, below := strings.CutPrefix(pattern, "**/"); {
		case rule == "":
			continue
		case below:
			fits = slices.ContainsFunc(strings.Split(file, "/"), func(part string) bool {
				matched, err := path.Match(deep, part)
				require.NoError(t, err)
				return matched
			})
		default:
			first, _, _ := strings.Cut(file, "/")
			whole, err := path.Match(pattern, file)
			require.NoError(t, err)
			folder, err := path.Match(pattern, first)
			require.NoError(t, err)
			fits = whole || folder
		}
		if fits {
			result = !wanted
		}
	}
	return result
}

func TestTheBuildGetsTheProgramAndNothingElse(t *testing.T) {
	t.Parallel()
	rules := read(t, ".dockerignore")
	for _, file := range append(sources(t), "go.mod", "go.sum") {
		assert.False(t, ignored(t, rules, file), "%s does not reach the build: name its folder in .dockerignore", file)
	}
	for _, file := range []string{".git/config", "README.md", "action.yml", "test/e2e/deploy/main.go", "main_test.go", "github/testdata/events/push.json", ".env", "rollback/report/text_test.go"} {
		assert.True(t, ignored(t, rules, file), "%s reaches the build, and each change of it would compile anew", file)
	}
}

// The base is fixed by its digest, and the Go in it is one that go.mod takes.
func TestTheBaseIsPinned(t *testing.T) {
	t.Parallel()
	dockerfile := read(t, "Dockerfile")
	from := regexp.MustCompile(`(?m)^FROM (?:--platform=\S+ )?(\S+)`).FindAllStringSubmatch(dockerfile, -1)
	require.Len(t, from, 2)
	found := regexp.MustCompile(`^golang:1\.(\d+)\.\d+-\w+@sha256:[0-9a-f]{64}$`).FindStringSubmatch(from[0][1])
	require.NotNil(t, found, from[0][1])
	assert.Equal(t, "scratch", from[1][1])
	assert.Contains(t, read(t, "go.mod"), "\ngo 1."+found[1]+".")
}
