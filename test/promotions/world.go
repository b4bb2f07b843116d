// Package promotions plays promotions in synthetic time: the whole program in this
// process, against the emulator, with traffic that follows the alias.
package promotions

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback"
	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	region     = "eu-west-1"
	repository = "octo-org/octo-repo"
)

// World is an AWS account whose functions are called all the time, and a clock that
// jumps: each sleep of the program takes no time, and brings the calls of that time.
type World struct {
	*emulator.Emulator

	Functions []*emulator.Function
	Errors    map[int64]float64 // the share of a version's calls that fail
	Incident  func(minute int) float64
	At        map[int]func()    // what happens in a minute of the promotion
	Minute    int               // of the promotion
	Variables map[string]string // of the environment of every step
	HTTP      *http.Client      // of the health checks and the channels
	Behind    time.Duration     // by which the program's clock is wrong

	random    *mathrand.Rand
	perMinute int

	mu      sync.Mutex
	now     time.Time
	pushed  time.Time // what began the run
	signals chan os.Signal
	// interrupted reports that there was a signal.
	interrupted atomic.Bool
	dir         string
	runs        int
	kills       int
}

// clock is the time as one step sees it. It stops for a step that was killed, which
// does nothing more then.
type clock struct {
	world *World
	kills int // before the step began
}

func (c clock) dead() bool {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	return c.world.kills > c.kills
}

// Now is the time of the world, as far as the clock is right.
func (c clock) Now() time.Time {
	if c.dead() {
		select {}
	}
	return c.world.Now().Add(-c.world.Behind)
}

// Sleep lets time pass in the world.
func (c clock) Sleep(ctx context.Context, d time.Duration) error {
	if c.dead() {
		select {}
	}
	return c.world.Sleep(ctx, d)
}

// Kill ends the steps that run, as SIGKILL does: they do nothing more.
func (w *World) Kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kills++
}

// New has functions with versions 1 to 3, of which 2 is live, and an hour of calls
// behind it, so many a minute. It began two hours ago, so that nothing is in the
// future. setenv sets what the AWS SDK reads of this process's environment. AWS and
// GitHub go by this world's clock. It is to be closed.
func New(dir string, setenv func(name, value string), perMinute int, names ...string) (*World, error) {
	w := &World{
		HTTP: &http.Client{}, Errors: map[int64]float64{}, At: map[int]func(){},
		random: mathrand.New(mathrand.NewPCG(1, 2)), perMinute: perMinute, signals: make(chan os.Signal, 2), dir: dir,
		now: time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Minute).Add(20 * time.Second),
	}
	var err error
	if w.Emulator, err = emulator.Start(emulator.WithClock(w.Now)); err != nil {
		return nil, fmt.Errorf("failed to start the emulator: %w", err)
	}
	if len(names) == 0 {
		names = []string{"api"}
	}
	for _, name := range names {
		f := w.Lambda(region).CreateFunction(name)
		for v := range 3 {
			f.Publish(w.now.Add(time.Duration(v-2) * 24 * time.Hour))
		}
		if err = f.SetAlias("live", 2, nil); err != nil {
			return nil, fmt.Errorf("failed to set the alias: %w", err)
		}
		w.Functions = append(w.Functions, f)
	}
	w.now = w.now.Add(-time.Hour)
	for range 60 {
		w.pass(time.Minute)
	}
	w.Minute, w.pushed = 0, w.now.Add(-time.Minute)
	setenv("AWS_REGION", region)
	for name, value := range w.Env() {
		setenv(name, value)
	}
	return w, nil
}

// Now is the time of this world.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Sleep lets time pass, with its calls, and takes none.
func (w *World) Sleep(ctx context.Context, d time.Duration) error {
	// Some calls take real time: those of a short pause, and above all what is left after
	// a signal, on a busy machine as well.
	if d < 10*time.Second {
		takes := d / 50
		if w.interrupted.Load() {
			takes = d / 2
		}
		time.Sleep(takes)
	}
	for d > 0 && ctx.Err() == nil {
		step := min(d, time.Minute)
		w.mu.Lock()
		w.pass(step)
		happens := w.At[w.Minute]
		delete(w.At, w.Minute)
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
func (w *World) pass(d time.Duration) {
	began := w.now
	w.now = began.Add(d)
	if w.now.Truncate(time.Minute).Equal(began.Truncate(time.Minute)) {
		return
	}
	w.Minute++
	extra := 0.0
	if w.Incident != nil {
		extra = w.Incident(w.Minute)
	}
	at := w.now.Truncate(time.Minute).Add(-time.Minute)
	for _, f := range w.Functions {
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
					if w.random.Float64() < w.Errors[version]+extra {
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

// Ended is what a step has left.
type Ended struct {
	Code         int
	Outputs      map[string]string
	Log, Summary string
}

// How is the status and the reason.
func (e Ended) How() string { return e.Outputs["status"] + "/" + e.Outputs["reason"] }

// Step runs the program as a step of the run 7001, with inputs; run is another run.
func (w *World) Step(inputs map[string]string) (Ended, error) {
	w.mu.Lock()
	w.runs++
	run, kills := w.runs, w.kills
	w.mu.Unlock()
	path := func(name string) string { return filepath.Join(w.dir, fmt.Sprintf("%s-%d", name, run)) }
	env := map[string]string{
		"AWS_REGION": region, "GITHUB_REPOSITORY": repository, "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main",
		"GITHUB_EVENT_NAME": "push", "GITHUB_RUN_ID": "7001", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "deploy-production", "GITHUB_WORKFLOW": "deploy",
		"GITHUB_SHA":    "f00df00df00df00df00df00df00df00df00df00d",
		"GITHUB_OUTPUT": path("output"), "GITHUB_STEP_SUMMARY": path("summary"), "GITHUB_EVENT_PATH": path("event"), "GITHUB_ACTIONS": "true",
	}
	payload := []byte(`{"ref":"refs/heads/main","repository":{"full_name":"` + repository + `","pushed_at":` + strconv.FormatInt(w.pushed.Unix(), 10) + `}}`)
	if err := os.WriteFile(env["GITHUB_EVENT_PATH"], payload, 0o600); err != nil {
		return Ended{}, fmt.Errorf("failed to write the payload: %w", err)
	}
	names := make([]string, len(w.Functions))
	for i, f := range w.Functions {
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
	maps.Copy(env, w.Env())
	maps.Copy(env, w.Variables)
	var log bytes.Buffer
	code := rollback.Main(context.Background(), nil, rollback.Deps{
		Getenv: func(name string) string { return env[name] }, Setenv: os.Setenv, ReadFile: os.ReadFile, Append: github.AppendFile,
		Random: rand.Reader, Stdin: strings.NewReader(""), Stdout: &log, Stderr: &log, Clock: clock{w, kills}, HTTP: w.HTTP, Signals: w.signals,
	})
	e := Ended{Code: code, Log: log.String(), Outputs: map[string]string{}}
	summary, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	if err != nil {
		return e, fmt.Errorf("failed to read the summary: %w", err)
	}
	e.Summary = string(summary)
	outputs, err := os.ReadFile(env["GITHUB_OUTPUT"])
	if err != nil {
		return e, fmt.Errorf("failed to read the outputs: %w", err)
	}
	lines := strings.Split(string(outputs), "\n")
	for i := 0; i+2 < len(lines); i += 3 {
		name, _, _ := strings.Cut(lines[i], "<<")
		e.Outputs[name] = lines[i+1]
	}
	return e, nil
}

// Interrupt is a cancelled run.
func (w *World) Interrupt() {
	w.interrupted.Store(true)
	w.signals <- syscall.SIGINT
}

// Serving is where the alias of a function points: "2", or "2+3=0.1".
func Serving(f *emulator.Function) string {
	alias, _ := f.Alias("live")
	var text strings.Builder
	text.WriteString(alias.Version)
	for version, weight := range alias.Weights {
		fmt.Fprintf(&text, "+%s=%g", version, weight)
	}
	return text.String()
}
