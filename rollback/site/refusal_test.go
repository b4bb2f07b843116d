package site

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

func TestWhatCannotBeRestoredSaysWhyAndWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene  func(w *world, q *Request)
		reason report.Reason
		says   []string
		wrote  bool
	}{
		"versioning is off":       {func(w *world, _ *Request) { w.bucket.Versioning = "" }, report.VersioningOff, []string{"is off", "put-bucket-versioning --bucket www"}, false},
		"versioning is suspended": {func(w *world, _ *Request) { w.bucket.Versioning = "Suspended" }, report.VersioningOff, []string{"is suspended", "Status=Enabled"}, false},
		"no such bucket":          {func(_ *world, q *Request) { q.Bucket = "nowhere" }, report.BucketNotFound, []string{"no bucket", "correct site-bucket"}, false},
		"versioning may not be read": {func(w *world, _ *Request) { w.server.Deny("s3:GetBucketVersioning", "") },
			report.AccessDenied, []string{"s3:GetBucketVersioning on arn:aws:s3:::www"}, false},
		"versions may not be listed": {func(w *world, _ *Request) { w.server.Deny("s3:ListBucketVersions", "") },
			report.AccessDenied, []string{"s3:ListBucketVersions on arn:aws:s3:::www"}, false},
		"old versions may not be read": {func(w *world, _ *Request) { w.server.Deny("s3:GetObjectVersion", "") },
			report.AccessDenied, []string{"s3:GetObjectVersion on arn:aws:s3:::www/www/"}, false},
		"nothing may be written": {func(w *world, _ *Request) { w.server.Deny("s3:PutObject", "") },
			report.AccessDenied, []string{"s3:PutObject on arn:aws:s3:::www/www/"}, false},
		"one key may not be written": {func(w *world, _ *Request) { w.server.Deny("s3:PutObject", "www/style.css") },
			report.PartlyRestored, []string{"partially restored", "run it again", "s3:PutObject on arn:aws:s3:::www/www/style.css"}, true},
		"nothing may be removed": {func(w *world, _ *Request) { w.server.Deny("s3:DeleteObject", "") },
			report.PartlyRestored, []string{"s3:DeleteObject on arn:aws:s3:::www/www/app.2.js"}, true},
		"requester pays": {func(w *world, _ *Request) { w.bucket.Payer = "Requester" },
			report.AccessDenied, []string{"Requester Pays", "Payer=BucketOwner"}, false},
		"a bucket that holds other things": {func(_ *world, q *Request) { q.Prefix = "" },
			report.PrefixRequired, []string{`"other/", "www/"`, "site-prefix: /"}, false},
		"a pattern that is none":   {func(_ *world, q *Request) { q.EntryPoints = []string{"[a"} }, report.InvalidInput, []string{"site-entry-points", "[a"}, false},
		"a moment to come":         {func(_ *world, q *Request) { q.RestoreTo = begin.Add(time.Hour) }, report.InvalidInput, []string{"in the future"}, false},
		"no moment at all":         {func(_ *world, q *Request) { q.Created = time.Time{} }, report.InvalidInput, []string{"set site-restore-to"}, false},
		"a manifest that is none":  {func(_ *world, q *Request) { q.Manifest = "www/index.html" }, report.InvalidInput, []string{"cannot be read as a manifest"}, false},
		"a manifest that has gone": {func(_ *world, q *Request) { q.Manifest = "x" }, report.InvalidInput, []string{`no manifest "x"`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.site()
			q := w.cut("www/")
			w.deploy()
			c.scene(w, &q)
			w.server.Journal()

			r := w.restore(t, q)

			assert.Equal(t, report.Failed, r.Status)
			assert.Equal(t, c.reason, r.Reason, r.Message)
			for _, text := range c.says {
				assert.Contains(t, r.Message, text)
			}
			assert.Equal(t, c.wrote, r.Restored+r.Removed > 0)
		})
	}
}

func TestAManifestThatMayNotBeLookedForIsDoneWithout(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	before := siteOf(w, "www/")
	q := w.cut("www/")
	w.deploy()
	w.server.Deny("s3:ListBucketVersions", Reserved)
	r := w.restore(t, q)
	assert.Equal(t, report.Restored, r.Status, r.Message)
	assert.Equal(t, report.ByTime, r.Evidence)
	assert.Contains(t, r.Notes[0].Text, "Could not check whether")
	requireState(t, before, siteOf(w, "www/"))
}

func TestABucketInAnotherRegionIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.bucket.Region = "ap-southeast-2"
	w.site()
	before := siteOf(w, "www/")
	q := w.cut("www/")
	w.deploy()
	r := w.restore(t, q)
	assert.Equal(t, report.Restored, r.Status, r.Message)
	assert.Equal(t, "ap-southeast-2", r.Region)
	requireState(t, before, siteOf(w, "www/"))
}

func TestArchivedVersionsAreNamedAndTheRestComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	style := w.bucket.Versions("www/style.css")[1]
	w.bucket.Archive("www/style.css", style.ID, "DEEP_ARCHIVE")
	r := w.restore(t, q)
	assert.Equal(t, report.Failed, r.Status)
	assert.Equal(t, report.PartlyRestored, r.Reason)
	assert.Contains(t, r.Message, `"www/style.css"`)
	assert.Contains(t, r.Message, "DEEP_ARCHIVE")
	assert.Contains(t, r.Message, "restore-object")
	assert.Equal(t, []int{2, 1, 1}, []int{r.Restored, r.Removed, r.Failed})

	t.Run("alone, there is nothing to restore", func(t *testing.T) {
		r := w.restore(t, q)
		assert.Equal(t, report.Archived, r.Reason)
	})
}

func TestANewerDeployIsLeftAlone(t *testing.T) {
	t.Parallel()
	scene := func() (*world, Request) {
		w := newWorld()
		w.site()
		q := w.cut("www/")
		w.deploy()
		w.clock.pass(time.Minute)
		q.Ended = w.clock.Now()
		w.clock.pass(time.Minute)
		w.bucket.PutText("www/index.html", "of a newer deploy, and longer than before")
		return w, q
	}
	t.Run("and named", func(t *testing.T) {
		t.Parallel()
		w, q := scene()
		r := w.restore(t, q)
		assert.Equal(t, report.Restored, r.Status)
		assert.Equal(t, []int{2, 0, 1}, []int{r.Restored, r.Removed, r.Superseded})
		assert.Contains(t, w.bucket.Current(), "www/app.2.js", "the newer deploy may need it")
		assert.Contains(t, r.Notes[0].Text, "Kept 1 object")
		assert.Contains(t, r.Notes[1].Text, "Kept 1 object that this run added, because a newer deploy wrote")
		assert.Contains(t, r.Message, "except for 1 object that a newer deploy wrote")
		assert.Contains(t, r.Keys, report.SiteKey{Key: "www/index.html", Action: report.KeySuperseded, Detail: "written after this run's deploy had ended"})
		assert.Equal(t, "of a newer deploy, and longer than before", string(w.bucket.Versions("www/index.html")[0].Body))
	})
	t.Run("and a dry run says the same", func(t *testing.T) {
		t.Parallel()
		w, q := scene()
		q.DryRun = true
		r := w.restore(t, q)
		assert.Equal(t, report.Planned, r.Status)
		assert.Equal(t, []int{2, 0, 1}, []int{r.Restored, r.Removed, r.Superseded})
		assert.Contains(t, r.Notes[1].Text, "Would keep 1 object")
	})
	t.Run("unless a person says so", func(t *testing.T) {
		t.Parallel()
		w, q := scene()
		q.RestoreTo = q.Created
		r := w.restore(t, q)
		assert.Equal(t, 0, r.Superseded)
		assert.Equal(t, "<script src=app.1.js>", string(w.bucket.Versions("www/index.html")[0].Body))
	})
	t.Run("and skipped where it wrote everything", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.bucket.PutText("www/index.html", "one")
		q := w.cut("www/")
		q.Ended = w.clock.Now()
		w.clock.pass(time.Minute)
		w.bucket.PutText("www/index.html", "newer")
		r := w.restore(t, q)
		assert.Equal(t, []any{report.Skipped, report.Superseded}, []any{r.Status, r.Reason})
	})
}

func TestAWriteDuringTheRollback(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at            string // the operation before which somebody writes
		unconditional bool
		others        int
		action        report.KeyAction
		body          string
	}{
		"before the copy is left alone":                  {"CopyObject", false, 0, report.KeySuperseded, "theirs"},
		"before the copy, where no condition can be set": {"CopyObject", true, 0, report.KeyCovered, "ours"},
		"among many, where no condition can be set":      {"CopyObject", true, 9, report.KeyCovered, "ours"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.server.NoConditions = c.unconditional
			w.bucket.PutText("www/index.html", "ours")
			for i := range c.others {
				w.bucket.PutText(fmt.Sprintf("www/%d.js", i), "ours")
			}
			q := w.cut("www/")
			w.bucket.PutText("www/index.html", "the failed deploy")
			for i := range c.others {
				w.bucket.PutText(fmt.Sprintf("www/%d.js", i), "the failed deploy")
			}
			done := false
			w.server.Effect = func(call storage.Call) storage.Effect {
				if call.Operation != c.at || call.Key != "www/index.html" || done {
					return storage.Effect{}
				}
				done = true
				return storage.Effect{Before: func() { w.bucket.PutText("www/index.html", "theirs") }}
			}
			r := w.restore(t, q)
			require.NotEmpty(t, r.Keys)
			assert.Equal(t, c.action, r.Keys[len(r.Keys)-1].Action)
			assert.Equal(t, c.body, string(w.bucket.Versions("www/index.html")[0].Body))
			assert.True(t, r.Notes[0].Warning, "%v", r.Notes)
		})
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	w.bucket.Put("www/app.1.js", storage.Object{Body: []byte("one"), ContentType: "text/plain"}) // uploaded anew
	q.DryRun = true
	w.server.Journal()
	r := w.restore(t, q)
	assert.Empty(t, w.writes())
	assert.Equal(t, report.Planned, r.Status)
	assert.Equal(t, []int{3, 1, 1}, []int{r.Restored, r.Removed, r.Unchanged})
	assert.Equal(t, 13, r.Requests)
	assert.Contains(t, r.Message, "would be restored")
}

func TestNewAssetsCanBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	q.KeepNew = true
	r := w.restore(t, q)
	assert.Equal(t, []int{3, 0}, []int{r.Restored, r.Removed})
	assert.Contains(t, w.bucket.Current(), "www/app.2.js")
}

func TestACancelledRunSaysWhatItDid(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	ctx, cancel := context.WithCancelCause(t.Context())
	w.server.Effect = func(c storage.Call) storage.Effect {
		if c.Operation == "CopyObject" && c.Key == "www/index.html" {
			cancel(errors.New("the run was cancelled"))
		}
		return storage.Effect{}
	}
	d := w.deps()
	d.Workers = 1
	r := Restore(ctx, d, q)
	assert.Equal(t, report.Failed, r.Status)
	assert.Equal(t, report.PartlyRestored, r.Reason)
	assert.Equal(t, 3, r.Restored, "the write that was sent is waited for")
	assert.Contains(t, r.Message, "the run was cancelled")
	assert.NotContains(t, r.Message, "No answer came")
}

// The answer to the last write never came.
func TestACancelledRunSaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	q.DistributionID = "E1"
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	finish, end := context.WithCancelCause(t.Context())
	defer end(nil)
	w.server.Effect = func(c storage.Call) storage.Effect {
		if c.Operation == "CopyObject" && c.Key == "www/index.html" {
			return storage.Effect{Drop: true, Done: true, Before: func() {
				cancel(errors.New("the run was cancelled"))
				end(errors.New("the time to finish is over"))
			}}
		}
		return storage.Effect{}
	}
	d := w.deps()
	d.Workers, d.Finish = 1, finish
	r := Restore(ctx, d, q)
	assert.Equal(t, []any{report.Failed, report.PartlyRestored, 2}, []any{r.Status, r.Reason, r.Restored})
	assert.Contains(t, r.Message, "There was no response for 1 object: S3 may or may not have written them.")
	assert.Contains(t, fmt.Sprint(r.Notes), "CloudFront was not invalidated")
}

func TestADrillReturnsAfterASignal(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	w.clock.pass(time.Minute)
	before := siteOf(w, "www/")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	w.server.Effect = func(c storage.Call) storage.Effect {
		if c.Operation == "CopyObject" {
			return storage.Effect{Before: func() { cancel(errors.New("the run was cancelled")) }}
		}
		return storage.Effect{}
	}
	d := w.deps()
	d.Workers = 1
	there, back := Drill(ctx, d, q)
	assert.Equal(t, report.Failed, there.Status)
	require.NotNil(t, back)
	assert.Equal(t, report.Restored, back.Status, back.Message)
	requireState(t, before, siteOf(w, "www/"))
}

func TestADrillWithoutAStateGoesBeforeTheLastDeploy(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	w.clock.pass(time.Hour)
	w.deploy()
	w.clock.pass(time.Hour)
	before := siteOf(w, "www/")
	there, back := Drill(t.Context(), w.deps(), Request{Bucket: "www", Prefix: "www/", Run: "900", Attempt: "1"})
	assert.Equal(t, report.Restored, there.Status, there.Message)
	assert.Positive(t, there.Removed)
	require.NotNil(t, back)
	requireState(t, before, siteOf(w, "www/"))
}

func TestSlowDownSlowsThePace(t *testing.T) {
	t.Parallel()
	p := newPace(&manual{now: begin}, 8)
	p.slowDown()
	p.slowDown() // of a request that was in flight as well
	assert.InDelta(t, fullPace/2, float64(p.limit.Limit()), 1)
	p.clock.(*manual).pass(2 * time.Second)
	p.slowDown()
	assert.InDelta(t, fullPace/4, float64(p.limit.Limit()), 1)
	for range 100 {
		p.succeeded()
	}
	assert.InDelta(t, fullPace/4+100, float64(p.limit.Limit()), 1)
}

func TestCloudFront(t *testing.T) {
	t.Parallel()
	const id = "E1ABCDEF234567"
	scene := func() (*world, Request, *storage.Distribution) {
		w := newWorld()
		w.site()
		d := w.server.Distribution(id)
		d.Bucket, d.OriginPath, d.Root = "www", "/www", "index.html"
		q := w.cut("www/")
		w.deploy()
		q.DistributionID = id
		return w, q, d
	}
	all := []string{"/", "/app.2.js", "/gone.txt", "/index.html", "/style.css"}
	t.Run("one invalidation, also when it is done again", func(t *testing.T) {
		t.Parallel()
		w, q, d := scene()
		q.CloudFrontWait = true
		r := w.restore(t, q)
		require.NotNil(t, r.Invalidation, r.Message)
		assert.Equal(t, all, r.Invalidation.Paths)
		assert.Equal(t, "Completed", r.Invalidation.Status)
		q.Attempt = "2"
		r = w.restore(t, q)
		require.Equal(t, report.NothingChanged, r.Reason)
		assert.Len(t, d.Invalidations(), 1, "the reference is the same")
	})
	t.Run("another one after more was written", func(t *testing.T) {
		t.Parallel()
		w, q, d := scene()
		w.server.Deny("s3:DeleteObject", "")
		w.restore(t, q)
		w.server.Allow()
		w.restore(t, q)
		assert.Len(t, d.Invalidations(), 2, "CloudFront does nothing for a reference it has had")
	})
	t.Run("none where nothing changed", func(t *testing.T) {
		t.Parallel()
		w, q, d := scene()
		q.Created = w.clock.Now()
		r := w.restore(t, q)
		assert.Equal(t, report.NothingChanged, r.Reason)
		assert.Empty(t, d.Invalidations())
	})
	t.Run("everything where the configuration may not be read", func(t *testing.T) {
		t.Parallel()
		w, q, _ := scene()
		w.server.Deny("cloudfront:GetDistributionConfig", "")
		assert.Equal(t, []string{"/*"}, w.restore(t, q).Invalidation.Paths)
	})
	t.Run("by the input where the configuration may not be read", func(t *testing.T) {
		t.Parallel()
		w, q, _ := scene()
		w.server.Deny("cloudfront:GetDistributionConfig", "")
		q.OriginPath = new("/www")
		assert.Equal(t, all, w.restore(t, q).Invalidation.Paths)
	})
	t.Run("too many in progress for a while", func(t *testing.T) {
		t.Parallel()
		w, q, d := scene()
		d.Busy = 3
		assert.Equal(t, report.Restored, w.restore(t, q).Status)
		assert.Equal(t, all, d.Invalidations()[0].Paths)
	})
	t.Run("too many in progress for long", func(t *testing.T) {
		t.Parallel()
		w, q, d := scene()
		d.Busy = busyTries
		assert.Equal(t, report.Restored, w.restore(t, q).Status)
		assert.Equal(t, []string{"/*"}, d.Invalidations()[0].Paths)
	})
	for name, c := range map[string]struct {
		spoil func(*world, *Request, *storage.Distribution)
		says  string
	}{
		"too many for good":    {func(_ *world, _ *Request, d *storage.Distribution) { d.Busy = 100 }, "TooManyInvalidationsInProgress"},
		"no such distribution": {func(_ *world, q *Request, _ *storage.Distribution) { q.DistributionID = "E0" }, "correct cloudfront-distribution-id"},
		"denied": {func(w *world, _ *Request, _ *storage.Distribution) {
			w.server.Deny("cloudfront:CreateInvalidation", "")
		},
			"cloudfront:CreateInvalidation on arn:aws:cloudfront::*:distribution/" + id},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, q, d := scene()
			before := w.bucket.Versions("www/app.1.js")
			c.spoil(w, &q, d)
			r := w.restore(t, q)
			assert.Equal(t, []any{report.Failed, report.PartlyRestored}, []any{r.Status, r.Reason})
			assert.Contains(t, r.Message, c.says)
			assert.Contains(t, r.Message, "may still serve the bad ones")
			assert.Equal(t, 3, r.Restored)
			assert.Equal(t, before, w.bucket.Versions("www/app.1.js"))
		})
	}
}

func TestTheEndOfTheTimeLimitIsNoCancellation(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]report.Reason{
		context.DeadlineExceeded:               report.Timeout,
		errors.New("the runner was shut down"): report.Cancelled,
	} {
		p := explain(&aws.Stopped{Cause: cause}, "s3:PutObject", "www")
		assert.Equal(t, want, p.Reason)
		assert.Contains(t, p.Text, "s3:PutObject")
	}
}

func TestWhatLooksWrongIsSaid(t *testing.T) {
	t.Parallel()
	t.Run("a prefix under which nothing ever was", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.site()
		r := w.restore(t, w.cut("/www/"))
		assert.Equal(t, report.NothingChanged, r.Reason)
		assert.Contains(t, r.Notes[0].Text, "check site-prefix")
	})
	t.Run("a site of which nothing is left", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		q := w.cut("www/")
		w.bucket.PutText("www/index.html", "the first deploy")
		r := w.restore(t, q)
		assert.Equal(t, 1, r.Removed)
		assert.True(t, r.Notes[0].Warning)
		assert.Contains(t, r.Notes[0].Text, "No object versions from")
	})
}

func TestAFailureIsShownAmongManyKeys(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range 40 {
		w.bucket.PutText(fmt.Sprintf("www/%02d.js", i), "ours")
	}
	q := w.cut("www/")
	for i := range 40 {
		w.bucket.PutText(fmt.Sprintf("www/%02d.js", i), "theirs")
	}
	w.server.Deny("s3:PutObject", "www/39.js")
	r := w.restore(t, q)
	assert.Equal(t, []int{39, 1}, []int{r.Restored, r.Failed})
	assert.Len(t, r.Keys, report.SiteKeysShown)
	assert.Equal(t, "www/39.js", r.Keys[len(r.Keys)-1].Key)
	assert.Contains(t, r.Message, "www/39.js")
}
