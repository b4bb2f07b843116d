package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
	"github.com/org/lambda-rollback-action/test/people"
)

const (
	region     = "eu-west-1"
	repository = "acme/shop"
	alias      = "live"
	memory     = alias + "-rollback"
	// purpose is the alias's own Description, which must stay.
	purpose = "what production calls"

	// runIDs is added to a run's number for its id, which then has as many
	// digits as at GitHub.
	runIDs = 18_000_000_000
	// betweenDeploys is the age of a good version below that of the next.
	betweenDeploys = 26 * time.Hour
)

// stage is AWS and GitHub as one scene has them.
type stage struct {
	*emulator.Emulator

	now       time.Time
	functions []*emulator.Function
	began     []int // length of each alias's history before the act
	troubles  []*emulator.Fault
	people    *people.Services // nil: nobody is told in this scene
	site      *site            // nil: there is none in this scene
}

// setUp makes the scene's functions as they were before any of its runs. work
// is a directory for scratch files.
func setUp(s scene, work string) (*stage, error) {
	e, err := emulator.Start()
	if err != nil {
		return nil, err
	}
	st := &stage{Emulator: e, now: time.Now().UTC().Truncate(time.Second)}
	if slices.ContainsFunc(s.acts, func(a act) bool { return len(a.told) > 0 }) {
		if st.people, err = people.Start(work); err != nil {
			return nil, err
		}
	}
	if len(s.site) > 0 {
		st.site = newSite(st.ago(betweenDeploys))
		st.site.put(s.site)
	}
	for _, spec := range s.functions {
		f := e.Lambda(region).CreateFunction(spec.name)
		for n := range spec.versions {
			f.Publish(st.ago(time.Duration(spec.versions-n) * betweenDeploys))
		}
		if err := f.SetAlias(alias, int64(spec.versions), nil); err != nil {
			return nil, err
		}
		if err := f.DescribeAlias(alias, purpose); err != nil {
			return nil, err
		}
		st.functions = append(st.functions, f)
	}
	return st, nil
}

// site is the bucket of a scene's static site.
type site struct {
	server *httptest.Server
	bucket *storage.Bucket

	mu  sync.Mutex
	now time.Time
}

const siteBucket = "shop-site"

func newSite(now time.Time) *site {
	s := &site{now: now}
	account := storage.New(func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	})
	s.bucket, s.server = account.Bucket(siteBucket), httptest.NewServer(account)
	return s
}

func (s *site) setTime(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

func (s *site) put(objects map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		s.bucket.PutText(key, objects[key])
	}
}

// objects are what visitors get.
func (s *site) objects() map[string]string {
	if s == nil {
		return nil
	}
	out := map[string]string{}
	for key, version := range s.bucket.Current() {
		out[key] = string(version.Body)
	}
	return out
}

// env leads the action to the bucket.
func (s *site) env() map[string]string {
	if s == nil {
		return nil
	}
	return map[string]string{"AWS_ENDPOINT_URL_S3": s.server.URL}
}

// close ends all that the stage has running.
func (st *stage) close() {
	st.Close()
	if st.people != nil {
		st.people.Close()
	}
	if st.site != nil {
		st.site.server.Close()
	}
}

func (st *stage) ago(d time.Duration) time.Time { return st.now.Add(-d) }

// play lets everything happen that comes before the action starts, and gives
// the run in which it does, as GitHub has it.
func (st *stage) play(a act) (emulator.WorkflowRun, error) {
	st.ClearFaults()
	for _, d := range a.deploys {
		if err := st.deploy(d); err != nil {
			return emulator.WorkflowRun{}, err
		}
	}
	if len(a.uploads) > 0 {
		st.site.setTime(st.ago(a.deploys[0].ago))
		st.site.put(a.uploads)
		st.site.setTime(st.now)
	}
	for _, version := range a.deletes {
		if err := st.functions[0].Delete(version); err != nil {
			return emulator.WorkflowRun{}, err
		}
	}
	if at, description, given := strings.Cut(a.memory, " "); given {
		version, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return emulator.WorkflowRun{}, fmt.Errorf("the scene's memory is on no version: %w", err)
		}
		if err := st.functions[0].SetAlias(memory, version, nil); err != nil {
			return emulator.WorkflowRun{}, err
		}
		if err := st.functions[0].DescribeAlias(memory, description); err != nil {
			return emulator.WorkflowRun{}, err
		}
	}
	for _, other := range a.others {
		st.GitHub.AddRun(repository, st.run(other))
	}
	own, err := st.begin(a.run)
	if err != nil {
		return emulator.WorkflowRun{}, err
	}
	st.troubles = st.troubles[:0]
	for _, t := range a.trouble {
		st.troubles = append(st.troubles, st.Fault(t.match, t.effect))
	}
	st.ResetJournal()
	st.began = st.began[:0]
	for _, f := range st.functions {
		st.began = append(st.began, len(f.History(alias)))
	}
	return own, nil
}

func (st *stage) deploy(d deploy) error {
	f := st.Lambda(region).Function(d.function)
	if f == nil {
		return fmt.Errorf("the scene has no function %s", d.function)
	}
	old, err := strconv.ParseInt(f.Serving(alias), 10, 64)
	if err != nil {
		return fmt.Errorf("failed to read what %s serves: %w", d.function, err)
	}
	if d.promotes != 0 {
		return f.SetAlias(alias, d.promotes, nil)
	}
	change := d.change
	if change == nil {
		change = func(*emulator.Version) {}
	}
	published := f.Publish(st.ago(d.ago), change)
	if d.share < 1 {
		return f.SetAlias(alias, old, map[string]float64{strconv.FormatInt(published, 10): d.share})
	}
	return f.SetAlias(alias, published, nil)
}

// begin puts the run on GitHub, or its next attempt, or lets it go on.
func (st *stage) begin(r run) (emulator.WorkflowRun, error) {
	switch {
	case r.again:
		return st.GitHub.Rerun(repository, r.id(), st.run(r))
	case r.goesOn:
		var now emulator.WorkflowRun
		err := st.GitHub.ChangeRun(repository, r.id(), func(run *emulator.WorkflowRun) {
			next := st.run(r)
			run.Status, run.Conclusion, run.Jobs = "in_progress", "", next.Jobs
			for i := range run.Jobs {
				run.Jobs[i].ID = int64(i + 1)
			}
			now = *run
		})
		return now, err
	}
	return st.GitHub.AddRun(repository, st.run(r)), nil
}

// end is how GitHub has the run after its last job.
func (st *stage) end(r run) error {
	return st.GitHub.ChangeRun(repository, r.id(), func(run *emulator.WorkflowRun) {
		run.Status, run.Conclusion = "completed", "failure"
		own := &run.Jobs[len(run.Jobs)-1]
		own.Status, own.Conclusion, own.CompletedAt = "completed", "success", st.now
	})
}

func (r run) id() int64 { return runIDs + int64(r.number) }

func (st *stage) run(r run) emulator.WorkflowRun {
	out := emulator.WorkflowRun{
		ID: r.id(), Number: r.number, Event: cmp.Or(r.event, "push"), Workflow: cmp.Or(r.workflow, "Deploy"),
		Commit: r.commit, Actor: r.actor, CreatedAt: st.ago(r.began),
	}
	if r.workflow != "" { // a workflow of its own
		out.WorkflowID, out.WorkflowFile = 4343, ".github/workflows/rollback.yml"
	}
	working := false
	for _, j := range r.jobs {
		job := emulator.WorkflowJob{Name: j.name, Conclusion: j.result, StartedAt: st.ago(j.from)}
		if j.result == "" {
			working, job.RunnerName = true, runnerName
		} else {
			job.CompletedAt = st.ago(j.to)
		}
		for _, step := range []string{"Set up job", j.failedStep} {
			if step != "" {
				job.Steps = append(job.Steps, emulator.WorkflowStep{Name: step, Conclusion: "success"})
			}
		}
		if j.failedStep != "" {
			job.Steps[len(job.Steps)-1].Conclusion = j.result
		}
		out.Jobs = append(out.Jobs, job)
	}
	if !working {
		out.Conclusion = "success"
	}
	return out
}

// A state is what the alias and the memory alias of one function are.
type state struct {
	serving     string // "42", or "41+42:10%" where the traffic is split
	remembered  string // as want.remembers has it; empty: there is no memory alias
	description string
}

func (st *stage) states() []state {
	states := make([]state, 0, len(st.functions))
	for _, f := range st.functions {
		var s state
		if a, ok := f.Alias(alias); ok {
			s.serving, s.description = serving(a), a.Description
		}
		if m, ok := f.Alias(memory); ok {
			s.remembered = serving(m) + " " + remembered(m.Description)
		}
		states = append(states, s)
	}
	return states
}

func serving(a emulator.AliasState) string {
	for version, weight := range a.Weights { // one at most
		return fmt.Sprintf("%s+%s:%.3g%%", a.Version, version, 100*weight)
	}
	return a.Version
}

var (
	wroteAt = regexp.MustCompile(` at=\S+`)
	runID   = regexp.MustCompile(strings.TrimRight(strconv.Itoa(runIDs), "0") + `0{6}(\d{3})\b`)
)

// remembered is the memory alias's Description without the time, and with run
// numbers for ids.
func remembered(description string) string {
	return runID.ReplaceAllString(wroteAt.ReplaceAllString(description, ""), "$1")
}

// moves are the states that the act gave a function's alias, one after the
// other.
func (st *stage) moves(function int) []string {
	var moves []string
	for _, s := range st.functions[function].History(alias)[st.began[function]:] {
		moves = append(moves, serving(s))
	}
	return moves
}
