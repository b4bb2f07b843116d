package runner_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/emulator/storage"
)

// hang holds every call of an operation back until the test ends, and tells when the
// first one came.
func (s *siteScene) hang(operation string) <-chan struct{} {
	came, release := make(chan struct{}, 1000), make(chan struct{})
	s.tb.Cleanup(func() { close(release) })
	s.storage.Effect = func(c storage.Call) storage.Effect {
		if c.Operation != operation {
			return storage.Effect{}
		}
		return storage.Effect{Drop: true, Before: func() { came <- struct{}{}; <-release }}
	}
	return came
}

func TestASignalWhileS3Hangs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		signals   []syscall.Signal
		limit     time.Duration
		says      string
	}{
		"SIGINT, reading":  {"ListObjectVersions", []syscall.Signal{syscall.SIGINT}, 3 * time.Second, "was cancelled"},
		"SIGTERM, reading": {"ListObjectVersions", []syscall.Signal{syscall.SIGTERM}, afterTerminate, "was cancelled"},
		"SIGINT, writing":  {"CopyObject", []syscall.Signal{syscall.SIGINT}, afterInterrupt, "S3 may or may not have written"},
		"SIGTERM, writing": {"CopyObject", []syscall.Signal{syscall.SIGTERM}, afterTerminate, "S3 may or may not have written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteScene(t)
			f := s.function("api", 3)
			came := s.hang(c.operation)
			p := s.siteStep().start()
			<-came
			require.Eventually(t, func() bool { return f.Serving("live") == "2" }, 20*time.Second, 5*time.Millisecond)
			o, after := p.stop(c.signals...)
			assert.Less(t, after, c.limit)
			assert.Equal(t, "failed/cancelled", o.ended(), o.outputs["message"])
			assert.Equal(t, 1, o.code)
			assert.Equal(t, "true", o.outputs["rolled-back"])
			assert.Equal(t, "cancelled", o.site(t)["reason"])
			assert.Contains(t, o.site(t)["message"], c.says)
			assert.Contains(t, o.summary, "NOT restored")
			assert.Equal(t, "bad page", s.text("www/index.html"))
		})
	}
}

// The answer to a copy comes a moment after the signal.
func TestASignalWhileS3CopiesIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	s.function("api", 3)
	d := s.storage.Distribution("E1ABCDEF234567")
	d.Bucket = bucketName
	came, release := make(chan struct{}, 1), make(chan struct{})
	s.storage.Effect = func(c storage.Call) storage.Effect {
		if c.Operation != "CopyObject" {
			return storage.Effect{}
		}
		return storage.Effect{Before: func() { came <- struct{}{}; <-release }}
	}
	p := s.siteStep().input("cloudfront-distribution-id", "E1ABCDEF234567").start()
	<-came
	p.signal(syscall.SIGINT)
	time.AfterFunc(time.Second, func() { close(release) })
	o := p.wait()
	site := o.site(t)
	assert.Equal(t, "partly-restored", site["reason"], site["message"])
	assert.InDelta(t, 1, site["restored"], 0)
	assert.Equal(t, "good page", s.text("www/index.html"))
	assert.Equal(t, "new", s.text("www/new.js"), "nothing new is begun")
	assert.Len(t, d.Invalidations(), 1, "visitors get what was restored")
}

func TestTheTimeLimitEndsTheSite(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	f := s.function("api", 3)
	s.hang("ListObjectVersions")
	o := s.siteStep().input("timeout", "8s").run()
	assert.Equal(t, "failed/timeout", o.ended(), o.outputs["message"])
	assert.Equal(t, "timeout", o.site(t)["reason"])
	assert.Contains(t, o.site(t)["message"], "increase timeout")
	assert.Equal(t, "2", f.Serving("live"))
	assert.Less(t, o.took-o.stalled, 17*time.Second)
}

func TestANewerDeployOfTheSiteMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	f := s.function("api", 3)
	s.at(s.ago(5 * time.Minute))
	s.bucket.PutText("www/app.css", "bad style")
	s.at(s.ago(time.Minute))
	s.bucket.PutText("www/index.html", "a newer page that asks for new.js")
	s.at(s.scene.now)
	o := s.siteStep().run()
	assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	assert.Equal(t, "a newer page that asks for new.js", s.text("www/index.html"))
	assert.Equal(t, "new", s.text("www/new.js"))
	assert.Equal(t, "good style", s.text("www/app.css"))
	site := o.site(t)
	assert.InDelta(t, 1, site["superseded"], 0)
	assert.InDelta(t, 0, site["removed"], 0)
	assert.Contains(t, o.summary, "Kept 1 object that this run added")

	again := s.siteStep().run()
	assert.Equal(t, "skipped/already-rolled-back", again.ended(), again.outputs["message"])
	assert.Equal(t, "superseded", again.site(t)["reason"])
}

func TestOddKeysOfASite(t *testing.T) {
	t.Parallel()
	odd := []string{
		"www/a b+c%41.js", "www/ünï/µ€.css", "www//double", "www/::error::x", "www/##[group]y", "www/<script>alert(1)</script>|`x`",
		"www/~tilde?q=1&v=2#f", "www/line\nbreak", "www/" + strings.Repeat("k", 1000),
	}
	s := newSiteScene(t)
	s.function("api", 3)
	s.at(s.ago(time.Hour))
	for _, key := range odd {
		s.bucket.PutText(key, "good")
	}
	s.at(s.deployed())
	for _, key := range odd {
		s.bucket.PutText(key, "worse")
		s.bucket.PutText(key+".new", "new")
	}
	s.at(s.scene.now)
	s.storage.Distribution("E1ABCDEF234567").Bucket = bucketName
	s.storage.Deny("s3:PutObject", "www/::error::x")
	o := s.siteStep().input("cloudfront-distribution-id", "E1ABCDEF234567").run()
	assert.Equal(t, "failed/partly-restored", o.ended(), o.outputs["message"])
	assert.Empty(t, o.annotationsOf("x"), "a key is no workflow command")
	assert.NotContains(t, o.summary, "<script>")
	s.storage.Allow()
	o = s.siteStep().input("cloudfront-distribution-id", "E1ABCDEF234567").run()
	assert.Equal(t, "restored", o.site(t)["status"], o.site(t)["message"])
	for _, key := range odd {
		assert.Equal(t, "good", s.text(key), "%q", key)
		assert.Empty(t, s.text(key+".new"), "%q", key)
	}
}

// annotationsOf are the annotations of any kind with a text.
func (o outcome) annotationsOf(text string) []string {
	var found []string
	for _, c := range parseLog(o.stdout + "\n" + o.stderr).commands {
		if c.data == text {
			found = append(found, c.name)
		}
	}
	return found
}

func TestCloudFrontIsDenied(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	f := s.function("api", 3)
	d := s.storage.Distribution("E1ABCDEF234567")
	d.Bucket = bucketName
	s.storage.Deny("cloudfront:CreateInvalidation", "")
	o := s.siteStep().input("cloudfront-distribution-id", "E1ABCDEF234567").run()
	assert.Equal(t, "failed/partly-restored", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	assert.Equal(t, "good page", s.text("www/index.html"))
	assert.Contains(t, o.outputs["message"], "cloudfront:CreateInvalidation")
	assert.Contains(t, o.summary, "may still serve the bad ones")
	s.storage.Allow()
	o = s.siteStep().input("cloudfront-distribution-id", "E1ABCDEF234567").run()
	assert.Len(t, d.Invalidations(), 1, "a second run makes up for it")
	assert.Equal(t, "nothing-changed", o.site(t)["reason"])
}

func TestAManifestWhoseVersionsHaveGone(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	s.function("api", 3)
	s.at(s.deployed().Add(10 * time.Second))
	good := s.bucket.PutText("www/app.css", "the style of the manifest")
	require.Equal(t, "taken", s.siteStep().input("command", "snapshot").run().status())
	s.at(s.deployed().Add(20 * time.Second))
	s.bucket.PutText("www/app.css", "worse")
	s.bucket.PutText("www/index.html", "worse")
	s.bucket.Expire("www/app.css", good.ID)
	s.at(s.scene.now)
	o := s.siteStep().run()
	site := o.site(t)
	assert.Equal(t, "failed/partly-restored", o.ended(), o.outputs["message"])
	assert.InDelta(t, 1, site["failed"], 0)
	assert.Contains(t, site["message"], "the version in the manifest no longer exists")
	assert.Equal(t, "worse", s.text("www/app.css"), "an older one would be a guess")
	assert.Equal(t, "bad page", s.text("www/index.html"), "as the manifest says")
}

func TestThePrefixOfASite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ prefix, want, warns string }{
		"without its slash, beside another site": {"www", "failed/prefix-required", ""},
		"with a slash too many":                  {"/www/", "rolled-back/previous-version", "check site-prefix"},
		"none, in a bucket of folders":           {"", "failed/prefix-required", ""},
		"all of the bucket":                      {"/", "rolled-back/previous-version", ""},
		"the folder":                             {"www/", "rolled-back/previous-version", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteScene(t)
			f := s.function("api", 3)
			s.bucket.PutText("www2/index.html", "another site")
			before := s.bucket.IDs()
			o := s.siteStep().input("site-prefix", c.prefix).run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"))
			if o.status() == "failed" {
				assert.Equal(t, before, s.bucket.IDs(), "nothing is written")
				assert.Contains(t, o.outputs["message"], "site-prefix")
				check := s.siteStep().inputs(map[string]string{"command": "check", "site-prefix": c.prefix}).run()
				assert.Equal(t, "not-ready", check.status(), check.outputs["message"])
			}
			assert.Contains(t, o.summary, c.warns)
			if c.prefix != "/" {
				assert.Equal(t, "another site", s.text("www2/index.html"))
			}
		})
	}
}

// The run that a person starts is not the one that deployed, so that its time says
// nothing about the site.
func TestAPersonRollsBackASite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set    func(*siteScene, *step)
		site   string
		page   string
		serves string
	}{
		"without a state": {func(*siteScene, *step) {}, "skipped", "bad page", "1"},
		"with a moment": {func(s *siteScene, st *step) {
			st.input("site-restore-to", s.ago(30*time.Minute).Format(time.RFC3339))
		}, "restored", "good page", "1"},
		"with a moment in the future": {func(s *siteScene, st *step) {
			st.input("site-restore-to", s.scene.now.Add(time.Hour).Format(time.RFC3339))
		}, "failed", "bad page", "1"},
		"with a manifest that there is not": {func(_ *siteScene, st *step) {
			st.input("site-manifest", ".lambda-rollback/site/none")
		}, "failed", "bad page", "1"},
		"without a version either": {func(_ *siteScene, st *step) { st.input("target-version", "").input("only-if-deployed", "false") }, "skipped", "bad page", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteScene(t)
			f := s.function("api", 3)
			s.GitHub.AddRun(repository, emulator.WorkflowRun{
				ID: 7002, Number: 3, Branch: "main", SHA: s.run.SHA, Event: "workflow_dispatch", CreatedAt: s.ago(time.Minute),
				Jobs: []emulator.WorkflowJob{{Name: "rollback", StartedAt: s.ago(time.Minute), RunnerName: runnerName}},
			})
			st := s.siteStep().event("workflow_dispatch", map[string]any{"ref": "refs/heads/main"}).set("GITHUB_RUN_ID", "7002").
				inputs(map[string]string{"needs": "", "target-version": "1"})
			c.set(s, st)
			o := st.run()
			assert.Equal(t, c.serves, f.Serving("live"), o.outputs["message"])
			site := o.site(t)
			assert.Equal(t, c.site, site["status"], site["message"])
			assert.Equal(t, c.page, s.text("www/index.html"))
			if c.site == "skipped" {
				assert.Equal(t, "rolled-back", o.status())
				assert.Contains(t, o.outputs["message"], "site-restore-to")
				assert.Contains(t, o.summary, "site-restore-to")
			}
		})
	}
}

func TestTwoFunctionsAndASite(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	api, worker := s.function("api", 3), s.function("worker", 3)
	s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "UpdateAlias", Function: "worker"}, emulator.Deny())
	o := s.siteStep().input("function-name", "api, worker").run()
	assert.Equal(t, "failed/access-denied", o.ended(), o.outputs["message"])
	assert.Equal(t, []string{"2", "3"}, []string{api.Serving("live"), worker.Serving("live")})
	assert.Equal(t, "good page", s.text("www/index.html"))
	assert.Equal(t, "restored", o.site(t)["status"])
	assert.Equal(t, 1, strings.Count(o.outputs["results"], `"bucket"`), "the site stands there once")
}

func TestADryRunAndADrillOfASiteLeaveItAsItIs(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	f := s.function("api", 3)
	before := s.bucket.IDs()
	o := s.siteStep().input("dry-run", "true").run()
	assert.Equal(t, "planned/previous-version", o.ended())
	assert.Contains(t, o.outputs["message"], "would be restored")
	assert.Equal(t, before, s.bucket.IDs())

	o = s.siteStep().event("schedule", map[string]any{}).inputs(map[string]string{"command": "drill", "environment": "staging", "needs": ""}).run()
	assert.Equal(t, "drilled", o.site(t)["status"], o.site(t)["message"])
	assert.InDelta(t, 1, o.site(t)["restored"], 0, "it goes before the last deploy")
	assert.Equal(t, []string{"bad page", "new", "3"}, []string{s.text("www/index.html"), s.text("www/new.js"), f.Serving("live")})
}

func TestASecretInAKeyIsMasked(t *testing.T) {
	t.Parallel()
	s := newSiteScene(t)
	s.function("api", 3)
	secret := s.GitHub.Token
	s.at(s.deployed())
	s.bucket.PutText("www/"+secret+".js", "leaked")
	s.at(s.scene.now)
	o := s.siteStep().run()
	assert.Equal(t, "restored", o.site(t)["status"])
	silent(t, o, secret)
	s.storage.Deny("s3:DeleteObject", "")
	s.bucket.PutText("www/"+secret+".js", "leaked again")
	o = s.siteStep().input("site-restore-to", s.ago(30*time.Minute).Format(time.RFC3339)).run()
	assert.Equal(t, "failed", o.site(t)["status"])
	silent(t, o, secret)
}
