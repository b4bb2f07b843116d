package rollback

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOutputIsWrittenInOrder(t *testing.T) {
	t.Parallel()
	var stream bytes.Buffer
	o := newOutput(&stream)
	var want strings.Builder
	for i := range 1000 {
		line := fmt.Sprintln("line", i)
		want.WriteString(line)
		n, err := io.WriteString(o, line)
		assert.NoError(t, err)
		assert.Len(t, line, n)
	}
	o.close()
	assert.Equal(t, want.String(), stream.String())
}

// stalled is a stream that is not read until its channel is closed.
type stalled chan struct{}

func (s stalled) Write(p []byte) (int, error) {
	<-s
	return len(p), nil
}

func TestOutputThatIsNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stream, began := make(stalled), time.Now()
		o := newOutput(stream)
		for range 10 {
			_, _ = io.WriteString(o, "a line\n")
		}
		assert.Zero(t, time.Since(began))
		o.close()
		assert.Equal(t, outputLimit, time.Since(began))
		close(stream)
		synctest.Wait() // the goroutine ends
	})
}

func TestTheEndWaitsForAReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stream, began := make(stalled), time.Now()
		o := newOutput(stream)
		_, _ = io.WriteString(o, "a line\n")
		time.AfterFunc(time.Second, func() { close(stream) })
		o.close()
		assert.Equal(t, time.Second, time.Since(began))
	})
}
