package runner_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// badPayloads are files that no event ever left behind.
var badPayloads = map[string][]byte{
	"empty":          {},
	"blank":          []byte(" \n"),
	"cut short":      []byte(`{"ref":"refs/heads/main","head_commit":{`),
	"an array":       []byte(`[]`),
	"null":           []byte(`null`),
	"binary":         {0xff, 0xfe, 0, 1, 2},
	"of wrong types": []byte(`{"head_commit":7,"workflow_run":"yes","deployment":[],"deployment_status":1,"repository":{"pushed_at":{}}}`),
	"deeply nested":  []byte(strings.Repeat(`{"a":`, 100_000)),
	"huge":           append([]byte(`{"head_commit":{"message":"`), append(bytes.Repeat([]byte("x"), 33<<20), `"}}`...)...),
}

func TestAPushWithoutAUsablePayloadIsRolledBackAllTheSame(t *testing.T) {
	t.Parallel()
	for name, payload := range badPayloads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.step().rawEvent("push", payload).run()
			assert.Equal(t, "rolled-back/previous-version", o.ended())
			assert.Equal(t, "2", f.Serving("live"))
			assert.Len(t, o.warnings(), 1)
		})
	}
}

// Only the payload can tell whose run failed, so nothing is done without it.
func TestAnEventThatNeedsItsPayloadIsRefusedWithoutIt(t *testing.T) {
	t.Parallel()
	for _, event := range []string{"workflow_run", "deployment_status"} {
		for name, payload := range badPayloads {
			t.Run(event+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				s.function("api", 3)
				o := s.step().rawEvent(event, payload).run()
				assert.Equal(t, "skipped", o.status())
				s.untouched(t)
			})
		}
	}
}

func TestAnEventFileThatIsNotThere(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"not set": "", "missing": "/no/such/file", "a directory": "/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.step().set("GITHUB_EVENT_PATH", path).run()
			assert.Equal(t, "rolled-back", o.status())
			assert.Equal(t, "2", f.Serving("live"))
			assert.Len(t, o.warnings(), 1)
		})
	}
}

func TestFilesThatCannotBeWrittenDoNotChangeTheResult(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"a directory": "/", "missing directory": "/no/such/directory/file", "full": "/dev/full",
	} {
		for _, file := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
			t.Run(file+" "+name, func(t *testing.T) {
				t.Parallel()
				if _, err := os.Stat("/dev/full"); name == "full" && err != nil {
					t.Skip("there is no /dev/full here")
				}
				s := newScene(t)
				f := s.function("api", 3)
				o := s.step().set(file, path).start().wait()
				o.verifyLog(t)
				assert.Equal(t, 0, o.code)
				assert.Equal(t, "2", f.Serving("live"))
				require.Len(t, o.warnings(), 1)
				assert.Contains(t, o.warnings()[0], file)
				if file == "GITHUB_OUTPUT" {
					o.verifySummary(t)
				} else {
					o.verifyOutputs(t)
				}
			})
		}
	}
}

// A pipe that no program writes to or reads from is opened by nobody else, ever.
func TestAPipeWithoutAnotherEndIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step()
			pipe := st.path("pipe")
			require.NoError(t, syscall.Mkfifo(pipe, 0o600))
			o := st.set(file, pipe).start().wait()
			o.verifyLog(t)
			assert.Equal(t, 0, o.code)
			assert.Equal(t, "2", f.Serving("live"))
			require.Len(t, o.warnings(), 1)
			want := file
			if file == "GITHUB_EVENT_PATH" {
				want = "the file is empty"
			}
			assert.Contains(t, o.warnings()[0], want)
		})
	}
}

func TestFilesThatTheRunnerDidNotGive(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	o := s.step().unset("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY").start().wait()
	o.verifyLog(t)
	assert.Equal(t, 0, o.code)
	assert.Equal(t, "2", f.Serving("live"))
}

func TestWhatAnEarlierStepWroteStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	st := s.step()
	require.NoError(t, os.WriteFile(st.path(outputFile), []byte("mine=1\n"), 0o600))
	o := st.start().wait()
	require.NoError(t, o.outputsErr)
	assert.Equal(t, "1", o.outputs["mine"])
	assert.Equal(t, "rolled-back", o.status())
}

func TestOutsideOfAWorkflow(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	st := s.step()
	st.env = map[string]string{}
	o := st.start().wait()
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.stderr, "Usage:")
	assert.Contains(t, o.stderr, "the command is missing")
	assert.Empty(t, s.Journal())
}

func TestTheAliassOwnDescriptionStaysToTheByte(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	description := "what production calls\n::set-output name=status::pwned"
	require.NoError(t, f.DescribeAlias("live", description))
	s.step().run()
	alias, _ := f.Alias("live")
	assert.Equal(t, emulator.AliasState{Version: "2", Description: description}, emulator.AliasState{Version: alias.Version, Description: alias.Description})
}

// A log that nobody reads any more is no reason to leave production broken.
func TestALogThatNobodyReadsDoesNotStopTheRollback(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, read.Close())
	defer write.Close()
	st := s.step()
	st.stdout = write
	o := st.start().wait()
	if o.signalled {
		t.Error("it was killed by SIGPIPE, and production was left broken")
	}
	assert.Equal(t, "2", f.Serving("live"))
	assert.Equal(t, "rolled-back", o.status())
}

// The same where the other end is open, but nothing is read from it.
func TestALogThatStallsDoesNotStopTheRollback(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	defer write.Close()
	require.NoError(t, write.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = write.Write(make([]byte, 2<<20)) // more than a pipe has room for
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	st := s.step()
	st.stdout = write
	o := st.start().wait()
	assert.Equal(t, 0, o.code)
	assert.Equal(t, "2", f.Serving("live"))
	assert.Equal(t, "rolled-back", o.status())
	assert.NotEmpty(t, o.summary)
}

func TestOutputsOfManyFunctionsStayBelowGitHubsLimit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := make([]string, 1000)
	for i := range names {
		names[i] = "fn-" + strings.Repeat("x", 50) + "-" + string(rune('a'+i/100)) + string(rune('a'+i/10%10)) + string(rune('a'+i%10))
	}
	// Refused before AWS, so that a thousand functions take no time.
	o := s.step().inputs(map[string]string{
		"function-name": strings.Join(names, "\n"), "needs": `{"deploy":{"result":"success"}}`,
	}).run()
	assert.Equal(t, "skipped/no-failure", o.ended())
	var results []json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(o.outputs["results"]), &results))
	assert.NotEmpty(t, results)
	assert.Empty(t, o.outputs["function-name"])
	s.untouched(t)
}

// As many as fit into one variable of the environment (128 KiB on Linux), with
// the longest alias there is. What is true of every outcome holds the limit.
func TestASummaryOfThousandsOfFunctionsIsNotDropped(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := make([]string, 20_000)
	for i := range names {
		names[i] = "f" + strconv.FormatInt(int64(i), 36)
	}
	o := s.step().inputs(map[string]string{
		"function-name": strings.Join(names, "\n"), "alias": strings.Repeat("a", 119), "needs": `{"deploy":{"result":"success"}}`,
	}).run()
	assert.Equal(t, "skipped/no-failure", o.ended())
	assert.Contains(t, o.summary, "f1")
	s.untouched(t)
}

// A delimiter that is always the same could stand in a value, which then would
// set outputs of its own.
func TestDelimitersOfOutputsCannotBeKnown(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 2 {
		s := newScene(t)
		s.function("api", 3)
		st := s.step()
		st.run()
		delimiters := regexp.MustCompile(`(?m)^[a-z-]+<<(.+)$`).FindAllStringSubmatch(st.read("output"), -1)
		require.Len(t, delimiters, len(manifest.Outputs))
		for _, match := range delimiters {
			assert.False(t, seen[match[1]], "%s was there before", match[1])
			assert.GreaterOrEqual(t, len(match[1]), 32)
			seen[match[1]] = true
		}
	}
}
