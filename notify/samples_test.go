package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// alerts are those of the golden files of report, by name.
func alerts(t *testing.T) map[string]report.Alert {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "rollback", "report", "testdata", "alert", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]report.Alert{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var a report.Alert
		require.NoError(t, json.Unmarshal(data, &a))
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = a
	}
	return all
}

func golden(t *testing.T, path string, body []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, body, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "no golden file; write it with: go test ./notify -update")
	assert.Equal(t, string(want), string(body), path)
}

// asked is a request that a server was sent.
type asked struct {
	path   string
	header http.Header
	body   []byte
}

// recorder answers every request with the same, and keeps what it was sent.
func recorder(t *testing.T, status int, answer string) (*httptest.Server, *[]asked) {
	t.Helper()
	var all []asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all = append(all, asked{r.URL.Path, r.Header, body})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server, &all
}

// onWire is the body that a channel sends for an alert.
func onWire(t *testing.T, channel func(*http.Client, string) notify.Channel, status int, answer string, a report.Alert) []byte {
	t.Helper()
	server, all := recorder(t, status, answer)
	require.NoError(t, channel(server.Client(), server.URL).Send(t.Context(), notify.Notification{Alert: a}))
	require.Len(t, *all, 1)
	return (*all)[0].body
}

// deps are what a channel needs, with the machine's clock: in a synctest bubble,
// that of the bubble.
func deps(client *http.Client) notify.Deps {
	return notify.Deps{HTTP: client, Clock: wallClock{}, Random: random(), Log: silent{}}
}

func logging(client *http.Client, log notify.Log) notify.Deps {
	d := deps(client)
	d.Log = log
	return d
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fixedClock stands still: with it, nothing may wait.
type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

func (fixedClock) Sleep(context.Context, time.Duration) error { return errors.New("nothing may wait") }

func slackWebhook(c *http.Client, address string) notify.Channel {
	return notify.NewSlackWebhook(notify.SlackWebhookConfig{URL: address}, deps(c))
}
func teams(c *http.Client, address string) notify.Channel {
	return notify.NewTeams(notify.TeamsConfig{URL: address}, deps(c))
}

// extremes are alerts that no layout was made for.
var extremes = sync.OnceValue(func() map[string]report.Alert {
	all := map[string]report.Alert{
		"nothing":               report.NewAlert(report.Result{}),
		"nothing of three":      report.NewAlert(report.Result{Functions: make([]report.Function, 3)}),
		"endless links":         report.NewAlert(crowd(40, 30, "x", 2000)),
		"endless links of one":  report.NewAlert(crowd(1, 30, "x", 2000)),
		"forty functions":       report.NewAlert(crowd(40, 1, "-api", 0)),
		"three hundred of them": report.NewAlert(crowd(300, 100, "x", 0)),
		"forty, in a trial":     report.NewAlert(crowd(40, 100, "é", 0)).AsTrial(),
		"forty, preliminarily":  report.NewAlert(crowd(40, 100, "é", 0)).AsPreliminary(),
		"addresses with markup": {
			Mark: "✅", Headline: "x", Message: "x",
			Facts: []report.Fact{{Name: "Run", Text: "x", URL: "https://github.com/a(b)c<d>[e]*f*?g|h&i\\j"}},
			Links: []report.Page{{Name: "Run", URL: "https://github.com/a(b)c<d>[e]*f*?g|h&i\\j"}},
		},
		"a text of blanks alone": report.NewAlert(crowd(3, 40, " ", 0)),
	}
	for name, text := range map[string]string{
		"latin": "x", "quotes": `"`, "backslashes": `\`, "ampersands": "&", "angles": "<!channel> ", "mentions": "@here @channel ",
		"markup": "*b* _i_ ~s~ `c` ", "markdown": "[x](https://evil.example) **b** ", "emoji": "👩‍👩‍👧‍👦", "flags": "🇩🇪", "four bytes": "𝒳",
		"right to left": "שלום ", "overrides": "\u202egnp.exe", "broken UTF-8": "\xff", "escapes": "\x1b[31m", "zero": "\x00", "lines": "a\n\r\n",
		"combining": "e\u0301\u0302\u0303", "private": "\ue000", "colons": ":rotating_light: ", "dates": "{{DATE(2026-01-01T00:00:00Z)}} ", "at tags": "<at>all</at> ",
	} {
		all[name+" without end"] = report.NewAlert(crowd(1, 100_000/len(text), text, 0))
		all[name+" in a crowd"] = report.NewAlert(crowd(50, 400, text, 0))
	}
	return all
})

// crowd is n functions with every text as long as length says, and addresses of
// so many characters.
func crowd(n, length int, text string, address int) report.Result {
	long := strings.Repeat(text, length)
	run := "https://github.com/acme/shop/actions/runs/9001" + strings.Repeat("1", address)
	r := report.Result{
		Command: "rollback", Status: report.Failed, Reason: report.Unhealthy, Environment: long, Message: long,
		Healthy: report.NotHealthy, Timestamp: time.Date(2026, 3, 7, 3, 14, 7, 0, time.UTC), RequestReason: long, OwnURL: run + "2",
		Run: report.Run{URL: run, Workflow: long, Branch: long, SHA: "1a2b3c4d5e6f", Commit: long, Actor: long, Number: 1, Attempt: 2, Conclusion: "failure"},
	}
	for range 5 {
		r.Run.Jobs = append(r.Run.Jobs, report.Job{Name: long, Conclusion: "failure", FailedStep: long, URL: run})
		r.Notes = append(r.Notes, report.Note{Warning: true, Text: long})
	}
	for i := range n {
		f := report.Function{
			Function: "api" + long, Alias: long, Region: "eu-west-1", Status: report.RolledBack, From: "42", To: "41", MovedAt: "2026-03-07T03:14:06Z",
			Healthy: report.Healthy, Message: long, Why: long, Target: "41", Proof: long,
		}
		if i%3 == 0 {
			f.Status, f.Reason, f.Healthy = report.Failed, report.AccessDenied, report.NotHealthy
		}
		for range 3 {
			f.Checks = append(f.Checks, report.Check{Name: long, Status: "failed", Detail: long})
			f.Notes = append(f.Notes, report.Note{Warning: true, Text: long})
		}
		r.Functions = append(r.Functions, f)
	}
	return r
}
