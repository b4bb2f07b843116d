package site

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// wall is the real clock.
type wall struct{}

func (wall) Now() time.Time { return time.Now() }
func (wall) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return ctx.Err()
}

// watchHeap samples what is alive on the heap, and gives the most above what it was.
func watchHeap() func() float64 {
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapAlloc))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(done)
		<-ended
		return (float64(most.Load()) - float64(before.HeapAlloc)) / (1 << 20)
	}
}

// bigSite is a bucket of keys with three versions each, of which a deploy has changed
// some: two thirds overwritten, a third born.
func bigSite(keys, changed int) (*world, Request) {
	w := newWorld()
	for range 3 {
		for i := range keys {
			w.bucket.Put(fmt.Sprintf("www/assets/%06d.js", i), storage.Object{Size: 1000, Fill: fmt.Sprint(i, w.clock.Now()), ContentType: "text/javascript"})
		}
		w.clock.pass(time.Hour)
	}
	q := w.cut("www/")
	for i := range changed * 2 / 3 {
		w.bucket.Put(fmt.Sprintf("www/assets/%06d.js", i*7%keys), storage.Object{Size: 1001, Fill: "bad"})
	}
	for i := range changed - changed*2/3 {
		w.bucket.Put(fmt.Sprintf("www/assets/new-%06d.js", i), storage.Object{Size: 1001, Fill: "bad"})
	}
	w.clock.pass(time.Minute)
	return w, q
}

func benchmarkRestore(b *testing.B, keys, changed int, latency time.Duration, dry bool) {
	for b.Loop() {
		b.StopTimer()
		w, q := bigSite(keys, changed)
		w.server.Latency = latency
		q.DryRun = dry
		d := Deps{S3: w.server.S3(), Clock: wall{}, Log: w.log}
		heap := watchHeap()
		b.StartTimer()
		r := Restore(b.Context(), d, q)
		b.StopTimer()
		if r.Restored+r.Removed != changed || r.Status == report.Failed {
			b.Fatalf("%+v", r)
		}
		b.ReportMetric(heap(), "MiB")
		b.ReportMetric(float64(len(w.server.Journal())), "requests")
		b.ReportMetric(float64(r.Versions), "versions")
		b.StartTimer()
	}
}

// BenchmarkRestore is what other tools are measured by: 20,000 keys of three versions,
// 3,000 to change, 10 ms a request. The memory includes what the server in this
// process makes for its answers.
func BenchmarkRestore(b *testing.B) { benchmarkRestore(b, 20_000, 3_000, 10*time.Millisecond, false) }

// BenchmarkRestoreTenThousand is a large deploy.
func BenchmarkRestoreTenThousand(b *testing.B) {
	benchmarkRestore(b, 20_000, 10_000, 10*time.Millisecond, false)
}

// BenchmarkPlan reads 100,000 versions, of which little must change.
func BenchmarkPlan(b *testing.B) { benchmarkRestore(b, 33_000, 1_000, 10*time.Millisecond, true) }

// endless is a bucket of any number of versions that are made up page by page, so that
// the memory that is measured is the program's.
type endless struct{ keys, versions, changed int }

func (e endless) Do(r *http.Request) (*http.Response, error) {
	answer := func(body string) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
	query := r.URL.Query()
	switch {
	case query.Has("versioning"):
		return answer("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	case query.Get("prefix") != "www/":
		return answer("<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>")
	}
	at, _ := strconv.Atoi(query.Get("version-id-marker"))
	end := min(at+1000, e.keys*e.versions)
	var out strings.Builder
	fmt.Fprintf(&out, "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>%t</IsTruncated><NextKeyMarker>www/x</NextKeyMarker><NextVersionIdMarker>%d</NextVersionIdMarker>", end < e.keys*e.versions, end)
	for i := at; i < end; i++ {
		key, version := i/e.versions, i%e.versions
		modified := begin.Add(-time.Duration(version+1) * time.Hour)
		if key < e.changed && version == 0 {
			modified = begin.Add(time.Minute)
		}
		fmt.Fprintf(&out, "<Version><Key>www/assets/%09d.js</Key><VersionId>%032d</VersionId><IsLatest>%t</IsLatest><LastModified>%s</LastModified><ETag>&quot;%032d&quot;</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass><Owner><ID>%064d</ID></Owner></Version>",
			key, i+1, version == 0, modified.Format(time.RFC3339), i, version+1000, 1)
	}
	out.WriteString("</ListVersionsResult>")
	return answer(out.String())
}

func (e endless) plan(ctx context.Context) (*plan, float64, error) {
	client := s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: sdk.String("http://127.0.0.1"), UsePathStyle: true, HTTPClient: e,
		Credentials: sdk.AnonymousCredentials{},
	})
	w := newWork(Deps{S3: client, Clock: wall{}, Log: &lines{}}, Request{Bucket: "www", Prefix: "www/"})
	heap := watchHeap()
	p, err := w.makePlan(ctx, target{rules: rules{Prefix: "www/", Cut: begin}})
	return p, heap(), err
}

// BenchmarkPlanMillion reads a million versions: memory must not grow with their
// number.
func BenchmarkPlanMillion(b *testing.B) {
	for b.Loop() {
		_, heap, err := endless{250_000, 4, 3_000}.plan(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(heap, "MiB")
	}
}

func BenchmarkParsePage(b *testing.B) {
	response, err := endless{250, 4, 10}.Do(httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/?prefix=www/", nil))
	require.NoError(b, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
	for b.Loop() {
		if _, err := parsePage(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}

// A plan keeps what must change, and not what was listed.
func TestMemoryDoesNotGrowWithTheVersions(t *testing.T) {
	few, _, err := endless{1_000, 3, 1_000}.plan(t.Context())
	require.NoError(t, err)
	many, heap, err := endless{20_000, 6, 1_000}.plan(t.Context())
	require.NoError(t, err)
	assert.Len(t, many.Assets, 1_000)
	assert.Equal(t, few.Touched.total, many.Touched.total)
	assert.Equal(t, 19_000, many.Counts[leave])
	t.Logf("%.1f MiB", heap)
	assert.Less(t, heap, 64.0)
}
