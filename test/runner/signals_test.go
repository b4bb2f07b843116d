package runner_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// What the runner leaves after each signal, before it sends the next or kills.
const (
	afterInterrupt = 7500 * time.Millisecond
	afterTerminate = 2500 * time.Millisecond
)

// await waits until a call has arrived.
func (s *scene) await(m emulator.Match) {
	s.tb.Helper()
	require.Eventually(s.tb, func() bool { return len(s.Calls(m)) > 0 }, 20*time.Second, 5*time.Millisecond)
}

// stop sends signals, the later ones a little later, and tells how long after
// the last one the process was gone, without the time that it was stalled.
func (p *process) stop(signals ...syscall.Signal) (outcome, time.Duration) {
	p.step.tb.Helper()
	for i, sig := range signals {
		if i > 0 {
			time.Sleep(200 * time.Millisecond)
		}
		p.signal(sig)
	}
	sent, stalled := time.Now(), p.stall.now()
	o := p.wait()
	after := time.Since(sent) - (o.stalled - stalled)
	require.False(p.step.tb, o.signalled, "it died of the signal, or had to be killed")
	o.verify(p.step.tb)
	return o, after
}

// servesText finds where the report says that the alias is.
var servesText = regexp.MustCompile(`(?:serves|was left on|still on) version (\d+)`)

// honest wants that the report says what the alias really serves, or that it
// does not know.
func honest(t *testing.T, o outcome, f *emulator.Function) {
	t.Helper()
	serving := f.Serving("live")
	assert.Contains(t, []string{"2", "3"}, serving, "never on another version")
	message := o.outputs["message"]
	if o.status() == "rolled-back" {
		assert.Equal(t, o.outputs["to-version"], serving, message)
		return
	}
	assert.Empty(t, o.outputs["to-version"])
	assert.NotEmpty(t, message)
	if strings.Contains(message, "could not determine") {
		return
	}
	assert.Equal(t, "3", serving, "%s, and the alias is on version %s: %s", o.ended(), serving, message)
	if says := servesText.FindStringSubmatch(message); says != nil {
		assert.Equal(t, serving, says[1], message)
	}
}

// moments are what can be under way when a signal comes.
var moments = map[string]struct {
	fault emulator.Effect
	at    emulator.Match
	want  string // status
}{
	"GetAlias hangs":                       {emulator.Hang(), on("GetAlias", "live"), "failed"},
	"GetFunctionConfiguration hangs":       {emulator.Hang(), on("GetFunctionConfiguration", ""), "failed"},
	"GetAlias is throttled for long":       {emulator.Throttle(time.Hour), on("GetAlias", "live"), "failed"},
	"UpdateAlias is slow":                  {emulator.Latency(700 * time.Millisecond), on("UpdateAlias", "live"), "rolled-back"},
	"UpdateAlias answers late":             {emulator.LateAnswer(700 * time.Millisecond), on("UpdateAlias", "live"), "rolled-back"},
	"UpdateAlias works and never answers":  {emulator.LateAnswer(time.Minute), on("UpdateAlias", "live"), "rolled-back"},
	"UpdateAlias hangs":                    {emulator.Hang(), on("UpdateAlias", "live"), "failed"},
	"UpdateAlias answers 500 for long":     {emulator.Status(500, "ServiceException", "x"), on("UpdateAlias", "live"), "failed"},
	"UpdateAlias is throttled for long":    {emulator.Throttle(time.Hour), on("UpdateAlias", "live"), "failed"},
	"the traffic is shifting":              {emulator.SlowWeightsFor(time.Minute), on("UpdateAlias", "live"), "rolled-back"},
	"the memory is written without answer": {emulator.Hang(), on("CreateAlias", "live-rollback"), "rolled-back"},
	"GitHub does not answer":               {emulator.Hang(), emulator.Match{Service: emulator.ServiceGitHub}, "failed"},
}

func TestSignalsForReal(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		signals []syscall.Signal
		limit   time.Duration
	}{
		"SIGINT":              {[]syscall.Signal{syscall.SIGINT}, afterInterrupt},
		"SIGTERM":             {[]syscall.Signal{syscall.SIGTERM}, afterTerminate},
		"SIGINT then SIGTERM": {[]syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, afterTerminate},
	} {
		for name, m := range moments {
			t.Run(kind+" while "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				s.Fault(m.at, m.fault)
				p := s.step().start()
				s.await(m.at)
				if m.want == "rolled-back" && m.at.Operation == "UpdateAlias" && strings.Contains(name, "shifting") {
					require.Eventually(t, func() bool { return f.Serving("live") == "2" }, 5*time.Second, 5*time.Millisecond)
				}
				began := len(s.mutations())

				o, after := p.stop(c.signals...)

				assert.Less(t, after, c.limit)
				honest(t, o, f)
				// Where the machine stood still, the time that a signal leaves may not
				// suffice to read the alias back.
				if o.stalled < time.Second || !strings.Contains(o.outputs["message"], "could not determine") {
					assert.Equal(t, m.want, o.status(), o.outputs["message"])
				}
				if o.status() == "failed" {
					assert.Equal(t, "cancelled", o.reason(), o.outputs["message"])
				}
				if began == 0 {
					assert.Empty(t, s.mutations(), "no new move starts")
				}
			})
		}
	}
}

// A memory that was not written would let the next rollback choose the bad version.
func TestTheMemoryIsWrittenAfterASignal(t *testing.T) {
	t.Parallel()
	for name, exists := range map[string]bool{"a new one": false, "one that exists": true} {
		for sig, limit := range map[syscall.Signal]time.Duration{syscall.SIGINT: afterInterrupt, syscall.SIGTERM: afterTerminate} {
			t.Run(sig.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				write := on("CreateAlias", "live-rollback")
				if exists {
					require.NoError(t, f.SetAlias("live-rollback", 1, nil))
					write = on("UpdateAlias", "live-rollback")
				}
				s.Fault(write, emulator.Latency(700*time.Millisecond))
				p := s.step().start()
				s.await(write)
				o, after := p.stop(sig)
				assert.Less(t, after, limit)
				assert.Equal(t, "rolled-back", o.status(), o.outputs["message"])
				assert.Equal(t, "2", f.Serving("live-rollback"))
				assert.NotContains(t, o.stdout, "could not record the rejected version")
			})
		}
	}
}

// Neither the answer nor a second look can be had: then nothing is claimed.
func TestASignalWhenTheAliasCannotBeReadBack(t *testing.T) {
	t.Parallel()
	for name, worked := range map[string]emulator.Effect{"the move worked": emulator.LateAnswer(time.Minute), "the move did not work": emulator.Hang()} {
		for sig, limit := range map[syscall.Signal]time.Duration{syscall.SIGINT: afterInterrupt, syscall.SIGTERM: afterTerminate} {
			t.Run(sig.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				s.Fault(on("UpdateAlias", "live"), worked)
				p := s.step().start()
				s.await(on("UpdateAlias", "live"))
				s.Fault(on("GetAlias", "live"), emulator.Hang())
				o, after := p.stop(sig)
				assert.Less(t, after, limit)
				assert.Equal(t, "failed/cancelled", o.ended())
				assert.Contains(t, o.outputs["message"], "could not determine")
				honest(t, o, f)
			})
		}
	}
}

func TestTheTimeLimit(t *testing.T) {
	t.Parallel()
	for name, m := range moments {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.Fault(m.at, m.fault)
			o := s.step().input("timeout", "3s").run()
			// A move under way is waited for, and then read back.
			assert.Less(t, o.took-o.stalled, 15*time.Second)
			honest(t, o, f)
			assert.Equal(t, m.want, o.status(), o.outputs["message"])
			if o.status() == "failed" {
				assert.Contains(t, []string{"timeout", "throttled"}, o.reason(), o.outputs["message"])
			}
		})
	}
}

func TestASignalAmongManyFunctions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	var names []string
	functions := map[string]*emulator.Function{}
	for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		functions[n] = s.function(n, 3)
		names = append(names, n)
	}
	s.Fault(on("UpdateAlias", "live"), emulator.LateAnswer(300*time.Millisecond))
	p := s.step().input("function-name", strings.Join(names, "\n")).start()
	s.await(on("UpdateAlias", "live"))
	o, after := p.stop(syscall.SIGINT)
	assert.Less(t, after, afterInterrupt)
	results := o.results(t)
	require.Len(t, results, len(names))
	for _, r := range results {
		serving := functions[r.Function].Serving("live")
		if r.Status == "rolled-back" {
			assert.Equal(t, "2", serving, r.Message)
		} else {
			assert.Equal(t, "failed/cancelled", r.Status+"/"+r.Reason)
			assert.Equal(t, "3", serving, r.Message)
		}
	}
	assert.Equal(t, "failed/cancelled", o.ended())
}
