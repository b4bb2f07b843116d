package report

import (
	"fmt"
	"strings"
)

// runFact is one fact about a run: a part with a link, and the text after it. Both are
// texts of the medium.
type runFact struct {
	name, linked, rest, url string
}

func (f runFact) markdown() string { return markdownLink(f.linked, f.url) + f.rest }

// jobFacts returns the first jobs that failed.
func (m medium) jobFacts(run Run) []runFact {
	var out []runFact
	failed := failedJobs(run.Jobs)
	for _, job := range failed[:min(len(failed), maxJobs)] {
		step := ""
		if job.FailedStep != "" {
			step = ", in step “" + m.text(job.FailedStep, longestCell) + "”"
		}
		out = append(out, runFact{"Failed job", m.text(job.Name, longestCell), step, job.URL})
	}
	return out
}

// runFacts returns what the run contained, and who started it; by is the label for the
// person.
func (m medium) runFacts(run Run, by string) []runFact {
	var out []runFact
	if run.SHA != "" {
		message := ""
		if first, _, _ := strings.Cut(run.Commit, "\n"); first != "" {
			message = " " + m.text(first, longestCell)
		}
		out = append(out, runFact{"Commit", m.name(ShortSHA(run.SHA), longestName), message, commitURL(run)})
	}
	if run.Actor != "" {
		out = append(out, runFact{name: by, linked: m.name(run.Actor, longestName)})
	}
	if fact := m.runFact(run); fact.linked != "" {
		out = append(out, fact)
	}
	return out
}

// runFact identifies the run.
func (m medium) runFact(run Run) runFact {
	fact := runFact{name: "Run", linked: m.runName(run), url: run.URL}
	if fact.linked == "" && run.URL != "" {
		fact.linked = m.unnamedRun
	}
	if run.Attempt > 1 {
		fact.rest = fmt.Sprintf(", attempt %d", run.Attempt)
	}
	if run.Branch != "" {
		fact.rest += ", on " + m.name(run.Branch, longestName)
	}
	return fact
}

// runName is "Deploy no. 57", or an empty string if it is not known.
func (m medium) runName(run Run) string {
	name := m.text(run.Workflow, m.longestRun)
	if run.Number > 0 {
		name = strings.TrimSpace(fmt.Sprintf("%s no. %d", name, run.Number))
	}
	return name
}

// isFailed reports whether the run is known to have failed. The action's own run has
// no conclusion yet, but its jobs may have one.
func isFailed(run Run) bool {
	return run.Conclusion == "failure" || run.Conclusion == "timed_out" || len(failedJobs(run.Jobs)) > 0
}

func failedJobs(jobs []Job) []Job {
	var failed []Job
	for _, job := range jobs {
		if !job.Own && (job.Conclusion == "failure" || job.Conclusion == "timed_out") {
			failed = append(failed, job)
		}
	}
	return failed
}

// runSection returns what is known about the run for which the rollback is made.
func runSection(r Result) section {
	if !isRollback(r.Command) {
		return section{}
	}
	title := "The run"
	if isFailed(r.Run) {
		title = "The run that failed"
	}
	facts := factList(gitHub.runFacts(r.Run, "By"))
	return section{title: title, body: joinParts("\n", jobList(r.Run), facts)}
}

// jobList lists the jobs that failed.
func jobList(run Run) string {
	list := factList(gitHub.jobFacts(run))
	if more := len(failedJobs(run.Jobs)) - maxJobs; more > 0 {
		list += fmt.Sprintf("\n- %d more jobs failed.", more)
	}
	return list
}

func factList(facts []runFact) string {
	lines := make([]string, 0, len(facts))
	for _, f := range facts {
		lines = append(lines, "- **"+f.name+":** "+f.markdown())
	}
	return strings.Join(lines, "\n")
}
