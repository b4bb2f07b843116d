package github_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

// readOutputs reads an output file as the runner on Linux does (FileCommandManager):
// lines end at LF alone, `name<<delimiter` before any `=` starts a value of several.
func readOutputs(text string) (map[string]string, error) {
	outputs := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case heredoc >= 0 && (equals < 0 || heredoc < equals):
			name, delimiter, _ := strings.Cut(line, "<<")
			if name == "" || delimiter == "" {
				return nil, fmt.Errorf("invalid format %q", line)
			}
			var value []string
			for i++; ; i++ {
				if i >= len(lines) {
					return nil, fmt.Errorf("no end of %q", name)
				}
				if lines[i] == delimiter {
					break
				}
				value = append(value, lines[i])
			}
			outputs[name] = strings.Join(value, "\n")
		case equals > 0:
			outputs[line[:equals]] = line[equals+1:]
		default:
			return nil, fmt.Errorf("invalid format %q", line)
		}
	}
	return outputs, nil
}

// memory keeps what is appended, by path.
type memory map[string]string

func (m memory) append(path string, data []byte) error {
	m[path] += string(data)
	return nil
}

func (m memory) files() github.Files {
	return github.Files{Output: "out", Summary: "summary", Append: m.append, Random: rand.Reader}
}

func TestOutputsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"plain":                        "rolled-back",
		"empty":                        "",
		"several lines":                "a\nb\n\nc\n",
		"carriage returns":             "a\r\nb\r",
		"another output":               "x\nstatus=skipped",
		"another heredoc":              "x\nEOF\nstatus<<EOF\nskipped\nEOF",
		"the delimiter of go-github…":  "_GitHubActionsFileCommandDelimeter_\nstatus=skipped",
		"the beginning of a delimiter": "end_\nend_00",
		"a command":                    "::error::x",
		"a line break alone":           "\n",
		"every kind of character":      "é😀\u2028\u0085\x00\x1b",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := memory{}
			require.NoError(t, m.files().WriteOutputs([]github.Output{{"before", "1"}, {"value", value}, {"status", "failed"}}))
			got, err := readOutputs(m["out"])
			require.NoError(t, err)
			assert.Equal(t, map[string]string{"before": "1", "value": value, "status": "failed"}, got)
		})
	}
}

func TestADelimiterInTheValueIsNotUsed(t *testing.T) {
	t.Parallel()
	first, second := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	value := "end_" + strings.Repeat("01", 16) + "\nstatus=skipped"
	m := memory{}
	files := m.files()
	files.Random = bytes.NewReader(append(first, second...))
	require.NoError(t, files.WriteOutputs([]github.Output{{"value", value}}))
	got, err := readOutputs(m["out"])
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"value": value}, got)
}

// zeros is a source of randomness that has none.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestOutputsAreAllOrNone(t *testing.T) {
	t.Parallel()
	guessed := "end_" + strings.Repeat("00", 16)
	for name, c := range map[string]struct {
		outputs []github.Output
		random  io.Reader
		want    string
	}{
		"no randomness at all":     {[]github.Output{{"a", "b"}}, strings.NewReader("short"), `failed to write output "a": failed to read random bytes`},
		"a delimiter was guessed":  {[]github.Output{{"a", "b"}, {"c", guessed}}, zeros{}, `failed to write output "c": every random delimiter`},
		"a name with a line break": {[]github.Output{{"a", "b"}, {"c\nd", ""}}, zeros{}, `failed to write output "c\nd"`},
		"a name with a heredoc":    {[]github.Output{{"c<<d", ""}}, zeros{}, `failed to write output "c<<d"`},
		"no name":                  {[]github.Output{{"", "x"}}, zeros{}, `failed to write output ""`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := memory{}
			files := m.files()
			files.Random = c.random
			require.ErrorContains(t, files.WriteOutputs(c.outputs), c.want)
			assert.Empty(t, m)
		})
	}
}

func TestFilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	none := github.Files{}
	require.NoError(t, none.WriteOutputs([]github.Output{{"a", "b"}}))
	require.NoError(t, none.WriteSummary("# x"))

	refused := errors.New("permission denied")
	files := github.Files{
		Output: "out", Summary: "summary", Random: zeros{},
		Append: func(string, []byte) error { return refused },
	}
	require.ErrorIs(t, files.WriteOutputs([]github.Output{{"a", "b"}}), refused)
	require.ErrorIs(t, files.WriteSummary("# x"), refused)
}

func TestAppendFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	require.NoError(t, github.AppendFile(path, []byte("a")))
	require.NoError(t, github.AppendFile(path, []byte("b")))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "ab", string(got))
	require.Error(t, github.AppendFile(filepath.Join(path, "below"), nil))
}

// A pipe that no program reads would block the program for ever.
func TestAppendingToWhatIsNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	require.ErrorContains(t, github.AppendFile(path, []byte("a")), "it is a pipe that no program reads")

	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer func() { _ = reader.Close() }()
	require.NoError(t, github.AppendFile(path, []byte("a")), "as to /dev/stdout, which may be a pipe")
	got, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Equal(t, "a", string(got))

	require.NoError(t, github.AppendFile("/dev/null", []byte("a")))
}

func FuzzOutputs(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "x\nEOF\nstatus<<EOF", "a\r\n", "a=b", "<<", "\xff", "end_00000000000000000000000000000000"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		m := memory{}
		require.NoError(t, m.files().WriteOutputs([]github.Output{{"first", first}, {"second", second}}))
		got, err := readOutputs(m["out"])
		require.NoError(t, err)
		assert.Equal(t, map[string]string{
			"first": strings.ToValidUTF8(first, "\uFFFD"), "second": strings.ToValidUTF8(second, "\uFFFD"),
		}, got)
	})
}
