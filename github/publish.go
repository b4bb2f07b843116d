package github

import (
	"math"
	"strconv"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	longestMessage = 2_000 // characters of the output `message`
	longestValue   = 1_000 // characters of an output with one name or address
)

// Publish writes the result: log lines, and the outputs and the summary of the step.
// Write errors are logged as warnings and returned; they do not change the result.
func Publish(r report.Result, log *Log, files Files) []error {
	r = log.redactor.Result(r)
	logResult(r, log)
	return WriteFiles(r, log, files)
}

// WriteFiles writes the outputs and the summary of a result from which secrets have
// been removed.
func WriteFiles(r report.Result, log *Log, files Files) []error {
	var failed []error
	for _, write := range []func() error{
		func() error { return files.WriteOutputs(Outputs(r, log)) },
		func() error { return files.WriteSummary(report.Summary(r)) },
	} {
		if err := write(); err != nil {
			failed = append(failed, err)
			log.Warningf("%v. The result above is still correct, but later steps may not see it.", err)
		}
	}
	return failed
}

// Outputs returns the outputs of the step, always all of them. Together they stay
// below GitHub's limit; the log says if something was left out because of it.
func Outputs(r report.Result, log *Log) []Output {
	results, left := resultsJSON(r, largestResults)
	if left != "" {
		log.Warningf("The output `results` would be too large for GitHub: %s.", left)
	}
	versions, left := versionsJSON(r.Functions, largestResults+roomForVersions-len(results))
	if left != "" {
		log.Warningf("The output `versions` would be too large for GitHub: %s.", left)
	}
	return outputs(r, results, versions)
}

func outputs(r report.Result, results, versions string) []Output {
	var one report.Function // zero for several functions: each is in `results`
	if len(r.Functions) == 1 {
		one = r.Functions[0]
	}
	to := one.To
	if r.Command == "check" {
		to = one.Target
	}
	return []Output{
		{"status", string(r.Status)},
		{"reason", string(r.Reason)},
		{"message", report.Line(r.Message, longestMessage)},
		{"rolled-back", strconv.FormatBool(r.RolledBack())},
		{"function-name", report.Line(one.Function, longestValue)},
		{"alias", report.Line(one.Alias, longestValue)},
		{"environment", report.Line(r.Environment, longestValue)},
		{"from-version", report.Line(one.From, longestValue)},
		{"to-version", report.Line(to, longestValue)},
		{"timestamp", timestamp(r.Timestamp)},
		{"healthy", string(healthOf(r.Healthy))},
		{"notifications", notificationsJSON(r.Notifications)},
		{"results", results},
		{"versions", versions},
		{"canary-weight", promoted(one, func(p report.Promotion) string { return strconv.FormatFloat(math.Round(1e6*p.Weight)/1e4, 'f', -1, 64) })},
		{"canary-calls", promoted(one, func(p report.Promotion) string { calls, _ := p.NewVersion(); return strconv.Itoa(calls) })},
		{"canary-errors", promoted(one, func(p report.Promotion) string { _, failed := p.NewVersion(); return strconv.Itoa(failed) })},
		{"stable-calls", promoted(one, func(p report.Promotion) string { return strconv.Itoa(p.StableCalls) })},
		{"stable-errors", promoted(one, func(p report.Promotion) string { return strconv.Itoa(p.StableErrors) })},
		{"run-url", report.Line(runURL(r), longestValue)},
	}
}

// promoted returns a value of a promotion; empty: there was none.
func promoted(f report.Function, value func(report.Promotion) string) string {
	if f.Promotion == nil {
		return ""
	}
	return value(*f.Promotion)
}

func runURL(r report.Result) string {
	if r.Run.URL != "" {
		return r.Run.URL
	}
	return r.OwnURL
}

// timestamp returns t in UTC and whole seconds; empty for the zero time.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func healthOf(h report.Health) report.Health {
	if h == "" {
		return report.HealthUnknown
	}
	return h
}

// logResult writes the result to the log: with several functions a line for each, the
// notes, the overall message, which also appears on the page of the run unless its
// severity is quiet, and the next steps.
func logResult(r report.Result, log *Log) {
	if len(r.Functions) > 1 {
		log.Group("Results")
		for _, f := range r.Functions {
			log.Infof("%s (%s): %s. %s", f.Function, f.Alias, report.StatusText(f.Status), f.Message)
		}
		log.EndGroup()
	}
	for _, f := range r.Functions {
		logNotes(f.Function+": ", f.Notes, log)
	}
	logNotes("", r.Notes, log)

	say := log.Infof
	switch report.SeverityOf(r) {
	case report.SeverityFailure:
		say = log.Errorf
	case report.SeverityAttention:
		say = log.Warningf
	case report.SeverityDone:
		say = log.Noticef
	case report.SeverityQuiet:
	}
	message := r.Message
	if message == "" {
		message = report.Headline(r)
	}
	say("%s", message)
	for _, step := range report.NextSteps(r) {
		log.Infof("Next: %s", step)
	}
}

func logNotes(about string, notes []report.Note, log *Log) {
	for _, note := range notes {
		say := log.Infof
		switch {
		case note.Error:
			say = log.Errorf
		case note.Warning:
			say = log.Warningf
		}
		say("%s%s", about, note.Text)
	}
}
