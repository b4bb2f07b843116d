package rollback

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// rehearsal is a drill under way: there, looking, back, looking.
type rehearsal struct {
	*story
	*verify.Verifier

	fleet *alias.Fleet
	moved []int // the functions that are to be brought home, by their place
	there map[int]verify.Verdict
	back  map[int]verify.Verdict
}

// drill rolls back, checks, returns to what served before, and checks again.
// Whatever happens in between, the way back is gone.
func (s *story) drill(ctx context.Context, clients *aws.Clients, functions []alias.Function) {
	s.log.Group("Drill: there")
	fleet := alias.NewFleet(functions)
	r := &rehearsal{story: s, fleet: fleet, moved: fleet.Rehearse(ctx)}
	if s.in.AsksForChecks() {
		r.Verifier = s.verifier(clients)
	}
	r.there = r.look(func(f report.Function) (version, left string) { return f.To, f.From })
	s.log.EndGroup()

	s.log.Group("Drill: back")
	fleet.Home(r.moved)
	if r.Verifier != nil && slices.ContainsFunc(fleet.Results(), func(f report.Function) bool { return f.HadCanary }) {
		r.Options.InvokePayload = nil // either of two versions may answer
	}
	r.back = r.look(func(f report.Function) (version, left string) { return f.From, f.Target })
	s.log.EndGroup()
	s.tellRun(ctx)
	s.result.Functions = r.results()
	s.completeTimelines()
}

// look checks the functions that the drill has moved and that stand where it
// brought them.
func (r *rehearsal) look(versions func(report.Function) (version, left string)) map[int]verify.Verdict {
	if r.Verifier == nil || r.work.Err() != nil {
		return nil
	}
	results := r.fleet.Results()
	var subjects []verify.Subject
	var places []int
	for _, i := range r.moved {
		f := results[i]
		if f.Status != report.Drilled {
			continue
		}
		version, left := versions(f)
		began, moved := moments(f)
		subjects = append(subjects, verify.Subject{
			Function: f.Function, ARN: r.in.Functions[i].ARN, Alias: f.Alias, Region: f.Region,
			Version: version, FailedVersion: left, LogGroup: f.LogGroup,
			MovedAt: moved.At, DeployedAt: began.At, // what was before the drill is what is usual
		})
		places = append(places, i)
	}
	_, each := r.Verify(r.work, subjects)
	out := map[int]verify.Verdict{}
	for n, i := range places {
		out[i] = each[n]
		r.log.Infof("%s on version %s: %s", r.in.Functions[i], subjects[n].Version, verdictWords[each[n].Healthy])
	}
	return out
}

// moments are the first and the last move.
func moments(f report.Function) (first, last report.Moment) {
	for _, m := range f.Timeline {
		if m.Event == report.AliasMoved || m.Event == report.Returned {
			if first.At.IsZero() {
				first = m
			}
			last = m
		}
	}
	return first, last
}

// results has what was found in the functions' results. Where the alias stands
// comes first in every message.
func (r *rehearsal) results() []report.Function {
	all := r.fleet.Results()
	for _, i := range r.moved {
		f := &all[i]
		there, looked := r.there[i]
		back, lookedAgain := r.back[i]
		if looked {
			r.add(f, "on version "+f.Target, there)
		}
		if lookedAgain {
			r.add(f, "back on version "+f.From, back)
		}
		slices.SortStableFunc(f.Timeline, func(a, b report.Moment) int { return a.At.Compare(b.At) })
		if f.Status != report.Drilled {
			continue
		}
		switch {
		case back.Healthy == report.NotHealthy:
			r.unwell(f, fmt.Sprintf("and is NOT healthy there (%s)", worst(back.Checks, report.CheckFailed)))
		case there.Healthy == report.NotHealthy:
			r.unwell(f, fmt.Sprintf("version %s was not healthy (%s)", f.Target, worst(there.Checks, report.CheckFailed)))
		case r.work.Err() != nil:
			f.Status, f.Reason, f.MovedAt = report.Failed, report.Cancelled, ""
			f.Message += "; the drill was cut short: " + alias.ErrCancelled.Error()
		case !looked:
			f.Message += "; whether it was well there was not checked"
		case there.Healthy == report.Healthy && back.Healthy == report.Healthy:
			f.Healthy = report.Healthy
			f.Message += "; all checks passed, there and back"
		default:
			f.Message += fmt.Sprintf("; whether it was well is not known (%s)", worst(slices.Concat(there.Checks, back.Checks), report.CheckInconclusive))
		}
	}
	return all
}

func (r *rehearsal) add(f *report.Function, where string, v verify.Verdict) {
	for _, c := range v.Checks {
		c.Name = where + ": " + c.Name
		f.Checks = append(f.Checks, c)
	}
	f.Notes = append(f.Notes, v.Notes...)
	if v.Watched != nil {
		f.Watched = v.Watched
	}
	if v.LogTail != "" {
		f.LogTail = strings.TrimSpace(f.LogTail + "\n" + v.LogTail)
	}
	f.Timeline = append(f.Timeline, report.Moment{Event: report.Verified, At: v.Ended, Detail: where + ": " + drillWords[v.Healthy]})
}

var drillWords = map[report.Health]string{
	report.Healthy: "well", report.NotHealthy: "not well", report.HealthUnknown: "inconclusive",
}

// unwell makes a failure of a drill whose ways worked.
func (r *rehearsal) unwell(f *report.Function, what string) {
	f.Status, f.Reason, f.Healthy, f.MovedAt = report.Failed, report.Unhealthy, report.NotHealthy, ""
	f.Message += "; the drill failed: " + what
}
