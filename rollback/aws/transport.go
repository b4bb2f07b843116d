package aws

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// transport sends the SDK's requests, and reports the Date of each response.
type transport struct {
	next     aws.HTTPClient
	clock    Clock
	answered func(date string, took time.Duration) // may be nil
	most     int64                                 // the maximum length of a response, in bytes; 0: none
}

// longestAnswer is far above the length of AWS's responses, apart from objects. A
// response from something else may be endless.
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

// bounded is the body of a response up to a maximum length.
type bounded struct {
	from io.ReadCloser
	left int64
}

// Read reads the body. A body that is too long counts as incomplete.
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

// body is the body of a request, without WriteTo. The SDK closes the body as soon as
// there is a response, while net/http may still be looking for its end. Then WriteTo of
// smithy-go's closed body returns io.EOF as an error, net/http closes the connection,
// and the rest of the response is lost. For Read, io.EOF is the end.
// https://github.com/aws/smithy-go/blob/main/transport/http/internal/io/safe.go
type body struct{ from io.ReadCloser }

// Read reads the body.
func (b body) Read(p []byte) (int, error) { return b.from.Read(p) }

// Close closes the body.
func (b body) Close() error { return b.from.Close() }
