package rollback

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// proof is the way from the moved aliases to a verdict on production, with the
// steps further back that it takes.
type proof struct {
	*story
	*verify.Verifier

	fleet *alias.Fleet
	moved []int // the functions that were rolled back, by their place
	found map[int]*finding
	// returned are those that are back on the target of the first move: what was
	// found there is what counts.
	returned []int
}

// finding is what was found out about one function.
type finding struct {
	verify.Verdict // the last one

	first verify.Verdict // on the target of the first move

	steps   int            // that had been made when it was given
	earlier []report.Check // of the versions that were left since
	moments []report.Moment
}

// left keeps the last verdict's checks as those of a version that was left.
func (f *finding) left(tried []string) {
	if len(tried) == f.steps {
		return
	}
	for _, c := range f.Checks {
		c.Name = fmt.Sprintf("%s%s: %s", report.LeftBehind, tried[f.steps], c.Name)
		f.earlier = append(f.earlier, c)
	}
	f.Checks, f.steps = nil, len(tried)
}

// prove checks the functions that were moved, where checks were asked for, and
// gives the results with what was found.
func (s *story) prove(clients *aws.Clients, fleet *alias.Fleet) []report.Function {
	results := fleet.Results()
	p := &proof{story: s, fleet: fleet, found: map[int]*finding{}}
	for i, r := range results {
		if r.Status == report.RolledBack && r.MovedAt != "" && !r.ChangedByOthers {
			p.moved = append(p.moved, i)
		}
	}
	if len(p.moved) == 0 || !s.in.AsksForChecks() {
		return results
	}
	p.Verifier = s.verifier(clients)
	s.log.Group("Checking whether production recovered")
	defer s.log.EndGroup()
	for _, i := range p.moved {
		p.found[i] = &finding{}
	}
	p.verify()
	if s.in.Watch.OnUnhealthy == "step-back" {
		p.stepBack()
	}
	return p.results()
}

// verifier has the checks that were asked for.
func (s *story) verifier(clients *aws.Clients) *verify.Verifier {
	health := s.in.Health
	return &verify.Verifier{
		Options: verify.Options{
			Health: verify.Health{
				URLs: health.URLs, Body: health.Body,
				Statuses:   func(code int) bool { return github.AnyHolds(health.Statuses, code) },
				StatusText: github.StatusText(health.Statuses),
				Successes:  health.Successes, Interval: health.Interval, Timeout: health.Timeout,
			},
			InvokePayload: health.InvokePayload,
			Alarms:        s.in.Watch.Alarms, Observe: s.in.Watch.Observe, APIs: s.in.Watch.APIs,
		},
		HTTP: s.HTTP,
		AWS: func(region string) verify.Clients {
			metrics := clients.CloudWatch(region)
			return verify.Clients{Lambda: clients.Lambda(region), Alarms: metrics, Metrics: metrics, Logs: clients.Logs(region)}
		},
		Clock: s.Clock, Log: s.log, Redact: s.redactor.Redact,
	}
}

// verify runs all checks on every moved function: a URL is served by all of
// them together.
func (p *proof) verify() {
	results := p.fleet.Results()
	subjects := make([]verify.Subject, len(p.moved))
	for n, i := range p.moved {
		subjects[n] = p.subject(i, results[i])
	}
	_, each := p.Verify(p.work, subjects)
	p.fleet.Confirm(p.work, p.moved)
	results = p.fleet.Results()
	for n, i := range p.moved {
		f, v := p.found[i], moreover(each[n], results[i])
		f.left(results[i].Tried)
		f.Verdict = v
		if f.first.Ended.IsZero() {
			f.first = v
		}
		f.moments = append(f.moments, report.Moment{
			Event: report.Verified, At: v.Ended, Detail: fmt.Sprintf("version %s: %s", results[i].To, verdictWords[v.Healthy]),
		})
		p.log.Infof("%s on version %s: %s", p.in.Functions[i], results[i].To, verdictWords[v.Healthy])
	}
}

// moreover adds to what was found that it may not be the target that was checked:
// what passed proves nothing about it then.
func moreover(v verify.Verdict, r report.Function) verify.Verdict {
	if r.AliasState == "" {
		return v
	}
	line := report.Check{Name: "alias", Status: report.CheckInconclusive, Detail: "the checks may not have met version " + r.To + ": " + r.AliasState}
	v.Checks = slices.Concat([]report.Check{line}, v.Checks)
	if v.Healthy == report.Healthy {
		v.Healthy = report.HealthUnknown
	}
	return v
}

var verdictWords = map[report.Health]string{
	report.Healthy: "recovered", report.NotHealthy: "not recovered", report.HealthUnknown: "inconclusive",
}

func (p *proof) subject(i int, r report.Function) verify.Subject {
	moved := p.Clock.Now()
	for _, m := range r.Timeline {
		if m.Event == report.AliasMoved {
			moved = m.At
		}
	}
	return verify.Subject{
		Function: r.Function, ARN: p.in.Functions[i].ARN, Alias: r.Alias, Region: r.Region,
		Version: r.To, FailedVersion: r.Left, ServedBefore: r.ServedBefore, LogGroup: r.LogGroup,
		MovedAt: moved, DeployedAt: r.DeployedAt,
	}
}

// unwell are the functions to move on. Where a function's own checks fail, it is
// that one; where only what all serve together fails, it can be any of them.
func (p *proof) unwell() []int {
	var own, all []int
	results := p.fleet.Results()
	for _, i := range p.moved {
		if results[i].AliasState != "" { // it is somebody else's now, or was not judged alone
			continue
		}
		if p.found[i].Own == report.NotHealthy {
			own = append(own, i)
		}
		if p.found[i].Healthy == report.NotHealthy && !p.onlyOldAlarms(p.found[i].Checks) {
			all = append(all, i)
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// onlyOldAlarms: nothing failed but alarms, and they were not watched. The failed
// version may have set them off, and in an instant every older version would be
// left for it.
func (p *proof) onlyOldAlarms(checks []report.Check) bool {
	return p.Options.Observe == 0 && !slices.ContainsFunc(checks, func(c report.Check) bool {
		return c.Status == report.CheckFailed && !strings.HasPrefix(c.Name, verify.AlarmLine)
	})
}

// stepBack goes further back until production is well, or nothing is left to
// try: then what is not well returns to where the first move had brought it.
func (p *proof) stepBack() {
	for step := 1; ; step++ {
		unwell := p.unwell()
		if len(unwell) == 0 || p.work.Err() != nil {
			return
		}
		var stepped []int
		if step <= p.in.Watch.MaxSteps {
			stepped = p.within(unwell, p.fleet.StepBack)
		} else {
			p.log.Infof("max-steps allows %d moves further back, and production is not healthy after them", p.in.Watch.MaxSteps)
		}
		if len(stepped) == 0 {
			p.returned = p.within(unwell, p.fleet.Return)
			return
		}
		p.verify()
	}
}

// within gives further moves the time that the first one had.
func (p *proof) within(picked []int, move func(context.Context, []int) []int) []int {
	ctx, cancel := context.WithTimeoutCause(p.work, p.in.Timeout, alias.ErrTimeout)
	defer cancel()
	return move(ctx, picked)
}

// results has what was found in the functions' results.
func (p *proof) results() []report.Function {
	all := p.fleet.Results()
	for i, f := range p.found {
		r := &all[i]
		last := f.Checks
		f.left(r.Tried)
		if slices.Contains(p.returned, i) {
			last, f.Healthy = f.first.Checks, f.first.Healthy
		}
		r.Checks, r.Healthy = slices.Concat(f.earlier, f.Checks), f.Healthy
		r.Notes = slices.Concat(r.Notes, f.Notes)
		r.Watched, r.LogTail = f.Watched, f.LogTail
		r.Timeline = append(r.Timeline, f.moments...)
		slices.SortStableFunc(r.Timeline, func(a, b report.Moment) int { return a.At.Compare(b.At) })
		switch f.Healthy {
		case report.Healthy:
			r.Message += "; " + passed(last)
		case report.NotHealthy:
			r.Status, r.Reason = report.Failed, report.Unhealthy
			r.Message += fmt.Sprintf("; production is NOT healthy (%s); %s", worst(last, report.CheckFailed),
				cmp.Or(r.AliasState, "the alias stays on version "+r.To))
		default:
			r.Message += fmt.Sprintf("; whether production recovered is not known (%s)", worst(last, report.CheckInconclusive))
		}
	}
	return all
}

func passed(checks []report.Check) string {
	if len(checks) == 1 {
		return "the check passed"
	}
	return fmt.Sprintf("all %d checks passed", len(checks))
}

// worst names the first check that ended so.
func worst(checks []report.Check, status report.CheckStatus) string {
	at := slices.IndexFunc(checks, func(c report.Check) bool { return c.Status == status })
	if at < 0 {
		return "nothing was checked"
	}
	text := checks[at].Name + ": " + checks[at].Detail
	more := 0
	for _, c := range checks[at+1:] {
		if c.Status == status {
			more++
		}
	}
	if more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}
