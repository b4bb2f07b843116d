package site

import (
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// at is a moment, in seconds after the cut.
func at(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }

func put(id string, seconds int) entry {
	return entry{Key: "k", VersionID: id, ETag: `"` + id + `"`, Size: int64(len(id)), Modified: at(seconds)}
}

func mark(id string, seconds int) entry {
	return entry{Key: "k", VersionID: id, Marker: true, Modified: at(seconds)}
}

func sized(e entry, etag string, size int64) entry { e.ETag, e.Size = etag, size; return e }

func seq(entries []entry) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	unordered := func(e entry) entry { e.Unordered = true; return e }
	for name, c := range map[string]struct {
		versions []entry // the newest first, as S3 lists them
		manifest *string
		ended    int
		keepNew  bool
		want     action
		from     string
	}{
		"not written since":                              {versions: []entry{put("a", -5)}, want: leave, from: "a"},
		"written in the second of the cut":               {versions: []entry{put("a", 0)}, want: leave, from: "a"},
		"overwritten":                                    {versions: []entry{put("bb", 5), put("a", -5)}, want: restore, from: "a"},
		"overwritten twice":                              {versions: []entry{put("ccc", 6), put("bb", 5), put("a", -5), put("z", -9)}, want: restore, from: "a"},
		"overwritten by as many bytes":                   {versions: []entry{put("b", 5), put("a", -5)}, want: compare, from: "a"},
		"uploaded anew":                                  {versions: []entry{sized(put("b", 5), `"a"`, 1), put("a", -5)}, want: compare, from: "a"},
		"born":                                           {versions: []entry{put("a", 5)}, want: remove},
		"born, and new ones are kept":                    {versions: []entry{put("a", 5)}, keepNew: true, want: keepNew},
		"born and deleted":                               {versions: []entry{mark("m", 6), put("a", 5)}, want: leave},
		"deleted":                                        {versions: []entry{mark("m", 5), put("a", -5)}, want: restore, from: "a"},
		"deleted before":                                 {versions: []entry{mark("m", -1), put("a", -5)}, want: leave, from: "m"},
		"deleted before and made again":                  {versions: []entry{put("bb", 5), mark("m", -1), put("a", -5)}, want: remove, from: "m"},
		"deleted before and again":                       {versions: []entry{mark("n", 5), mark("m", -1), put("a", -5)}, want: leave, from: "m"},
		"older than versioning":                          {versions: []entry{put("bb", 5), put("null", -5)}, want: restore, from: "null"},
		"in one second, the version came last":           {versions: []entry{put("bbb", 5), put("aa", -5), mark("m", -5), put("a", -5)}, want: restore, from: "aa"},
		"in one second, the marker came last":            {versions: []entry{put("bbb", 5), mark("m", -5), put("aa", -5), put("a", -5)}, want: remove, from: "m"},
		"in one second, and nobody knows what came last": {versions: []entry{put("bbb", 5), unordered(mark("m", -5)), unordered(put("aa", -5))}, want: ambiguous, from: "m"},
		"nobody knows, and it is current":                {versions: []entry{unordered(put("aa", -5)), unordered(mark("m", -5))}, want: leave, from: "aa"},
		"begun before and completed after another":       {versions: []entry{put("bbb", 5), put("parts", -9), put("a", -5)}, want: restore, from: "parts"},
		"overwritten by a newer deploy":                  {versions: []entry{put("ccc", 20), put("bb", 5), put("a", -5)}, ended: 10, want: superseded, from: "a"},
		"overwritten by a newer deploy alone":            {versions: []entry{put("ccc", 20), put("a", -5)}, ended: 10, want: superseded, from: "a"},
		"deleted by a newer deploy":                      {versions: []entry{mark("m", 20), put("bb", 5), put("a", -5)}, ended: 10, want: superseded, from: "a"},
		"born in a newer deploy":                         {versions: []entry{put("a", 20)}, ended: 10, want: superseded},
		"restored by an earlier attempt":                 {versions: []entry{sized(put("ccc", 20), `"a"`, 1), put("bb", 5), put("a", -5)}, ended: 10, want: compare, from: "a"},
		"removed by an earlier attempt":                  {versions: []entry{mark("m", 20), put("a", 5)}, ended: 10, want: leave},
		"by manifest: overwritten":                       {versions: []entry{put("ccc", 5), put("bb", 0), put("a", -5)}, manifest: new("bb"), want: restore, from: "bb"},
		"by manifest: not written since":                 {versions: []entry{put("a", 0)}, manifest: new("a"), want: leave, from: "a"},
		"by manifest: born in its second":                {versions: []entry{put("a", 0)}, manifest: new(""), want: remove},
		"by manifest: deleted in its second":             {versions: []entry{mark("m", 0), put("a", -5)}, manifest: new("a"), want: restore, from: "a"},
		"by manifest: expired":                           {versions: []entry{put("ccc", 5), put("a", -5)}, manifest: new("bb"), want: missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rules{Cut: begin, KeepNew: c.keepNew}
			if c.ended != 0 {
				r.Ended = at(c.ended)
			}
			what := func(string) (wanted, error) {
				if c.manifest == nil {
					return wanted{}, nil
				}
				return wanted{true, *c.manifest}, nil
			}
			count := 0
			for h, err := range histories(seq(c.versions), begin, what) {
				require.NoError(t, err)
				got := decide(h, r)
				assert.Equal(t, c.want, got.Action)
				assert.Equal(t, c.from, got.From.ID)
				assert.Equal(t, c.versions[0].VersionID, got.Over.ID)
				count++
			}
			assert.Equal(t, 1, count)
		})
	}
}

const listing = `<?xml version="1.0" encoding="UTF-8"?>
<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<NextKeyMarker>a+%26b</NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>
<Version><Key>a+%26b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest><LastModified>2026-01-31T03:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>GLACIER</StorageClass><Owner><ID>x</ID><DisplayName>Key</DisplayName></Owner></Version>
<DeleteMarker><Key>a+%26b</Key><VersionId>m</VersionId><IsLatest>false</IsLatest><LastModified>2026-01-31T03:00:00.000Z</LastModified></DeleteMarker>
<Version><Key>a+%26b</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><LastModified>2026-01-31T03:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Version>
</ListVersionsResult>`

func TestAPageIsReadInItsOrder(t *testing.T) {
	t.Parallel()
	p, err := parsePage(strings.NewReader(listing))
	require.NoError(t, err)
	v3 := entry{Key: "a &b", VersionID: "v3", Latest: true, Modified: begin, ETag: `"e"`, Size: 5, Class: types.StorageClassGlacier}
	m := entry{Key: "a &b", VersionID: "m", Marker: true, Modified: begin}
	v2 := entry{Key: "a &b", VersionID: "v2", Modified: begin, ETag: `"e"`, Size: 5, Class: types.StorageClassStandard}
	assert.Equal(t, page{Entries: []entry{v3, m, v2}, More: true, NextKey: "a &b", NextVersion: "v2"}, p)
	assert.Equal(t, []entry{v3, m, v2}, p.ordered())
}

func TestAPageThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	for i := range len(listing) {
		_, err := parsePage(strings.NewReader(listing[:i]))
		require.Error(t, err, "after %d bytes", i)
	}
}

func TestAnErrorInAGoodAnswerIsSeen(t *testing.T) {
	t.Parallel()
	_, err := parsePage(strings.NewReader(`<Error><Code>InternalError</Code><Message>later</Message></Error>`))
	assert.Equal(t, "InternalError", aws.Code(err))
	assert.True(t, retryable(err))
}

func TestVersionsAndMarkersThatAreListedApart(t *testing.T) {
	t.Parallel()
	e := func(key, id string, marker, latest bool, seconds int) entry {
		return entry{Key: key, VersionID: id, Marker: marker, Latest: latest, Modified: at(seconds)}
	}
	p := page{Entries: []entry{
		e("a", "a1", false, false, 1), e("b", "b2", false, true, 9), e("b", "b1", false, false, 3),
		e("a", "am", true, true, 5), e("b", "bm", true, false, 3),
	}}
	out := p.ordered()
	ids := []string{}
	for _, e := range out {
		ids = append(ids, e.VersionID)
	}
	assert.Equal(t, []string{"am", "a1", "b2", "b1", "bm"}, ids)
	assert.True(t, out[3].Unordered && out[4].Unordered, "which of them came first is not known")
	assert.False(t, out[0].Unordered || out[1].Unordered || out[2].Unordered)
}

func TestEntryPoints(t *testing.T) {
	t.Parallel()
	r := rules{Prefix: "www/", Entries: []string{"sw.js", "app/*.json", "[a"}}
	for key, want := range map[string]bool{
		"www/index.html": true, "www/a/b.htm": true, "www/app.js": false, "www/sw.js": true, "www/a/sw.js": true,
		"www/app/x.json": true, "www/x.json": false, "www/a/app/x.json": false, "www/html": false, "www/.html": true,
	} {
		assert.Equal(t, want, r.entryPoint(key), key)
	}
}

func TestAWholeBucketIsNotTakenForASite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keys []string
		want string
	}{
		"a site":              {[]string{"app.js", "index.html", "a/index.html"}, ""},
		"nothing":             {nil, ""},
		"only files":          {[]string{"a.js"}, ""},
		"only folders":        {[]string{"site/index.html", "uploads/a.png"}, "only folders"},
		"the state of a tool": {[]string{"index.html", "infra/prod.tfstate"}, "prod.tfstate"},
		"the logs of AWS":     {[]string{"AWSLogs/1/a", "index.html"}, "AWSLogs/1/a"},
		"logs of CloudFront":  {[]string{"index.html", "cdn/E1ABCDEF234567.2026-01-31-03.0a1b2c3d.gz"}, ".gz"},
		"logs of S3":          {[]string{"2026-01-31-03-04-05-0123456789ABCDEF", "index.html"}, "2026-01"},
	} {
		s := shape{}
		for _, key := range c.keys {
			s.add(history{Key: key}, rules{})
		}
		if c.want == "" {
			assert.Empty(t, s.refusal(), name)
		} else {
			assert.Contains(t, s.refusal(), c.want, name)
		}
	}
}

func TestPathsForCloudFront(t *testing.T) {
	t.Parallel()
	many := []string{}
	for i := range 101 {
		many = append(many, "www/img/"+strings.Repeat("x", i+1), "www/js/"+strings.Repeat("x", i+1))
	}
	behind := visitor{Known: true, Origin: []string{"www"}, Root: "index.html"}
	for name, c := range map[string]struct {
		keys []string
		v    visitor
		want []string
	}{
		"nothing changed":           {nil, behind, nil},
		"the origin's path is off":  {[]string{"www/app.js"}, behind, []string{"/app.js"}},
		"the root and its folder":   {[]string{"www/index.html"}, behind, []string{"/", "/index.html"}},
		"the index of a folder":     {[]string{"www/a/index.html"}, behind, []string{"/a/", "/a/index.html"}},
		"behind no origin":          {[]string{"other/x"}, behind, nil},
		"not known":                 {[]string{"www/app.js"}, visitor{}, []string{"/*"}},
		"no origin's path":          {[]string{"www/app.js"}, visitor{Known: true, Origin: []string{""}}, []string{"/www/app.js"}},
		"characters":                {[]string{"www/a b+c%é&=@:,;()!$'.js"}, behind, []string{"/a%20b+c%25%C3%A9&=@:,;()!$'.js"}},
		"a star is not encoded":     {[]string{"www/a*b.js"}, behind, []string{"/a*b.js"}},
		"a tilde by a wildcard":     {[]string{"www/a/b~c.js"}, behind, []string{"/a/b*"}},
		"a question mark likewise":  {[]string{"www/a/b?c.js"}, behind, []string{"/a/b*"}},
		"many, by folder":           {many, behind, []string{"/img/*", "/js/*"}},
		"many, in the root as well": {append([]string{"www/x"}, many...), behind, []string{"/*"}},
	} {
		p := paths{prefix: "www/"}
		for _, key := range c.keys {
			p.add(key, "v")
		}
		got := p.invalidation(c.v)
		if len(c.want) == 0 {
			assert.Empty(t, got, name)
		} else {
			assert.Equal(t, c.want, got, name)
		}
	}
}

func TestTheReferenceOfAnInvalidation(t *testing.T) {
	t.Parallel()
	var a, b paths
	a.add("x", "1")
	a.add("y", "2")
	b.add("y", "1")
	b.add("x", "1")
	assert.NotEqual(t, a.state, b.state)
	b.replace("y", "1", "2")
	assert.Equal(t, a.state, b.state, "the same state gives the same reference, in any order")
	first := reference("7", []string{"/a"}, 1)
	for _, other := range []string{reference("8", []string{"/a"}, 1), reference("7", []string{"/b"}, 1), reference("7", []string{"/a"}, 2)} {
		assert.NotEqual(t, first, other)
	}
}
