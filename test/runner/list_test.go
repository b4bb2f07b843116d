package runner_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// version is an element of the output `versions`.
type version struct {
	Function, Version, Published, Description, State string

	Aliases                   []string
	Serving, Rejected, Target bool
	RejectedBy                string `json:"rejected-by"`
	Changes                   []struct{ What, From, To string }
}

func (o outcome) versions(tb testing.TB) []version {
	tb.Helper()
	var all []version
	require.NoError(tb, json.Unmarshal([]byte(o.outputs["versions"]), &all))
	return all
}

func TestListTellsWhatThereIs(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 6)
	require.NoError(t, f.Change(3, func(v *emulator.Version) { v.Description = "release 1.3 | <b>@octocat</b>"; v.MemorySize = 999 }))
	require.NoError(t, f.SetAlias("blue", 2, nil))
	require.NoError(t, f.SetAlias("live-rollback", 4, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected=5@77 run=77/1 at=2026-11-20T08:32:47Z by=rollback"))
	require.NoError(t, f.SetState(1, emulator.StateInactive, "Idle"))
	unchanged := s.unchanged(t, f)

	o := s.step().input("command", "list").run()

	unchanged()
	assert.Empty(t, s.mutations(), "a list asks for no change at all")
	assert.Equal(t, "listed/", o.ended())
	all := o.versions(t)
	require.Len(t, all, 6)
	assert.Equal(t, []string{"6", "5", "4", "3", "2", "1"}, []string{all[0].Version, all[1].Version, all[2].Version, all[3].Version, all[4].Version, all[5].Version})
	assert.True(t, all[0].Serving)
	assert.Equal(t, []string{"live"}, all[0].Aliases)
	assert.True(t, all[1].Rejected)
	assert.Equal(t, "77", all[1].RejectedBy)
	assert.True(t, all[2].Target)
	assert.Equal(t, []string{"live-rollback"}, all[2].Aliases)
	assert.Equal(t, "release 1.3 | <b>@octocat</b>", all[3].Description)
	assert.Equal(t, "memory", all[3].Changes[1].What)
	assert.Equal(t, []string{"blue"}, all[4].Aliases)
	assert.Equal(t, "Inactive", all[5].State)
	assert.Contains(t, o.summary, "| **4** |")
	assert.NotContains(t, o.summary, "<b>@octocat")
	assert.NotContains(t, o.summary, " @octocat")
	assert.Contains(t, o.stdout, "::group::Versions of api")
}

func TestListIsBounded(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]int{"": 20, "3": 3, "all": 130} {
		t.Run("list-limit "+limit, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 130)
			o := s.step().inputs(map[string]string{"command": "list", "list-limit": limit}).run()
			assert.Empty(t, s.mutations())
			all := o.versions(t)
			require.Len(t, all, want)
			assert.Equal(t, "130", all[0].Version)
			assert.Equal(t, strconv.Itoa(131-want), all[want-1].Version)
			if want < 130 {
				assert.Contains(t, o.summary, fmt.Sprintf("%d more versions are not shown", 130-want))
			}
		})
	}
}

// What serves and where a rollback would go are of interest however many
// versions came after them.
func TestAListHasWhatServes(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 130)
	require.NoError(t, f.SetAlias("live", 5, map[string]float64{"7": 0.1}))
	o := s.step().inputs(map[string]string{"command": "list", "list-limit": "3"}).run()
	var numbers []string
	for _, v := range o.versions(t) {
		numbers = append(numbers, v.Version)
		assert.Equal(t, v.Version == "5" || v.Version == "7", v.Serving, v.Version)
		assert.Equal(t, v.Version == "5", v.Target, v.Version)
		assert.Equal(t, "Active", v.State, v.Version)
	}
	assert.Equal(t, []string{"130", "129", "128", "7", "5"}, numbers)
	assert.Contains(t, o.summary, "125 more versions are not shown")
}

// On $LATEST there is nothing to compare with.
func TestAListOfAnAliasOnLatest(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.NoError(t, s.function("api", 3).SetAliasToLatest("live"))
	o := s.step().input("command", "list").run()
	assert.Equal(t, "listed/", o.ended())
	assert.Len(t, o.versions(t), 3)
	assert.NotContains(t, o.summary, "| nothing |")
	assert.Contains(t, o.outputs["message"], "$LATEST")
}

// Thousands of versions: as many calls as there are pages, within Lambda's pace,
// and an output that GitHub takes.
func TestListOfThousands(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3_000)
	s.LimitControlPlane(15, 15)
	o := s.step().inputs(map[string]string{"command": "list", "list-limit": "all"}).run()
	assert.Equal(t, "listed/", o.ended(), o.outputs["message"])
	assert.NotEmpty(t, o.versions(t))
	// Calls leave at Lambda's pace (rollback/aws holds that in synthetic time). On a
	// busy machine some arrive together, and the one that is refused is asked again.
	asked, refused := s.asked(emulator.ServiceLambda), 0
	for _, c := range asked {
		if c.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	assert.Less(t, refused, len(asked)/10, "well within Lambda's pace")
	pages := s.Calls(emulator.Match{Service: emulator.ServiceLambda, Operation: "ListVersionsByFunction"})
	assert.Less(t, len(pages), 63)
}

// What is printed for a program is not held to GitHub's limits.
func TestJSONOfThousandsIsWhole(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 2_000)
	got := s.call("list", "--function-name", "api", "--list-limit", "all", "--json")
	assert.Zero(t, got.code, got.err)
	var result struct{ Versions []version }
	require.NoError(t, json.Unmarshal([]byte(got.out), &result))
	require.Len(t, result.Versions, 2_000)
	assert.NotEmpty(t, result.Versions[1_900].Changes)
	assert.NotContains(t, got.err, "too large")
}

func TestListWithoutListAliases(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "ListAliases"}, emulator.Deny())
	o := s.step().input("command", "list").run()
	assert.Equal(t, "listed/", o.ended())
	assert.Equal(t, []string{"live"}, o.versions(t)[0].Aliases)
	assert.Contains(t, o.summary, "lambda:ListAliases")
}
