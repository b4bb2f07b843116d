// Package storage answers as Amazon S3 and CloudFront do, over the real wire
// protocol, as far as a static site needs them: versions and delete markers, pages of
// any size, copies on the server, parts, tags, access lists, archives, and
// invalidations. Objects may be larger than memory: their bytes are made up.
package storage

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Server is S3 and CloudFront of one account. Its methods may be called while
// requests are served.
type Server struct {
	// PageSize is the most entries of a page of a listing; 0: 1,000.
	PageSize int
	// Apart lists all versions of a page before its delete markers, as some servers do.
	Apart bool
	// NoConditions answers 501 to a write with a condition, as some servers do.
	NoConditions bool
	// AllowErase lets requests delete versions for good.
	AllowErase bool
	// Latency is added to every request.
	Latency time.Duration
	// Effect is asked before each request is carried out, for one at a time; nil: nothing
	// goes wrong.
	Effect func(Call) Effect

	now    func() time.Time
	asking sync.Mutex

	mu            sync.Mutex
	buckets       map[string]*Bucket
	distributions map[string]*Distribution
	denied        []denial
	journal       []Call
	ids           int
}

// Call is one request.
type Call struct {
	Operation string // as the SDK names it
	Bucket    string
	Key       string
	VersionID string   // of the version that is read or copied
	Keys      []string // of a batch
	Number    int      // from 1, in the order of arrival
}

// Writes tells whether the call changes objects.
func (c Call) Writes() bool {
	switch c.Operation {
	case "CopyObject", "PutObject", "DeleteObject", "DeleteObjects", "CompleteMultipartUpload":
		return true
	}
	return false
}

// Effect is what goes wrong with a request. The zero value is nothing.
type Effect struct {
	Status  int    // answered in place of the result; 200: an error inside a good answer
	Code    string // of that error
	KeyCode string // the code of every key of a batch that the request is answered with
	// Drop closes the connection: without having done anything, or with Done after it.
	Drop, Done bool
	// Before is called before the request is carried out.
	Before func()
}

type denial struct{ action, prefix string }

// New makes an account without buckets. now gives the time of writes; nil: time.Now.
func New(now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{now: now, buckets: map[string]*Bucket{}, distributions: map[string]*Distribution{}}
}

// Deny denies an IAM action such as s3:PutObject on keys that begin with prefix.
func (s *Server) Deny(action, prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = append(s.denied, denial{action, prefix})
}

// Allow takes back what was denied.
func (s *Server) Allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = nil
}

// Journal gives the requests so far, and forgets them.
func (s *Server) Journal() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.journal
	s.journal = nil
	return calls
}

// S3 is a client that reaches the server without a socket.
func (s *Server) S3() *s3.Client {
	return s3.New(s3.Options{
		Region: Region, BaseEndpoint: aws.String("http://127.0.0.1"), UsePathStyle: true,
		Credentials: credentials, HTTPClient: s,
	})
}

// CloudFront is a client that reaches the server without a socket.
func (s *Server) CloudFront() *cloudfront.Client {
	return cloudfront.New(cloudfront.Options{
		Region: Region, BaseEndpoint: aws.String("http://127.0.0.1"), Credentials: credentials, HTTPClient: s,
	})
}

// Region is where buckets are, unless they say otherwise.
const Region = "eu-west-1"

var credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEMULATOR", SecretAccessKey: "emulator-secret"}, nil
})

var errDropped = errors.New("connection reset by peer")

// Do answers a request of a client in this process.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	if !s.serve(w, r) {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: errDropped}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := w.Result()
	response.Request = r
	return response, nil
}

// ServeHTTP answers a request over a socket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := httptest.NewRecorder()
	if !s.serve(recorder, r) {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), recorder.Header())
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(recorder.Body.Bytes())
}

// request is one request under work.
type request struct {
	*http.Request

	w      *httptest.ResponseRecorder
	call   Call
	query  url.Values
	bucket *Bucket
	body   []byte
}

// serve answers, and tells whether the answer reaches the client.
func (s *Server) serve(w *httptest.ResponseRecorder, hr *http.Request) bool {
	r := &request{Request: hr, w: w, query: hr.URL.Query()}
	r.body, _ = io.ReadAll(hr.Body)
	if s.Latency > 0 {
		select {
		case <-time.After(s.Latency):
		case <-hr.Context().Done():
			return false
		}
	}
	handle := s.route(r)
	s.mu.Lock()
	r.call.Number = len(s.journal) + 1
	s.journal = append(s.journal, r.call)
	s.mu.Unlock()
	effect := Effect{}
	if s.Effect != nil {
		s.asking.Lock()
		effect = s.Effect(r.call)
		s.asking.Unlock()
	}
	if effect.Before != nil {
		effect.Before()
	}
	switch {
	case effect.Drop && !effect.Done:
		return false
	case effect.Status != 0:
		r.fail(effect.Status, effect.Code, "as the test ordered")
		return true
	case effect.KeyCode != "":
		r.failKeys(effect.KeyCode)
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	handle()
	return !effect.Drop
}

func (r *request) fail(status int, code, message string) {
	type answer struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}
	if r.Method == http.MethodHead {
		r.w.WriteHeader(status)
		return
	}
	r.xml(status, answer{Code: code, Message: message})
}

func (r *request) xml(status int, body any) {
	text, err := xml.Marshal(body)
	if err != nil {
		text = fmt.Appendf(nil, "<Error><Code>InternalError</Code><Message>%s</Message></Error>", err)
		status = http.StatusInternalServerError
	}
	r.w.Header().Set("Content-Type", "application/xml")
	r.w.WriteHeader(status)
	_, _ = r.w.Write(text)
}

// may tells whether an action is allowed, and answers the request if not.
func (s *Server) may(r *request, action, key string) bool {
	for _, d := range s.denied {
		if d.action == action && strings.HasPrefix(key, d.prefix) {
			r.fail(http.StatusForbidden, "AccessDenied", "Access Denied")
			return false
		}
	}
	return true
}
