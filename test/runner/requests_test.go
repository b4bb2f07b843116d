package runner_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// update is the body of an UpdateAlias, as it stood on the wire.
type update struct {
	alias string
	keys  map[string]json.RawMessage
}

// updates are the moves of aliases that the mirror saw.
func (m *mirror) updates(tb testing.TB) []update {
	tb.Helper()
	var all []update
	for _, x := range m.all() {
		_, alias, found := strings.Cut(x.path, "/aliases/")
		if x.method != http.MethodPut || !found {
			continue
		}
		u := update{alias: alias}
		require.NoError(tb, json.Unmarshal(x.request, &u.keys))
		all = append(all, u)
	}
	return all
}

// TestTheMoveOnTheWire: without RevisionId a newer deploy could be overwritten,
// without an empty AdditionalVersionWeights a canary's weight would stay, and
// with a Description the owner's would be lost.
func TestTheMoveOnTheWire(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(*scene, *emulator.Function, *step){
		"a bad deploy":     func(*scene, *emulator.Function, *step) {},
		"a version chosen": func(_ *scene, _ *emulator.Function, st *step) { st.input("target-version", "1") },
		"a canary": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.SetAlias("live", 2, map[string]float64{"3": 0.25}))
		},
		"a snapshot": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
			require.NoError(s.tb, f.DescribeAlias("live-rollback", "rejected= run=7001/1 at=2026-01-02T03:04:05Z by=snapshot"))
		},
		"an answer lost": func(s *scene, _ *emulator.Function, _ *step) {
			s.Fault(on("UpdateAlias", "live"), emulator.LostAnswer().Times(1))
		},
		"somebody else writes the alias": func(s *scene, f *emulator.Function, _ *step) {
			s.Fault(on("UpdateAlias", "live"), emulator.Before(func(emulator.Call) {
				assert.NoError(s.tb, f.DescribeAlias("live", "new words"))
			}).Times(2))
		},
		"throttled": func(s *scene, _ *emulator.Function, _ *step) {
			s.Fault(on("UpdateAlias", "live"), emulator.Throttle(0).Times(2))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			require.NoError(t, f.DescribeAlias("live", "what production calls"))
			m := newMirror(t, s.URL, nil)
			st := s.step().set("AWS_ENDPOINT_URL", m.URL)
			put(s, f, st)
			o := st.run()
			require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
			moves := 0
			for _, u := range m.updates(t) {
				assert.NotEmpty(t, u.keys["RevisionId"])
				assert.JSONEq(t, `{"AdditionalVersionWeights":{}}`, string(u.keys["RoutingConfig"]))
				assert.NotEmpty(t, u.keys["FunctionVersion"])
				if u.alias == "live" {
					moves++
					assert.NotContains(t, u.keys, "Description")
					assert.Len(t, u.keys, 3)
				}
			}
			assert.NotZero(t, moves)
			alias, _ := f.Alias("live")
			assert.Empty(t, alias.Weights)
			assert.Contains(t, []string{"what production calls", "new words"}, alias.Description)
		})
	}
}

// Nothing but reads, and the two aliases.
func TestNothingElseIsEverAskedOfAWS(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.gap(60, 30)
	o := s.step().run()
	require.Equal(t, "rolled-back", o.status())
	for operation := range s.shape() {
		assert.Contains(t, []string{"GetAlias", "GetFunctionConfiguration", "ListVersionsByFunction", "UpdateAlias", "CreateAlias", "ListTags"}, operation)
	}
}
