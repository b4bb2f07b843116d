package main

import (
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

// A scene is one situation that a failed deploy leaves behind, and how the
// action must end in it. All its times say how long ago something was.
type scene struct {
	name      string // in the closing table: 19 characters at most
	title     string
	story     string // what happened, in one sentence
	point     string // what to look for in what follows
	functions []function
	site      map[string]string // the objects of the static site before; none: there is no site
	acts      []act             // the last one is shown, those before it lead up to it
}

// A function is one Lambda function before the scene: its good versions, the
// newest of which serves.
type function struct {
	name     string
	versions int
}

// An act is one start of the action, and what went on before it.
type act struct {
	run     run               // the workflow run whose last job starts the action
	others  []run             // further runs of that workflow
	deploys []deploy          // what the runs did to Lambda
	uploads map[string]string // and to the static site, at the time of the first deploy
	deletes []int64           // versions of the first function that somebody deleted
	memory  string            // "40 rejected=40": the version and the Description of the first function's memory alias
	inputs  map[string]string
	// well are the versions of the first function on which its health page
	// answers 200; on others it answers 500. Without any there is no page.
	well    []int64
	trouble []trouble
	// told are the channels that bring the news to people; see test/people.
	told []string
	want want
}

// A run is a run of a workflow on GitHub.
type run struct {
	number   int
	again    bool // the same run once more: a new attempt
	goesOn   bool // the run of the act before, further on
	event    string
	workflow string
	commit   string
	actor    string
	began    time.Duration
	jobs     []job
}

// A job is a job of a run, from one moment to another. Without a result it is
// still at work: the job that starts the action.
type job struct {
	name       string
	from, to   time.Duration
	result     string
	failedStep string
}

// A deploy publishes a version and gives it a share of the alias's traffic.
type deploy struct {
	function string
	ago      time.Duration
	share    float64 // 1: all of it
	change   func(*emulator.Version)
	promotes int64 // a version that exists, instead of a new one; 0: none
}

// Trouble is something that goes wrong at AWS.
type trouble struct {
	match  emulator.Match
	effect emulator.Effect
}

// want is how the action must end. serves and remembers have an entry for each
// function, as state.String and state.remembered write it.
type want struct {
	exit      int
	status    report.Status
	reason    report.Reason
	serves    []string
	through   []string          // what the first function's alias goes through; none: straight to serves
	healthy   string            // empty: unknown
	remembers []string          // what the memory alias says; empty: there must be none
	wouldGo   string            // of a check: the version that a rollback would go to
	site      map[string]string // all objects of the static site
}

const (
	minute = time.Minute
	second = time.Second
	hour   = time.Hour
)

// ownJob is the job that starts the action: the last one of its run.
const ownJob = "rollback-on-failure"

// failedDeploy is a run in the form that most scenes have: the tests pass, and
// the deploy fails in a step. It began ten minutes before its end.
func failedDeploy(number int, ended time.Duration, commit, step string) run {
	return run{
		number: number, commit: commit, actor: "mona", began: ended + 10*minute,
		jobs: []job{
			{name: "tests", from: ended + 10*minute - 5*second, to: ended + 7*minute, result: "success"},
			{name: "deploy-production", from: ended + 7*minute - 5*second, to: ended + 20*second, result: "failure", failedStep: step},
			{name: ownJob, from: ended + 10*second},
		},
	}
}

// onceMore is the same run, whose last job alone is run again.
func (r run) onceMore() run {
	r.again = true
	return r
}
