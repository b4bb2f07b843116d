package github

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// MatchBranch tells whether any of the patterns matches the branch. The
// pattern `*` matches every branch, also the empty one of an event that has
// none. Inside a longer pattern `*` stands for any characters but `/`, and
// `**` for any characters; everything else is literal and case matters.
func MatchBranch(patterns []string, branch string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == "*" || matchPattern(pattern, branch)
	})
}

// matchPattern keeps the set of places in branch that the pattern so far can
// end at, so that its time is the product of the lengths whatever the pattern.
func matchPattern(pattern, branch string) bool {
	ends := make([]bool, len(branch)+1)
	ends[0] = true
	for i := 0; i < len(pattern); {
		if pattern[i] != '*' {
			for end := len(branch); end > 0; end-- {
				ends[end] = ends[end-1] && branch[end-1] == pattern[i]
			}
			ends[0] = false
			i++
			continue
		}
		stars := len(pattern[i:]) - len(strings.TrimLeft(pattern[i:], "*"))
		for end := 1; end <= len(branch); end++ {
			if stars > 1 || branch[end-1] != '/' {
				ends[end] = ends[end] || ends[end-1]
			}
		}
		i += stars
	}
	return ends[len(branch)]
}

// ValidateBranchPattern refuses a pattern that means something in another glob
// syntax, or that no branch name can match: either would quietly keep a
// rollback from ever running. The error says what to write instead.
func ValidateBranchPattern(pattern string) error {
	switch {
	case pattern == "":
		return errors.New("has an empty pattern")
	case strings.HasPrefix(pattern, "!"):
		return fmt.Errorf("has the pattern %s, which would exclude: only * and ** are wildcards, so list the branches that may", quoteValue(pattern))
	case strings.HasPrefix(pattern, "refs/heads/"):
		return fmt.Errorf("has the pattern %s: write the branch without refs/heads/", quoteValue(pattern))
	}
	for _, char := range pattern {
		if strings.ContainsRune(`?[~^:\`, char) || unicode.IsSpace(char) || unicode.IsControl(char) {
			return fmt.Errorf("has %s in the pattern %s: only * and ** are wildcards, and a branch name cannot hold it",
				quoteValue(string(char)), quoteValue(pattern))
		}
	}
	return nil
}
