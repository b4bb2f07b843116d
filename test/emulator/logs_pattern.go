package emulator

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// filterTerm is one term of a filter pattern for plain text: a word of letters,
// digits and underscores, or anything in quotes; -term must not be there, of
// ?terms one must.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
var filterTerm = regexp.MustCompile(`^\s*([-?]?)(?:"((?:[^"\\]|\\.)+)"|(\w+))(?:\s+|$)`)

var unescapeQuoted = strings.NewReplacer(`\"`, `"`, `\\`, `\`)

// parsePattern gives what decides whether a message matches. Patterns for JSON
// ({…}), for fields ([…]) and regular expressions (%…%) are refused: at AWS they
// mean something else than the text in them, so a caller who did not mean them
// is told.
func parsePattern(pattern string) (func(message string) bool, error) {
	var all, none, some []string
	for rest := strings.TrimSpace(pattern); rest != ""; {
		term := filterTerm.FindStringSubmatch(rest)
		if term == nil {
			return nil, fmt.Errorf("the emulator reads words and quoted phrases, and this begins with neither: %s", rest)
		}
		text := term[3]
		if text == "" {
			text = unescapeQuoted.Replace(term[2])
		}
		switch term[1] {
		case "-":
			none = append(none, text)
		case "?":
			some = append(some, text)
		default:
			all = append(all, text)
		}
		rest = rest[len(term[0]):]
	}
	if len(some) > 0 && len(all)+len(none) > 0 {
		return nil, errors.New("AWS ignores ?terms beside other terms: give one kind alone")
	}
	return func(message string) bool {
		holds := func(text string) bool { return strings.Contains(message, text) }
		lacks := func(text string) bool { return !holds(text) }
		return !slices.ContainsFunc(all, lacks) && !slices.ContainsFunc(none, holds) &&
			(len(some) == 0 || slices.ContainsFunc(some, holds))
	}, nil
}
