package emulator

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// healthPath is where endpoints of the user's own applications are served.
const healthPath = "/_health/"

// endpoint is one path that a test serves.
type endpoint struct {
	function, alias string // empty for an endpoint of no function
	handler         http.Handler
}

// HealthURL serves a handler and returns its URL. The handler has the connection
// to itself: it may stream, stall, or never end; it should end with the request's
// context. Faults work on it as on every call (ServiceHealth).
func (e *Emulator) HealthURL(handler http.HandlerFunc) string {
	return e.serve(endpoint{handler: handler})
}

// Health serves an endpoint that behaves as the version behind an alias does, and
// returns its URL: answer gives the HTTP status for a version. Weights count, as
// they do for an invoke: of a canary of 0.2 every fifth answer is the canary's.
// No such function or alias gives 502, $LATEST is version 0. Of functions of one
// name in several regions, the region first by name counts.
func (e *Emulator) Health(function, alias string, answer func(version int64) int) string {
	return e.serve(endpoint{function: function, alias: alias, handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			version, ok := e.route(function, alias)
			if !ok {
				http.Error(w, "nothing serves "+function+":"+alias, http.StatusBadGateway)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer(version))
			fmt.Fprintf(w, `{"version":"%s"}`, (&Version{Number: version}).name())
		})})
}

func (e *Emulator) serve(at endpoint) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endpoints = append(e.endpoints, at)
	return e.URL + healthPath + strconv.Itoa(len(e.endpoints))
}

// route says which version the next request to an alias meets.
func (e *Emulator) route(function, alias string) (version int64, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, region := range slices.Sorted(maps.Keys(e.regions)) {
		f := e.regions[region].functions[function]
		if f == nil {
			continue
		}
		a := f.aliases[alias]
		if a == nil {
			return 0, false
		}
		if v := f.resolve(a.pick()); v != nil {
			return v.Number, true
		}
		return 0, false
	}
	return 0, false
}

// identifyHealth finds the endpoint, and reports whether the path is one of
// theirs.
func (x *exchange) identifyHealth() bool {
	rest, ok := strings.CutPrefix(x.call.Path, healthPath)
	if !ok {
		return false
	}
	c := x.call
	c.Service, c.Operation = ServiceHealth, "Probe"
	text, _, _ := strings.Cut(rest, "/")
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(x.e.endpoints) {
		at := x.e.endpoints[n-1]
		c.Function, c.Qualifier, x.handler = at.function, at.alias, at.handler
	}
	return true
}

// health leaves the answer to the endpoint's handler.
func (x *exchange) health() answer {
	if x.handler == nil {
		return x.fail(http.StatusNotFound, "NotFound", "no such endpoint")
	}
	x.request.Body = io.NopCloser(bytes.NewReader(x.body))
	return answer{header: http.Header{}, stream: x.handler}
}

// relay lets a handler answer by itself. The journal has the call as answered
// from the first byte on, so that a caller who got an answer finds it there. Of a
// stream there is no half: a fault that spoils the delivery cuts the connection.
func (x *exchange) relay(w http.ResponseWriter, a answer) {
	if a.delivery != deliverWhole {
		a.delivery = deliverReset
		x.e.journal.end(x.call, a, x.e.now())
		x.e.send(w, a)
		return
	}
	watched := &watchedWriter{ResponseWriter: w, answered: func(status int) {
		a.status = status
		x.e.journal.end(x.call, a, x.e.now())
	}}
	// A handler that panics (http.ErrAbortHandler cuts the connection) before it
	// has sent a byte has not answered.
	status := 0
	defer func() { watched.note(status) }()
	a.stream.ServeHTTP(watched, x.request)
	status = http.StatusOK
}

// watchedWriter tells the status when it is sent.
type watchedWriter struct {
	http.ResponseWriter

	once     sync.Once
	answered func(status int)
}

func (w *watchedWriter) note(status int) { w.once.Do(func() { w.answered(status) }) }

// WriteHeader notes all but interim statuses (103 …), after which another comes.
func (w *watchedWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.note(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(b []byte) (int, error) {
	w.note(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

// Flush serves handlers that ask for an http.Flusher.
func (w *watchedWriter) Flush() {
	w.note(http.StatusOK)
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
