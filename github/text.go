package github

import (
	"fmt"
	"strconv"
	"strings"
)

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

// quoteList words some values from outside, quoted and cut.
func quoteList(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quoteValue(value)
	}
	return joinFirst(quoted)
}

// joinFirst joins the first values and counts the rest, so that a sentence stays one.
func joinFirst(values []string) string {
	const most = 10
	if len(values) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(values[:most], ", "), len(values)-most)
	}
	return strings.Join(values, ", ")
}
