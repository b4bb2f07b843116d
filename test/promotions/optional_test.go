package promotions_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/promotions"
)

// wrongInputs are faults in inputs that neither decide nor make a move.
var wrongInputs = map[string]string{
	"reason": "two\nlines", "health-url": "ftp://example.com/up", "health-status": "well", "health-timeout": "soon",
	"invoke-payload": "{", "alarms": ",", "observe": "for a while", "on-unhealthy": "pray", "max-steps": "many",
	"site-bucket": "A_B", "slack-webhook-url": "nowhere", "slack-bot-token": "xoxb 1", "slack-channel": "C1", "smtp-port": "99999", "email-to": "nobody",
	"teams-webhook-url": "http://", "webhook-url": "https://:443/x", "notify-on": "sometimes", "record-deployment": "2", "open-issue": "yep",
	"steps": "most of it", "on-inconclusive": "pray", "warm": "very", "freeze-after-rollback": "maybe", "list-limit": "most", "infrastructure": "pulumi",
}

// brokenServices are faults of what a move does not need.
var brokenServices = map[string]func(*world){
	"CloudWatch refuses":     func(w *world) { w.Fault(emulator.Match{Service: emulator.ServiceCloudWatch}, emulator.Deny()) },
	"the log cannot be read": func(w *world) { w.Fault(emulator.Match{Service: emulator.ServiceLogs}, emulator.Status(500, "", "")) },
	"no stack can be seen":   func(w *world) { w.Fault(emulator.Match{Service: emulator.ServiceStacks}, emulator.Deny()) },
	"CodeDeploy does not answer": func(w *world) {
		w.Fault(emulator.Match{Service: emulator.ServiceCodeDeploy}, emulator.Status(503, "", ""))
	},
	"tags may not be read": func(w *world) { w.Fault(emulator.Match{Operation: "ListTags"}, emulator.Deny()) },
	"the memory cannot be written": func(w *world) {
		w.Fault(emulator.Match{Operation: "CreateAlias"}, emulator.Deny())
		w.Fault(emulator.Match{Operation: "UpdateAlias", Qualifier: "live-rollback"}, emulator.Deny())
	},
	"every call is throttled once": func(w *world) { w.Fault(emulator.Match{Operation: "GetAlias"}, emulator.Throttle(0).Times(1)) },
}

// situation is what a rollback finds: versions, where the alias points, and what the
// memory says.
func (w *world) situation(random *mathrand.Rand) {
	f := w.Functions[0]
	for range random.IntN(3) {
		f.Publish(w.Now())
	}
	newest := int64(len(f.Versions()))
	serves := 1 + random.Int64N(newest)
	weights := map[string]float64{}
	if other := 1 + random.Int64N(newest); random.IntN(3) == 0 && other != serves {
		weights[strconv.FormatInt(other, 10)] = 0.1
	}
	require.NoError(w.t, f.SetAlias("live", serves, weights))
	if random.IntN(2) == 0 {
		on := 1 + random.Int64N(newest)
		require.NoError(w.t, f.SetAlias("live-rollback", on, nil))
		text := []string{
			fmt.Sprintf("rejected=%d@6999 run=6999/1 at=2026-01-02T03:04:05Z by=rollback", 1+random.Int64N(newest)),
			"rejected= run=7001/1 at=2026-01-02T03:04:05Z by=snapshot", "odd",
		}[random.IntN(3)]
		require.NoError(w.t, f.DescribeAlias("live-rollback", text))
	}
	if random.IntN(4) == 0 {
		require.NoError(w.t, f.SetState(1+random.Int64N(newest), emulator.StateFailed, "InternalError"))
	}
}

// Whatever is wrong in what a move does not need: the alias ends where it would have
// ended without.
func TestFaultsInOptionalPartsChangeNoMove(t *testing.T) {
	const histories = 120
	moved := 0
	for seed := range uint64(histories) {
		play := func(faulty bool) (string, promotions.Ended) {
			w := newWorld(t, 60)
			w.situation(mathrand.New(mathrand.NewPCG(seed, 1)))
			inputs := map[string]string{
				"needs":      `{"deploy-production":{"result":"failure","outputs":{}}}`,
				"health-url": w.HealthURL(func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(http.StatusOK) }), "health-timeout": "1s", "observe": "1m",
			}
			random := mathrand.New(mathrand.NewPCG(seed, 2))
			if faulty {
				for input, value := range wrongInputs {
					if random.IntN(3) == 0 {
						inputs[input] = value
					}
				}
				for _, breaks := range brokenServices {
					if random.IntN(3) == 0 {
						breaks(w)
					}
				}
			}
			e := w.step(inputs)
			return serving(w.Functions[0]), e
		}
		well, _ := play(false)
		faulty, e := play(true)
		require.Equal(t, well, faulty, "history %d: %s", seed, e.Outputs["message"])
		if e.Outputs["rolled-back"] == "true" {
			moved++
		}
	}
	assert.Greater(t, moved, histories/4, "few histories moved anything")
}
