package alias

import (
	"context"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Snapshot records what each alias serves now, in the memory alias of the function,
// for the rollback of the same run. It moves nothing. The results are in the order of
// the functions.
func Snapshot(ctx context.Context, functions []Function) []report.Function {
	f := NewFleet(functions)
	each(f.all, func(r *rollback) { snapshotter{r}.take(ctx) })
	return f.Results()
}

// snapshotter takes the snapshot of one function.
type snapshotter struct{ r *rollback }

func (s snapshotter) take(ctx context.Context) {
	const nothing = "nothing was recorded for"
	r := s.r
	if err := r.observer.readAliases(ctx); err != nil {
		r.failDoing(nothing, err)
		return
	}
	r.keepObserved()
	for try := 1; ; try++ {
		m, kept, err := s.newSnapshot(ctx)
		noted := fmt.Sprintf("version %d is recorded for this run", m.Version)
		switch {
		case err != nil:
			r.failDoing(nothing, err)
			return
		case r.dryRun:
			s.end(report.Planned, m, fmt.Sprintf("dry run: version %d would be recorded", m.Version))
			return
		case kept != "":
			s.end(report.Taken, m, kept)
			return
		case alreadyStored(r.now().Memory, m):
			s.end(report.Taken, m, noted)
			return
		}
		_, err = r.memory.write(ctx, r.now().Memory, m)
		if r.memory.again(ctx, r.now().Memory, try, err) {
			if err = r.observer.readAliases(ctx); err == nil {
				continue // another run may have written the memory at the same time
			}
		}
		if err != nil {
			r.failDoing(nothing, err)
			return
		}
		s.end(report.Taken, m, noted)
		return
	}
}

// newSnapshot returns the memory with the snapshot, or the reason why the existing one
// is kept.
func (s snapshotter) newSnapshot(ctx context.Context) (m Memory, kept string, err error) {
	o := s.r.now()
	if o.Alias.Latest {
		return m, "", &Problem{Reason: report.AliasOnLatest, Text: "the alias points at $LATEST, which is not a version: let the deploy publish versions and point the alias at them, so that a snapshot has a version to record"}
	}
	m = o.Memory
	m.Unread = nil
	if m.Foreign != "" {
		return m, "", &Problem{Reason: report.InvalidInput, Text: s.r.client.foreignMemory(m)}
	}
	if m.writtenBy(BySnapshot, o.Run) && m.Version != 0 && m.Version != o.Alias.Version {
		// The live version was deployed after it, by this attempt or by an earlier
		// one.
		if why := s.keepReason(ctx, m); why != "" {
			return m, fmt.Sprintf("version %d stays recorded, because %s", m.Version, why), nil
		}
	}
	m.Version, m.By, m.Promotes = o.Alias.Version, BySnapshot, 0
	m.Run, m.Attempt, m.At = o.Run.ID, o.Run.Attempt, s.r.stamp()
	if old := o.Memory; old.writtenBy(BySnapshot, o.Run) && old.Version == o.Alias.Version && old.Attempt == m.Attempt {
		m.At = old.At // it is already recorded
	}
	m.Rejected = o.Memory.Rejected.Remove(o.Alias.Version)
	return m, "", nil
}

// keepReason returns the reason why an existing snapshot of this run is not replaced:
// a version that a failed attempt has deployed since must not count as good.
func (s snapshotter) keepReason(ctx context.Context, m Memory) string {
	if m.Attempt == s.r.now().Run.Attempt {
		return "this attempt already took its snapshot, and something has been deployed since"
	}
	run := s.r.observer.evidence(ctx)
	if len(run.Earlier) == 0 {
		return fmt.Sprintf("attempt %d of this run already took its snapshot, and its result is not recorded", m.Attempt)
	}
	for _, job := range run.Earlier {
		if !job.Own && job.Conclusion != "success" && job.Conclusion != "skipped" && job.Conclusion != "neutral" {
			return fmt.Sprintf("attempt %d of this run already took its snapshot, and an earlier attempt did not succeed", m.Attempt)
		}
	}
	return ""
}

// end records what the snapshot contains.
func (s snapshotter) end(status report.Status, m Memory, what string) {
	r, now := s.r, s.r.now().Alias
	r.state.from, r.state.rejected = Alias{Version: m.Version}, m.Rejected
	r.state.end(status, "", fmt.Sprintf("%s serves %s: %s, and a rollback of this run goes back to that version", r.subject.place(), serving(now), what))
	if status == report.Taken {
		r.notes.add(report.Note{Text: fmt.Sprintf(
			"the alias %s points at version %d, and Lambda does not delete a version that an alias points at: a deploy that cleans up old versions cannot delete it", r.client.memoryAlias(), m.Version)})
	}
	if now.Weighted != 0 {
		r.notes.warnf("the traffic is split: %.3g%% goes to version %d; a rollback of this run gives all of it to version %d", 100*now.Weight, now.Weighted, m.Version)
	}
	if e, found := r.now().Memory.Rejected.Find(m.Version); found && status == report.Taken {
		if _, still := m.Rejected.Find(m.Version); !still {
			r.notes.warnf("version %d was rejected%s, but it is live: it counts as good from now on", m.Version, byRun(e.Run))
		}
	}
}
