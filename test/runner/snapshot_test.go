package runner_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// snapshotOf takes a snapshot in an earlier job of the run.
func (s *scene) snapshotOf(inputs map[string]string) outcome {
	return s.step().inputs(map[string]string{"command": "snapshot", "needs": ""}).inputs(inputs).run()
}

func TestSnapshotIsWhatTheRollbackOfTheRunRestores(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before  func(s *scene, f *emulator.Function)
		between func(s *scene, f *emulator.Function)
		want    string // of the rollback
		serving string
	}{
		"a new version is deployed": {
			between: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", f.Publish(time.Now()), nil))
			},
			want: "rolled-back/snapshot", serving: "5",
		},
		"an old version is promoted": {
			between: func(s *scene, f *emulator.Function) { require.NoError(s.tb, f.SetAlias("live", 2, nil)) },
			want:    "rolled-back/snapshot", serving: "5",
		},
		"several are published and the first deployed": {
			between: func(s *scene, f *emulator.Function) {
				v := f.Publish(time.Now())
				f.Publish(time.Now())
				f.Publish(time.Now())
				require.NoError(s.tb, f.SetAlias("live", v, nil))
			},
			want: "rolled-back/snapshot", serving: "5",
		},
		"nothing is deployed": {
			between: func(*scene, *emulator.Function) {}, want: "skipped/not-deployed", serving: "5",
		},
		"a version that was rejected serves": {
			before: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=5@77") },
			between: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", f.Publish(time.Now()), nil))
			},
			want: "rolled-back/snapshot", serving: "5",
		},
		"a canary was in flight": {
			before: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", 4, map[string]float64{"5": 0.2}))
			},
			between: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", f.Publish(time.Now()), nil))
			},
			want: "rolled-back/snapshot", serving: "4",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			// The deploy is the run's, and goes on while the jobs of the test do.
			require.NoError(t, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].CompletedAt = s.now.Add(time.Minute)
			}))
			f := s.Lambda(region).CreateFunction("api")
			for i := 5; i > 0; i-- {
				f.Publish(s.ago(time.Duration(i) * 24 * time.Hour))
			}
			require.NoError(t, f.SetAlias("live", 5, nil))
			if c.before != nil {
				c.before(s, f)
			}
			took := s.snapshotOf(nil)
			assert.Equal(t, "taken/", took.ended(), took.outputs["message"])
			assert.Zero(t, took.code)
			c.between(s, f)
			o := s.step().run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, c.serving, f.Serving("live"))
			state, _ := f.Alias("live")
			assert.Empty(t, state.Weights)
		})
	}
}

func TestSnapshotSaysWhatItDid(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	a, b := s.function("a", 3), s.function("b", 4)
	require.NoError(t, b.SetAlias("live", 3, map[string]float64{"4": 0.25}))
	o := s.snapshotOf(map[string]string{"function-name": "a\nb"})
	assert.Equal(t, "taken/", o.ended(), o.outputs["message"])
	for f, version := range map[*emulator.Function]string{a: "3", b: "3"} {
		memory, has := f.Alias("live-rollback")
		require.True(t, has)
		assert.Equal(t, version, memory.Version)
		assert.Contains(t, memory.Description, "run=7001/1")
		assert.Contains(t, memory.Description, "by=snapshot")
		assert.Len(t, f.History("live"), map[*emulator.Function]int{a: 1, b: 2}[f], "the serving alias is not touched")
	}
	assert.Contains(t, o.summary, "25% goes to version 4")
	again := s.snapshotOf(map[string]string{"function-name": "a\nb"})
	assert.Equal(t, "taken/", again.ended())
	assert.Len(t, a.History("live-rollback"), 1, "what is noted already is not written again")
}

// A re-run of the failed jobs runs the snapshot's job again at most: what the
// failed attempt has deployed must not become what is gone back to.
func TestASnapshotOfALaterAttemptKeepsTheFirst(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	require.NoError(t, f.SetAlias("live", 2, nil))
	assert.Equal(t, "taken/", s.snapshotOf(nil).ended())
	require.NoError(t, f.SetAlias("live", 3, nil))
	_, err := s.GitHub.Rerun(repository, s.run.ID, emulator.WorkflowRun{
		StartedAt: s.now, Jobs: []emulator.WorkflowJob{{Name: "rollback", StartedAt: s.now, RunnerName: runnerName}},
	})
	require.NoError(t, err)
	o := s.step().set("GITHUB_RUN_ATTEMPT", "2").inputs(map[string]string{"command": "snapshot", "needs": ""}).run()
	assert.Equal(t, "taken/", o.ended(), o.outputs["message"])
	memory, _ := f.Alias("live-rollback")
	assert.Equal(t, "2", memory.Version, o.outputs["message"])
}

func TestSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *scene, st *step)
		want   string
	}{
		"another branch": {func(_ *scene, st *step) { st.set("GITHUB_REF", "refs/heads/x").set("GITHUB_REF_NAME", "x") }, "skipped/branch-not-allowed"},
		"without memory": {func(_ *scene, st *step) { st.input("remember", "false") }, "failed/invalid-input"},
		"$LATEST": {func(s *scene, _ *step) {
			require.NoError(s.tb, s.Lambda(region).Function("api").SetAliasToLatest("live"))
		}, "failed/alias-on-latest"},
		"it may not create": {func(s *scene, _ *step) { s.Fault(emulator.Match{Operation: "CreateAlias"}, emulator.Deny()) }, "failed/access-denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step().inputs(map[string]string{"command": "snapshot", "needs": ""})
			c.change(s, st)
			o := st.run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			_, has := f.Alias("live-rollback")
			assert.False(t, has)
		})
	}
}
