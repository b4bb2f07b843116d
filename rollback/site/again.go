package site

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// fewVersions is how many versions of a single key one request lists, to see what
// was written after the version that the plan is based on.
const fewVersions = 8

// lookAgain lists the versions of the written keys a second time. A version between
// the one that the plan saw and ours is somebody else's write. It is now noncurrent,
// and without this check nobody would know. lookAgain changes nothing. If the
// versions cannot be listed, a note says so.
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

// keyCheck is what a listing showed about one key, from its newest version down to
// the one that the plan saw.
type keyCheck struct {
	own     ours
	etag    string // of our own version
	reached bool   // our own version was reached
	over    bool   // the version that the plan saw was reached
	after   bool   // somebody else wrote after us
	covered bool   // somebody else wrote after the plan was made, but before us
}

// look evaluates the next older version of the key, and reports whether an even
// older one is needed.
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
		// an earlier try of ours whose response was lost
	default:
		s.covered = true
	}
	return !s.over
}

// noteOthers adds to the result what others wrote to a key during the rollback.
func noteOthers(w *work, key string, s keyCheck) {
	t := &w.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.covered {
		t.show(key, report.KeyCovered, "somebody else wrote it during the rollback, and that version is now noncurrent")
		w.b.notef(true, "Somebody else wrote %s during the rollback; that version is now noncurrent. If it was a newer deploy, run that deploy again.", quoted(key))
	}
	if s.after {
		w.b.notef(false, "Somebody else has written %s after it was restored.", quoted(key))
	}
}
