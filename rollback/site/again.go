package site

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// fewVersions is how many versions of one key are read to see what lies above the
// planned one.
const fewVersions = 8

// lookAgain lists the written keys anew. A version between the plan's and ours was
// somebody else's write, which lies beneath ours now: nobody would know. It changes
// nothing, and where it cannot be done, that is said.
func lookAgain(ctx context.Context, w *work) {
	var err error
	if pages := int(w.b.pages.Load()); len(w.tally.written) <= pages {
		err = lookAtEach(ctx, w)
	} else {
		err = lookAtAll(ctx, w)
	}
	if err != nil {
		w.b.notef(true, "Could not check whether somebody else wrote objects during the rollback: %s", asProblem(err).Text)
	}
}

func lookAtEach(ctx context.Context, w *work) error {
	keys := make([]string, 0, len(w.tally.written))
	for key := range w.tally.written {
		keys = append(keys, key)
	}
	return inParallel(ctx, w.b.workers, len(keys), func(ctx context.Context, i int) error {
		key, s := keys[i], keyCheck{own: w.tally.written[keys[i]]}
		for e, err := range w.b.list(ctx, key, fewVersions) {
			if err != nil {
				return err
			}
			if e.Key != key || !s.look(e) {
				break
			}
		}
		noteOthers(w, key, s)
		return nil
	})
}

func lookAtAll(ctx context.Context, w *work) error {
	var key string
	var s keyCheck
	open := false
	for e, err := range w.b.list(ctx, w.plan.Rules.Prefix, 0) {
		if err != nil {
			return err
		}
		if e.Key != key {
			if open {
				noteOthers(w, key, s)
			}
			key = e.Key
			s = keyCheck{}
			s.own, open = w.tally.written[key]
		}
		if open {
			s.look(e)
		}
	}
	if open {
		noteOthers(w, key, s)
	}
	return nil
}

// keyCheck is what was read of one key, from its newest version down to the planned
// one.
type keyCheck struct {
	own     ours
	etag    string // of our own version
	reached bool   // our own version
	over    bool   // the planned one was reached
	after   bool   // somebody wrote above ours
	covered bool   // somebody wrote beneath ours, after the plan
}

// look takes the next older version of the key, and reports whether a further one is
// of interest.
func (s *keyCheck) look(e entry) bool {
	switch {
	case s.over:
	case e.VersionID == s.own.Over:
		s.over = true
	case !s.reached && e.VersionID == s.own.ID:
		s.reached, s.etag = true, e.ETag
	case !s.reached:
		s.after = true
	case e.Marker && s.own.Marker, !e.Marker && !s.own.Marker && e.ETag == s.etag:
		// an earlier try of ours, whose answer was lost
	default:
		s.covered = true
	}
	return !s.over
}

// noteOthers says what others wrote to a key during the rollback.
func noteOthers(w *work, key string, s keyCheck) {
	t := &w.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.covered {
		t.show(key, report.KeyCovered, "somebody else wrote it during the rollback, and that version lies beneath the restored one now")
		w.b.notef(true, "Somebody else wrote %s during the rollback; that version lies beneath the restored one now. If it was a newer deploy, run that again.", quoted(key))
	}
	if s.after {
		w.b.notef(false, "Somebody else has written %s after it was restored.", quoted(key))
	}
}
