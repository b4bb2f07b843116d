package site

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// batch is the largest number of keys that one request can put delete markers on.
const batch = 1000

// removeAll puts delete markers on the objects that were created after the cut. No
// request names a version, because that would delete the version permanently.
func (w *work) removeAll(ctx context.Context) error {
	t := &w.tally
	if w.q.DryRun {
		t.removed = len(w.plan.Removals)
		for _, c := range w.plan.Removals {
			t.show(c.Key, report.KeyRemoved, "")
		}
		return nil
	}
	var batches [][]change
	var together []change
	for _, c := range w.plan.Removals {
		if !fitsXML(c.Key) {
			batches = append(batches, []change{c})
			continue
		}
		if together = append(together, c); len(together) == batch {
			batches, together = append(batches, together), nil
		}
	}
	if len(together) > 0 {
		batches = append(batches, together)
	}
	const workers = 4 // a batch counts as a thousand writes
	err := inParallel(ctx, workers, len(batches), func(ctx context.Context, i int) error {
		w.progress()
		return w.removeBatch(ctx, batches[i])
	})
	if err == nil && t.first != nil {
		return t.first
	}
	return err
}

// removeBatch sends a batch until S3 has accepted every key, or rejects some
// permanently.
func (w *work) removeBatch(ctx context.Context, changes []change) error {
	for try := 1; len(changes) > 0; try++ {
		each, failed := w.b.mark(ctx, changes)
		if failed != nil && ctx.Err() != nil {
			return failed
		}
		var again []change
		slowed := false
		for _, c := range changes {
			m := each[c.Key]
			err := errors.Join(failed, m.err)
			switch {
			case err == nil:
				w.removed(c, m.id)
			case failed == nil && aws.Classify(err).Retryable() && try < mostTries:
				again = append(again, c)
				slowed = slowed || throttled(err)
			default:
				p := asProblem(explain(err, "s3:DeleteObject", w.b.arn(c.Key)))
				if err := w.failed(c.Key, p); err != nil {
					return err
				}
			}
		}
		if changes = again; len(changes) > 0 {
			if slowed {
				w.b.pace.slowDown()
			}
			_ = w.b.clock.Sleep(ctx, retry(nil, nil, 0).Pause(w.b.clock.Now(), try, nil))
		}
	}
	return nil
}

func (w *work) removed(c change, id string) {
	t := &w.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removed++
	t.done++
	t.show(c.Key, report.KeyRemoved, "")
	t.written[c.Key] = ours{Over: c.Over.ID, ID: id, Marker: true}
	w.plan.Touched.replace(c.Key, c.Over.ID, id)
}

// marked is the result for one key of a batch: the ID of its delete marker, or why
// it got none.
type marked struct {
	id  string
	err error
}

// mark puts delete markers on keys. A response with status 200 may contain errors
// for single keys.
func (b *bucket) mark(ctx context.Context, changes []change) (map[string]marked, error) {
	if len(changes) == 1 && !fitsXML(changes[0].Key) {
		key := changes[0].Key
		out, err := write(ctx, b, 1, tryLimit, "DeleteObject", b.arn(key), func(ctx context.Context, options func(*s3.Options)) (*s3.DeleteObjectOutput, error) {
			return b.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key}, options)
		})
		if err != nil {
			return nil, err
		}
		return map[string]marked{key: {id: value(out.VersionId)}}, nil
	}
	in := s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{}}
	for _, c := range changes {
		in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: &c.Key})
	}
	out, err := write(ctx, b, len(changes), tryLimit, "DeleteObject", "arn:aws:s3:::"+b.name, func(ctx context.Context, options func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
		return b.s3.DeleteObjects(ctx, &in, options)
	})
	if err != nil {
		return nil, err
	}
	each := make(map[string]marked, len(changes))
	for _, c := range changes {
		each[c.Key] = marked{err: keyError{"InternalError", "S3 returned no result for this key"}}
	}
	for _, d := range out.Deleted {
		each[value(d.Key)] = marked{id: value(d.DeleteMarkerVersionId)}
	}
	for _, e := range out.Errors {
		each[value(e.Key)] = marked{err: keyError{value(e.Code), value(e.Message)}}
	}
	return each, nil
}

// keyError is the error of one key of a batch.
type keyError struct{ code, message string }

func (e keyError) Error() string        { return e.code + ": " + e.message }
func (e keyError) ErrorCode() string    { return e.code }
func (e keyError) ErrorMessage() string { return e.message }

// ErrorFault is part of the SDK's error interface.
func (e keyError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// fitsXML reports whether a key can be part of the body of a batch request. XML
// cannot represent most control characters.
func fitsXML(key string) bool {
	for _, c := range key {
		if c < 0x20 || c == 0xFFFE || c == 0xFFFF {
			return false
		}
	}
	return true
}
