package github

import "strconv"

// quoteLimit is how many characters of a foreign value a message repeats.
const quoteLimit = 80

// quoteValue makes a value from outside safe to stand in a message: quoted as
// Go does, so that line ends and control characters are escaped, and cut.
func quoteValue(value string) string {
	if runes := []rune(value); len(runes) > quoteLimit {
		return strconv.Quote(string(runes[:quoteLimit])) + "…"
	}
	return strconv.Quote(value)
}
