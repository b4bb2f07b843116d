package notify_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// The addresses and the token below have these in them, and no error may.
const (
	slackHook   = "http://hooks.slack.example/services/T0SECRET1/B0SECRET2/keySECRET3"
	teamsHook   = "http://prod-1.westeurope.logic.example:80/workflows/flowSECRET4/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=sigSECRET5_-x"
	slackToken  = "xoxb-SECRET6-7"
	teamsOld    = "http://acme.webhook.office.com/webhookb2/1-SECRET7@2/IncomingWebhook/3SECRET8/4"
	slackSecret = "SECRET"
)

// told is what came of telling a channel.
type told struct {
	said  string
	asked []asked
	took  time.Duration
}

// tell sends an alert within a synctest bubble to a server that gives the
// answers one after the other, the last one for good.
func tell(t *testing.T, channel func(*http.Client) notify.Channel, a report.Alert, limit time.Duration, answers ...http.HandlerFunc) told {
	t.Helper()
	var out told
	client := pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := answers[min(len(out.asked), len(answers)-1)]
		body, _ := io.ReadAll(r.Body)
		out.asked = append(out.asked, asked{r.URL.Path, r.Header, body})
		handler(w, r)
	}))
	c := channel(client)
	began := time.Now()
	out.said = (&notify.Dispatcher{Channels: []notify.Channel{c}, Limit: limit, Log: silent{}}).
		Send(t.Context(), notify.Notification{Alert: a, Result: []byte("{}")})[c.Name()]
	out.took = time.Since(began)
	synctest.Wait() // until the server is done, too
	assert.NotContains(t, out.said, slackSecret)
	return out
}

// repeats what it was asked for, as many a server does.
func echoes(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "Cannot POST "+r.URL.String()+" "+r.URL.Path+" with "+r.Header.Get("Authorization"))
	}
}

const (
	proxyPage = "<!DOCTYPE html>\n<html><title>Sign in</title></html>"
	newHook   = "create a new webhook in the app's settings, under Incoming Webhooks, and store its URL in the secret for `slack-webhook-url`"
	unsure    = "the message may not have arrived: status 200 without "
	elsewhere = "; check the URL and any proxy in between; the response was: "
	anyone    = "in the workflow's first step, allow anyone to trigger it, then copy its URL again (the signature in it may have changed)"
	newFlow   = "in Teams, create a workflow from the template for webhook alerts to a channel, and store its URL in the secret for `teams-webhook-url`"
	connector = "the URL is that of an Office 365 connector, which Microsoft has retired: it may accept messages without delivering them; " + newFlow
)

// Every way in which the services answer, and what is said of it.
func TestAnswersOfWebhooks(t *testing.T) {
	t.Parallel()
	slack := func(c *http.Client) notify.Channel {
		return notify.NewSlackWebhook(notify.SlackWebhookConfig{URL: slackHook}, deps(c))
	}
	teams := func(c *http.Client) notify.Channel {
		return notify.NewTeams(notify.TeamsConfig{URL: teamsHook}, deps(c))
	}
	workflow := func(c *http.Client) notify.Channel {
		return notify.NewSlackWebhook(notify.SlackWebhookConfig{URL: "http://hooks.slack.example/triggers/T0SECRET1/2SECRET9/key"}, deps(c))
	}
	old := func(c *http.Client) notify.Channel {
		return notify.NewTeams(notify.TeamsConfig{URL: teamsOld}, deps(c))
	}
	for name, test := range map[string]struct {
		channel func(*http.Client) notify.Channel
		answers []http.HandlerFunc
		want    string // empty: sent
		tries   int
		took    time.Duration
	}{
		"slack takes it":                      {slack, all(says(200, "ok")), "", 1, 0},
		"slack throttles, then takes it":      {slack, all(throttles("4"), says(200, "ok")), "", 2, 4 * time.Second},
		"slack fails once, then takes it":     {slack, all(says(502, "x"), says(200, "ok")), "", 2, 500 * time.Millisecond},
		"slack fails for good":                {slack, all(says(500, "rollup_error")), "Slack answered 500 rollup_error", 5, 7500 * time.Millisecond},
		"slack hangs":                         {slack, all(hangs), "no response within 10s", 2, 10 * time.Second},
		"slack breaks off, then takes it":     {slack, all(breaksOff, says(200, "ok")), "", 2, 500 * time.Millisecond},
		"slack: the webhook was removed":      {slack, all(says(404, "no_service")), "Slack answered 404 no_service: " + newHook, 1, 0},
		"slack: the channel is archived":      {slack, all(says(410, "channel_is_archived")), "Slack answered 410 channel_is_archived: unarchive the webhook's channel, or create a webhook for another channel", 1, 0},
		"slack: forbidden by an admin":        {slack, all(says(403, "action_prohibited")), "Slack answered 403 action_prohibited: an administrator of the workspace does not allow this webhook to post: ask an administrator, or choose another channel", 1, 0},
		"slack: a word of tomorrow":           {slack, all(says(400, "too_early")), "Slack answered 400 too_early", 1, 0},
		"slack dislikes the blocks":           {slack, all(says(400, "invalid_blocks"), says(200, "ok")), "", 2, 0},
		"slack dislikes the attachment":       {slack, all(says(400, "invalid_attachments\n"), says(200, "ok")), "", 2, 0},
		"slack dislikes everything":           {slack, all(says(400, "invalid_payload")), "Slack answered 400 invalid_payload", 2, 0},
		"slack: 200 without a word":           {slack, all(says(200, "")), unsure + "Slack's `ok`" + elsewhere + "an empty body", 1, 0},
		"slack: 200 with another":             {slack, all(says(200, "invalid_token")), unsure + "Slack's `ok`" + elsewhere + "invalid_token", 1, 0},
		"slack: a proxy's page":               {slack, all(says(200, proxyPage)), unsure + "Slack's `ok`" + elsewhere + `<!DOCTYPE html>\n<html><title>Sign in</title></html>`, 1, 0},
		"slack: repeats the address":          {slack, all(echoes(404)), "Slack answered 404 Cannot POST *** *** with", 1, 0},
		"slack: repeats the address in a yes": {slack, all(echoes(200)), unsure + "Slack's `ok`" + elsewhere + "Cannot POST *** *** with", 1, 0},
		"slack: a workflow's yes":             {workflow, all(says(200, `{"ok":true}`)), `Slack answered 200 {"ok":true}: the URL is that of a Slack workflow, which does not accept these messages; ` + newHook, 1, 0},
		"slack redirects":                     {slack, all(redirects), "Slack answered 302 Found", 1, 0},

		"teams takes it":                   {teams, all(says(202, "")), "", 1, 0},
		"teams takes it with a response":   {teams, all(says(200, `{"status":"posted"}`)), "", 1, 0},
		"teams throttles, then takes it":   {teams, all(throttles("4"), says(202, "")), "", 2, 4 * time.Second},
		"teams hangs":                      {teams, all(hangs), "no response within 10s", 2, 10 * time.Second},
		"teams: a proxy's page":            {teams, all(says(200, proxyPage)), unsure + "a workflow's response" + elsewhere + `<!DOCTYPE html>\n<html><title>Sign in</title></html>`, 1, 0},
		"teams: not for anyone":            {teams, all(says(401, `{"error":{"code":"DirectApiAuthorizationRequired","message":"The request must be authenticated only by Shared Access scheme."}}`)), "Teams answered 401 DirectApiAuthorizationRequired: " + anyone, 1, 0},
		"teams: another 401":               {teams, all(says(401, "")), "Teams answered 401 Unauthorized: " + anyone, 1, 0},
		"teams: turned off":                {teams, all(says(400, `{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"m"}}`)), "Teams answered 400 WorkflowTriggerIsNotEnabled: turn the workflow on again in Power Automate", 1, 0},
		"teams: gone":                      {teams, all(says(404, `{"error":{"code":"WorkflowNotFound","message":"The workflow 'flowSECRET4' could not be found."}}`)), "Teams answered 404 WorkflowNotFound: the workflow no longer exists: " + newFlow, 1, 0},
		"teams: a code of tomorrow":        {teams, all(says(400, `{"error":{"code":"TooEarly\n::error::"}}`)), `Teams answered 400 TooEarly\n::error::`, 1, 0},
		"teams: repeats the address":       {teams, all(echoes(404)), "Teams answered 404 Cannot POST *** *** with", 1, 0},
		"teams: a connector's yes":         {old, all(says(200, "1")), connector, 1, 0},
		"teams: a connector's no in a 200": {teams, all(says(200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 404")), connector, 1, 0},
		"teams: a connector's no":          {old, all(says(410, "gone")), "Teams answered 410 gone: connectors are retired; " + newFlow, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := alerts(t)["failed"]
			synctest.Test(t, func(t *testing.T) {
				got := tell(t, test.channel, a, 10*time.Second, test.answers...)
				want := test.want
				if want == "" {
					want = notify.Sent
				}
				assert.Equal(t, want, got.said)
				assert.Len(t, got.asked, test.tries)
				assert.Equal(t, test.took, got.took)
			})
		})
	}
}

// Where Slack refuses the layout, people hear of it anyway.
func TestSlackGetsTheTextAloneWhereItRefusesBlocks(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	synctest.Test(t, func(t *testing.T) {
		for _, name := range []string{"failed", "several", "hostile"} {
			got := tell(t, func(c *http.Client) notify.Channel {
				return notify.NewSlackWebhook(notify.SlackWebhookConfig{URL: slackHook}, deps(c))
			}, all[name], time.Minute,
				says(400, "invalid_attachments"), says(200, "ok"))
			assert.Equal(t, notify.Sent, got.said)
			require.Len(t, got.asked, 2)
			body := string(got.asked[1].body)
			assert.NotContains(t, body, "blocks")
			assert.NotContains(t, body, "attachments")
			assert.NotContains(t, body, "<script>")
			text := texts(t, got.asked[1].body)[0]
			assert.Contains(t, text, "https://github.com/acme/shop/actions/runs/9001")
			golden(t, "testdata/slack/bare/"+name+".json", indented(t, got.asked[1].body)[".json"])
		}
	})
}

// A certificate that nobody vouches for is refused, and not tried again.
func TestBadCertificatesAreRefused(t *testing.T) {
	t.Parallel()
	for name, channel := range map[string]func(string) notify.Channel{
		"slack-webhook": func(address string) notify.Channel {
			return notify.NewSlackWebhook(notify.SlackWebhookConfig{URL: address + "/services/T0SECRET1/B0SECRET2"}, deps(nil))
		},
		"slack-bot": func(address string) notify.Channel {
			return notify.NewSlackBot(notify.SlackBotConfig{APIURL: address, Token: slackToken, Channels: []string{"deployments"}}, deps(nil))
		},
		"teams": func(address string) notify.Channel {
			return notify.NewTeams(notify.TeamsConfig{URL: address + "/workflows/flowSECRET4?sig=sigSECRET5"}, deps(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			called := false
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
			server.Config.ErrorLog = quiet()
			server.StartTLS()
			defer server.Close()
			err := channel(server.URL).Send(t.Context(), notify.Notification{})
			require.Error(t, err)
			assert.Contains(t, err.Error(), "certificate")
			assert.NotContains(t, err.Error(), slackSecret)
			assert.False(t, called)
		})
	}
}

// An address that leads nowhere is in no error.
func TestAddressesStandInNoError(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://127.0.0.1:1/xSECRETx", "http://\x7fSECRET", "://SECRET", "http://[::1]:namedSECRET/", "SECRET"} {
		for _, channel := range []notify.Channel{
			notify.NewSlackWebhook(notify.SlackWebhookConfig{URL: address}, deps(nil)), notify.NewTeams(notify.TeamsConfig{URL: address}, deps(nil)), notify.NewSlackBot(notify.SlackBotConfig{APIURL: address, Token: "tokenSECRET\n", Channels: []string{"c"}}, deps(nil)),
		} {
			got := (&notify.Dispatcher{Channels: []notify.Channel{channel}, Limit: 100 * time.Millisecond, Log: silent{}}).Send(t.Context(), notify.Notification{})
			assert.NotEqual(t, notify.Sent, got[channel.Name()])
			assert.NotContains(t, strings.ToUpper(got[channel.Name()]), slackSecret)
		}
	}
}
