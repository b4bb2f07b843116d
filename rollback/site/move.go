package site

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// inParallel calls f with 0 to n-1, at most workers calls at a time, and returns the
// first error. After an error it starts no further calls.
func inParallel(ctx context.Context, workers, n int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wait sync.WaitGroup
	var once sync.Once
	var failed error
	for range min(workers, n) {
		wait.Go(func() {
			for i := range next {
				if err := f(ctx, i); err != nil {
					once.Do(func() { failed = err })
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	if failed == nil && ctx.Err() != nil {
		failed = &aws.Stopped{Cause: context.Cause(ctx)}
	}
	return failed
}

// tally has the counts that all workers share.
type tally struct {
	mu         sync.Mutex
	restored   int
	removed    int
	unchanged  int
	superseded int
	archived   int
	failed     int
	bytes      int64
	keys       []report.SiteKey
	first      *Problem  // the first failure of a key for a reason other than being archived
	said       time.Time // when progress was last logged
	done       int
	// written has the keys that were written, for lookAgain.
	written map[string]ours
}

// ours is a version or delete marker that this restore wrote. Over is the ID of the
// version that the plan saw as the current one.
type ours struct {
	Over, ID string
	Marker   bool
}

// mostFailures is how many keys of a phase may fail before the others are not tried.
const mostFailures = 25

var errTooManyFailed = errors.New("too many objects failed, so the rest were not tried")

// weight ranks the actions by how important it is that a person sees the key.
var weight = map[report.KeyAction]int{report.KeyFailed: 3, report.KeyCovered: 2, report.KeySuperseded: 1}

// show adds a key to the keys in the result. If their number has reached its limit,
// the key replaces one that is less important for a person to see.
func (t *tally) show(key string, action report.KeyAction, detail string) {
	shown := report.SiteKey{Key: key, Action: action, Detail: detail}
	if len(t.keys) < report.SiteKeysShown {
		t.keys = append(t.keys, shown)
		return
	}
	for i := len(t.keys) - 1; i >= 0; i-- {
		if weight[t.keys[i].Action] < weight[action] {
			t.keys[i] = shown
			return
		}
	}
}

// failed counts a key that could not be restored. It returns an error once it is not
// worth continuing.
func (w *work) failed(key string, p *Problem) error {
	t := &w.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show(key, report.KeyFailed, p.Text)
	if t.failed+t.archived < mostFailures {
		w.b.log.Infof("%s failed: %s", quoted(key), p.Text)
	}
	if p.Reason == report.Archived {
		t.archived++
		return nil
	}
	t.failed++
	if t.first == nil {
		t.first = p
	}
	if t.failed >= mostFailures {
		return errTooManyFailed
	}
	return nil
}

// carryOut carries out the plan, in an order that keeps a partly restored site
// intact: the assets, then the pages that link to them, then the removals.
func (w *work) carryOut(ctx context.Context) error {
	p, t := w.plan, &w.tally
	t.unchanged = p.Counts[leave] + p.Counts[keepNew]
	t.superseded = p.Counts[superseded]
	t.keys = p.Keys
	t.written = map[string]ours{}
	t.said = w.b.clock.Now()
	defer w.count()

	if len(p.Assets)+len(p.Pages) > 0 {
		if err := w.copier.readACLs(ctx); err != nil {
			return err
		}
	}
	err := w.phase(ctx, p.Assets)
	if err == nil {
		err = w.phase(ctx, p.Pages)
	}
	w.keepForNewer()
	if err == nil {
		err = w.removeAll(ctx)
	}
	if w.q.DryRun {
		w.conclude(err)
		return nil
	}
	if t.restored+t.removed > 0 {
		w.result.RestoredAt = w.b.clock.Now().UTC().Format(time.RFC3339)
		lookAgain(ctx, w)
	}
	w.conclude(err)
	if ctx.Err() != nil {
		if !w.b.wrote.Load() {
			return nil
		}
		var end func()
		ctx, end = w.b.late(ctx)
		defer end()
	}
	invalidate(ctx, w)
	return nil
}

// keepForNewer keeps the objects that this run added if a newer deploy has written
// any object of the site. The newer deploy's `aws s3 sync` may have skipped files
// that were already there, and its pages may request them.
func (w *work) keepForNewer() {
	if w.tally.superseded == 0 || len(w.plan.Removals) == 0 {
		return
	}
	w.kept, w.plan.Removals = len(w.plan.Removals), nil
}

// phase copies the changes. It returns an error if the phases that follow must not
// run.
func (w *work) phase(ctx context.Context, changes []change) error {
	t := &w.tally
	err := inParallel(ctx, w.b.workers, len(changes), func(ctx context.Context, i int) error {
		c := changes[i]
		w.progress()
		if w.q.DryRun {
			return w.pretend(ctx, c)
		}
		what, id, err := w.copier.put(ctx, c)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			return w.failed(c.Key, asProblem(err))
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.done++
		switch what {
		case copied:
			t.restored++
			t.bytes += c.From.Size
			t.show(c.Key, report.KeyRestored, "")
			t.written[c.Key] = ours{Over: c.Over.ID, ID: id}
			w.plan.Touched.replace(c.Key, c.Over.ID, id)
		case same:
			t.unchanged++
		case newer:
			t.superseded++
			t.show(c.Key, report.KeySuperseded, "written by somebody else, after this run's deploy or during the rollback")
		}
		return nil
	})
	if err == nil && t.failed > 0 {
		return t.first
	}
	return err
}

// pretend counts a change in a dry run. It compares versions that may be the same,
// because otherwise the counts would say nothing about a deploy that uploads every
// file.
func (w *work) pretend(ctx context.Context, c change) error {
	t := &w.tally
	archived, equal := c.From.archived(), false
	if c.Action == compare {
		from, err := w.b.headOf(ctx, c.Key, c.From.ID)
		if err != nil {
			return w.failed(c.Key, asProblem(err))
		}
		if equal, err = w.copier.same(ctx, c, from); err != nil {
			return w.failed(c.Key, asProblem(err))
		}
	}
	switch t.mu.Lock(); {
	case equal:
		t.unchanged++
	case c.Newer:
		t.superseded++
		t.show(c.Key, report.KeySuperseded, "written after this run's deploy had ended")
	case archived:
		t.archived++
		t.show(c.Key, report.KeyFailed, "it is archived in "+string(c.From.Class))
	default:
		t.restored++
		t.bytes += c.From.Size
		t.show(c.Key, report.KeyRestored, "")
	}
	t.mu.Unlock()
	return nil
}

// progressEvery is how often a long restore logs its progress.
const progressEvery = 5 * time.Second

func (w *work) progress() {
	t := &w.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	now := w.b.clock.Now()
	if now.Sub(t.said) < progressEvery {
		return
	}
	t.said = now
	w.b.log.Infof("%d of %d objects done, %s copied", t.done, w.plan.changes(), size(t.bytes))
}

// count copies the workers' counts to the result.
func (w *work) count() {
	t, r := &w.tally, &w.result
	r.Restored, r.Removed, r.Unchanged, r.Superseded = t.restored, t.removed, t.unchanged, t.superseded
	r.Failed = t.failed + t.archived + w.plan.lost()
	r.Bytes, r.Keys = t.bytes, t.keys
	if r.Keys == nil {
		r.Keys = []report.SiteKey{}
	}
}

func (w *work) fail(p *Problem) {
	w.result.Status, w.result.Reason, w.result.Message = report.Failed, p.Reason, p.Text
}

// conclude sets the status, reason and message of the result. err is what ended the
// restore early; nil: nothing did.
func (w *work) conclude(err error) {
	w.count()
	r := &w.result
	r.Status, r.Reason = report.Restored, ""
	if w.q.DryRun {
		r.Status = report.Planned
	}
	wrote := r.Restored+r.Removed > 0
	switch {
	case err != nil:
		w.broken(err, wrote)
	case r.Failed > 0 && !wrote && w.tally.archived == r.Failed:
		r.Status, r.Reason = report.Failed, report.Archived
		r.Message = fmt.Sprintf("S3 has archived the versions of all %s, so nothing was restored: restore them from the archive with `aws s3api restore-object`, and run this again.", objects(r.Failed))
	case r.Failed > 0:
		r.Status, r.Reason = report.Failed, report.PartlyRestored
		r.Message = fmt.Sprintf("The site was restored except for %s: %s", objects(r.Failed), w.why())
	case wrote:
		form := "%s (%s) restored and %d removed in s3://%s/%s: the site is as it was at %s"
		if w.q.DryRun {
			form = "%s (%s) would be restored and %d removed in s3://%s/%s, so that the site is as it was at %s"
		}
		r.Message = fmt.Sprintf(form, objects(r.Restored), size(r.Bytes), r.Removed, r.Bucket, r.Prefix, r.Cut)
		if r.Superseded > 0 {
			r.Message += fmt.Sprintf(", except for %s that a newer deploy wrote", objects(r.Superseded))
		}
		r.Message += "."
	case r.Superseded > 0:
		r.Status, r.Reason = report.Skipped, report.Superseded
		r.Message = fmt.Sprintf("Nothing was restored: a newer deploy has written %s that this run had changed.", objects(r.Superseded))
	default:
		r.Status, r.Reason = report.Skipped, report.NothingChanged
		r.Message = fmt.Sprintf("The site s3://%s/%s is already as it was at %s: nothing was written.", r.Bucket, r.Prefix, r.Cut)
	}
	w.addNotes()
}

func (w *work) broken(err error, wrote bool) {
	p := asProblem(err)
	if n := int(w.b.unsure.Load()); n > 0 {
		defer func() {
			w.result.Message += fmt.Sprintf(" There was no response for %s: S3 may or may not have written them.", objects(n))
		}()
	}
	if errors.Is(err, errTooManyFailed) && w.tally.first != nil {
		p = w.tally.first
	}
	w.fail(p)
	if wrote && !w.q.DryRun {
		w.result.Reason = report.PartlyRestored
		w.result.Message = fmt.Sprintf("The site was partially restored, %s of at most %d; run it again to continue. %s", objects(w.result.Restored+w.result.Removed), w.plan.changes(), p.Text)
	}
}

// why returns the first key that was not restored, and the cause.
func (w *work) why() string {
	for _, k := range w.tally.keys {
		if k.Action == report.KeyFailed {
			return quoted(k.Key) + ": " + k.Detail
		}
	}
	return "see the log"
}

func (w *work) addNotes() {
	r := &w.result
	if r.Superseded > 0 {
		w.b.notef(true, "Kept %s that somebody else wrote after this run's deploy: the restored objects may not match.", objects(r.Superseded))
	}
	if w.kept > 0 {
		form := "Kept %s that this run added, because a newer deploy wrote other objects since and may need them. If it does not, remove them by hand."
		if w.q.DryRun {
			form = "Would keep %s that this run added, because a newer deploy wrote other objects since and may need them."
		}
		w.b.notef(true, form, objects(w.kept))
	}
	switch {
	case r.Versions == 0:
		w.b.notef(true, "s3://%s/%s has no objects and no old versions: check site-prefix.", r.Bucket, r.Prefix)
	case w.plan.Present == 0 && r.Removed > 0:
		w.b.notef(true, "No object versions from %s or before were found, so all objects were removed. If the site existed then, its old versions have expired: restore a later time, or a manifest.", r.Cut)
	}
	if n := w.plan.Counts[keepNew]; n > 0 {
		w.b.notef(false, "%s that did not exist at %s kept, because site-keep-new-assets is set.", objects(n), r.Cut)
	}
	if r.Evidence == report.ByTime {
		w.b.notef(false, "The state was determined by time, which does not include versions that have expired since. A manifest, which `command: snapshot` writes before the deploy, is exact.")
	}
}

func objects(n int) string {
	if n == 1 {
		return "1 object"
	}
	return fmt.Sprintf("%d objects", n)
}

func validPattern(pattern string) error {
	if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
		return problem(report.InvalidInput, "site-entry-points has %s (it takes patterns such as `sw.js` or `app/*.json`)", quoted(pattern))
	}
	return nil
}
