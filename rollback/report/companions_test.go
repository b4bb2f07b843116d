package report_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// companion is the result of a command beside rollback.
func companion(command string, f report.Function) report.Result {
	r := result(f)
	r.Command = command
	report.Conclude(&r)
	return r
}

func listed() report.Result {
	f := api()
	f.Status, f.Reason, f.To, f.MovedAt, f.Checks, f.Changes, f.Proof = report.Listed, "", "", "", nil, nil, ""
	f.Message = "api:live in production serves version 42, of 42 versions; a rollback now would go to version 40: it is the newest good version before version 42"
	f.Target, f.Why, f.Healthy = "40", "it is the newest good version before version 42", report.HealthUnknown
	at := func(days int) time.Time { return night().Add(-time.Duration(days)*24*time.Hour - 3*time.Hour) }
	f.Versions = []report.Version{
		{Function: "api", Region: "eu-west-1", Alias: "live", Version: "42", Published: at(0), CodeSHA256: "n4bQgYhMfWWaL", State: "Active", Aliases: []string{"live"}, Serving: true, Changes: []report.Change{}},
		{Function: "api", Region: "eu-west-1", Alias: "live", Version: "41", Published: at(1), CodeSHA256: "YDOa4rF0Kf", State: "Active", Rejected: true, RejectedBy: "8999",
			Changes: []report.Change{{Kind: report.ChangeCode, What: "code SHA-256", From: "a", To: "b"}, {What: "memory", From: "1", To: "2"}, {What: "timeout"}, {What: "role"}}},
		{Function: "api", Region: "eu-west-1", Alias: "live", Version: "40", Published: at(30), Description: "release 1.3 | <b>@octocat</b>\nsecond\x1b[2J line", CodeSHA256: "47DEQpj8HBSa", State: "Inactive", StateReason: "Idle",
			Aliases: []string{"live-rollback", "blue", "green", "a", "b"}, Target: true, Changes: []report.Change{{Kind: report.ChangeCode, What: "code SHA-256", From: "a", To: "c"}}},
		{Function: "api", Region: "eu-west-1", Alias: "live", Version: "7", Published: time.Time{}, Changes: []report.Change{}},
	}
	f.VersionsInAll = 42
	return companion("list", f)
}

func ready(status report.Status) report.Result {
	f := api()
	f.Status, f.Reason, f.To, f.MovedAt, f.Proof, f.Healthy = status, "", "", "", "", report.HealthUnknown
	f.Target, f.Why = "41", "it is the newest good version before version 42"
	f.Message = "api:live in production is ready: a rollback now would go from version 42 to version 41"
	f.Checks = []report.Check{
		{Name: "alias", Status: "passed", Detail: "it serves version 42"},
		{Name: "memory", Status: "inconclusive", Detail: "AWS denied lambda:CreateAlias on api:live-rollback: allow that action for the role that this job uses"},
	}
	if status == report.NotReady {
		f.Reason = report.AccessDenied
		f.Message = "api:live in production is NOT ready for a rollback: permission lambda:UpdateAlias: AWS denied lambda:UpdateAlias on api:live"
		f.Checks = append(f.Checks, report.Check{Name: "permission lambda:UpdateAlias", Status: "failed", Detail: "AWS denied lambda:UpdateAlias on api:live"})
	}
	return companion("check", f)
}

func taken() report.Result {
	f := api()
	f.Status, f.Reason, f.To, f.MovedAt, f.Proof, f.Healthy, f.Checks, f.Changes = report.Taken, "", "", "", "", report.HealthUnknown, nil, nil
	f.Message = "api:live in production serves version 42: version 42 is recorded for this run, and a rollback of this run goes back to that version"
	return companion("snapshot", f)
}

func drilled() report.Result {
	f := api()
	f.Status, f.Reason, f.To, f.Proof = report.Drilled, "", "", ""
	f.Target, f.Why = "41", "it is the newest good version before version 42"
	f.Message = "api:live in staging serves version 42, as before: the drill moved it to version 41 in 200ms, and back in 300ms; all checks passed on both versions"
	f.Timeline = []report.Moment{
		{Event: report.Started, At: night().Add(-9 * time.Second)},
		{Event: report.AliasMoved, At: night().Add(-8 * time.Second), Detail: "to version 41, from version 42"},
		{Event: report.Returned, At: night().Add(-2 * time.Second), Detail: "serves version 42 again"},
	}
	r := companion("drill", f)
	r.Environment = "staging"
	return r
}

// aDrill of which nothing is known yet but that it goes from 42 to 41.
func aDrill(name string) report.Function {
	f := api()
	f.Function, f.Proof, f.To, f.MovedAt, f.Checks, f.Changes = name, "", "", "", nil, nil
	f.Target, f.Why, f.Healthy = "41", "it is the newest good version before version 42", report.HealthUnknown
	return f
}

func drillFailed() report.Result {
	f := aDrill("api")
	f.Status, f.Reason, f.Healthy = report.Failed, report.Unhealthy, report.NotHealthy
	f.Message = "api:live in staging serves version 42, as before: the drill moved it to version 41 in 200ms, and back in 300ms; the drill failed: version 41 was not healthy (health https://shop.example.com/health: status 500)"
	f.Checks = []report.Check{{Version: "41", Name: "health https://shop.example.com/health", Status: "failed", Detail: "status 500"}}
	return inStaging("drill", f)
}

func stranded(name string) report.Function {
	f := aDrill(name)
	f.Status, f.Reason, f.To, f.MovedAt, f.NotRestored = report.Failed, report.Cancelled, "41", "2026-03-07T03:13:59Z", true
	f.CanaryVersion, f.CanaryWeight = "43", 0.1
	f.Message = name + ":live in staging was NOT returned to version 42, and version 43 with 10% of the traffic after the drill, and may still be on version 41: the run was cancelled during UpdateAlias"
	return f
}

func drillStranded() report.Result { return inStaging("drill", stranded("api")) }

func drillSeveral() report.Result {
	well, denied := aDrill("worker"), aDrill("billing")
	well.Status, well.Message = report.Drilled, "worker:live in staging serves version 42, as before"
	denied.Status, denied.Reason, denied.Message = report.Failed, report.AccessDenied, "billing:live in staging serves version 42, as before; the drill failed: AWS denied lambda:UpdateAlias"
	return inStaging("drill", well, denied)
}

func drillNothing() report.Result {
	f := aDrill("api")
	f.Status, f.Reason, f.Target, f.Why = report.Skipped, report.NoPreviousVersion, "", ""
	f.Message = "api:live in staging was left on version 42: there is no version below version 42 to go back to"
	return inStaging("drill", f)
}

func plannedFor(command string) report.Result {
	f := aDrill("api")
	f.Status, f.Reason, f.To = report.Planned, report.PreviousVersion, "41"
	f.Message = "dry run: api:live in staging would go from version 42 to version 41, because it is the newest good version before version 42; nothing was changed"
	if command == "snapshot" {
		f.Reason, f.To, f.Target, f.Why = "", "", "", ""
		f.Message = "api:live in staging serves version 42: dry run: version 42 would be recorded"
	}
	return inStaging(command, f)
}

func inStaging(command string, all ...report.Function) report.Result {
	r := companion(command, all[0])
	r.Functions, r.Environment = all, "staging"
	report.Conclude(&r)
	return r
}

// Of several functions, too, it is said first where the aliases stand.
func TestWhereTheAliasesStandAfterADrillComesFirst(t *testing.T) {
	t.Parallel()
	taken := aDrill("worker")
	taken.Status, taken.Reason, taken.ChangedByOthers = report.Failed, report.AliasChanged, true
	unread := aDrill("ghost")
	unread.Status, unread.Reason, unread.From = report.Failed, report.FunctionNotFound, ""
	home := aDrill("api")
	home.Status = report.Drilled
	for want, all := range map[string][]report.Function{
		"every alias is on the same version as before; 2 functions in staging were drilled: api, api":                                  {home, home},
		"every alias is on the same version as before; 1 of 2 functions in staging failed the drill: ghost (function-not-found)":       {home, unread},
		"NOT returned after the drill: billing (served version 42); 1 of 2 functions in staging failed the drill: billing (cancelled)": {home, stranded("billing")},
		"somebody else changed worker during the drill; the others are on the same version as before; 1 of 2 functions":                {home, taken},
		"2 functions in staging failed the drill: ghost (function-not-found)":                                                          {unread, unread},
	} {
		r := inStaging("drill", all...)
		assert.Contains(t, r.Message, want)
		assert.True(t, strings.HasPrefix(r.Message, want), r.Message)
	}
}

func TestSummariesOfTheOtherCommands(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Result{
		"listed": listed(), "ready": ready(report.Ready), "not-ready": ready(report.NotReady), "taken": taken(), "drilled": drilled(),
		"drill-failed": drillFailed(), "drill-stranded": drillStranded(), "drill-several": drillSeveral(), "drill-nothing": drillNothing(),
		"drill-planned": plannedFor("drill"), "snapshot-planned": plannedFor("snapshot"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "summary", name+".md"), report.Summary(r))
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	declined := failed()
	declined.Declined = true
	because := rolledBack()
	because.RequestReason = "totals are wrong"
	for name, r := range map[string]report.Result{
		"rolled-back": because, "planned": planned(), "failed": failed(), "declined": declined, "several": several(), "hostile": hostile(),
		"listed": listed(), "ready": ready(report.Ready), "not-ready": ready(report.NotReady), "taken": taken(), "drilled": drilled(),
		"drill-failed": drillFailed(), "drill-stranded": drillStranded(), "drill-several": drillSeveral(), "drill-nothing": drillNothing(),
		"drill-planned": plannedFor("drill"), "snapshot-planned": plannedFor("snapshot"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := report.Text(r)
			golden(t, filepath.Join("testdata", "text", name+".txt"), text)
			for _, c := range text {
				assert.True(t, unicode.IsGraphic(c) || c == '\n' || c == '\ufe0f', "%U can act on a terminal", c)
			}
		})
	}
}

// Whatever the terminal's width is, no line is wider, and what matters most has
// room.
func TestTheTableOfVersionsFitsItsWidth(t *testing.T) {
	t.Parallel()
	f := listed().Functions[0]
	for width, has := range map[int][]string{
		20:  {"42 "},
		40:  {"VERSION", "PUBLISHED", "serves", "rejected", "← proposed"},
		80:  {"VERSION", "PUBLISHED", "STATE", "ALIASES", "DIFFERS", "serves", "rejected", "← proposed", "Inactive"},
		120: {"VERSION", "PUBLISHED", "AGE", "DESCRIPTION", "CODE", "STATE", "ALIASES", "DIFFERS", "serves", "rejected", "← proposed", "Inactive"},
		300: {"release 1.3 | <b>@octocat</b> second", "code, memory, timeout and 1 more", "live-rollback, blue, green, a and 1 more"},
	} {
		text := report.VersionsText(f, night(), width)
		for _, word := range has {
			assert.Contains(t, text, word, "at %d columns", width)
		}
		table, _, _ := strings.Cut(text, "\n38 more")
		for line := range strings.SplitSeq(table, "\n") {
			assert.LessOrEqual(t, len([]rune(line)), width, line)
		}
	}
}

func TestDifferencesFitTheirWidth(t *testing.T) {
	t.Parallel()
	all := []report.Change{{What: "code SHA-256", From: strings.Repeat("a", 44), To: strings.Repeat("b", 44)}, {What: "memory", From: "128 MB", To: "512 MB"}}
	for _, width := range []int{40, 80} {
		for line := range strings.SplitSeq(report.ChangesText(all, "42", "41", width), "\n") {
			assert.LessOrEqual(t, len([]rune(line)), width, line)
		}
	}
	assert.Contains(t, report.ChangesText(all, "42", "41", 0), strings.Repeat("b", 44))
}

// East Asian characters take two cells: the columns behind them are in line.
func TestColumnsBehindWideCharacters(t *testing.T) {
	t.Parallel()
	all := []report.Change{{What: "\u65e5\u672c\u8a9e", From: "1", To: "2"}, {What: "abcdef", From: "3", To: "4"}}
	lines := strings.Split(report.ChangesText(all, "", "", 0), "\n")
	assert.Equal(t, "  \u65e5\u672c\u8a9e        1        2", lines[1])
	assert.Equal(t, "  abcdef        3        4", lines[2])
}

// What was not compared does not look as if nothing differed.
func TestAVersionThatWasNotCompared(t *testing.T) {
	t.Parallel()
	f := listed().Functions[0]
	for i := range f.Versions {
		f.Versions[i].Changes = nil
	}
	text := report.VersionsText(f, night(), 0)
	assert.NotContains(t, text, "nothing")
	assert.NotContains(t, text, "DIFFERS")
}

// A choice has what matters in its first columns, and nothing of it moves the
// cursor.
func TestLabels(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 7, 3, 14, 0, 0, time.UTC)
	for want, v := range map[string]report.Version{
		"41     2026-03-07 03:14  (rejected by run 77)  Failed  all wrong": {Version: "41", Published: at, Rejected: true, RejectedBy: "77", State: "Failed", Description: "all wrong"},
		"41     2026-03-07 03:14  ← proposed  release \\u001b[2J":          {Version: "41", Published: at, Target: true, State: "Active", Description: "release \x1b[2J"},
		"41     2026-03-07 03:14  ← proposed, serves":                      {Version: "41", Published: at, Target: true, Serving: true},
		"41     2026-03-07 03:14  (serves)":                                {Version: "41", Published: at, Serving: true},
		"41     ":                                                          {Version: "41"},
	} {
		assert.Equal(t, want, v.Label())
	}
}

func TestVersionsAreWrittenAsTheOutputHasThem(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(listed().Functions[0].Versions[1].Publish())
	require.NoError(t, err)
	assert.JSONEq(t, `{"function":"api","region":"eu-west-1","alias":"live","version":"41","published":"2026-03-06T00:14:07Z",
		"description":"","code-sha256":"YDOa4rF0Kf","state":"Active","state-reason":"","aliases":[],"serving":false,
		"rejected":true,"rejected-by":"8999","target":false,"changes":[{"what":"code SHA-256","from":"a","to":"b"},
		{"what":"memory","from":"1","to":"2"},{"what":"timeout","from":"","to":""},{"what":"role","from":"","to":""}]}`, string(data))
}
