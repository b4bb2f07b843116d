package aws

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// transport sends the SDK's requests, and reports when AWS answered, by AWS's clock.
type transport struct {
	next     aws.HTTPClient
	clock    Clock
	answered func(date string, took time.Duration) // nil: nobody asks
	most     int64                                 // bytes of an answer that are read; 0: all
}

// longestAnswer is far above what AWS answers apart from objects: something else
// could answer without end.
const longestAnswer = 64 << 20

// Do makes the request.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = body{r.Body}
	}
	sent := t.clock.Now()
	answer, err := t.next.Do(r)
	if err == nil && t.answered != nil {
		t.answered(answer.Header.Get("Date"), t.clock.Now().Sub(sent))
	}
	if err == nil && t.most > 0 {
		answer.Body = &bounded{answer.Body, t.most}
	}
	return answer, err
}

// bounded is an answer's body up to a length.
type bounded struct {
	from io.ReadCloser
	left int64
}

// Read reads the body. What is too long counts as one that breaks off.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Close closes the body.
func (b *bounded) Close() error { return b.from.Close() }

// body is a request's body without WriteTo. The SDK closes the body as soon as there
// is an answer, while net/http may still look for its end. WriteTo of a closed body of
// smithy-go then returns io.EOF as an error, net/http closes the connection, and the
// rest of the answer is lost. Read returns io.EOF, too, but there it means the end.
// https://github.com/aws/smithy-go/blob/main/transport/http/internal/io/safe.go
type body struct{ from io.ReadCloser }

// Read reads the body.
func (b body) Read(p []byte) (int, error) { return b.from.Read(p) }

// Close closes the body.
func (b body) Close() error { return b.from.Close() }
