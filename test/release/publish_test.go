package release_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program puts a program of that name before all others.
func (r *repo) program(name, script string) {
	r.Helper()
	dir := r.TempDir()
	require.NoError(r, os.WriteFile(filepath.Join(dir, name), []byte("#!/usr/bin/env bash\nset -euo pipefail\n"+script+"\n"), 0o755))
	r.path = append([]string{dir}, r.path...)
}

// gh answers like the real one for a release in that state, and writes down
// what it was asked, with the notes.
func (r *repo) gh(state string) (asked func() string) {
	r.Helper()
	log := filepath.Join(r.TempDir(), "asked")
	r.program("gh", `
		printf '%s\n' "$*" >>"`+log+`"
		case $2 in
		view) [ -n "`+state+`" ] || exit 1; echo "`+state+`" ;;
		create) while [ "$1" != --notes-file ]; do shift; done; cat "$2" >>"`+log+`" ;;
		esac`)
	return func() string {
		content, err := os.ReadFile(log)
		require.NoError(r, err)
		return string(content)
	}
}

func (r *repo) assets() string {
	r.Helper()
	dir := r.TempDir()
	require.NoError(r, os.WriteFile(filepath.Join(dir, "program"), []byte("a program"), 0o755))
	_, stderr, ok := r.run("bash", "-c", `cd "$0" && sha256sum program >checksums.txt`, dir)
	require.True(r, ok, stderr)
	return dir
}

func TestTheReleaseHasItsNotesAndAssets(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	asked := r.gh("")
	assets := r.assets()
	r.does("publish", version, image, assets)
	said := asked()
	assert.Contains(t, said, "release create v1.2.3 --verify-tag --title v1.2.3")
	assert.Contains(t, said, filepath.Join(assets, "checksums.txt"))
	assert.Contains(t, said, filepath.Join(assets, "program"))
	assert.Contains(t, said, "\n### Fixed\n\n- A thing.\n")
	assert.Contains(t, said, image)
	assert.NotContains(t, said, "## [1.2.2]", "of another version")
	assert.NotContains(t, said, "The command `rollback`", "of another version")
}

func TestAPublishedReleaseIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	asked := r.gh("false")
	assert.Contains(t, r.does("publish", version, image, r.assets()), "is published already, and is left as it is")
	assert.NotContains(t, asked(), "create")
}

func TestADraftThatWasLeftIsMadeAnew(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	asked := r.gh("true")
	r.does("publish", version, image, r.assets())
	before, after, _ := strings.Cut(asked(), "release create")
	assert.Contains(t, before, "release delete v1.2.3 --yes")
	assert.NotEmpty(t, after)
}

func TestAssetsThatAreNotThoseOfTheChecksums(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	r.gh("")
	assets := r.assets()
	require.NoError(t, os.WriteFile(filepath.Join(assets, "program"), []byte("another"), 0o755))
	_, stderr, ok := r.step("publish", version, image, assets)
	assert.False(t, ok)
	assert.Contains(t, stderr, "the assets are not those of checksums.txt")
}

func TestTheMajorTagMovesForwardOnly(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	main := r.git("rev-parse", "main")
	release := func(version string) string {
		r.Helper()
		commit := r.does("commit", version, main, image)
		r.does("major", version)
		return commit
	}
	r.refuses("there is no tag v1.2.3 to move v1 to", "major", version)

	first := release("v1.2.3")
	assert.Equal(t, first, r.remoteTag("v1"), "the first one")
	assert.Contains(t, r.does("major", "v1.2.3"), "v1 is on v1.2.3 already")

	tenth := release("v1.10.0")
	assert.Equal(t, tenth, r.remoteTag("v1"), "numbers count as numbers")
	release("v1.9.1")
	assert.Equal(t, tenth, r.remoteTag("v1"), "a fix of an older version")
	assert.Contains(t, r.does("major", "v1.9.1"), "v1 stays where it is: v1.10.0 is newer than v1.9.1")

	second := release("v2.0.0")
	assert.Equal(t, second, r.remoteTag("v2"))
	assert.Equal(t, tenth, r.remoteTag("v1"), "another major version")
	release("v10.0.0")
	assert.Equal(t, tenth, r.remoteTag("v1"), "v10 is not v1")
}

// Somebody moves v1 between our look and our push.
func TestTheMajorTagThatMovedMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	main := r.git("rev-parse", "main")
	r.does("commit", version, main, image)
	r.program("git", `
		real=$(PATH=${PATH#*:} command -v git)
		case " $* " in
		*" push "*) "$real" push --quiet --force origin "`+main+`:refs/tags/v1" ;;
		esac
		exec "$real" "$@"`)
	r.refuses("v1 could not be moved: somebody moved it meanwhile", "major", version)
	assert.Equal(t, main, r.remoteTag("v1"), "what the other one made")
}
