package report_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestSummary(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Result{
		"rolled-back":         rolledBack(),
		"planned":             planned(),
		"canary-stopped":      canary(),
		"skipped":             skipped(),
		"refused":             refused(),
		"no-previous-version": noPrevious(),
		"failed":              failed(),
		"unhealthy":           unhealthy(),
		"inconclusive":        inconclusive(),
		"invalid-input":       invalidInput(),
		"several":             several(),
		"hostile":             hostile(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "summary", name+".md"), report.Summary(r))
		})
	}
}

// golden compares byte for byte, and writes the file where -update is given.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "no golden file; write it with: go test ./report -update")
	assert.Equal(t, string(want), got)
}

func TestSummaryStaysBelowTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 900 << 10
	for name, r := range map[string]report.Result{
		"one function with endless texts":              crowd(1, 20_000, "@"),
		"three hundred functions with endless texts":   crowd(300, 2_000, "$"),
		"ten thousand functions":                       crowd(10_000, 1, "x"),
		"characters of four bytes":                     crowd(100, 2_000, "😀"),
		"control characters":                           crowd(100, 2_000, "\x1b"),
		"broken UTF-8":                                 crowd(20, 2_000, "\xff"),
		"everything that Markdown escapes with a word": crowd(100, 500, "<|@"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := report.Summary(r)
			assert.Less(t, len(text), limit)
			assert.True(t, utf8.ValidString(text))
			assert.Contains(t, text, "### Not rolled back", "the end is never what is cut")
			assert.Equal(t, strings.Count(text, "<details>"), strings.Count(text, "</details>"))
		})
	}
}

func TestSummarySaysHowManyFunctionsItLeavesOut(t *testing.T) {
	t.Parallel()
	text := report.Summary(crowd(250, 1, "x"))
	assert.Contains(t, text, "50 more functions are not shown here")
}

func TestSummaryPutsTheFailedFunctionFirst(t *testing.T) {
	t.Parallel()
	text := report.Summary(several())
	assert.Less(t, strings.Index(text, "| `billing`"), strings.Index(text, "| `api`"))
	assert.Less(t, strings.Index(text, "| `api`"), strings.Index(text, "| `worker`"))
	assert.Less(t, strings.Index(text, "| `worker`"), strings.Index(text, "| `mail`"))
}

func TestSummaryOfNothing(t *testing.T) {
	t.Parallel()
	assert.NotPanics(t, func() { report.Summary(report.Result{}) })
	assert.NotPanics(t, func() { report.Summary(report.Result{Functions: make([]report.Function, 3)}) })
}

// Of very many checks those are shown that tell what is wrong where it serves.
func TestSummaryShowsTheChecksThatTell(t *testing.T) {
	t.Parallel()
	r := unhealthy()
	var all []report.Check
	for i := range 120 {
		all = append(all,
			report.Check{Version: "42", Name: fmt.Sprintf("health %d", i), Status: "failed", Detail: "status 500"},
			report.Check{Name: fmt.Sprintf("health %d", i), Status: "passed", Detail: "status 200"})
	}
	all[201].Status, all[201].Detail = "failed", "the one that is bad"
	r.Functions[0].Checks = all
	text := report.Summary(r)
	assert.Contains(t, text, "the one that is bad")
	assert.NotContains(t, text, "on version 42")
	assert.Contains(t, text, "190 more are not shown here.")
}
