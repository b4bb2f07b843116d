package rollback

import (
	"context"
	"io"
	"sync"
	"time"
)

// outputLimit is how long the end of the program waits until its output is read.
const outputLimit = 2 * time.Second

// output writes to a stream in the background, in the order of the calls: a reader that
// does not read must not stop a rollback.
type output struct {
	stream io.Writer

	mu      sync.Mutex
	pending []byte
	closed  bool
	changed chan struct{} // has room for one signal
	written chan struct{} // closed when nothing is left to be written
}

func newOutput(stream io.Writer) *output {
	o := &output{stream: stream, changed: make(chan struct{}, 1), written: make(chan struct{})}
	go o.copy()
	return o
}

// Write never fails and never waits.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.pending = append(o.pending, p...)
	o.mu.Unlock()
	o.signal()
	return len(p), nil
}

// close waits until everything is written, or for outputLimit. Nothing may be written
// after it.
func (o *output) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.signal()
	limit, cancel := context.WithTimeout(context.Background(), outputLimit)
	defer cancel()
	select {
	case <-o.written:
	case <-limit.Done():
	}
}

func (o *output) signal() {
	select {
	case o.changed <- struct{}{}:
	default: // copy has not seen the last signal yet, and takes everything
	}
}

// copy ignores errors: there is nothing left to report them to.
func (o *output) copy() {
	defer close(o.written)
	for {
		o.mu.Lock()
		text, closed := o.pending, o.closed
		o.pending = nil
		o.mu.Unlock()
		switch {
		case len(text) > 0:
			_, _ = o.stream.Write(text)
		case closed:
			return
		default:
			<-o.changed
		}
	}
}
