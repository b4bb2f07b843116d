package notify_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// fakeThreaded is a threaded channel. It keeps how long after the start of the test
// its calls have ended.
type fakeThreaded struct {
	begin, send func(context.Context) error
	started     time.Time
	began, sent time.Duration
	continued   []string
}

func (*fakeThreaded) Name() string { return "fake" }

func (f *fakeThreaded) Begin(ctx context.Context, _ notify.Notification) error {
	defer func() { f.began = time.Since(f.started) }()
	return f.begin(ctx)
}

func (f *fakeThreaded) Continue(_ context.Context, n notify.Notification) error {
	f.continued = append(f.continued, n.Alert.Headline)
	return nil
}

func (f *fakeThreaded) Send(ctx context.Context, _ notify.Notification) error {
	defer func() { f.sent = time.Since(f.started) }()
	return f.send(ctx)
}

func hangsUntilTheEnd(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func succeeds(context.Context) error { return nil }

func takes(d time.Duration) func(context.Context) error {
	return func(context.Context) error { time.Sleep(d); return nil } // whatever ctx says
}

// The first message has half of the limit, and Send has what is left of the whole.
func TestTimeOfAThreadedChannel(t *testing.T) {
	t.Parallel()
	const limit = 20 * time.Second
	for name, test := range map[string]struct {
		begin, send func(context.Context) error
		want        string
		began, took time.Duration // after the start
	}{
		"both at once":                             {succeeds, succeeds, notify.Sent, 0, 0},
		"the first message hangs":                  {hangsUntilTheEnd, succeeds, notify.Sent, limit / 2, limit / 2},
		"the first message takes less than half":   {takes(9 * time.Second), takes(time.Second), notify.Sent, 9 * time.Second, 10 * time.Second},
		"both hang":                                {hangsUntilTheEnd, hangsUntilTheEnd, "no response within 20s", limit / 2, limit},
		"an answer at the limit counts":            {succeeds, takes(limit), notify.Sent, 0, limit},
		"an answer just after the limit counts":    {succeeds, takes(limit + 49*time.Millisecond), notify.Sent, 0, limit + 49*time.Millisecond},
		"a channel that does not obey the limit":   {succeeds, takes(time.Hour), "no response within 20s", 0, limit + 50*time.Millisecond},
		"a first message that obeys no limit":      {takes(time.Hour), succeeds, notify.Sent, time.Hour, limit/2 + 50*time.Millisecond},
		"a channel that panics":                    {succeeds, func(context.Context) error { panic("nil map") }, "failed to format the message: nil map; please report this", 0, 0},
		"a first message that panics is logged":    {func(context.Context) error { panic("nil map") }, succeeds, notify.Sent, 0, 0},
		"a channel whose first message is slow":    {takes(limit / 2), takes(limit / 2), notify.Sent, limit / 2, limit},
		"a channel which has too little time left": {hangsUntilTheEnd, takes(limit/2 + time.Second), "no response within 20s", limit / 2, limit + 50*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				channel := &fakeThreaded{begin: test.begin, send: test.send, started: time.Now()}
				d := notify.Dispatcher{Channels: []notify.Channel{channel}, Limit: limit, Log: silent{}}
				d.Begin(t.Context(), notify.Notification{})
				assert.Zero(t, time.Since(channel.started), "production is verified meanwhile")
				answers := d.Send(t.Context(), notify.Notification{})
				took := time.Since(channel.started)
				time.Sleep(2 * time.Hour) // until those that obey no limit are done
				synctest.Wait()
				assert.Equal(t, map[string]string{"fake": test.want}, answers)
				assert.Equal(t, test.took, took)
				assert.Equal(t, test.began, channel.began)
			})
		})
	}
}

// What comes between the first message and the last keeps its order, and nobody
// waits for it but Send.
func TestAThreadKeepsItsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		channel := &fakeThreaded{begin: takes(time.Second), send: succeeds, started: time.Now()}
		d := notify.Dispatcher{Channels: []notify.Channel{channel}, Limit: 20 * time.Second, Log: silent{}}
		d.Begin(t.Context(), notify.Notification{})
		for _, headline := range []string{"10%", "50%"} {
			d.Continue(t.Context(), notify.Notification{Alert: report.Alert{Headline: headline}})
		}
		assert.Zero(t, time.Since(channel.started))
		assert.Equal(t, map[string]string{"fake": notify.Sent}, d.Send(t.Context(), notify.Notification{}))
		assert.Equal(t, []string{"10%", "50%"}, channel.continued)
		assert.Equal(t, time.Second, channel.sent)
	})
}

// A signal that ends the program's time is said.
func TestAChannelIsGivenUpWithTheJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(context.Canceled) })
		channel := &fakeThreaded{send: hangsUntilTheEnd, started: time.Now()}
		d := notify.Dispatcher{Channels: []notify.Channel{channel}, Limit: time.Minute, Log: silent{}}
		assert.Equal(t, map[string]string{"fake": "stopped: context canceled"}, d.Send(ctx, notify.Notification{}))
		assert.Equal(t, time.Second, time.Since(channel.started))
	})
}
