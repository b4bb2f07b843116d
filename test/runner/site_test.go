package runner_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
	"github.com/org/lambda-rollback-action/test/people"
)

const bucketName = "shop-site"

// siteScene is a scene whose failed run has written the static site, too.
type siteScene struct {
	*scene

	storage *storage.Server
	bucket  *storage.Bucket
	url     string

	mu  sync.Mutex
	now time.Time
}

func newSiteScene(t *testing.T) *siteScene {
	t.Helper()
	s := &siteScene{scene: newScene(t)}
	s.now = s.ago(time.Hour)
	s.storage = storage.New(func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now })
	s.bucket = s.storage.Bucket(bucketName)
	server := httptest.NewServer(s.storage)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.bucket.PutText("www/index.html", "good page")
	s.bucket.PutText("www/app.css", "good style")
	s.at(s.deployed())
	s.bucket.PutText("www/index.html", "bad page")
	s.bucket.PutText("www/new.js", "new")
	s.at(s.scene.now)
	return s
}

func (s *siteScene) at(moment time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = moment
}

func (s *siteScene) siteStep() *step {
	return s.step().inputs(map[string]string{"site-bucket": bucketName, "site-prefix": "www/"}).
		set("AWS_ENDPOINT_URL_S3", s.url).set("AWS_ENDPOINT_URL_CLOUDFRONT", s.url)
}

// site is the site in the results.
func (o outcome) site(t *testing.T) map[string]any {
	t.Helper()
	var all []struct {
		Site map[string]any `json:"site"`
	}
	require.NoError(t, json.Unmarshal([]byte(o.outputs["results"]), &all), o.outputs["results"])
	require.NotEmpty(t, all)
	return all[0].Site
}

func (s *siteScene) text(key string) string {
	v, there := s.bucket.Current()[key]
	if !there {
		return ""
	}
	return string(v.Body)
}

func TestTheSiteGoesBackWithTheFunction(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	f := s.function("api", 3)
	o := s.siteStep().run()
	assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	assert.Equal(t, "good page", s.text("www/index.html"))
	assert.Empty(t, s.text("www/new.js"))
	site := o.site(t)
	assert.Equal(t, "restored", site["status"])
	assert.InDelta(t, 1, site["restored"], 0)
	assert.InDelta(t, 1, site["removed"], 0)
	assert.Contains(t, o.summary, "The static site")
	assert.Contains(t, o.outputs["message"], "back on version 2")

	s.storage.Journal() // read and empty it
	again := s.siteStep().run()
	assert.Equal(t, "skipped/already-rolled-back", again.ended(), again.outputs["message"])
	assert.Equal(t, "nothing-changed", again.site(t)["reason"])
	for _, c := range s.storage.Journal() {
		assert.False(t, c.Writes(), c)
	}
}

// Slack knows that the alias has moved while S3 has not answered yet.
func TestSlackIsToldOfTheMoveBeforeTheSiteIsRestored(t *testing.T) {
	t.Parallel()
	s, p := newSiteScene(t), listeners(t)
	s.function("api", 3)
	var late atomic.Bool
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.Await(people.SlackBot, 1, 30*time.Second) {
			late.Store(true)
		}
		s.storage.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	o := s.telling(p, people.SlackBot).inputs(map[string]string{"site-bucket": bucketName, "site-prefix": "www/"}).
		set("AWS_ENDPOINT_URL_S3", slow.URL).run()
	assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "restored", o.site(t)["status"])
	assert.False(t, late.Load(), "the first message does not wait for the site")
	messages := p.Messages(people.SlackBot)
	require.Len(t, messages, 3)
	assert.Contains(t, messages[0].Text(), "The static site is still being restored.")
	assert.NotContains(t, messages[0].Text(), "Checking now")
	assert.NotContains(t, messages[1].Text(), "still being restored")
	assert.Equal(t, map[string]string{people.SlackBot: "sent"}, o.notifications(t))
}

// The deploy failed after it had written the site and before it published.
func TestTheSiteAloneGoesBack(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	f := s.function("api", 3)
	require.NoError(t, f.Change(3, func(v *emulator.Version) { v.LastModified = s.ago(time.Hour) }))
	o := s.siteStep().run()
	assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "true", o.outputs["rolled-back"])
	assert.Equal(t, "3", f.Serving("live"))
	assert.Equal(t, "good page", s.text("www/index.html"))
}

func TestTheSiteFailsAndTheFunctionGoesBackAllTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		put    func(s *siteScene)
		reason string
	}{
		"denied":         {func(s *siteScene) { s.storage.Deny("s3:ListBucketVersions", "") }, "access-denied"},
		"versioning off": {func(s *siteScene) { s.bucket.Versioning = "" }, "versioning-off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteScene(t)
			f := s.function("api", 3)
			c.put(s)
			o := s.siteStep().run()
			assert.Equal(t, "failed/"+c.reason, o.ended(), o.outputs["message"])
			assert.Equal(t, 1, o.code)
			assert.Equal(t, "true", o.outputs["rolled-back"])
			assert.Equal(t, "2", f.Serving("live"))
			assert.Equal(t, c.reason, o.site(t)["reason"])
			assert.Contains(t, o.summary, "NOT restored")
		})
	}
}

func TestASnapshotOfTheSiteIsFoundByTheRollback(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	s.function("api", 3)
	s.at(s.deployed().Add(10 * time.Second))
	o := s.siteStep().input("command", "snapshot").run()
	require.Equal(t, "taken", o.status(), o.outputs["message"])
	assert.Equal(t, "taken", o.site(t)["status"])
	s.at(s.deployed().Add(20 * time.Second))
	s.bucket.PutText("www/index.html", "worse page")
	s.at(s.scene.now)
	o = s.siteStep().run()
	assert.Equal(t, "manifest", o.site(t)["evidence"], o.outputs["message"])
	assert.Equal(t, "bad page", s.text("www/index.html"), "as it was when the snapshot was taken")
}

func TestOtherCommandsWithASite(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	s.function("api", 3)
	before := s.bucket.IDs()

	o := s.siteStep().input("command", "check").run()
	assert.Equal(t, "ready", o.status(), o.outputs["message"])
	o = s.siteStep().input("command", "list").run()
	assert.NotEmpty(t, o.site(t)["moments"])
	assert.Contains(t, o.stdout, "site-restore-to: ")
	o = s.siteStep().input("dry-run", "true").run()
	assert.Equal(t, "planned", o.site(t)["status"])
	assert.Equal(t, before, s.bucket.IDs(), "nothing was written")

	s.storage.Deny("s3:PutObject", "")
	o = s.siteStep().input("command", "check").run()
	assert.Equal(t, "not-ready", o.status())
	assert.Contains(t, o.outputs["message"], "s3:PutObject")
	s.storage.Allow()

	o = s.siteStep().inputs(map[string]string{"command": "drill", "environment": "staging"}).run()
	assert.Equal(t, "drilled", o.status(), o.outputs["message"])
	assert.Equal(t, "bad page", s.text("www/index.html"), "the drill came back")
	assert.True(t, strings.HasPrefix(o.site(t)["message"].(string), "the drill restored"), o.site(t)["message"])
}
