package promotions_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/promotions"
)

const region = "eu-west-1"

// world is one for a test.
type world struct {
	*promotions.World

	t *testing.T
}

func newWorld(t *testing.T, perMinute int, names ...string) *world {
	t.Helper()
	w, err := promotions.New(t.TempDir(), t.Setenv, perMinute, names...)
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return &world{w, t}
}

func (w *world) step(inputs map[string]string) promotions.Ended {
	w.t.Helper()
	e, err := w.Step(inputs)
	require.NoError(w.t, err)
	return e
}

// promote runs the command with version 3, as the run 7001 unless told otherwise.
func (w *world) promote(inputs map[string]string) promotions.Ended {
	w.t.Helper()
	all := map[string]string{"command": "promote", "deployed-version": "3"}
	maps.Copy(all, inputs)
	return w.step(all)
}

// rollBack is the job behind a failed promotion, of the same run.
func (w *world) rollBack(result string) promotions.Ended {
	w.t.Helper()
	return w.step(map[string]string{
		"needs": `{"deploy-production":{"result":"` + result + `","outputs":{}}}`, "failed-results": "failure,cancelled",
	})
}

func serving(f *emulator.Function) string { return promotions.Serving(f) }

func number(text string) (n int64) {
	_, _ = fmt.Sscan(text, &n)
	return n
}
