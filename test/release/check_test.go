package release_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatMayBeReleased(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	assert.Equal(t, version, r.does("check", "release-"+version))
}

func TestTagsThatAskForNoRelease(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for _, tag := range []string{
		"v1.2.3", "release-1.2.3", "release-v1.2", "release-v1.2.3.4", "release-v01.2.3", "release-v1.2.3-rc.1",
		"release-v1.2.3 ", "release-v1.2.3\nrelease-v1.2.4", "release-v1.2.x", "x-release-v1.2.3",
		"release-v1.2.3;id", "$(id)", "release-v1.2.3`id`",
	} {
		r.refuses("is not of the form release-vX.Y.Z, such as release-v1.2.3", "check", tag)
	}
	r.refuses("there is no tag release-v9.9.9 here", "check", "release-v9.9.9")
}

func TestCommitsThatMayNotBeReleased(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		prepare  func(r *repo)
		sentence string
	}{
		"documents that say that nothing is released": {
			func(r *repo) {
				r.write("docs/security.md", "# Security\n\nThere is no release yet.\n")
				r.commitAll("Say so")
				r.git("push", "--quiet", "origin", "main")
				r.git("tag", "--force", "release-"+version)
			},
			"docs/security.md:3:There is no release yet.",
		},
		"a changed file": {
			func(r *repo) { r.edit("README.md", "#", "##") },
			"the work tree is not clean, so it is not what the tag names",
		},
		"a file that is not in the commit": {
			func(r *repo) { r.write("more.go", "package main\n") },
			"the work tree is not clean, so it is not what the tag names",
		},
		"another commit checked out than the tag names": {
			func(r *repo) {
				r.git("commit", "--quiet", "--allow-empty", "--message", "Later")
				r.git("push", "--quiet", "origin", "main")
			},
			"is checked out: check out the tag",
		},
		"a tag that is not on main": {
			func(r *repo) {
				r.git("checkout", "--quiet", "-b", "side")
				r.git("commit", "--quiet", "--allow-empty", "--message", "Aside")
				r.git("tag", "--force", "release-"+version)
			},
			"is not on main: merge first, then tag the commit on main",
		},
		"workflows that main has changed since": {
			func(r *repo) {
				r.write(".github/workflows/ci.yml", "name: CI\n")
				r.commitAll("Change a workflow")
				r.git("push", "--quiet", "origin", "main")
				r.git("checkout", "--quiet", "release-"+version)
			},
			"main has changed .github/workflows since",
		},
		"a clone that does not know main": {
			func(r *repo) { r.git("update-ref", "-d", "refs/remotes/origin/main") },
			"the branch main of the remote origin is not known here",
		},
		"a version that is released": {
			func(r *repo) { r.git("push", "--quiet", "origin", "HEAD:refs/tags/"+version) },
			"v1.2.3 is released already",
		},
		"a version that is released, by an annotated tag": {
			func(r *repo) {
				r.git("tag", "--annotate", "--message", "Out", version)
				r.git("push", "--quiet", "origin", version)
			},
			"v1.2.3 is released already",
		},
		"an action file that names an image already": {
			func(r *repo) { r.retag("action.yml", "  image: Dockerfile", "  image: docker://"+image) },
			"action.yml has 0 lines '  image: Dockerfile', and needs exactly one",
		},
		"an action file with two lines to write into": {
			func(r *repo) {
				r.retag("action.yml", "  image: Dockerfile", "  image: Dockerfile\n  image: Dockerfile")
			},
			"action.yml has 2 lines '  image: Dockerfile', and needs exactly one",
		},
		"a changelog that does not say what changed": {
			func(r *repo) { r.retag("CHANGELOG.md", "## [1.2.3] - 2026-02-03", "## [1.2.30] - 2026-02-03") },
			"CHANGELOG.md has no heading '## [1.2.3] - YYYY-MM-DD'",
		},
	}
	for situation, test := range tests {
		t.Run(situation, func(t *testing.T) {
			t.Parallel()
			r := newRepo(t)
			test.prepare(r)
			r.refuses(test.sentence, "check", "release-"+version)
		})
	}
}

// retag changes a file on main, and asks for a release of that.
func (r *repo) retag(file, before, after string) {
	r.Helper()
	r.edit(file, before, after)
	r.commitAll("Change " + file)
	r.git("push", "--quiet", "origin", "main")
	r.git("tag", "--force", "release-"+version)
}
