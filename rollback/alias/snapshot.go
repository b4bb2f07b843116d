package alias

import (
	"context"
	"fmt"
	"net/http"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Snapshot records in every function's memory alias what its alias serves now,
// for the rollback of the same run. It moves nothing else. Results are in the
// functions' order.
func Snapshot(ctx context.Context, functions []Function) []report.Function {
	f := NewFleet(functions)
	each(f.tasks, func(t *task) { t.snapshot(ctx) })
	return f.Results()
}

func (t *task) snapshot(ctx context.Context) {
	if err := t.readAliases(ctx); err != nil {
		t.failDoing("nothing was noted for", err)
		return
	}
	t.seen()
	for try := 1; ; try++ {
		m, keep, err := t.portrait(ctx)
		switch {
		case err != nil:
			t.failDoing("nothing was noted for", err)
			return
		case t.DryRun:
			t.taken(report.Planned, m, fmt.Sprintf("dry run: version %d would be noted", m.Version))
			return
		case keep != "":
			t.taken(report.Taken, m, keep)
			return
		case t.unchanged(m):
			t.taken(report.Taken, m, fmt.Sprintf("version %d is noted for this run", m.Version))
			return
		}
		err = t.write(ctx, m)
		status := httpStatus(err)
		if (status == http.StatusPreconditionFailed || status == http.StatusConflict) && try < maxRemember {
			if err = t.readAliases(ctx); err == nil {
				continue // another run may have written it at the same time
			}
		}
		if err != nil {
			action := "UpdateAlias"
			if !t.o.Memory.Exists {
				action = "CreateAlias"
			}
			t.failDoing("nothing was noted for", explain(err, action, t.memoryResource()))
			return
		}
		t.taken(report.Taken, m, fmt.Sprintf("version %d is noted for this run", m.Version))
		return
	}
}

// portrait is the memory as the snapshot wants it, or why the one that is there
// is kept.
func (t *task) portrait(ctx context.Context) (m Memory, keep string, err error) {
	a := t.o.Alias
	if a.Latest {
		return m, "", &Problem{Reason: report.AliasOnLatest, Text: "the alias points at $LATEST, which is no version: let the deploy publish versions and point the alias at them, then there is something to note"}
	}
	m = t.o.Memory
	if m.writtenBy(BySnapshot, t.o.Run) && m.Version != 0 && m.Version != a.Version {
		// What serves now came after it: of this attempt, or of an earlier one.
		if why := t.keeps(ctx, m); why != "" {
			return m, fmt.Sprintf("version %d stays noted, because %s", m.Version, why), nil
		}
	}
	m.Version, m.By = a.Version, BySnapshot
	m.Run, m.Attempt, m.At = t.o.Run.ID, t.o.Run.Attempt, t.clock.Now()
	if old := t.o.Memory; old.writtenBy(BySnapshot, t.o.Run) && old.Version == a.Version && old.Attempt == m.Attempt {
		m.At = old.At // it is noted already
	}
	m.Rejected = t.o.Memory.Rejected.Remove(a.Version)
	return m, "", nil
}

// keeps tells why a snapshot that this run took before is not replaced: what an
// attempt that failed has put there since must not count as good.
func (t *task) keeps(ctx context.Context, m Memory) string {
	if m.Attempt == t.o.Run.Attempt {
		return "this attempt took its snapshot before, and something was deployed since"
	}
	run := t.evidence(ctx)
	if len(run.Earlier) == 0 {
		return fmt.Sprintf("attempt %d of this run took its snapshot before, and how that ended is not known", m.Attempt)
	}
	for _, job := range run.Earlier {
		if !job.Own && job.Conclusion != "success" && job.Conclusion != "skipped" && job.Conclusion != "neutral" {
			return fmt.Sprintf("attempt %d of this run took its snapshot before, and an earlier attempt did not succeed", m.Attempt)
		}
	}
	return ""
}

// taken puts a snapshot into the result.
func (t *task) taken(status report.Status, m Memory, what string) {
	r := &t.result
	r.Status, r.From = status, versionText(m.Version)
	r.Rejected = m.Rejected.Strings()
	serves := "serves " + serving(t.o.Alias)
	r.Message = fmt.Sprintf("%s in %s %s: %s, and a rollback of this run goes back to exactly that", t.label(), t.Environment, serves, what)
	if w := t.o.Alias; w.Weighted != 0 {
		t.warnf("the traffic is split: %.3g%% go to version %d; a rollback of this run gives all of it to version %d", 100*w.Weight, w.Weighted, m.Version)
	}
	if e, found := t.o.Memory.Rejected.Find(m.Version); found && status == report.Taken {
		if _, still := m.Rejected.Find(m.Version); !still {
			t.warnf("version %d was rejected%s, and serves all the same: it counts as good from now on", m.Version, byRun(e.Run))
		}
	}
}

// failDoing is fail for what is no rollback.
func (t *task) failDoing(what string, err error) {
	t.fail(err)
	_, text := reasonOfProblem(err)
	t.result.Message = fmt.Sprintf("%s %s in %s: %s", what, t.label(), t.Environment, text)
}
