package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScenes(t *testing.T) {
	t.Parallel()
	r, err := newRunner(t.Context(), t.TempDir())
	require.NoError(t, err)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got, err := perform(t.Context(), r, s)
			require.NoError(t, err)
			assert.Empty(t, got.wrong(), got.last().log)
		})
	}
	t.Run("one that ends otherwise than wanted is found", func(t *testing.T) {
		t.Parallel()
		s := scenes()[0]
		s.acts[0].want = want{exit: 1, status: "failed", reason: "throttled", serves: []string{"40"}, remembers: []string{""}}

		got, err := perform(t.Context(), r, s)

		require.NoError(t, err)
		wrong := strings.Join(got.wrong(), "\n")
		for _, what := range []string{
			"exit code", "checkout-api serves", "memory alias", "went through",
			"output status", "output reason", "output rolled-back", "output to-version", "results: status",
		} {
			assert.Contains(t, wrong, what)
		}
		var page bytes.Buffer
		onPaper(&page).table([]shown{got})
		assert.Contains(t, page.String(), "0 of 1 scenes ended as they should")
	})
}

func TestThePageFitsATerminal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "summaries")
	var out bytes.Buffer

	wrong, err := demo(t.Context(), options{keep: dir, all: true}, scenes()[:3], onPaper(&out))

	require.NoError(t, err)
	assert.Zero(t, wrong)
	assert.NotContains(t, out.String(), "\x1b", "colours are for terminals")
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, cells(line), width, line)
		assert.Equal(t, strings.TrimRight(line, " "), line)
	}
	assert.Contains(t, out.String(), "3 of 3 scenes ended as they should")
	kept, err := os.ReadFile(filepath.Join(dir, "2-a-second-in-a-row.md"))
	require.NoError(t, err)
	assert.Contains(t, string(kept), "version 41")
}

func TestBriefIsTheTableAlone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	wrong, err := demo(t.Context(), options{brief: true}, scenes()[:4], onPaper(&out))
	require.NoError(t, err)
	assert.Zero(t, wrong)
	assert.Contains(t, out.String(), "4  nothing deployed")
	assert.Contains(t, out.String(), "1  a bad deploy")
	assert.NotContains(t, out.String(), "The log of the step")
}

func TestOneSceneIsShownInFull(t *testing.T) {
	t.Parallel()
	for shown, o := range map[string]options{"1  ": {}, "2  ": {scene: 2}} {
		var out bytes.Buffer
		_, err := demo(t.Context(), o, scenes()[:2], onPaper(&out))
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(out.String(), "The log of the step"))
		scene, _, _ := strings.Cut(out.String(), "The log of the step")
		assert.Contains(t, scene, "\n"+shown)
		assert.Contains(t, out.String(), "2 of 2 scenes ended as they should")
	}
}

func TestTheIntroductionIsOneScreen(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	onPaper(&out).introduction()
	assert.LessOrEqual(t, strings.Count(out.String(), "\n"), 24, out.String())
}

func TestNamesFitTheTable(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		assert.LessOrEqual(t, cells(s.name), 19, s.name)
		for _, a := range s.acts {
			assert.Len(t, a.want.serves, len(s.functions), s.name)
			assert.Len(t, a.want.remembers, len(s.functions), s.name)
		}
	}
}

func TestOutputsAreReadAsTheRunnerDoes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want map[string]string // nil: the runner refuses
	}{
		"one line":                 {"a=1\n", map[string]string{"a": "1"}},
		"several lines":            {"a<<end\n1\n\n2\nend\nb=3\n", map[string]string{"a": "1\n\n2", "b": "3"}},
		"an empty value":           {"a<<end\n\nend\n", map[string]string{"a": ""}},
		"a value with both signs":  {"a=b<<c=d\n", map[string]string{"a": "b<<c=d"}},
		"nothing":                  {"", map[string]string{}},
		"a delimiter without end":  {"a<<end\n1\n", nil},
		"a line without any sign":  {"a\n", nil},
		"a delimiter after others": {"a=1\nb<<end\n2\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseOutputs(c.text)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.want == nil, err != nil, err)
		})
	}
}

func TestTheLogLooksAsOnGitHub(t *testing.T) {
	t.Parallel()
	got := page{}.renderLog("before\n::group::Rolling back 100%25\nwithin\n::endgroup::\n::add-mask::x\n::warning title=Lambda rollback::odd%3A a::b\nafter\n")
	texts := make([]string, 0, len(got))
	for _, line := range got {
		texts = append(texts, strings.Repeat(" ", line.indent)+line.text)
	}
	assert.Equal(t, []string{"before", "▾ Rolling back 100%", "  within", "Warning: odd%3A a::b", "after"}, texts)
}

func TestMarkdownIsBrokenSoThatItStillReads(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"- an item": "  ", "12. an item": "    ", "> a quote": "> ", "| a | row |": "  ", "text": "", "   indented": "",
	} {
		assert.Equal(t, want, hanging(line), line)
	}
	assert.Equal(t, []string{"aa bb", "cc", "dddddd", "e"}, wrap("aa bb cc dddddd e", 5))
	assert.Equal(t, "[a](…) [b](…)", withoutAddresses("[a](<https://example.com/a(1)>) [b](<https://example.com>)"))
}

// onPaper is a page without colours.
func onPaper(out *bytes.Buffer) page { return page{w: out} }
