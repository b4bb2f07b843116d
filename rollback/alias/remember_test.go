package alias_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const memoryAlias = "live-rollback"

// What the memory alias points at and says after each outcome. The bubble's
// time begins with the year 2000.
func TestMemoryAfter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given   func(*scene)
		status  report.Status
		version string
		says    string
	}{
		"a rollback, the first ever": {
			given:  func(*scene) {},
			status: report.RolledBack, version: "41", says: "rejected=42@7002 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a rollback, over an older memory": {
			given:  func(s *scene) { s.remembers(39, "rejected=40@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback") },
			status: report.RolledBack, version: "41", says: "rejected=42@7002,40@7001 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a rollback, over a Description that is damaged": {
			given:  func(s *scene) { s.remembers(39, "rejected=do not touch") },
			status: report.RolledBack, version: "41", says: "rejected=42@7002 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a rollback by a snapshot": {
			given:  func(s *scene) { s.remembers(40, "rejected= run=7002/1 at=1999-12-31T00:00:00Z by=snapshot") },
			status: report.RolledBack, version: "40", says: "rejected=42@7002 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a choice by hand, forward onto a rejected version": {
			given: func(s *scene) {
				s.lambda.set("live", 41, nil, "serves production")
				s.remembers(41, "rejected=42@7001,40@7000 run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
				s.function.Request.Target, s.function.Request.Manual = 42, true
			},
			status: report.RolledBack, version: "42", says: "rejected=40@7000 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a choice by hand, backwards: no run caused it": {
			given:  func(s *scene) { s.function.Request.Target, s.function.Request.Manual = 40, true },
			status: report.RolledBack, version: "40", says: "rejected=42 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a choice by hand of what serves already, though it is rejected": {
			given: func(s *scene) {
				s.remembers(41, "rejected=42@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
				s.function.Request.Target, s.function.Request.Manual = 42, true
			},
			status: report.Skipped, version: "41", says: "rejected= run=7001/1 at=1999-12-31T00:00:00Z by=rollback",
		},
		"not deployed: what this run published is rejected, who wrote stays": {
			given: func(s *scene) {
				s.lambda.set("live", 41, nil, "serves production")
				s.remembers(41, "rejected=40@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
			},
			status: report.Skipped, version: "41", says: "rejected=42@7002,40@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback",
		},
		"superseded: this run's version is rejected": {
			given: func(s *scene) {
				s.lambda.versions[43] = fakeVersion{modified: clockAt(3, 30), state: types.StateActive}
				s.lambda.set("live", 43, nil, "serves production")
				s.remembers(41, "rejected= run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
			},
			status: report.Skipped, version: "41", says: "rejected=42@7002 run=7001/1 at=1999-12-31T00:00:00Z by=rollback",
		},
		"a joined row lets one go": {
			given: func(s *scene) {
				s.remembers(39, "rejected=40-41 run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
				s.function.Request.Target, s.function.Request.Manual = 40, true
			},
			status: report.RolledBack, version: "40", says: "rejected=42,41 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a rollback onto a version whose run has succeeded since": {
			given: func(s *scene) {
				s.remembers(40, "rejected=41@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
				s.function.Runs = fakeRuns{conclusions: map[int64]string{7001: "success"}}
			},
			status: report.RolledBack, version: "41", says: "rejected=42@7002 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"a rollback past a version whose run GitHub does not tell of": {
			given: func(s *scene) {
				s.remembers(40, "rejected=41@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
				s.function.Runs = fakeRuns{silent: true}
			},
			status: report.RolledBack, version: "40", says: "rejected=42@7002,41@7001 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"nothing, where remember is false": {
			given:  func(s *scene) { s.function.Request.Remember = false },
			status: report.RolledBack, version: "", says: "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				test.given(s)
				r := s.run(t)
				assert.Equal(t, test.status, r.Status, r.Message)
				assert.Equal(t, test.version, s.lambda.serving(memoryAlias))
				assert.Equal(t, test.says, s.lambda.description(memoryAlias))
				if test.says != "" {
					m, err := alias.ParseDescription(test.says)
					require.NoError(t, err)
					assert.Equal(t, m.Rejected.Strings(), r.Rejected)
				}
			})
		})
	}
}

func (s *scene) remembers(version int64, description string) {
	s.lambda.set(memoryAlias, version, nil, description)
}

func TestUnreadableMemoryIsAWarning(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.remembers(39, "rejected=4x run=")
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Contains(t, warnings(r), "not readable")
	})
}

func TestMemoryWithWeightsLosesThem(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set(memoryAlias, 40, map[string]float64{"42": 0.5}, "rejected=")
		s.run(t)
		assert.Equal(t, "41", s.lambda.serving(memoryAlias))
	})
}

func TestMemoryOnLatestIsMovedToAVersion(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.remembers(40, "rejected=")
		s.lambda.aliases[memoryAlias].version = "$LATEST"
		s.run(t)
		assert.Equal(t, "41", s.lambda.serving(memoryAlias))
	})
}

// Two rollbacks of different runs meet at the memory alias: nothing is lost.
func TestMemoryIsMerged(t *testing.T) {
	t.Parallel()
	const theirs = "rejected=40@6999 run=6999/1 at=1999-12-31T00:00:00Z by=rollback"
	for name, test := range map[string]struct {
		given func(*scene)
		call  string
	}{
		"somebody created it first": {func(*scene) {}, "CreateAlias " + memoryAlias},
		"somebody wrote it first":   {func(s *scene) { s.remembers(41, "rejected=39@6998") }, "UpdateAlias " + memoryAlias},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				test.given(s)
				s.lambda.before = func(call string, n int) {
					if call == test.call && n == 1 {
						s.remembers(39, theirs)
					}
				}
				r := s.run(t)
				assert.Equal(t, report.RolledBack, r.Status)
				assert.Equal(t, "41", s.lambda.serving(memoryAlias))
				assert.Equal(t, "rejected=42@7002,40@6999 run=7002/1 at=2000-01-01T00:00:00Z by=rollback", s.lambda.description(memoryAlias))
				assert.Equal(t, []string{"42", "40"}, r.Rejected)
				assert.Empty(t, warnings(r))
			})
		})
	}
}

func TestMemoryThatOthersKeepWriting(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.remembers(41, "rejected=39@6998")
		s.lambda.before = func(call string, _ int) {
			if call == "UpdateAlias "+memoryAlias {
				s.remembers(41, "rejected=39@6998")
			}
		}
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Contains(t, warnings(r), "could not record the rejected version")
	})
}

// A memory that may not be read stops no move. It can be created, as that never
// overwrites anything; one that exists is not written unread.
func TestMemoryThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		there    string // its Description; empty: there is none
		others   func(call string, n int) *fault
		after    string
		warnings []string
	}{
		"there is none yet": {
			after:    "rejected=42@7002 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
			warnings: []string{"lambda:GetAlias on api:live-rollback"},
		},
		"there is one": {
			there:    "rejected=41@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback",
			after:    "rejected=41@7001 run=7001/1 at=1999-12-31T00:00:00Z by=rollback",
			warnings: []string{"lambda:GetAlias on api:live-rollback", "not overwritten because it could not be read"},
		},
		"nor may it be created": {
			others:   always("CreateAlias "+memoryAlias, fault{err: answer(403, "AccessDeniedException", "")}),
			warnings: []string{"lambda:GetAlias on api:live-rollback", "lambda:CreateAlias on api:live-rollback"},
		},
		"the answer to its creation is lost": {
			others:   only("CreateAlias "+memoryAlias, 1, passingFaults["answer lost after it was carried out"]),
			after:    "rejected=42@7002 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
			warnings: []string{"lambda:GetAlias on api:live-rollback"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				if c.there != "" {
					s.remembers(41, c.there)
				}
				unread := always("GetAlias "+memoryAlias, fault{err: answer(403, "AccessDeniedException", "")})
				s.lambda.faults = func(call string, n int) *fault {
					if f := unread(call, n); f != nil || c.others == nil {
						return f
					}
					return c.others(call, n)
				}
				r := s.run(t)
				assert.Equal(t, report.RolledBack, r.Status, r.Message)
				assert.Equal(t, "41", s.lambda.serving("live"))
				assert.Equal(t, c.after, s.lambda.description(memoryAlias))
				for _, text := range c.warnings {
					assert.Contains(t, warnings(r), text)
				}
				assert.Zero(t, s.lambda.count("UpdateAlias "+memoryAlias), "nothing is written without a revision")
			})
		})
	}
}

// Somebody else's alias of the memory's name is named and left alone.
func TestMemoryOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"words":                            "do not touch",
		"another tool's keys":              "owner=platform stage=blue",
		"a key that is ours alone by name": "by=alice for the load test",
		"a link":                           "https://wiki.example/rollback?rejected=1",
		"a line end":                       "rollback alias\nof the platform team",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.remembers(39, words)
				r := s.run(t)
				assert.Equal(t, report.RolledBack, r.Status, r.Message)
				assert.Contains(t, warnings(r), "api:live-rollback is not this action's memory")
				assert.Contains(t, warnings(r), "remember")
				assert.Equal(t, words, s.lambda.description(memoryAlias))
				assert.Equal(t, "39", s.lambda.serving(memoryAlias))

				taken := alias.Snapshot(s.ctx, []alias.Function{s.function})[0]
				assert.Equal(t, report.Failed, taken.Status)
				assert.Contains(t, taken.Message, "another name")
				checked := alias.Check(s.ctx, []alias.Function{s.function}, nil)[0]
				assert.Equal(t, report.NotReady, checked.Status)
				assert.Equal(t, words, s.lambda.description(memoryAlias))
				assert.Zero(t, s.lambda.count("UpdateAlias "+memoryAlias)+s.lambda.count("CreateAlias "+memoryAlias))
			})
		})
	}
}

// It comes between the reading and the writing.
func TestSomebodyElseTakesTheMemorysNameMeanwhile(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.after = func(call string, _ int) {
			if call == "UpdateAlias live" {
				s.remembers(39, "the platform team's")
			}
		}
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Contains(t, warnings(r), "api:live-rollback is not this action's memory")
		assert.Equal(t, "the platform team's", s.lambda.description(memoryAlias))
	})
}

func TestADamagedMemoryIsStillOurs(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"cut":                   "rejected=41@7001,4",
		"a number that is none": "rejected=forty-one",
		"written over":          "rejected=41 rejected=40",
		"the end is left":       "at=yesterday by=rollback",
		"words in it":           "rejected=41 please keep",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.remembers(39, words)
				r := s.run(t)
				assert.Equal(t, report.RolledBack, r.Status, r.Message)
				m, err := alias.ParseDescription(s.lambda.description(memoryAlias))
				require.NoError(t, err)
				_, rejected := m.Rejected.Find(42)
				assert.True(t, rejected)
			})
		})
	}
}

func TestCheckWhereTheMemoryMayNotBeRead(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.faults = always("GetAlias "+memoryAlias, fault{err: answer(403, "AccessDeniedException", "")})
		r := alias.Check(s.ctx, []alias.Function{s.function}, nil)[0]
		assert.Equal(t, report.NotReady, r.Status)
		assert.Equal(t, report.AccessDenied, r.Reason)
		assert.Contains(t, r.Message, "lambda:GetAlias on api:live-rollback")
	})
}

// Run 7001 failed before it moved the alias, run 7002 deployed well, then 7001
// was run again and its deploy failed after the move. What served before that
// is 7002's version, whatever the first attempt wrote down.
func TestNotDeployedIsNoSnapshotForALaterAttempt(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, nil, "serves production")
		require.Equal(t, report.NotDeployed, s.run(t).Reason)

		// Another workflow deploys 43 meanwhile: no newer run of this one.
		s.lambda.versions[43] = fakeVersion{modified: clockAt(20, 0), state: types.StateActive}
		s.lambda.versions[44] = fakeVersion{modified: clockAt(41, 30), state: types.StateActive}
		s.lambda.set("live", 44, nil, "serves production")
		run := failedRun()
		run.Attempt = 2
		run.Jobs = []report.Job{
			jobAt("test", clockAt(0, 10), clockAt(1, 0), "success"),
			jobAt("deploy", clockAt(41, 0), clockAt(42, 0), "success"),
			jobAt("smoke test", clockAt(42, 0), clockAt(43, 0), "failure"),
			ownJob(clockAt(43, 10)),
		}
		s.function.Run.Attempt = 2
		s.function.Evidence = func(context.Context) report.Run { return run }
		assert.Equal(t, "43", s.run(t).To)
	})
}

// Where AWS keeps failing, the traffic has moved anyway.
func TestMemoryIsGivenUpWithTheTimeout(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.faults = always("CreateAlias "+memoryAlias, passingFaults["unavailable (503)"])
		start := time.Now()
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Contains(t, warnings(r), "could not record the rejected version")
		assert.LessOrEqual(t, time.Since(start), 5*time.Minute+10*time.Second)
	})
}
