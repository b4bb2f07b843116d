package github

import (
	"fmt"
	"strconv"
	"strings"
)

// quoteLimit is the maximum number of characters of an outside value that a message
// repeats.
const quoteLimit = 80

// quoteValue makes a value from outside safe for a message: truncated, and quoted as
// in Go, so that line breaks and control characters are escaped.
func quoteValue(value string) string {
	if runes := []rune(value); len(runes) > quoteLimit {
		return strconv.Quote(string(runes[:quoteLimit])) + "…"
	}
	return strconv.Quote(value)
}

// quoteList lists values from outside, quoted and truncated.
func quoteList(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quoteValue(value)
	}
	return joinFirst(quoted)
}

// joinFirst joins the first values and counts the rest, so that the text still fits
// into a sentence.
func joinFirst(values []string) string {
	const most = 10
	if len(values) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:most], ", "), len(values)-most)
	}
	return strings.Join(values, ", ")
}
