package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/people"
)

// findings collects what is not as it should be.
type findings []string

func (f *findings) equal(what, want, is string) {
	if want != is {
		*f = append(*f, fmt.Sprintf("%s: want %q, is %q", what, want, is))
	}
}

func (f *findings) holdf(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// check holds an act against what is wanted of it: what AWS has now, and what
// the action said.
func (p performance) check(st *stage) []string {
	var f findings
	w := p.act.want
	f.equal("exit code", strconv.Itoa(w.exit), strconv.Itoa(p.exit))
	for i, function := range st.functions {
		name := function.Name()
		f.equal(name+" serves", w.serves[i], p.after[i].serving)
		f.equal("memory alias of "+name, w.remembers[i], p.after[i].remembered)
		f.equal("description of the alias of "+name, purpose, p.after[i].description)
		p.checkMoves(&f, i, name)
	}
	f.holdf(maps.Equal(w.site, p.siteAfter), "the site: want %q, is %q", w.site, p.siteAfter)
	p.checkOutputs(&f, st)
	p.checkMessages(&f)
	for i, t := range st.troubles {
		f.holdf(t.Hits() > 0, "trouble %d of the scene was never met", i+1)
	}
	for _, secret := range []string{st.GitHub.Token, emulator.OIDCRequestToken} {
		f.holdf(!strings.Contains(p.log+p.summary+fmt.Sprint(p.outputs), secret), "a secret is in the log, the summary or the outputs")
	}
	f.holdf(strings.HasPrefix(p.summary, "## "), "the summary has no heading: %.80q", p.summary)
	return f
}

// checkMessages: each channel that was to be told was told once, and says so.
func (p performance) checkMessages(f *findings) {
	var told map[string]string
	if err := json.Unmarshal([]byte(p.outputs["notifications"]), &told); err != nil {
		f.holdf(false, "output notifications is no object of texts: %q", p.outputs["notifications"])
		return
	}
	f.equal("how many channels were told", strconv.Itoa(len(p.act.told)), strconv.Itoa(len(told)))
	for _, channel := range p.act.told {
		f.equal("notifications: "+channel, "sent", told[channel])
		f.holdf(slices.ContainsFunc(p.messages, func(m people.Message) bool { return m.Channel == channel }), "no message came by %s", channel)
	}
	for _, secret := range []string{people.SlackPath, people.TeamsQuery, people.BotToken, people.WebhookKey, people.Password} {
		f.holdf(!strings.Contains(p.log+p.summary+fmt.Sprint(p.outputs), secret), "a channel's secret is in the log, the summary or the outputs")
	}
}

// checkMoves: the alias goes to its target by the moves it takes, or is left alone, a
// change that changes nothing included.
func (p performance) checkMoves(f *findings, i int, name string) {
	want := ""
	if p.before[i].serving != p.act.want.serves[i] {
		want = p.act.want.serves[i]
	}
	if i == 0 && len(p.act.want.through) > 0 {
		want = strings.Join(p.act.want.through, " → ")
	}
	f.equal("what the alias of "+name+" went through", want, strings.Join(p.moves[i], " → "))
}

func (p performance) checkOutputs(f *findings, st *stage) {
	w, out := p.act.want, p.outputs
	equal := func(name, want string) { f.equal("output "+name, want, out[name]) }
	equal("status", string(w.status))
	equal("reason", string(w.reason))
	equal("rolled-back", strconv.FormatBool(w.status == report.RolledBack))
	equal("environment", cmp.Or(p.act.inputs["environment"], "production"))
	equal("healthy", cmp.Or(w.healthy, "unknown"))
	equal("run-url", fmt.Sprintf("https://github.com/%s/actions/runs/%d", repository, p.run.ID))
	f.holdf(out["message"] != "" && !strings.Contains(out["message"], "\n"), "output message is not one line: %q", out["message"])
	at, err := time.Parse(time.RFC3339, out["timestamp"])
	f.holdf(err == nil && time.Since(at).Abs() < stepLimit, "output timestamp is not now: %q", out["timestamp"])

	var results []report.Function
	if err := json.Unmarshal([]byte(out["results"]), &results); err != nil || len(results) != len(st.functions) {
		f.holdf(false, "output results has not one object a function: %q", out["results"])
		return
	}
	for i, r := range results {
		name, from, to := st.functions[i].Name(), primary(p.before[i].serving), ""
		if w.status == report.RolledBack {
			to = primary(p.after[i].serving)
		}
		f.equal("results: function", name, r.Function)
		f.equal("results: status of "+name, string(w.status), string(r.Status))
		f.equal("results: reason of "+name, string(w.reason), string(r.Reason))
		f.equal("results: from of "+name, from, r.From)
		f.equal("results: to of "+name, to, r.To)
		if len(results) == 1 {
			equal("function-name", name)
			equal("alias", alias)
			equal("from-version", from)
			equal("to-version", cmp.Or(to, w.wouldGo))
		}
	}
	if len(results) > 1 {
		for _, empty := range []string{"function-name", "alias", "from-version", "to-version"} {
			equal(empty, "")
		}
	}
}

// primary is the version that an alias points at, without its weights.
func primary(serving string) string {
	version, _, _ := strings.Cut(serving, "+")
	return version
}
