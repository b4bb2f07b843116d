package promotions_test

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/people"
	"github.com/org/lambda-rollback-action/test/promotions"
)

// notified is a promotion with channels.
func (w *world) notified(inputs map[string]string, channels ...string) (promotions.Ended, *people.Services) {
	w.t.Helper()
	services, err := people.Start(w.t.TempDir())
	require.NoError(w.t, err)
	w.t.Cleanup(services.Close)
	return w.notifiedBy(services, inputs, channels...), services
}

func (w *world) notifiedBy(services *people.Services, inputs map[string]string, channels ...string) promotions.Ended {
	w.t.Helper()
	certificate, err := os.ReadFile(services.CertFile)
	require.NoError(w.t, err)
	roots := x509.NewCertPool()
	require.True(w.t, roots.AppendCertsFromPEM(certificate))
	w.HTTP = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	w.Variables = services.Env()
	all := services.Inputs(channels...)
	maps.Copy(all, inputs)
	return w.promote(all)
}

// said is the first line of each message of Slack's bot, "→" before those in the
// thread, "=" before the update of the first one.
func said(t *testing.T, services *people.Services) []string {
	t.Helper()
	var out []string
	for _, m := range services.Messages(people.SlackBot) {
		mark := ""
		switch {
		case m.JSON()["ts"] != nil:
			mark = "="
		case m.JSON()["thread_ts"] != nil:
			mark = "→"
		}
		first, _, _ := strings.Cut(m.JSON()["text"].(string), "\n")
		out = append(out, mark+strings.TrimSuffix(first, " · production"))
	}
	return out
}

func TestAPromotionIsFollowedInAThread(t *testing.T) {
	w := newWorld(t, 600)
	e, services := w.notified(nil, people.SlackBot, people.Webhook)
	require.Equal(t, "promoted/", e.How(), e.Outputs["message"])
	assert.Equal(t, []string{
		"⏳ Promotion started: api, version 3",
		"→⏳ 10% step done: api, version 3",
		"→⏳ 50% step done: api, version 3",
		"→✅ Promoted: api is on version 3",
		"=✅ Promoted: api is on version 3",
	}, said(t, services))
	all := services.Messages(people.SlackBot)
	assert.Contains(t, all[0].Text(), "api:live moves from version 2 to version 3. Steps: 10% 5m, 50% 5m, 100% 5m. It takes 24 min if nothing goes wrong.")
	assert.Contains(t, all[1].Text(), "api:live: version 3 had ")
	assert.Contains(t, all[1].Text(), "Next: 50% 5m.")
	assert.Contains(t, all[2].Text(), "Next: 100% 5m.")
	assert.Contains(t, all[4].Text(), "Live version  3")
	assert.Contains(t, all[4].Text(), "Previous version  2")
	assert.Len(t, services.Messages(people.Webhook), 1, "who cannot go on later is notified of the end alone")
}

func TestAStoppedPromotionIsTheLastWordOfTheThread(t *testing.T) {
	w := newWorld(t, 600)
	w.Errors[3] = 0.2
	e, services := w.notified(nil, people.SlackBot)
	require.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	got := said(t, services)
	require.Len(t, got, 3, got)
	assert.Equal(t, "⏳ Promotion started: api, version 3", got[0])
	assert.True(t, strings.HasPrefix(got[1], "→🚨 Promotion stopped: api is on version 2 again"), got[1])
	assert.Contains(t, services.Messages(people.SlackBot)[2].Text(), "Live version  2")
	assert.Contains(t, services.Messages(people.SlackBot)[2].Text(), "Failing version  3")
	assert.Equal(t, true, services.Messages(people.SlackBot)[1].JSON()["reply_broadcast"])
}

func TestWhoIsToldOfAPromotion(t *testing.T) {
	for name, test := range map[string]struct {
		inputs map[string]string
		want   int // messages
	}{
		"by default":                     {nil, 5},
		"asked for promotions alone":     {map[string]string{"notify-on": "promoted"}, 5},
		"asked for everything":           {map[string]string{"notify-on": "always"}, 5},
		"asked for failures alone":       {map[string]string{"notify-on": "failed"}, 0},
		"dry run":                        {map[string]string{"dry-run": "true"}, 0},
		"live already: the bake":         {nil, 3},
		"blue-green: nothing in between": {map[string]string{"steps": "0%, 100% 5m"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600)
			if strings.HasPrefix(name, "live") {
				require.NoError(t, w.Functions[0].SetAlias("live", 3, nil))
			}
			e, services := w.notified(test.inputs, people.SlackBot)
			require.Zero(t, e.Code, e.Outputs["message"])
			assert.Len(t, said(t, services), test.want, said(t, services))
		})
	}
}

// A stop is told even if only promotions were asked for: the thread would be left
// open otherwise.
func TestAThreadIsNeverLeftOpen(t *testing.T) {
	w := newWorld(t, 600)
	w.At[3] = w.Interrupt
	e, services := w.notified(map[string]string{"notify-on": "promoted"}, people.SlackBot)
	require.Equal(t, "failed/cancelled", e.How(), e.Outputs["message"])
	got := said(t, services)
	require.Len(t, got, 3, got)
	assert.True(t, strings.HasPrefix(got[1], "→🚨 Promotion stopped"), got[1])
}

// One function of several goes back while the others go on: that is told at once.
func TestAFunctionThatGoesBackAloneIsToldAtOnce(t *testing.T) {
	w := newWorld(t, 600, "api", "worker")
	worker := w.Functions[1]
	w.At[4] = func() { require.NoError(t, worker.SetAlias("live", 2, nil)) } // somebody else
	e, services := w.notified(map[string]string{"all-or-nothing": "false"}, people.SlackBot)
	assert.Equal(t, "failed/alias-changed", e.How())
	assert.Equal(t, []string{
		"⏳ Promotion started: 2 functions",
		"→⚠️ Promotion ended for some functions: worker, version 3",
		"→⏳ 10% step done: api, version 3",
		"→⏳ 50% step done: api, version 3",
		"→🚨 1 of 2 functions NOT promoted: somebody else changed the alias",
		"=🚨 1 of 2 functions NOT promoted: somebody else changed the alias",
	}, said(t, services))
}

// A Slack that does not answer, or refuses, costs the promotion nothing.
func TestChannelsDoNotHoldAPromotion(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"refuses":                             people.Says(http.StatusOK, `{"ok":false,"error":"channel_not_found"}`),
		"has a fault of its own, for a while": people.Says(http.StatusOK, `{"ok":false,"error":"internal_error"}`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600)
			services, err := people.Start(t.TempDir())
			require.NoError(t, err)
			t.Cleanup(services.Close)
			services.Answer(people.SlackBot, handler)
			e := w.notifiedBy(services, nil, people.SlackBot)
			assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
			assert.Contains(t, e.Outputs["notifications"], "slack-bot")
			assert.NotContains(t, e.Outputs["notifications"], "sent")
		})
	}
}
