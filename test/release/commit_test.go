package release_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The promise to everybody who reads main and runs a release.
func TestTheReleaseCommitDiffersFromMainInOneLine(t *testing.T) {
	t.Parallel()
	r := repoOf(t, ".")
	main := r.git("rev-parse", "main")

	commit := r.does("commit", version, main, image)

	assert.Equal(t, main, r.git("rev-parse", commit+"^"), "it stands on the commit of main")
	assert.Equal(t, "M\taction.yml", r.git("diff", "--name-status", main, commit))
	var changed []string
	for line := range strings.Lines(r.git("diff", "--unified=0", main, commit)) {
		if strings.HasPrefix(line, "-") || strings.HasPrefix(line, "+") {
			changed = append(changed, strings.TrimSuffix(line, "\n"))
		}
	}
	assert.Equal(t, []string{
		"--- a/action.yml", "+++ b/action.yml",
		"-  image: Dockerfile",
		"+  image: docker://" + image,
	}, changed)
	assert.Equal(t, commit, r.remoteTag(version), "the tag names it")
	assert.Equal(t, "Release v1.2.3", r.git("show", "--no-patch", "--format=%s", commit))

	assert.Equal(t, main, r.remoteHead(), "main stays")
	assert.Equal(t, main, r.git("rev-parse", "HEAD"), "the checkout stays")
	assert.Empty(t, r.git("status", "--porcelain"), "the work tree stays")
}

func TestAReleaseThatBrokeOffIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	main := r.git("rev-parse", "main")
	first := r.does("commit", version, main, image)
	assert.Equal(t, first, r.does("commit", version, main, image), "the same input, the same commit")
	assert.Equal(t, first, r.remoteTag(version))
}

func TestAReleasedVersionNeverChanges(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	main := r.git("rev-parse", "main")
	first := r.does("commit", version, main, image)

	other := strings.Replace(image, "@sha256:0", "@sha256:f", 1)
	r.refuses("v1.2.3 is released already, as "+first, "commit", version, main, other)
	r.git("commit", "--quiet", "--allow-empty", "--message", "Later")
	r.git("push", "--quiet", "origin", "main")
	r.refuses("v1.2.3 is released already, as "+first, "commit", version, r.git("rev-parse", "main"), image)
	r.git("checkout", "--quiet", "release-"+version)
	r.refuses("v1.2.3 is released already, as "+first, "check", "release-"+version)
	assert.Equal(t, first, r.remoteTag(version))
}

// Somebody makes the tag between our look and our push.
func TestATagThatComesUpMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	main := r.git("rev-parse", "main")
	r.program("git", `
		real=$(PATH=${PATH#*:} command -v git)
		case " $* " in
		*" push "*) "$real" push --quiet origin "`+main+`:refs/tags/`+version+`" ;;
		esac
		exec "$real" "$@"`)
	r.refuses("the tag v1.2.3 could not be pushed", "commit", version, main, image)
	assert.Equal(t, main, r.remoteTag(version), "what the other one made")
}

func TestWhatIsNoReleaseCommit(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	main := r.git("rev-parse", "main")
	for _, name := range []string{
		"ghcr.io/org/lambda-rollback-action:v1.2.3",
		"ghcr.io/org/lambda-rollback-action@sha256:0123",
		strings.Replace(image, "/org/", "/Org/", 1),
		image + "\n  args: [x]",
		image + "|e id",
		"$(id)" + image,
	} {
		r.refuses("is not of the form registry/name@sha256:…", "commit", version, main, name)
	}
	r.refuses("is not a version of the form vX.Y.Z", "commit", "1.2.3", main, image)
	r.refuses("is not a full one", "commit", version, "main", image)
	r.refuses("there is no commit", "commit", version, strings.Repeat("0", 40), image)

	r.git("checkout", "--quiet", "-b", "side")
	r.git("commit", "--quiet", "--allow-empty", "--message", "Aside")
	r.refuses("is not on main", "commit", version, r.git("rev-parse", "HEAD"), image)
	require.Empty(t, r.remoteTag(version))
}

func (r *repo) remoteHead() string {
	r.Helper()
	commit, _, _ := strings.Cut(r.git("ls-remote", "origin", "refs/heads/main"), "\t")
	return commit
}
