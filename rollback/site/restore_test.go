package site

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// site is what stood before the deploy.
func (w *world) site() {
	w.bucket.PutText("www/index.html", "<script src=app.1.js>")
	w.bucket.PutText("www/app.1.js", "one")
	w.bucket.Put("www/style.css", storage.Object{
		Body: []byte("body{}"), ContentType: "text/css", CacheControl: "max-age=60", ContentDisposition: "inline", ContentEncoding: "identity",
		ContentLanguage: "en", Expires: "0", Redirect: "/elsewhere", Metadata: map[string]string{"sha": "1"}, Tags: map[string]string{"team": "web & shop"},
		StorageClass: "STANDARD_IA", Checksum: "CRC32",
	})
	w.bucket.PutText("www/gone.txt", "deleted by the deploy")
	w.bucket.PutText("other/file", "not part of it")
}

// deploy is one that fails in the middle.
func (w *world) deploy() {
	w.bucket.PutText("www/index.html", "<script src=app.2.js>")
	w.bucket.PutText("www/app.2.js", "two")
	w.bucket.PutText("www/style.css", "body{color:red}")
	w.bucket.Delete("www/gone.txt")
	w.bucket.PutText("other/file", "of another team")
}

func TestASiteGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	before := siteOf(w, "www/")
	q := w.cut("www/")
	w.deploy()
	ids, other := w.bucket.IDs(), w.bucket.Versions("other/file")
	w.server.Journal()

	r := w.restore(t, q)

	requireState(t, before, siteOf(w, "www/"))
	assert.Equal(t, report.Restored, r.Status, r.Message)
	assert.Equal(t, []int{3, 1, 1, 0}, []int{r.Restored, r.Removed, r.Unchanged, r.Failed})
	assert.Equal(t, other, w.bucket.Versions("other/file"))
	for id := range ids {
		assert.Contains(t, w.bucket.IDs(), id)
	}
	writes := w.writes()
	require.Len(t, writes, 4)
	assert.Equal(t, "www/index.html", writes[2].Key, "pages come after assets")
	assert.Equal(t, []string{"www/app.2.js"}, writes[3].Keys, "markers come last")

	again := w.restore(t, q)
	assert.Empty(t, w.writes())
	assert.Equal(t, report.Skipped, again.Status)
	assert.Equal(t, report.NothingChanged, again.Reason)
}

// siteOf is what visitors get below a prefix.
func siteOf(w *world, prefix string) map[string]storage.Version {
	out := map[string]storage.Version{}
	for key, v := range w.bucket.Current() {
		if len(key) >= len(prefix) && key[:len(prefix)] == prefix && (len(key) < len(Reserved) || key[:len(Reserved)] != Reserved) {
			out[key] = v
		}
	}
	return out
}

func TestAManifestIsExactWhereATimeIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	old := w.bucket.PutText("www/tie.txt", "first of the second")
	before := siteOf(w, "www/")
	q := w.cut("www/")
	q.Created = w.clock.Now()
	m, err := WriteManifest(t.Context(), w.deps(), q)
	require.NoError(t, err)
	assert.Equal(t, 5, m.Objects)
	w.bucket.PutText("www/tie.txt", "in the second of the manifest")
	w.deploy()
	w.bucket.Delete(m.Key) // as `aws s3 sync --delete` does

	r := w.restore(t, q)
	assert.Equal(t, report.ByManifest, r.Evidence)
	requireState(t, before, siteOf(w, "www/"))

	t.Run("and names what has gone", func(t *testing.T) {
		w.clock.pass(time.Hour)
		w.bucket.PutText("www/tie.txt", "again")
		w.bucket.Expire("www/tie.txt", old.ID)
		r := w.restore(t, q)
		assert.Equal(t, report.Failed, r.Status)
		assert.Equal(t, report.PartlyRestored, r.Reason)
		assert.Equal(t, "again", string(w.bucket.Versions("www/tie.txt")[0].Body), "nothing took its place")
	})
}
