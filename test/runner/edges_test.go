package runner_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// What CloudFormation says of a failure is free text, which can repeat a secret.
func TestASecretInTheReasonOfAStackIsNotRepeated(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	f := s.function("api", 3)
	st := s.telling(p)
	secret := st.env["INPUT_WEBHOOK-SECRET"]
	require.NotEmpty(t, secret)
	s.CloudFormation(region).Put(emulator.Stack{
		Name: "checkout", Status: "UPDATE_FAILED", Updated: s.deployed(),
		Resources: []emulator.StackResource{{LogicalID: "Live", PhysicalID: f.ARN() + ":live", Type: "AWS::Lambda::Alias"}},
		Events:    []emulator.StackEvent{{LogicalID: "Hook", PhysicalID: "hook-1", Type: "Custom::Webhook", Status: "UPDATE_FAILED", Reason: "Invalid property secret=" + secret}},
	})
	o := st.run()
	assert.Equal(t, "2", f.Serving("live"))
	assert.Contains(t, o.summary, "Invalid property")
	assert.NotContains(t, o.everything(), secret)
	for _, channel := range channels {
		for _, message := range p.Messages(channel) {
			assert.NotContains(t, text(message), secret, channel)
		}
	}
}

// The list of aliases saves calls: AWS may not ask for a long pause before it.
func TestAListOfAliasesThatMustWait(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := s.many(3)
	s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "ListAliases"}, emulator.Throttle(time.Minute))
	o := s.step().input("function-name", strings.Join(names, "\n")).run()
	assert.Equal(t, "rolled-back", o.status(), o.outputs["message"])
	assert.Less(t, o.took-o.stalled, 30*time.Second, "a pause is a minute")
}

// A GitHub that hangs is waited for once, also where another run rejected the version
// that would be next.
func TestAGitHubThatHangsIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 4)
	require.NoError(t, f.SetAlias("live-rollback", 2, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected=3@7001 run=7001/1 by=rollback"))
	s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Hang())
	o := s.step().run()
	assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	moved := s.Calls(on("UpdateAlias", "live"))
	require.Len(t, moved, 1)
	assert.Less(t, moved[0].Start.Sub(s.Calls(on("GetAlias", "live"))[0].Start)-o.stalled, 8*time.Second, "5 s, not 5 s twice")
}

// The input environment labels messages. If it cannot be read, it does not refuse the
// deployment of another environment.
func TestAFaultyEnvironmentRefusesNoDeployment(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"production\nstaging": "rolled-back/previous-version", "production\x01": "rolled-back/previous-version", "staging": "skipped/environment-mismatch"} {
		s := newScene(t)
		s.function("api", 3)
		payload := example(t, "deployment_status")
		status, deployment := object(payload, "deployment_status"), object(payload, "deployment")
		status["state"], status["environment"] = "failure", "production"
		deployment["environment"], deployment["ref"], deployment["created_at"] = "production", "main", s.ago(9*time.Minute)
		o := s.step().event("deployment_status", payload).input("needs", "").set("GITHUB_RUN_ID", "8001").input("environment", given).run()
		assert.Equal(t, want, o.ended(), "%q: %s", given, o.outputs["message"])
	}
}

// A deployment of another function that has just ended does not hide this one's.
func TestADeploymentThatEndsDoesNotHideAnother(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.function("other", 3)
	s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1", Function: "other", Alias: "live", Current: 2, Target: 3})
	s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-2", Function: "api", Alias: "live", Current: 2, Target: 3})
	s.Fault(emulator.Match{Service: emulator.ServiceCodeDeploy, Operation: "ListDeploymentTargets"}, emulator.Status(400, "DeploymentDoesNotExistException", "just ended").Times(1))
	o := s.step().run()
	assert.Equal(t, "failed/codedeploy-in-progress", o.ended(), o.outputs["message"])
	assert.Equal(t, "3", f.Serving("live"))
}

// A stack whose last update is older than this run did not move the alias during it.
func TestAStackThatWasUpdatedBeforeTheRunRestoredNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.CloudFormation(region).Put(emulator.Stack{
		Name: "checkout", Status: "UPDATE_ROLLBACK_COMPLETE", Updated: s.ago(30 * 24 * time.Hour),
		Resources: []emulator.StackResource{{LogicalID: "Live", PhysicalID: f.ARN() + ":live", Type: "AWS::Lambda::Alias"}},
	})
	s.Fault(on("UpdateAlias", "live"), emulator.Before(func(emulator.Call) { assert.NoError(t, f.SetAlias("live", 1, nil)) }).Times(1))
	o := s.step().run()
	assert.Equal(t, "skipped/not-deployed", o.ended(), o.outputs["message"])
	assert.NotContains(t, o.outputs["message"], "rolled back its update")
}

// A rollback of CodeDeploy whose state cannot be read any more is not waited for.
func TestARollbackOfCodeDeployThatCannotBeReadAnyMore(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]emulator.Effect{"denied": emulator.Deny(), "gone": emulator.Status(400, "DeploymentDoesNotExistException", "no such deployment")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.CloudFormation(region)
			s.CodeDeploy(region).Put(emulator.LambdaDeployment{ID: "d-1R", Function: "api", Alias: "live", Current: 3, Target: 3, Creator: "codeDeployRollback"})
			s.Fault(emulator.Match{Service: emulator.ServiceCodeDeploy, Operation: "BatchGetDeployments"}, effect.Skip(1))
			o := s.step().input("timeout", "60s").run()
			assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"))
			assert.Contains(t, o.summary, "could not be read any more")
		})
	}
}

// A URL that the runner cannot connect to has reached no version, so no older one is
// tried, and none is rejected. A version that takes the request and does not respond
// is another case.
func TestOnlyAVersionThatWasReachedIsSteppedBackFrom(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url    func(s *scene) string
		steps  bool
		detail string
	}{
		"nobody listens": {url: func(*scene) string {
			server := httptest.NewServer(http.NotFoundHandler())
			server.Close()
			return server.URL
		}, detail: "refused"},
		"the host is unknown": {url: func(*scene) string { return "https://shop.invalid/health" }, detail: "shop.invalid"},
		"a certificate of somebody unknown": {url: func(s *scene) string {
			return newAuthority(s.tb).serve(time.Now().Add(time.Hour), []net.IP{net.IPv4(127, 0, 0, 1)})
		}, detail: "certificate is not trusted"},
		"http behind an https URL": {url: func(s *scene) string { return newPlain(s.tb) }, detail: "HTTP response to HTTPS client"},
		"it breaks off": {url: func(s *scene) string {
			return s.HealthURL(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, steps: true, detail: "EOF"},
		"it never responds": {url: func(s *scene) string {
			return s.HealthURL(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		}, steps: true, detail: "the time limit for the health checks expired"},
		"it is unwell": {url: func(s *scene) string {
			return s.HealthURL(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		}, steps: true, detail: "status 502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 4)
			o := s.step().quick().input("on-unhealthy", "step-back").input("health-url", c.url(s)).run()
			assert.Equal(t, unwellEnd, o.end(), o.outputs["message"])
			assert.Equal(t, "3", f.Serving("live"), "the first target")
			results, moves := o.outputs["results"], len(s.Calls(on("UpdateAlias", "live")))
			assert.Contains(t, results, c.detail)
			assert.Equal(t, !c.steps, strings.Contains(results, "no probe reached the server"), results)
			if c.steps {
				assert.Greater(t, moves, 1)
				return
			}
			assert.Equal(t, 1, moves)
			assert.Contains(t, o.summary, "An older version would not help.")
			assert.NotContains(t, o.summary, "To go further back")
			memory, found := f.Alias("live-rollback")
			require.True(t, found)
			assert.Contains(t, memory.Description, "rejected=4@")
		})
	}
}

// A deployment of a bare commit, where GitHub does not say which branch has it: the
// failed deployment to the environment is rolled back, and a warning says what was
// assumed.
func TestADeploymentOfACommitWhereGitHubDoesNotRespond(t *testing.T) {
	t.Parallel()
	const commit = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
	for name, c := range map[string]struct {
		fault emulator.Effect
		set   map[string]string
		ended string
	}{
		"it hangs":   {fault: emulator.Hang(), ended: "rolled-back/previous-version"},
		"it is down": {fault: emulator.Status(503, "", "down"), ended: "rolled-back/previous-version"},
		"it refuses": {fault: emulator.Status(403, "", "Resource not accessible by integration"), ended: "rolled-back/previous-version"},
		"it is down, and no environment was given": {fault: emulator.Status(503, "", "down"), set: map[string]string{"environment": "a\nb"}, ended: "skipped/branch-not-allowed"},
		"it is down, for another environment":      {fault: emulator.Status(503, "", "down"), set: map[string]string{"environment": "staging"}, ended: "skipped/environment-mismatch"},
		"it is down, and a snapshot can wait":      {fault: emulator.Status(503, "", "down"), set: map[string]string{"command": "snapshot"}, ended: "skipped/branch-not-allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			payload := example(t, "deployment_status")
			status, deployment := object(payload, "deployment_status"), object(payload, "deployment")
			status["state"], status["environment"] = "failure", "production"
			deployment["environment"], deployment["ref"], deployment["sha"], deployment["created_at"] = "production", commit, commit, s.ago(9*time.Minute)
			s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, c.fault)
			o := s.step().event("deployment_status", payload).input("needs", "").set("GITHUB_RUN_ID", "8001").inputs(c.set).run()
			assert.Equal(t, c.ended, o.ended(), o.outputs["message"])
			if o.status() == "rolled-back" {
				assert.Contains(t, o.summary, "Could not determine which branch or tag contains the deployed commit")
				assert.Less(t, o.took-o.stalled, 8*time.Second, "GitHub is waited for once")
			}
		})
	}
}

// A canary of this program is not CodeDeploy's, so the owners are waited for no longer
// than beside a version that has all traffic.
func TestOwnersThatHangBesideAnOwnCanary(t *testing.T) {
	t.Parallel()
	for own, most := range map[bool]time.Duration{true: 3 * time.Second, false: 8 * time.Second} {
		s := newScene(t)
		f := s.function("api", 3)
		require.NoError(t, f.SetAlias("live", 2, map[string]float64{"3": 0.1}))
		require.NoError(t, f.SetAlias("live-rollback", 2, nil))
		description := "run=6001/1 by=snapshot"
		if own {
			description += " promotes=3"
		}
		require.NoError(t, f.DescribeAlias("live-rollback", description))
		for _, service := range []string{emulator.ServiceStacks, emulator.ServiceCodeDeploy} {
			s.Fault(emulator.Match{Service: service}, emulator.Hang())
		}
		o := s.step().run()
		assert.Equal(t, "rolled-back/canary-stopped", o.ended(), o.outputs["message"])
		took := s.Calls(on("UpdateAlias", "live"))[0].Start.Sub(s.Calls(on("GetAlias", "live"))[0].Start)
		assert.Less(t, took-o.stalled, most)
		if !own {
			assert.Greater(t, took, 4*time.Second, "somebody else shifts the traffic")
		}
	}
}

// An address of a service that the move does not need stops nothing, whatever is wrong
// with it.
func TestAnAddressOfAnOptionalServiceThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"::", "not a url", "ftp://127.0.0.1", "http://127.0.0.1:1", "https://cloudformation.invalid"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step().input("alarms", "errors").input("observe", "1s")
			for _, service := range []string{"CLOUDFORMATION", "CODEDEPLOY", "CLOUDWATCH", "CLOUDWATCH_LOGS", "S3", "CLOUDFRONT"} {
				st.set("AWS_ENDPOINT_URL_"+service, address)
			}
			o := st.run()
			assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
			assert.Equal(t, "unknown", o.outputs["healthy"])
			assert.Equal(t, "2", f.Serving("live"))
			moved := s.Calls(on("UpdateAlias", "live"))
			require.Len(t, moved, 1)
			assert.Less(t, moved[0].Start.Sub(s.Calls(on("GetAlias", "live"))[0].Start)-o.stalled, 5*time.Second)
		})
	}
}
