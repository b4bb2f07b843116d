package emulator_test

import (
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// get probes a URL and gives the status, or 0 where there was no answer.
func get(ctx context.Context, t *testing.T, w *wire, url string) (int, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := w.Do(request)
	if err != nil {
		return 0, err
	}
	return w.status, response.Body.Close()
}

// brokenFrom is an application whose versions fail from one number on.
func brokenFrom(first int64) func(int64) int {
	return func(version int64) int {
		if version >= first {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
}

func TestHealthFollowsTheAlias(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	f := withVersions(t, e, 2)
	url := e.Health("api", "live", brokenFrom(2))
	probe := func() int {
		status, err := get(t.Context(), t, w, url)
		require.NoError(t, err)
		return status
	}
	assert.Equal(t, 500, probe())
	assert.JSONEq(t, `{"version":"2"}`, string(w.body))
	require.NoError(t, f.SetAlias("live", 1, nil))
	assert.Equal(t, 200, probe())
	assert.JSONEq(t, `{"version":"1"}`, string(w.body))

	require.NoError(t, f.SetAlias("live", 1, map[string]float64{"2": 0.2}))
	failed := 0
	for range 20 {
		if probe() == 500 {
			failed++
		}
	}
	assert.Equal(t, 4, failed, "a canary fails its share")

	f.ForceDelete(1)
	require.NoError(t, f.SetAlias("live", 2, nil))
	f.ForceDelete(2)
	assert.Equal(t, http.StatusBadGateway, probe())

	calls := e.Calls(emulator.Match{Service: emulator.ServiceHealth, Function: "api", Qualifier: "live"})
	assert.Len(t, calls, 23)
	assert.Equal(t, 500, calls[0].Status)
	assert.False(t, calls[0].End.IsZero())
}

func TestHealthOfNothing(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	withVersions(t, e, 1)
	for name, test := range map[string]struct {
		url  string
		want int
	}{
		"no function": {e.Health("other", "live", brokenFrom(2)), 502},
		"no alias":    {e.Health("api", "blue", brokenFrom(2)), 502},
		"no endpoint": {e.URL + "/_health/99", 404},
		"no number":   {e.URL + "/_health/../x", 404},
	} {
		status, err := get(t.Context(), t, w, test.url)
		require.NoError(t, err, name)
		assert.Equal(t, test.want, status, name)
	}
}

func TestHealthHandlerHasTheConnectionToItself(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	ended := make(chan struct{})
	url := e.HealthURL(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil { // a body without end
			_, _ = w.Write([]byte("alive\n"))
			_ = http.NewResponseController(w).Flush()
		}
	})
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/deep?x=1", nil)
	require.NoError(t, err)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	first := make([]byte, 6)
	_, err = io.ReadFull(response.Body, first)
	require.NoError(t, err)
	assert.Equal(t, "alive\n", string(first))
	call := e.Calls(emulator.Match{Service: emulator.ServiceHealth})[0]
	assert.Equal(t, http.StatusOK, call.Status, "answered from its first byte on")
	giveUp()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the handler did not see its caller go")
	}
}

func TestHealthHandlerThatRedirectsOrReadsOrDies(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	status, err := get(t.Context(), t, w, e.HealthURL(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
	}))
	require.NoError(t, err)
	assert.Equal(t, http.StatusFound, status)
	assert.Equal(t, "https://elsewhere.example/", w.header.Get("Location"))

	status, err = get(t.Context(), t, w, e.HealthURL(func(http.ResponseWriter, *http.Request) {}))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)

	// A connection that was used before would make net/http try again.
	_, err = get(t.Context(), t, newWire(t), e.HealthURL(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	require.Error(t, err)

	var statuses []int
	require.Eventually(t, func() bool {
		statuses = nil
		for _, call := range e.Calls(emulator.Match{Service: emulator.ServiceHealth}) {
			if call.End.IsZero() {
				return false
			}
			statuses = append(statuses, call.Status)
		}
		return true
	}, 5*time.Second, time.Millisecond)
	assert.Equal(t, []int{302, 200, 0}, statuses)
}

func TestFaultsOnHealth(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	withVersions(t, e, 1)
	url := e.Health("api", "live", brokenFrom(2))
	health := emulator.Match{Service: emulator.ServiceHealth, Function: "api"}

	e.Fault(health, emulator.Status(http.StatusServiceUnavailable, "", "starting").Times(1))
	status, err := get(t.Context(), t, w, url)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "Service Unavailable\n", string(w.body))

	for _, cut := range []emulator.Effect{emulator.Reset(), emulator.LostAnswer(), emulator.Truncated()} {
		fault := e.Fault(health, cut)
		_, err = get(t.Context(), t, w, url)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		fault.Remove()
	}

	hang := e.Fault(health, emulator.Hang())
	_, err = get(untilHit(t, hang), t, w, url)
	require.ErrorIs(t, err, context.Canceled)
	hang.Remove()

	status, err = get(t.Context(), t, w, url)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status, "a fault that ended leaves nothing")
}
