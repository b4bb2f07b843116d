// Package release_test runs the steps of a release (.ci/release) against a
// scratch repository made from this tree, with a bare one as its GitHub.
package release_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root    = "../.."
	version = "v1.2.3"
	image   = "ghcr.io/org/lambda-rollback-action@sha256:" +
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// What the steps read. Most tests do without the rest of the tree, which takes
// git a while.
var read = []string{".ci/release", "action.yml", "CHANGELOG.md", "README.md", "Dockerfile", ".gitignore"}

// repo is a clone with everything that a release needs in place: main, a
// changelog that names the version, and the tag that asks for it.
type repo struct {
	*testing.T

	dir  string   // the clone
	path []string // put before PATH
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	return repoOf(t, read...)
}

// repoOf has these parts of the tree; "." is all of it.
func repoOf(t *testing.T, parts ...string) *repo {
	t.Helper()
	for _, tool := range []string{"bash", "git", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the steps of a release are scripts, and %s is not installed", tool)
		}
	}
	base := t.TempDir()
	r := &repo{T: t, dir: filepath.Join(base, "clone")}
	origin := filepath.Join(base, "origin.git")
	for _, part := range parts {
		copyTree(t, part, r.dir)
	}
	r.edit("CHANGELOG.md", "## [Unreleased]", "## [Unreleased]\n\n## [1.2.3] - 2026-02-03\n\n### Fixed\n\n- A thing.\n\n## [1.2.2] - 2026-01-02")
	r.without("CHANGELOG.md", "- Released tags and a prebuilt image.\n")
	r.without("README.md", "There are no released tags and no prebuilt image: ")
	r.git("init", "--quiet", "--bare", "--initial-branch=main", origin)
	r.git("init", "--quiet", "--initial-branch=main")
	r.git("remote", "add", "origin", origin)
	r.commitAll("The tree")
	r.git("push", "--quiet", "origin", "main")
	r.git("tag", "release-"+version)
	return r
}

// copyTree copies what belongs to the project, without its history.
func copyTree(t *testing.T, part, to string) {
	t.Helper()
	skip := []string{".git", "node_modules", ".venv", "__pycache__", ".pytest_cache"}
	require.NoError(t, filepath.WalkDir(filepath.Join(root, part), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		require.NoError(t, err)
		switch {
		case entry.IsDir() && slices.Contains(skip, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		// In a worktree .git is a file, and git would take it for the one to work in.
		case !entry.Type().IsRegular() || entry.Name() == ".git":
			return nil
		}
		info, err := entry.Info()
		require.NoError(t, err)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		copied := filepath.Join(to, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(copied), 0o755))
		return os.WriteFile(copied, content, info.Mode())
	}))
}

// step runs a script of the release. It gives what it printed and whether it
// ended well.
func (r *repo) step(name string, args ...string) (stdout, stderr string, ok bool) {
	r.Helper()
	return r.run(filepath.Join(r.dir, ".ci/release", name), args...)
}

// does is step for one that must end well; it gives standard output.
func (r *repo) does(name string, args ...string) string {
	r.Helper()
	stdout, stderr, ok := r.step(name, args...)
	require.True(r, ok, "%s %v: %s", name, args, stderr)
	return strings.TrimSpace(stdout)
}

// refuses is step for one that must not, with a sentence.
func (r *repo) refuses(sentence, name string, args ...string) {
	r.Helper()
	stdout, stderr, ok := r.step(name, args...)
	require.False(r, ok, "%s %v went through: %s", name, args, stdout)
	require.Contains(r, stderr, "release refused: ")
	require.Contains(r, stderr, sentence)
	require.Empty(r, stdout, "a later step could take it for the result")
}

func (r *repo) git(args ...string) string {
	r.Helper()
	stdout, stderr, ok := r.run("git", args...)
	require.True(r, ok, "git %v: %s", args, stderr)
	return strings.TrimSpace(stdout)
}

// remoteTag is the commit that GitHub has for a tag.
func (r *repo) remoteTag(name string) string {
	r.Helper()
	commit, _, _ := strings.Cut(r.git("ls-remote", "origin", "refs/tags/"+name), "\t")
	return commit
}

func (r *repo) commitAll(message string) string {
	r.Helper()
	r.git("add", "--all", "--force")
	r.git("commit", "--quiet", "--message", message)
	return r.git("rev-parse", "HEAD")
}

func (r *repo) write(file, content string) {
	r.Helper()
	path := filepath.Join(r.dir, file)
	require.NoError(r, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(r, os.WriteFile(path, []byte(content), 0o644))
}

func (r *repo) edit(file, before, after string) {
	r.Helper()
	path := filepath.Join(r.dir, file)
	content, err := os.ReadFile(path)
	require.NoError(r, err)
	require.Contains(r, string(content), before)
	require.NoError(r, os.WriteFile(path, []byte(strings.Replace(string(content), before, after, 1)), 0o644))
}

// without takes out what stands there until the first release.
func (r *repo) without(file, text string) {
	r.Helper()
	path := filepath.Join(r.dir, file)
	content, err := os.ReadFile(path)
	require.NoError(r, err)
	require.NoError(r, os.WriteFile(path, []byte(strings.ReplaceAll(string(content), text, "")), 0o644))
}

// run keeps git away from the settings of the person at this machine, and the
// steps from a token that happens to be in the environment.
func (r *repo) run(program string, args ...string) (string, string, bool) {
	r.Helper()
	command := exec.Command(program, args...)
	command.Dir = r.dir
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	command.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "GIT_") || strings.HasPrefix(variable, "GH_") || strings.HasPrefix(variable, "GITHUB_")
	}),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
		"PATH="+strings.Join(append(slices.Clone(r.path), os.Getenv("PATH")), string(filepath.ListSeparator)))
	err := command.Run()
	return stdout.String(), stderr.String(), err == nil
}
