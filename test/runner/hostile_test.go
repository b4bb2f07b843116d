package runner_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// hostile is what nobody would call a branch, and anybody can.
const hostile = "x\n::set-output name=status::pwned\r\n::add-mask::live\r##[error]pwned\n\t ::stop-commands::pwned\n" +
	"\x0b::warning::pwned\u2028::warning::pwned\u0085::warning::pwned\n" +
	"status<<EOF\npwned\nEOF\nstatus=pwned\n##\u200d[group]pwned #\u200d#[error]pwned :\u200d:error::pwned\n%0A::set-env name=PATH::pwned%0D" +
	"\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07 **bold** `code` ``` <img src=x onerror=alert(1)> <script>alert(1)</script> </details> <!-- " +
	"[text](javascript:alert(1)) ![pixel](https://evil.example/p.png) | cell | @channel <!channel> @octo-org/team #1 https://evil.example www.evil.example " +
	"\u202egnp.exe\u2066 \x00 \xff\xfe $(id) ${{ secrets.X }} {{.}} {function} {command}"

// tame wants that nothing of it got through.
func tame(t *testing.T, o outcome) {
	t.Helper()
	for _, c := range parseLog(o.stdout).commands {
		assert.NotRegexp(t, `^\s*(pwned|live)`, c.data, "::%s", c.name)
	}
	for name, value := range o.outputs {
		assert.NotEqual(t, "pwned", value, name)
	}
	page := target.ReplaceAllString(code.ReplaceAllString(escaped.ReplaceAllString(o.summary, ""), ""), "")
	for _, live := range []string{"<img", "<script", "<!--", "](javascript", "![pixel]", "**bold**", "@channel", "@octo-org/team", "https://evil.example", "www.evil", "\x1b", "| cell |"} {
		assert.NotContains(t, page, live)
	}
	assert.Equal(t, strings.Count(page, "<details>"), strings.Count(page, "</details>"))
}

// What GitHub's Markdown does not look into.
var (
	escaped = regexp.MustCompile(`\\[[:punct:]]`)
	code    = regexp.MustCompile("`[^`\n]*`")
	target  = regexp.MustCompile(`\]\(<[^<>\s]*>\)`)
)

// forms are the hostile text in the sizes and places in which it hurts most.
var forms = map[string]string{
	"as it is":           hostile,
	"first":              "::error::pwned " + hostile,
	"legacy":             "##[error]pwned",
	"with nothing seen":  ":\ufe0f:error::pwned #\u034f#[error]pwned #\u00ad#\u2060[error]pwned #\U000e0100#[error]pwned",
	"100 kB":             strings.Repeat("::error::pwned ", 100<<10/15),
	"100 kB RTL":         strings.Repeat("\u202e\n::x::", 10<<10),
	"100 kB of Markdown": strings.Repeat("[`|*_<@#", 100<<10/8),
}

// TestHostileTextFromOutside: whatever it says, the alias moves, and nobody is
// told anything else.
func TestHostileTextFromOutside(t *testing.T) {
	t.Parallel()
	type scenery func(s *scene, f *emulator.Function, st *step, text string)
	variable := func(name string) scenery {
		return func(_ *scene, _ *emulator.Function, st *step, text string) {
			const most = 100 << 10 // the kernel takes 128 kB for one variable
			st.set(name, strings.ReplaceAll(text[:min(len(text), most)], "\x00", ""))
		}
	}
	run := func(change func(*emulator.WorkflowRun, string)) scenery {
		return func(s *scene, _ *emulator.Function, _ *step, text string) {
			require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) { change(r, text) }))
		}
	}
	version := func(change func(*emulator.Version, string)) scenery {
		return func(s *scene, f *emulator.Function, _ *step, text string) {
			require.NoError(s.tb, f.Change(3, func(v *emulator.Version) { change(v, text) }))
		}
	}
	for source, put := range map[string]scenery{
		"commit message of the event": func(s *scene, _ *emulator.Function, st *step, text string) {
			payload := s.push()
			object(payload, "head_commit")["message"] = text
			st.event("push", payload)
		},
		"actor":    variable("GITHUB_ACTOR"),
		"workflow": variable("GITHUB_WORKFLOW"),
		"job":      variable("GITHUB_JOB"),
		"commit":   variable("GITHUB_SHA"),
		"server":   variable("GITHUB_SERVER_URL"),
		"branch": func(s *scene, f *emulator.Function, st *step, text string) {
			st.input("branch", "*")
			variable("GITHUB_REF")(s, f, st, "refs/heads/"+text)
		},
		"job id in needs": func(_ *scene, _ *emulator.Function, st *step, text string) {
			st.input("needs", fmt.Sprintf(`{%s:{"result":"failure"}}`, quoteJSON(text)))
		},
		"commit message":      run(func(r *emulator.WorkflowRun, text string) { r.Commit = text }),
		"branch by the API":   run(func(r *emulator.WorkflowRun, text string) { r.Branch = text }),
		"workflow by the API": run(func(r *emulator.WorkflowRun, text string) { r.Workflow = text }),
		"actor by the API":    run(func(r *emulator.WorkflowRun, text string) { r.Actor = text }),
		"job name":            run(func(r *emulator.WorkflowRun, text string) { r.Jobs[0].Name = text }),
		"step name":           run(func(r *emulator.WorkflowRun, text string) { r.Jobs[0].Steps[0].Name = text }),
		"own job's name":      run(func(r *emulator.WorkflowRun, text string) { r.Jobs[1].Name = text }),
		"GitHub's error": func(s *scene, _ *emulator.Function, _ *step, text string) {
			s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Status(http.StatusTeapot, "", text))
		},
		"Description of the memory alias": func(s *scene, f *emulator.Function, _ *step, text string) {
			require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
			require.NoError(s.tb, f.DescribeAlias("live-rollback", text))
		},
		"Description of the memory alias, half in form": func(s *scene, f *emulator.Function, _ *step, text string) {
			require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
			require.NoError(s.tb, f.DescribeAlias("live-rollback", "rejected="+text))
		},
		"Description of the alias": func(s *scene, f *emulator.Function, _ *step, text string) {
			require.NoError(s.tb, f.DescribeAlias("live", text))
		},
		"runtime":   version(func(v *emulator.Version, text string) { v.Runtime = text }),
		"handler":   version(func(v *emulator.Version, text string) { v.Handler = text }),
		"role":      version(func(v *emulator.Version, text string) { v.Role = text }),
		"layer":     version(func(v *emulator.Version, text string) { v.Layers = []string{text} }),
		"variable":  version(func(v *emulator.Version, text string) { v.Environment = map[string]string{text: text} }),
		"log group": version(func(v *emulator.Version, text string) { v.LogGroup = text }),
		"code hash": version(func(v *emulator.Version, text string) { v.CodeSha256 = text }),
		"error of a call that is tried again": func(s *scene, _ *emulator.Function, _ *step, text string) {
			s.Fault(on("UpdateAlias", "live"), emulator.Status(http.StatusInternalServerError, "ServiceException", text).Times(1))
		},
		"code of an error that is tried again": func(s *scene, _ *emulator.Function, _ *step, text string) {
			s.Fault(on("GetAlias", "live"), emulator.Status(http.StatusBadGateway, headerSafe(text), "x").Times(1))
		},
		"error of the memory": func(s *scene, _ *emulator.Function, _ *step, text string) {
			s.Fault(on("CreateAlias", ""), emulator.Status(http.StatusBadRequest, "InvalidParameterValueException", text))
		},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			for form, text := range forms {
				t.Run(form, func(t *testing.T) {
					t.Parallel()
					s := newScene(t)
					f := s.function("api", 3)
					st := s.step()
					put(s, f, st, text)
					o := st.run()
					assert.Equal(t, "rolled-back/previous-version", o.ended())
					assert.Equal(t, "2", f.Serving("live"))
					tame(t, o)
				})
			}
		})
	}
}

// TestHostileTextInAFailure: what AWS says becomes part of the message.
func TestHostileTextInAFailure(t *testing.T) {
	t.Parallel()
	for source, put := range map[string]func(s *scene, f *emulator.Function, text string){
		"denied": func(s *scene, _ *emulator.Function, text string) {
			s.Fault(on("UpdateAlias", ""), emulator.Status(http.StatusForbidden, "AccessDeniedException", text))
		},
		"bad request": func(s *scene, _ *emulator.Function, text string) {
			s.Fault(on("GetAlias", "live"), emulator.Status(http.StatusBadRequest, "InvalidParameterValueException", text))
		},
		"code": func(s *scene, _ *emulator.Function, text string) {
			s.Fault(on("GetFunctionConfiguration", ""), emulator.Status(http.StatusBadRequest, headerSafe(text), text))
		},
		"version of the alias that cannot serve": func(s *scene, f *emulator.Function, text string) {
			for v := range int64(2) {
				require.NoError(s.tb, f.Change(v+1, func(v *emulator.Version) { v.State, v.StateReason, v.StateReasonCode = "Failed", text, text }))
			}
		},
	} {
		for form, text := range forms {
			t.Run(source+" "+form, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				put(s, f, text)
				o := s.step().run()
				assert.NotEqual(t, "rolled-back", o.status())
				assert.Equal(t, "3", f.Serving("live"))
				tame(t, o)
			})
		}
	}
}

func TestHostileInputsAreRefused(t *testing.T) {
	t.Parallel()
	for input := range manifest.Inputs {
		t.Run(input, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			o := s.step().input(input, strings.ReplaceAll(hostile, "\x00", "")).run()
			tame(t, o)
		})
	}
}

func TestHostileNamesInAWorkflowRunOfAFork(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	payload := example(t, "workflow_run")
	run := object(payload, "workflow_run")
	run["conclusion"], run["head_branch"], run["name"], run["display_title"] = "failure", hostile, hostile, hostile
	object(run, "head_repository")["full_name"] = hostile
	o := s.step().event("workflow_run", payload).run()
	assert.Equal(t, "skipped/untrusted-fork", o.ended())
	tame(t, o)
	s.untouched(t)
}

func TestADescriptionOfAnEnvironmentVariableNeverTellsItsValue(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	require.NoError(t, f.Change(2, func(v *emulator.Version) {
		v.Environment = map[string]string{"API_KEY": "correct-horse-1", "SAME": "battery-1"}
	}))
	require.NoError(t, f.Change(3, func(v *emulator.Version) {
		v.Environment = map[string]string{"API_KEY": "correct-horse-2", "SAME": "battery-1"}
	}))
	o := s.step().run()
	assert.Contains(t, o.everything(), "API_KEY")
	assert.NotContains(t, o.everything(), "correct-horse")
	assert.NotContains(t, o.everything(), "battery")
	assert.Less(t, o.took-o.stalled, 30*time.Second)
}

// quoteJSON writes a text as JSON does, broken UTF-8 included.
func quoteJSON(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x1b", `\u001b`, "\x00", `\u0000`,
		"\x07", `\u0007`, "\x0b", `\u000b`).Replace(text) + `"`
}

// headerSafe is what of a text an HTTP header can carry.
func headerSafe(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), 4000)]
}
