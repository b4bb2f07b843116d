package docs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Phrases that readers stumbled over stay out of the documents and of what the
// program says.
func TestWordsOfTheField(t *testing.T) {
	texts := map[string]string{"the program": strings.Join(literals(t), "\n")}
	for _, page := range append(allPages(t), "action.yml", reusable) {
		if !strings.HasPrefix(page, "docs/decisions/") { // they are a record of their day
			texts[page] = read(t, page)
		}
	}
	phrases := 0
	for line := range strings.Lines(read(t, "test/docs/testdata/words.txt")) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		phrases++
		found, rather, ok := strings.Cut(strings.TrimSpace(line), " => ")
		require.True(t, ok, line)
		for where, text := range texts {
			at := strings.Index(strings.ToLower(text), strings.ToLower(found))
			if !assert.Negative(t, at, "%s says %q: rather %q", where, found, rather) {
				t.Log(text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
	assert.Greater(t, phrases, 10)
}
