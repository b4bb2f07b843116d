package github_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

func TestMatchBranch(t *testing.T) {
	for name, tt := range map[string]struct {
		patterns []string
		branch   string
		want     bool
	}{
		"the branch itself":                    {[]string{"main"}, "main", true},
		"another branch":                       {[]string{"main"}, "develop", false},
		"a branch that begins alike":           {[]string{"main"}, "main2", false},
		"a branch that ends alike":             {[]string{"main"}, "x/main", false},
		"case matters":                         {[]string{"main"}, "Main", false},
		"the second of two":                    {[]string{"main", "release/*"}, "release/1.2", true},
		"one star stops at a slash":            {[]string{"release/*"}, "release/1/hotfix", false},
		"two stars cross slashes":              {[]string{"release/**"}, "release/1/hotfix", true},
		"two stars stand for nothing too":      {[]string{"release**"}, "release", true},
		"a star in the middle":                 {[]string{"v*-lts"}, "v22-lts", true},
		"a star that must give back":           {[]string{"a*b*c"}, "abbcbc", true},
		"a star alone allows slashes":          {[]string{"*"}, "feature/x/y", true},
		"a star alone allows no branch at all": {[]string{"*"}, "", true},
		"no branch at all":                     {[]string{"main"}, "", false},
		"no pattern":                           {nil, "main", false},
		"a dot is literal":                     {[]string{"v1.2"}, "v1x2", false},
		"brackets are literal":                 {[]string{"[m]ain"}, "main", false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, github.MatchBranch(tt.patterns, tt.branch))
		})
	}
}

func TestValidateBranchPattern(t *testing.T) {
	for _, pattern := range []string{"main", "*", "**", "release/*", "v*.x", "users/müller", "a-b_c+d"} {
		require.NoError(t, github.ValidateBranchPattern(pattern), pattern)
	}
	for _, pattern := range []string{"!main", "v?", "[ab]c", "two words", "a~1", "a^", "a:b", `a\b`, "a\tb", "a\x1bb"} {
		assert.ErrorContains(t, github.ValidateBranchPattern(pattern), "only * and ** are wildcards", pattern)
	}
	assert.EqualError(t, github.ValidateBranchPattern("refs/heads/main"), `has the pattern "refs/heads/main": write the branch without refs/heads/`)
	assert.Error(t, github.ValidateBranchPattern(""))
}

func FuzzMatchBranch(f *testing.F) {
	f.Add("release/*", "release/1")
	f.Add("***a*", "aaaa")
	f.Fuzz(func(t *testing.T, pattern, branch string) {
		matches := github.MatchBranch([]string{pattern}, branch)
		assert.True(t, github.MatchBranch([]string{"*"}, branch))
		assert.True(t, github.MatchBranch([]string{"**"}, branch))
		if !strings.Contains(pattern, "*") {
			assert.Equal(t, pattern == branch, matches)
		}
		if matches {
			wider := strings.ReplaceAll(pattern, "*", "**")
			assert.True(t, github.MatchBranch([]string{wider}, branch), "a wider pattern matches no less")
			assert.True(t, github.MatchBranch([]string{pattern + "**"}, branch+"/more"))
		}
	})
}
