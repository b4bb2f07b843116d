// Package promotions_test promotes versions in synthetic time: the whole program in
// this process, against the emulator, with traffic that follows the alias.
package promotions_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback"
	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	region     = "eu-west-1"
	repository = "octo-org/octo-repo"
)

// world is an AWS account whose functions are called all the time, and a clock that
// jumps: each sleep of the program takes no time, and brings the calls of that time.
type world struct {
	*emulator.Emulator

	t         *testing.T
	functions []*emulator.Function
	random    *mathrand.Rand

	perMinute int
	errors    map[int64]float64 // the share of a version's calls that fail
	incident  func(minute int) float64

	mu      sync.Mutex
	now     time.Time
	pushed  time.Time // what began the run
	minute  int
	at      map[int]func() // what happens in a minute of the promotion
	signals chan os.Signal
	dir     string
	runs    int
}

// newWorld has functions with versions 1 to 3, of which 2 is live, and an hour of
// calls behind it. It began two hours ago, so that nothing is in the future.
func newWorld(t *testing.T, perMinute int, names ...string) *world {
	t.Helper()
	w := &world{
		Emulator: emulator.StartFor(t), t: t, perMinute: perMinute, errors: map[int64]float64{},
		random: mathrand.New(mathrand.NewPCG(1, 2)), at: map[int]func(){}, signals: make(chan os.Signal, 2), dir: t.TempDir(),
		now: time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Minute).Add(20 * time.Second),
	}
	if len(names) == 0 {
		names = []string{"api"}
	}
	for _, name := range names {
		f := w.Lambda(region).CreateFunction(name)
		for v := range 3 {
			f.Publish(w.now.Add(time.Duration(v-2) * 24 * time.Hour))
		}
		require.NoError(t, f.SetAlias("live", 2, nil))
		w.functions = append(w.functions, f)
	}
	w.now = w.now.Add(-time.Hour)
	for range 60 {
		w.pass(time.Minute)
	}
	w.minute, w.pushed = 0, w.now.Add(-time.Minute)
	t.Setenv("AWS_REGION", region)
	for name, value := range w.Env() {
		t.Setenv(name, value)
	}
	return w
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) Sleep(ctx context.Context, d time.Duration) error {
	// What is left after a signal is real time: calls are made in it.
	if d < 10*time.Second {
		time.Sleep(d / 50)
	}
	for d > 0 && ctx.Err() == nil {
		step := min(d, time.Minute)
		w.mu.Lock()
		w.pass(step)
		happens := w.at[w.minute]
		delete(w.at, w.minute)
		w.mu.Unlock()
		if happens != nil {
			happens()
			time.Sleep(20 * time.Millisecond) // a signal takes a moment
		}
		d -= step
	}
	return ctx.Err()
}

// pass lets so much time pass, with its calls.
func (w *world) pass(d time.Duration) {
	began := w.now
	w.now = began.Add(d)
	if w.now.Truncate(time.Minute).Equal(began.Truncate(time.Minute)) {
		return
	}
	w.minute++
	extra := 0.0
	if w.incident != nil {
		extra = w.incident(w.minute)
	}
	at := w.now.Truncate(time.Minute).Add(-time.Minute)
	for _, f := range w.functions {
		alias, _ := f.Alias("live")
		share := map[int64]float64{}
		rest := 1.0
		for version, weight := range alias.Weights {
			share[number(version)] = weight
			rest -= weight
		}
		share[number(alias.Version)] += rest
		for version, weight := range share {
			calls, failed := 0, 0
			for range w.perMinute {
				if w.random.Float64() < weight {
					calls++
					if w.random.Float64() < w.errors[version]+extra {
						failed++
					}
				}
			}
			if calls > 0 {
				f.TrafficOn("live", version, at, at.Add(time.Minute), calls, float64(failed)/float64(calls))
			}
		}
	}
}

func number(text string) (n int64) {
	_, _ = fmt.Sscan(text, &n)
	return n
}

// ended is what a step has left.
type ended struct {
	code         int
	outputs      map[string]string
	log, summary string
}

func (e ended) how() string { return e.outputs["status"] + "/" + e.outputs["reason"] }

// promote runs the command with version 3, as the run 7001 unless told otherwise.
func (w *world) promote(inputs map[string]string) ended {
	all := map[string]string{"command": "promote", "deployed-version": "3"}
	for name, value := range inputs {
		all[name] = value
	}
	return w.step(all)
}

// rollBack is the job behind a failed promotion, of the same run.
func (w *world) rollBack(result string) ended {
	return w.step(map[string]string{
		"needs": `{"deploy-production":{"result":"` + result + `","outputs":{}}}`, "failed-results": "failure,cancelled",
	})
}

func (w *world) step(inputs map[string]string) ended {
	w.t.Helper()
	w.runs++
	path := func(name string) string { return filepath.Join(w.dir, fmt.Sprintf("%s-%d", name, w.runs)) }
	env := map[string]string{
		"AWS_REGION": region, "GITHUB_REPOSITORY": repository, "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main",
		"GITHUB_EVENT_NAME": "push", "GITHUB_RUN_ID": "7001", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "deploy-production", "GITHUB_WORKFLOW": "deploy",
		"GITHUB_SHA":    "f00df00df00df00df00df00df00df00df00df00d",
		"GITHUB_OUTPUT": path("output"), "GITHUB_STEP_SUMMARY": path("summary"), "GITHUB_EVENT_PATH": path("event"), "GITHUB_ACTIONS": "true",
	}
	require.NoError(w.t, os.WriteFile(env["GITHUB_EVENT_PATH"], []byte(`{"ref":"refs/heads/main","repository":{"full_name":"`+repository+`","pushed_at":`+strconv.FormatInt(w.pushed.Unix(), 10)+`}}`), 0o600))
	names := make([]string, len(w.functions))
	for i, f := range w.functions {
		names[i] = f.Name()
	}
	for _, d := range github.InputDefinitions() {
		env[d.Variable()] = strings.ReplaceAll(d.Default, "${{ github.token }}", "")
	}
	env["INPUT_FUNCTION-NAME"] = strings.Join(names, ",")
	if len(names) > 1 && inputs["deployed-version"] != "" {
		inputs["deployed-version"] = strings.Join(names, "=3\n") + "=3"
	}
	for name, value := range inputs {
		if name == "run" {
			env["GITHUB_RUN_ID"] = value
			continue
		}
		env[github.Definition{Name: name}.Variable()] = value
	}
	for name, value := range w.Env() {
		env[name] = value
	}
	var log bytes.Buffer
	code := rollback.Main(context.Background(), nil, rollback.Deps{
		Getenv: func(name string) string { return env[name] }, Setenv: os.Setenv, ReadFile: os.ReadFile, Append: github.AppendFile,
		Random: rand.Reader, Stdin: strings.NewReader(""), Stdout: &log, Stderr: &log, Clock: w, HTTP: &http.Client{}, Signals: w.signals,
	})
	e := ended{code: code, log: log.String(), outputs: map[string]string{}}
	summary, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	require.NoError(w.t, err)
	e.summary = string(summary)
	outputs, err := os.ReadFile(env["GITHUB_OUTPUT"])
	require.NoError(w.t, err)
	lines := strings.Split(string(outputs), "\n")
	for i := 0; i+2 < len(lines); i += 3 {
		name, _, _ := strings.Cut(lines[i], "<<")
		e.outputs[name] = lines[i+1]
	}
	return e
}

func (w *world) interrupt() { w.signals <- syscall.SIGINT }

// serving is where the alias of a function points: "2", or "2+3=0.1".
func serving(f *emulator.Function) string {
	alias, _ := f.Alias("live")
	text := alias.Version
	for version, weight := range alias.Weights {
		text += fmt.Sprintf("+%s=%g", version, weight)
	}
	return text
}
