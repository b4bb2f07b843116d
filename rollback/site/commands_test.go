package site

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

func statuses(checks []report.Check) map[string]report.CheckStatus {
	out := map[string]report.CheckStatus{}
	for _, c := range checks {
		out[c.Name] = c.Status
	}
	return out
}

func TestCheckTriesEachPermissionWithoutAChange(t *testing.T) {
	t.Parallel()
	const id = "E1ABCDEF234567"
	scene := func() (*world, Request) {
		w := newWorld()
		w.bucket.Ownership = "ObjectWriter"
		w.site()
		d := w.server.Distribution(id)
		d.Bucket = "www"
		return w, Request{Bucket: "www", Prefix: "www/", DistributionID: id}
	}
	w, q := scene()
	ids := w.bucket.IDs()
	checks, reason := Check(t.Context(), w.deps(), q)
	assert.Empty(t, reason)
	assert.Equal(t, map[string]report.CheckStatus{
		"site bucket": report.CheckPassed, "permission s3:ListBucketVersions": report.CheckPassed,
		"permission s3:GetObjectVersion": report.CheckPassed, "permission s3:GetObjectVersionTagging": report.CheckPassed,
		"permission s3:GetObjectVersionAcl": report.CheckPassed, "permission s3:PutObject": report.CheckPassed,
		"permission s3:DeleteObject":                  report.CheckInconclusive,
		"permission cloudfront:GetDistributionConfig": report.CheckPassed, "permission cloudfront:CreateInvalidation": report.CheckPassed,
	}, statuses(checks))
	assert.Equal(t, ids, w.bucket.IDs(), "nothing was written")
	assert.Empty(t, w.server.Distribution(id).Invalidations())

	for _, action := range []string{
		"s3:ListBucketVersions", "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:GetObjectVersionAcl", "s3:PutObject", "cloudfront:CreateInvalidation",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			w, q := scene()
			w.server.Deny(action, "")
			checks, reason := Check(t.Context(), w.deps(), q)
			assert.Equal(t, report.AccessDenied, reason)
			assert.Equal(t, report.CheckFailed, statuses(checks)["permission "+action])
		})
	}
	t.Run("access lists that nothing is known of", func(t *testing.T) {
		t.Parallel()
		w, q := scene()
		w.server.Deny("s3:GetBucketOwnershipControls", "")
		w.server.Deny("s3:GetObjectVersionAcl", "")
		checks, reason := Check(t.Context(), w.deps(), q)
		assert.Empty(t, reason)
		assert.Equal(t, report.CheckInconclusive, statuses(checks)["permission s3:GetObjectVersionAcl"])
	})
	t.Run("versioning off", func(t *testing.T) {
		t.Parallel()
		w, q := scene()
		w.bucket.Versioning = ""
		_, reason := Check(t.Context(), w.deps(), q)
		assert.Equal(t, report.VersioningOff, reason)
	})
	t.Run("a bucket with other things", func(t *testing.T) {
		t.Parallel()
		w, q := scene()
		q.Prefix = ""
		_, reason := Check(t.Context(), w.deps(), q)
		assert.Equal(t, report.PrefixRequired, reason)
	})
}

func TestMomentsAreTheStatesAfterEachDeploy(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.bucket.PutText("www/a", "1")
	w.clock.pass(30 * time.Second)
	w.bucket.PutText("www/b", "1")
	w.clock.pass(time.Hour)
	q := Request{Bucket: "www", Prefix: "www/", Run: "7"}
	m, err := WriteManifest(t.Context(), w.deps(), q)
	require.NoError(t, err)
	w.clock.pass(time.Hour)
	w.bucket.PutText("www/a", "2")
	w.bucket.Delete("www/b")
	moments, err := Moments(t.Context(), w.deps(), q, 10)
	require.NoError(t, err)
	assert.Equal(t, []report.SiteMoment{
		{At: "2026-01-31T05:00:30Z", Versions: 1, Removed: 1},
		{At: "2026-01-31T03:00:30Z", Versions: 2, Manifest: m.Key},
	}, moments)
	moments, err = Moments(t.Context(), w.deps(), q, 1)
	require.NoError(t, err)
	assert.Len(t, moments, 1)
}

func TestADrillRestoresAndReturns(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.site()
	q := w.cut("www/")
	w.deploy()
	w.clock.pass(time.Minute)
	before := siteOf(w, "www/")
	var between map[string]storage.Version
	w.server.Effect = func(c storage.Call) storage.Effect {
		if c.Operation == "DeleteObjects" && between == nil {
			return storage.Effect{Before: func() { between = siteOf(w, "www/") }}
		}
		return storage.Effect{}
	}
	there, back := Drill(t.Context(), w.deps(), q)
	assert.Equal(t, report.Restored, there.Status, there.Message)
	require.NotNil(t, back)
	assert.Equal(t, report.Restored, back.Status, back.Message)
	assert.Contains(t, between, "www/gone.txt", "it was restored in between")
	requireState(t, before, siteOf(w, "www/"))
}

func TestAManifestInPartsIsReadAsOne(t *testing.T) {
	t.Parallel()
	b := newWorld().deps().bucket("www")
	up := &upload{ctx: t.Context(), b: b, key: Reserved + "x"}
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, 2*partSize+5)
	_, _ = random.Read(data)
	for i := 0; i < len(data); i += 1 << 20 {
		_, err := up.Write(data[i:min(len(data), i+1<<20)])
		require.NoError(t, err)
	}
	require.NoError(t, up.finish())
	assert.Len(t, up.parts, 3)
	read, err := b.read(t.Context(), Reserved+"x", up.version)
	require.NoError(t, err)
	assert.Len(t, read, readLimit+1, "it is longer than is read to compare")
	assert.Equal(t, data[:readLimit+1], read)
}

// A kill at any call while many workers are at it, and then a second run.
func TestAKillAnywhereAndASecondRun(t *testing.T) {
	t.Parallel()
	for at := 1; ; at += 7 {
		w := newWorld()
		w.server.PageSize = 20
		for i := range 12 {
			w.bucket.PutText(fmt.Sprintf("www/%d.js", i), "one")
			w.bucket.PutText(fmt.Sprintf("www/%d.html", i), "one")
		}
		before := siteOf(w, "www/")
		q := w.cut("www/")
		for i := range 12 {
			w.bucket.PutText(fmt.Sprintf("www/%d.js", i), "other")
			w.bucket.PutText(fmt.Sprintf("www/%d.html", i), "other")
			w.bucket.PutText(fmt.Sprintf("www/%d.new", i), "other")
		}
		w.clock.pass(time.Minute)
		ctx, kill := context.WithCancelCause(t.Context())
		killed := false
		w.server.Effect = func(c storage.Call) storage.Effect {
			if c.Number == at {
				killed = true
				kill(errors.New("killed"))
			}
			return storage.Effect{}
		}
		w.server.Journal()
		Restore(ctx, w.deps(), q)
		kill(nil)
		w.server.Effect = nil
		inOrder(t, w.server.Journal())
		Restore(t.Context(), w.deps(), q)
		requireState(t, before, siteOf(w, "www/"))
		w.server.Journal()
		Restore(t.Context(), w.deps(), q)
		require.Empty(t, w.writes())
		if !killed {
			break
		}
	}
}

func TestAProgressLineOnALongRestore(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range 20 {
		w.bucket.PutText(fmt.Sprintf("www/%d.js", i), "one")
	}
	q := w.cut("www/")
	for i := range 20 {
		w.bucket.PutText(fmt.Sprintf("www/%d.js", i), "other")
	}
	w.server.Effect = func(storage.Call) storage.Effect {
		return storage.Effect{Before: func() { w.clock.pass(time.Second) }}
	}
	w.restore(t, q)
	said := 0
	for _, line := range w.log.all {
		assert.NotContains(t, line, "%!")
		if strings.Contains(line, " of 20 objects done") {
			said++
		}
	}
	assert.GreaterOrEqual(t, said, 3)
}
