package emulator

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody is more than the 50 MB of code that UpdateFunctionCode may carry in
// base64.
const maxBody = 80 << 20

// delivery is what becomes of an answer on its way back.
type delivery int

const (
	deliverWhole delivery = iota
	deliverHalf           // the length of the whole, half the bytes, then the end
	deliverReset          // a TCP reset and not one byte
)

// answer is what a request is to be told.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	code     string // error code, empty for success
	delivery delivery
	stream   http.Handler // writes the answer by itself, in place of status and body
}

// exchange is one request on its way through the emulator.
type exchange struct {
	e       *Emulator
	request *http.Request
	path    []string // unescaped segments, without the base path
	query   url.Values
	body    []byte
	call    *Call
	form    url.Values // of a request in the query protocol (STS)
	signed  bool
	account string       // that the function's ARN named, empty for a mere name
	handler http.Handler // of the endpoint that was called, if it was one

	// shift is set by SlowWeights and lets UpdateAlias move traffic slowly.
	shift *shift
}

// ServeHTTP identifies the call, lets the ordered faults work on it, answers,
// and keeps it in the journal.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "failed to read request: "+err.Error(), http.StatusBadRequest)
		return
	}
	x := &exchange{e: e, request: r, body: body, query: r.URL.Query()}
	x.path = segments(r.URL.EscapedPath())
	x.call = &Call{Method: r.Method, Path: r.URL.EscapedPath(), RequestID: newID()}
	x.identify()
	// The call enters the journal at once, so that a call that hangs is seen.
	e.journal.begin(x.call, e.now())

	a := x.translate(x.process())
	if a.stream != nil {
		x.relay(w, a)
		return
	}
	switch x.call.Service {
	case ServiceGitHub, ServiceOIDC:
		a.header.Set("X-Github-Request-Id", x.call.RequestID)
	default:
		a.header.Set("X-Amzn-Requestid", x.call.RequestID)
	}
	e.journal.end(x.call, a, e.now())
	e.send(w, a)
}

// process runs what the faults do before, the operation, and what they do after.
func (x *exchange) process() answer {
	effects := x.e.faults.take(x.call)
	for _, effect := range effects {
		if effect.before == nil {
			continue
		}
		if a := effect.before(x); a != nil {
			return *a
		}
	}
	a := x.dispatch()
	for _, effect := range effects {
		if effect.after != nil {
			effect.after(x, &a)
		}
	}
	return a
}

// dispatch hands the request to the service it is meant for.
func (x *exchange) dispatch() answer {
	switch x.call.Service {
	case ServiceGitHub:
		return x.github()
	case ServiceOIDC:
		return x.oidc()
	case ServiceSTS:
		return x.sts()
	case ServiceLambda:
		return x.lambda()
	case ServiceCloudWatch:
		return x.cloudwatch()
	case ServiceLogs:
		return x.logsAPI()
	case ServiceStacks:
		return x.cloudformationAPI()
	case ServiceCodeDeploy:
		return x.codedeployAPI()
	case ServiceHealth:
		return x.health()
	default:
		return x.fail(http.StatusNotImplemented, "UnknownOperationException",
			fmt.Sprintf("the emulator has no service %q (asked for %s %s)", x.call.Service, x.call.Method, x.call.Path))
	}
}

// send writes the answer, or what the faults left of it.
func (e *Emulator) send(w http.ResponseWriter, a answer) {
	w.Header().Set("Date", e.now().UTC().Format(http.TimeFormat))
	if a.delivery == deliverWhole {
		maps.Copy(w.Header(), a.header)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(a.status)
		_, _ = w.Write(a.body) // A client that went away is its own affair.
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, buffer, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if a.delivery == deliverReset {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // Makes Close send RST instead of FIN.
		}
		return
	}
	writeHalf(buffer.Writer, a)
}

// writeHalf promises the whole body and writes the first half of it.
func writeHalf(w *bufio.Writer, a answer) {
	fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	_ = a.header.Write(w)
	fmt.Fprintf(w, "Content-Length: %d\r\n\r\n", len(a.body))
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = w.Flush()
}

// ok is a JSON answer; a nil value gives an empty body.
func (x *exchange) ok(status int, value any) answer {
	a := answer{status: status, header: http.Header{}}
	if value == nil {
		return a
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return x.fail(http.StatusInternalServerError, "ServiceException", "failed to encode answer: "+err.Error())
	}
	a.header.Set("Content-Type", "application/json")
	a.body = bytes.TrimSpace(body.Bytes())
	return a
}

// segments splits an escaped path and unescapes each part, so that an ARN
// written as arn%3Aaws%3A… or a slash within a name stays one segment.
func segments(escaped string) []string {
	parts := strings.Split(strings.Trim(escaped, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = plain
		}
	}
	return parts
}

// newID is a random UUID (version 4), as AWS uses for requests and revisions.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails, see crypto/rand.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
