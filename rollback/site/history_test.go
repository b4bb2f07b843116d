package site

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// oddKeys are keys that clients and servers have been seen to get wrong.
var oddKeys = []string{
	"index.html", "a/index.html", "app.js", "a b.js", "a+b.js", "100%.txt", "ünï/çødé.css", "\u65e5\u672c.html", "/leading", "a//b", "a/", "./x", "../y",
	"tilde~.js", "quote\"'.txt", "<tag>&amp;", "star*.js", "what?.js", "hash#.js", "line\nbreak", "bell\x07", strings.Repeat("k", 1000) + ".html",
	"a", "a.b", "z\u00ff",
}

func drawObject(t *rapid.T) storage.Object {
	o := storage.Object{Body: []byte(rapid.SampledFrom([]string{"", "one", "two", "six", "longer than the others"}).Draw(t, "body"))}
	o.ContentType = rapid.SampledFrom([]string{"text/html", "text/plain"}).Draw(t, "type")
	if rapid.Bool().Draw(t, "rich") {
		o.CacheControl = rapid.SampledFrom([]string{"", "no-cache", "max-age=31536000"}).Draw(t, "cache")
		o.Expires = rapid.SampledFrom([]string{"", "0", "Wed, 21 Oct 2026 07:28:00 GMT"}).Draw(t, "expires")
		o.Metadata = map[string]string{"sha": rapid.SampledFrom([]string{"a", "b"}).Draw(t, "sha")}
		o.Tags = map[string]string{"team": rapid.SampledFrom([]string{"a b", "c&d=e"}).Draw(t, "tag")}
		o.StorageClass = rapid.SampledFrom([]string{"", "STANDARD_IA"}).Draw(t, "class")
		o.Redirect = rapid.SampledFrom([]string{"", "/x"}).Draw(t, "redirect")
		o.KMSKey = rapid.SampledFrom([]string{"", "arn:aws:kms:eu-west-1:1:key/k"}).Draw(t, "key")
		o.PartSize = rapid.SampledFrom([]int64{0, 4}).Draw(t, "parts")
		if rapid.Bool().Draw(t, "public") {
			o.Grants = []storage.Grant{{Who: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}}
		}
	}
	return o
}

// drawWrites makes some puts and deletes, several of them within a second.
func drawWrites(t *rapid.T, w *world, prefixes []string, most int) {
	for range rapid.IntRange(0, most).Draw(t, "writes") {
		key := rapid.SampledFrom(prefixes).Draw(t, "prefix") + rapid.SampledFrom(oddKeys).Draw(t, "key")
		if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
			w.bucket.Delete(key)
		} else {
			w.bucket.Put(key, drawObject(t))
		}
		w.clock.pass(rapid.SampledFrom([]time.Duration{0, 0, 300 * time.Millisecond, time.Second}).Draw(t, "later"))
	}
}

// drawWorld is a bucket with a past, which may be older than its versioning.
func drawWorld(t *rapid.T) (*world, string) {
	w := newWorld()
	w.server.PageSize = rapid.SampledFrom([]int{1, 2, 3, 7, 1000}).Draw(t, "page")
	w.server.NoConditions = rapid.Bool().Draw(t, "no conditions")
	w.bucket.Ownership = rapid.SampledFrom([]string{"BucketOwnerEnforced", "", "ObjectWriter"}).Draw(t, "ownership")
	prefix := rapid.SampledFrom([]string{"www/", "s", WholeBucket}).Draw(t, "site")
	prefixes := []string{"www/", "s", "www", "zzz/", ""}
	w.bucket.Versioning = ""
	drawWrites(t, w, prefixes, 5)
	w.bucket.Versioning = "Enabled"
	drawWrites(t, w, prefixes, 25)
	w.clock.pass(time.Second)
	return w, prefix
}

// beside are the versions of keys that are no part of the site.
func beside(w *world, prefix string) map[string]string {
	out := map[string]string{}
	for _, key := range w.bucket.Keys() {
		if strings.HasPrefix(key, strings.TrimPrefix(prefix, WholeBucket)) {
			continue
		}
		for _, v := range w.bucket.Versions(key) {
			out[key] += v.ID + " "
		}
	}
	return out
}

// Whatever happened before and in a deploy, and however the listing falls into pages:
// what stood at the cut stands again, nothing else is touched, nothing is lost, and a
// second run writes nothing.
func TestEveryHistoryGoesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, prefix := drawWorld(t)
		below := strings.TrimPrefix(prefix, WholeBucket)
		before, other := siteOf(w, below), beside(w, prefix)
		q := w.cut(prefix)
		if rapid.Bool().Draw(t, "manifest") {
			w.server.Apart = rapid.Bool().Draw(t, "apart")
			_, err := WriteManifest(t.Context(), w.deps(), q)
			require.NoError(t, err)
			other = beside(w, prefix)
		}
		drawWrites(t, w, []string{below}, 25)
		w.clock.pass(time.Minute)
		ids := w.bucket.IDs()

		r := Restore(t.Context(), w.deps(), q)

		require.Contains(t, []report.Status{report.Restored, report.Skipped}, r.Status, r.Message)
		requireState(t, before, siteOf(w, below))
		require.Equal(t, other, beside(w, prefix))
		for id := range ids {
			require.Contains(t, w.bucket.IDs(), id)
		}
		w.server.Journal()
		again := Restore(t.Context(), w.deps(), q)
		require.Empty(t, w.writes(), "the second run writes")
		require.Equal(t, report.Skipped, again.Status, again.Message)
	})
}

// A fault at any call, or a kill there, and then a second run: the same end. At no
// time is a page newer than its assets, nor anything removed before them.
func TestAnyFaultAndASecondRunEndTheSame(t *testing.T) {
	t.Parallel()
	effects := map[string]storage.Effect{
		"slow down": {Status: 503, Code: "SlowDown"}, "internal error": {Status: 500, Code: "InternalError"},
		"error in a 200": {Status: 200, Code: "InternalError"}, "reset": {Drop: true}, "lost answer": {Drop: true, Done: true},
		"denied": {Status: 403, Code: "AccessDenied"},
	}
	for name, effect := range effects {
		for _, times := range []int{1, 1000} {
			t.Run(fmt.Sprintf("%s %d times", name, times), func(t *testing.T) {
				t.Parallel()
				for at := 1; ; at++ {
					if !faulted(t, effect, at, times) {
						break
					}
				}
			})
		}
	}
}

// faulted restores with the effect on the calls from a number on, and tells whether
// there were as many aws.
func faulted(t *testing.T, effect storage.Effect, at, times int) bool {
	t.Helper()
	w := newWorld()
	w.server.PageSize = 3
	w.site()
	w.bucket.Put("www/big.bin", storage.Object{Size: 6 << 30, Fill: "x", PartSize: 2 << 30})
	before := siteOf(w, "www/")
	q := w.cut("www/")
	w.deploy()
	w.bucket.Put("www/big.bin", storage.Object{Size: 7 << 30, Fill: "y", PartSize: 2 << 30})
	w.clock.pass(time.Minute)
	ids := w.bucket.IDs()
	hits := 0
	w.server.Effect = func(c storage.Call) storage.Effect {
		if c.Number < at || c.Number >= at+times {
			return storage.Effect{}
		}
		hits++
		if effect.Status == 200 && c.Operation != "CopyObject" && c.Operation != "UploadPartCopy" && c.Operation != "CompleteMultipartUpload" {
			return storage.Effect{}
		}
		return effect
	}
	w.server.Journal()
	d := w.deps()
	d.Workers = 1
	first := Restore(t.Context(), d, q)
	inOrder(t, w.server.Journal())
	if hits == 0 {
		requireState(t, before, siteOf(w, "www/"))
		return false
	}
	if first.Status == report.Restored {
		requireState(t, before, siteOf(w, "www/"))
	} else {
		require.Equal(t, report.Failed, first.Status, "call %d", at)
		require.NotEmpty(t, first.Message)
	}
	w.server.Effect = nil
	second := Restore(t.Context(), d, q)
	require.Contains(t, []report.Status{report.Restored, report.Skipped}, second.Status, "call %d: %s", at, second.Message)
	requireState(t, before, siteOf(w, "www/"))
	for id := range ids {
		require.Contains(t, w.bucket.IDs(), id)
	}
	w.server.Journal()
	third := Restore(t.Context(), d, q)
	require.Empty(t, w.writes())
	require.Equal(t, report.Skipped, third.Status)
	return true
}

// inOrder holds a journal to the order of the move: no asset after a page, nothing
// copied after a marker.
func inOrder(t require.TestingT, calls []storage.Call) {
	stage := 0
	for _, c := range calls {
		now := stage
		switch {
		case c.Operation == "DeleteObjects" || c.Operation == "DeleteObject":
			now = 2
		case c.Writes() && strings.HasSuffix(c.Key, ".html"):
			now = 1
		case c.Writes():
			now = 0
		}
		require.GreaterOrEqual(t, now, stage, "%s of %q comes too late", c.Operation, c.Key)
		stage = now
	}
}

func TestEveryOddKeyGoesBack(t *testing.T) {
	t.Parallel()
	for _, key := range oddKeys {
		require.LessOrEqual(t, len("www/b"+key), 1024)
		w := newWorld()
		w.server.PageSize = 2
		w.bucket.PutText("www/c"+key, "changed")
		w.bucket.Put("www/p"+key, storage.Object{Size: 20, Fill: "parts", PartSize: 6})
		w.bucket.PutText("www/d"+key, "deleted")
		before := siteOf(w, "www/")
		q := w.cut("www/")
		m, err := WriteManifest(t.Context(), w.deps(), q)
		require.NoError(t, err)
		require.Equal(t, 3, m.Objects)
		w.bucket.PutText("www/c"+key, "other")
		w.bucket.PutText("www/p"+key, "other")
		w.bucket.Delete("www/d" + key)
		w.bucket.PutText("www/b"+key, "born")

		r := w.restore(t, q)

		require.Equal(t, report.Restored, r.Status, "%q: %s", key, r.Message)
		requireState(t, before, siteOf(w, "www/"))
	}
}
