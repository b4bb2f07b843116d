package site

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// naiveRule is a restore as people write it: some lines around the SDK.
type naiveRule struct {
	name      string
	onePage   bool
	noMarkers bool // markers are not looked at, and none is written
	erase     bool // newer versions are deleted for good
	lists     bool // versions and markers are merged by time alone
	etag      bool // equal ETags are taken for equal objects
}

var naiveRules = []naiveRule{
	{name: "by time, without markers", noMarkers: true},
	{name: "deleting the newer versions", erase: true},
	{name: "the first page only", onePage: true},
	{name: "the SDK's two lists, merged by time", lists: true},
	{name: "leaving what has the same ETag", etag: true},
}

type naiveEntry struct {
	id, etag string
	at       time.Time
	marker   bool
}

func (n naiveRule) restore(ctx context.Context, c *s3.Client, q Request) {
	byKey := map[string][]naiveEntry{}
	in := &s3.ListObjectVersionsInput{Bucket: &q.Bucket, Prefix: &q.Prefix, EncodingType: types.EncodingTypeUrl}
	for {
		out, err := c.ListObjectVersions(ctx, in)
		if err != nil {
			return
		}
		for _, v := range out.Versions {
			byKey[*v.Key] = append(byKey[*v.Key], naiveEntry{*v.VersionId, *v.ETag, *v.LastModified, false})
		}
		for _, m := range out.DeleteMarkers {
			if !n.noMarkers {
				byKey[*m.Key] = append(byKey[*m.Key], naiveEntry{*m.VersionId, "", *m.LastModified, true})
			}
		}
		if n.onePage || !*out.IsTruncated {
			break
		}
		next, _ := url.QueryUnescape(*out.NextKeyMarker)
		in.KeyMarker, in.VersionIdMarker = &next, out.NextVersionIdMarker
	}
	for encoded, entries := range byKey {
		key, _ := url.QueryUnescape(encoded)
		n.one(ctx, c, q, key, entries)
	}
}

func (n naiveRule) one(ctx context.Context, c *s3.Client, q Request, key string, entries []naiveEntry) {
	slices.SortStableFunc(entries, func(a, b naiveEntry) int { return cmp.Compare(b.at.Unix(), a.at.Unix()) })
	at := slices.IndexFunc(entries, func(e naiveEntry) bool { return !e.at.After(q.Created) })
	switch {
	case n.erase:
		for _, e := range entries {
			if e.at.After(q.Created) {
				_, _ = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &q.Bucket, Key: &key, VersionId: &e.id})
			}
		}
	case at == 0:
	case at < 0 || entries[at].marker:
		if !n.noMarkers && !entries[0].marker {
			_, _ = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &q.Bucket, Key: &key})
		}
	case n.etag && entries[at].etag == entries[0].etag:
	default:
		source := encodeSource(q.Bucket+"/"+key) + "?versionId=" + entries[at].id
		_, _ = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &q.Bucket, Key: &key, CopySource: &source})
	}
}

// drawn plays a random past and a deploy, by a seed.
func drawn(seed uint64) (*world, Request, map[string]storage.Version) {
	r := rand.New(rand.NewPCG(seed, 14))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	w := newWorld()
	w.server.PageSize, w.server.AllowErase = 20, true
	w.bucket.Ownership = "ObjectWriter"
	write := func(n int) {
		for range n {
			key := "www/" + oddKeys[r.IntN(len(oddKeys))]
			if r.IntN(4) == 0 {
				w.bucket.Delete(key)
			} else {
				o := storage.Object{Body: []byte(pick("one", "two", "longer")), ContentType: pick("text/html", "text/plain")}
				if r.IntN(10) == 0 {
					o.Redirect = "/elsewhere"
				}
				if r.IntN(10) == 0 {
					o.Grants = []storage.Grant{{Who: "http://acs.amazonaws.com/groups/global/AllUsers", Permission: "READ"}}
				}
				w.bucket.Put(key, o)
			}
			w.clock.pass(time.Duration(r.IntN(3)) * time.Second / 2)
		}
	}
	write(10 + r.IntN(30))
	w.clock.pass(time.Second)
	before := siteOf(w, "www/")
	q := w.cut("www/")
	write(3 + r.IntN(20))
	w.clock.pass(time.Minute)
	return w, q, before
}

// verdict tells whether visitors get the bytes that they got, whether headers and all
// else are as they were, and whether every old version is still there.
func verdict(w *world, before map[string]storage.Version, ids map[string]bool) (bytes, all, kept bool) {
	now := siteOf(w, "www/")
	bytes, all, kept = len(now) == len(before), len(now) == len(before), true
	for key, was := range before {
		is, found := now[key]
		bytes = bytes && found && string(is.Body) == string(was.Body)
		all = all && found && was.Same(&is)
	}
	have := w.bucket.IDs()
	for id := range ids {
		kept = kept && have[id]
	}
	return bytes, all && bytes, kept
}

func TestWhoIsRight(t *testing.T) {
	t.Parallel()
	const histories = 100
	var table strings.Builder
	fmt.Fprintf(&table, "\n%d random histories%20s %8s %10s %12s\n", histories, "", "bytes", "all of it", "nothing lost")
	judge := func(name string, restore func(*world, Request)) int {
		right := [3]int{}
		for seed := range uint64(histories) {
			w, q, before := drawn(seed)
			ids := w.bucket.IDs()
			restore(w, q)
			bytes, all, kept := verdict(w, before, ids)
			for i, good := range []bool{bytes, all, kept} {
				if good {
					right[i]++
				}
			}
		}
		fmt.Fprintf(&table, "%-40s %8d %10d %12d\n", name, right[0], right[1], right[2])
		return min(right[1], right[2])
	}
	for _, n := range naiveRules {
		count := judge(n.name, func(w *world, q Request) { n.restore(t.Context(), w.server.S3(), q) })
		assert.Less(t, count, histories, n.name)
	}
	ours := judge("this action", func(w *world, q Request) { Restore(t.Context(), w.deps(), q) })
	t.Log(table.String())
	assert.Equal(t, histories, ours)
}
