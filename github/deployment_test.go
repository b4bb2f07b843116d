package github_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

func TestRecordDeployment(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: goodSHA}, "in_progress", "success", "inactive")
	s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: badSHA}, "in_progress", "success")

	assert.Equal(t, onlyOne(github.FollowUpDeployment, "sent"), s.follow(t, rolledBack(movedFunction()), github.FollowUpDeployment))

	all := s.GitHub.Deployments(repository)
	require.Len(t, all, 3)
	assert.Equal(t, "inactive", all[0].State(), "the good one of yesterday is history")
	assert.Equal(t, "failure", all[1].State())
	assert.Equal(t, "Rolled back: api 42 → 41", all[1].Statuses[2].Description)
	record := all[2]
	assert.Equal(t, goodSHA, record.SHA)
	assert.Equal(t, "production", record.Environment)
	assert.Equal(t, "success", record.State())
	assert.Equal(t, "https://github.com/octo-org/octo-repo/actions/runs/100", record.Statuses[0].LogURL)
	assert.JSONEq(t, `{"action": "lambda-rollback-action", "run_id": 100, "run_attempt": 1, "run_url": "https://github.com/octo-org/octo-repo/actions/runs/100",
		"failed_commit": "`+badSHA+`", "functions": [{"function": "api", "alias": "live", "region": "eu-west-1", "from": "42", "to": "41"}], "key": "`+keyOf(t, record)+`"}`,
		string(record.Payload))
	assert.Equal(t, []string{"CreateDeploymentStatus", "CreateDeployment", "CreateDeploymentStatus"}, s.writes(),
		"the failed one first, so that it is never the active one")

	s.c.RunAttempt = 2
	assert.Equal(t, onlyOne(github.FollowUpDeployment, "sent"), s.follow(t, rolledBack(movedFunction()), github.FollowUpDeployment))
	assert.Len(t, s.writes(), 3, "another attempt finds all of it")
}

func keyOf(t *testing.T, d emulator.Deployment) string {
	t.Helper()
	var p struct{ Key string }
	require.NoError(t, json.Unmarshal(d.Payload, &p))
	require.NotEmpty(t, p.Key)
	return p.Key
}

func TestWhichDeploymentHasFailed(t *testing.T) {
	t.Parallel()
	type deployment struct {
		environment string
		sha         string
		payload     string
		states      []string
	}
	for name, tt := range map[string]struct {
		there []deployment
		want  []string // states afterwards, without the record
	}{
		"none":                       {nil, nil},
		"one without a status":       {[]deployment{{"production", badSHA, "", nil}}, []string{"failure"}},
		"one that failed already":    {[]deployment{{"production", badSHA, "", []string{"failure"}}}, []string{"failure"}},
		"one that ended in an error": {[]deployment{{"production", badSHA, "", []string{"error"}}}, []string{"error"}},
		"another environment's":      {[]deployment{{"staging", badSHA, "", []string{"success"}}}, []string{"success"}},
		"another commit's":           {[]deployment{{"production", oldSHA, "", []string{"success"}}}, []string{"success"}},
		"the own job's, which is at work": {
			[]deployment{{"production", badSHA, "", []string{"success"}}, {"production", badSHA, "", []string{"in_progress"}}},
			[]string{"failure", "in_progress"},
		},
		"the newer of two": {
			[]deployment{{"production", badSHA, "", []string{"success"}}, {"production", badSHA, "", []string{"success"}}},
			[]string{"success", "failure"},
		},
		"a record of an earlier rollback to this commit": {
			[]deployment{{"production", badSHA, `{"action": "lambda-rollback-action", "key": "x"}`, []string{"success"}}}, []string{"success"},
		},
		"a payload that is text": {
			[]deployment{{"production", badSHA, `"{\"action\": \"lambda-rollback-action\"}"`, []string{"success"}}}, []string{"success"},
		},
		"a payload of another kind": {
			[]deployment{{"production", badSHA, `"web"`, []string{"success"}}}, []string{"failure"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			for i, d := range tt.there {
				s.GitHub.AddDeployment(repository, emulator.Deployment{
					Environment: d.environment, SHA: d.sha, Payload: json.RawMessage(d.payload), CreatedAt: at("12:00:00").Add(time.Duration(i) * time.Minute),
				}, d.states...)
			}
			assert.Equal(t, onlyOne(github.FollowUpDeployment, "sent"), s.follow(t, rolledBack(movedFunction()), github.FollowUpDeployment))
			all := s.GitHub.Deployments(repository)
			require.Len(t, all, len(tt.want)+1)
			for i, want := range tt.want {
				assert.Equal(t, want, all[i].State())
			}
		})
	}
}

func TestRecordsOfSeveralFunctions(t *testing.T) {
	t.Parallel()
	worker := movedFunction()
	worker.Function, worker.From, worker.Left, worker.To = "worker", "7", "7", "6"
	worker.Commits = map[string]string{"7": badSHA, "6": oldSHA}
	worker.Published = map[string]time.Time{"6": at("12:00:00").AddDate(0, 0, -2)}
	mail := movedFunction()
	mail.Function = "mail"
	lost := movedFunction()
	lost.Function, lost.Commits = "lost", nil
	unwell := movedFunction()
	unwell.Status, unwell.Reason, unwell.Healthy = report.Failed, report.Unhealthy, report.NotHealthy
	forward := movedFunction()
	forward.Reason, forward.From, forward.Left, forward.To = report.Chosen, "41", "41", "42"

	for name, tt := range map[string]struct {
		functions []report.Function
		text      string
		want      []string // of each record
		failed    string   // the state of the deployment that failed
	}{
		"of one commit":        {[]report.Function{movedFunction(), mail}, "sent", []string{"900d000 success Rolled back: api 42 → 41, mail 42 → 41"}, "failure"},
		"of different commits": {[]report.Function{movedFunction(), worker}, "sent", []string{"01d0000 success Rolled back: worker 7 → 6", "900d000 success Rolled back: api 42 → 41"}, "failure"},
		"one of an unknown commit": {
			[]report.Function{movedFunction(), lost},
			`no deployment was recorded for version 41 of "lost": could not determine the commit that it was built from`,
			[]string{"900d000 success Rolled back: api 42 → 41"}, "failure",
		},
		"all of unknown commits": {
			[]report.Function{lost}, `no deployment was recorded for version 41 of "lost": could not determine the commit that it was built from`, nil, "failure",
		},
		"one that is not well":  {[]report.Function{unwell}, "sent", []string{"900d000 failure Rolled back: api 42 → 41"}, "failure"},
		"a person went forward": {[]report.Function{forward}, "sent", []string{"bad0000 success Rolled back: api 41 → 42"}, "success"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: badSHA, Environment: "staging"}, "success")
			r := rolledBack(tt.functions...)
			r.Environment = "staging" // where GitHub ends what was active before
			assert.Equal(t, onlyOne(github.FollowUpDeployment, tt.text), s.follow(t, r, github.FollowUpDeployment))
			all := s.GitHub.Deployments(repository)
			if tt.failed == "failure" {
				assert.Equal(t, tt.failed, all[0].State())
			}
			var got []string
			for _, d := range all[1:] {
				got = append(got, d.SHA[:7]+" "+d.State()+" "+d.Description)
			}
			assert.Equal(t, tt.want, got, "side by side: the second does not end the first")
		})
	}
}

func TestDescriptionsFitAndAreOneLine(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := movedFunction()
	f.Function = strings.Repeat("api\n", 100)
	assert.Equal(t, onlyOne(github.FollowUpDeployment, "sent"), s.follow(t, rolledBack(f), github.FollowUpDeployment))
	record := s.GitHub.Deployments(repository)[0]
	for _, text := range []string{record.Description, record.Statuses[0].Description} {
		assert.LessOrEqual(t, utf8.RuneCountInString(text), 140)
		assert.NotContains(t, text, "\n")
	}
}

func TestRecordOfACommitThatIsGone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := movedFunction()
	f.Commits["41"] = "feed000000000000000000000000000000000000"
	assert.Equal(t, onlyOne(github.FollowUpDeployment,
		`failed to record a deployment of commit feed000: it answered 422 "No ref found for: feed000000000000000000000000000000000000"`),
		s.follow(t, rolledBack(f), github.FollowUpDeployment))
	f.Commits["41"] = "../../../user"
	assert.Contains(t, s.follow(t, rolledBack(f), github.FollowUpDeployment)[github.FollowUpDeployment], "could not determine the commit")
}

// A record would say that the commit serves: it does not where somebody else has
// moved the alias on.
func TestNoRecordOfWhatSomebodyElseHasMovedOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	moved := movedFunction()
	moved.ChangedByOthers, moved.Healthy = true, report.HealthUnknown
	assert.Equal(t, onlyOne(github.FollowUpDeployment, `no deployment was recorded for "api": the alias has been changed since the rollback`),
		s.follow(t, rolledBack(moved), github.FollowUpDeployment))
	assert.Empty(t, s.GitHub.Deployments(repository))
}
