package github

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// MatchBranch reports whether any of the patterns matches the branch. The pattern `*`
// matches every branch, including the empty one of an event without a branch; a
// pattern that begins with refs/tags/ matches none. In a longer pattern, `*` matches
// any characters except `/`, and `**` any characters; everything else is literal and
// case-sensitive.
func MatchBranch(patterns []string, branch string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		return pattern == "*" || !strings.HasPrefix(pattern, tagPrefix) && matchPattern(pattern, branch)
	})
}

// MatchRef reports whether any of the patterns matches a full ref. A pattern that
// begins with refs/tags/ matches tags, `*` matches every ref, and any other pattern
// matches branches.
func MatchRef(patterns []string, ref string) bool {
	if slices.Contains(patterns, "*") {
		return true
	}
	if branch, is := strings.CutPrefix(ref, branchPrefix); is {
		return MatchBranch(patterns, branch)
	}
	return strings.HasPrefix(ref, tagPrefix) && slices.ContainsFunc(patterns, func(pattern string) bool {
		return strings.HasPrefix(pattern, tagPrefix) && matchPattern(pattern, ref)
	})
}

// matchPattern tracks the set of positions in branch at which the pattern so far can
// end. Its running time is at most the product of the lengths, for any pattern.
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

// ValidateBranchPattern rejects a pattern that has a meaning only in another glob
// syntax, or that no branch or tag can match: either would silently prevent every
// rollback. The error says what to write instead. The rules for names:
// https://git-scm.com/docs/git-check-ref-format
func ValidateBranchPattern(pattern string) error {
	name := strings.TrimPrefix(pattern, tagPrefix)
	switch {
	case pattern == "":
		return errors.New("has an empty pattern")
	case strings.HasPrefix(pattern, "!"):
		return fmt.Errorf("has the pattern %s: ! is not supported, only * and ** are wildcards, so list the branches to allow", quoteValue(pattern))
	case strings.HasPrefix(pattern, "refs/heads/"):
		return fmt.Errorf("has the pattern %s: write the branch without refs/heads/", quoteValue(pattern))
	case strings.HasPrefix(name, "refs/"):
		return fmt.Errorf("has the pattern %s, which matches no branch: write refs/tags/ for tags, or * to allow any ref", quoteValue(pattern))
	case commitForm().MatchString(name):
		return fmt.Errorf("has the pattern %s, which is a commit: write the branch or tag that contains it", quoteValue(pattern))
	case strings.HasSuffix(name, "/"):
		return fmt.Errorf("has the pattern %s, which ends with a slash: write %s", quoteValue(pattern), quoteValue(pattern+"*"))
	case name == "", name == "@", !possibleName(name):
		return fmt.Errorf("has the pattern %s, which no branch or tag can match: it is not a valid Git ref name", quoteValue(pattern))
	}
	for _, char := range pattern {
		if strings.ContainsRune(`?[~^:\`, char) || unicode.IsSpace(char) || unicode.IsControl(char) {
			return fmt.Errorf("has %s in the pattern %s: only * and ** are wildcards, and a branch name cannot contain it",
				quoteValue(string(char)), quoteValue(pattern))
		}
	}
	return nil
}

// possibleName reports whether the literal parts of a pattern can be part of the name
// of a branch or a tag.
func possibleName(pattern string) bool {
	for part := range strings.SplitSeq(pattern, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return !strings.Contains(pattern, "..") && !strings.Contains(pattern, "@{") &&
		!strings.HasPrefix(pattern, "-") && !strings.HasSuffix(pattern, ".")
}
