package site

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// manual is a clock that only stands still or is slept forward.
type manual struct {
	mu  sync.Mutex
	now time.Time
}

func (m *manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *manual) Sleep(ctx context.Context, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	return ctx.Err()
}

func (m *manual) pass(d time.Duration) { _ = m.Sleep(context.Background(), d) }

// lines is a log that keeps what it is told.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Infof(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf(format, args...))
}

// world is a bucket, a clock, and a run whose deploy failed.
type world struct {
	clock  *manual
	server *storage.Server
	bucket *storage.Bucket
	log    *lines
}

var begin = time.Date(2026, 1, 31, 3, 0, 0, 0, time.UTC)

func newWorld() *world {
	w := &world{clock: &manual{now: begin}, log: &lines{}}
	w.server = storage.New(w.clock.Now)
	w.bucket = w.server.Bucket("www")
	return w
}

func (w *world) deps() Deps {
	return Deps{S3: w.server.S3(), CloudFront: w.server.CloudFront(), Clock: w.clock, Log: w.log, Workers: 8}
}

// cut gives a request to restore what stands now, and lets time pass.
func (w *world) cut(prefix string) Request {
	q := Request{Bucket: "www", Prefix: prefix, Run: "900", Attempt: "1", Created: w.clock.Now()}
	w.clock.pass(time.Minute)
	return q
}

func (w *world) restore(t *testing.T, q Request) report.Site {
	t.Helper()
	return Restore(t.Context(), w.deps(), q)
}

// write gives the calls that changed objects since the journal was read last.
func (w *world) writes() []storage.Call {
	var out []storage.Call
	for _, c := range w.server.Journal() {
		if c.Writes() {
			out = append(out, c)
		}
	}
	return out
}

// requireState fails unless visitors get what they got: every key with its bytes,
// headers and all, and no other.
func requireState(t require.TestingT, before, now map[string]storage.Version) {
	for key, was := range before {
		is, found := now[key]
		require.True(t, found, "%q is missing", key)
		require.Empty(t, was.Difference(&is), "%q differs", key)
	}
	for key := range now {
		require.Contains(t, before, key)
	}
}
