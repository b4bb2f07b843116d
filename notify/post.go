package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	maxResponse = 64 << 10 // bytes of an answer that are read
	maxQuote    = 200      // characters of a service's own words that are repeated

	maxPostRetries = 4
	minRetryWait   = 500 * time.Millisecond
	maxRetryWait   = 8 * time.Second
	// requestTimeout bounds one try, so that a service that hangs once can be tried again.
	requestTimeout = 8 * time.Second
)

// response is what a service said, whatever its status.
type response struct {
	status  int
	body    string // up to maxResponse
	secrets secrets
}

// describe are those of the service, fit for a line: "403 action_prohibited".
func (a response) text() string {
	text := a.secrets.line(a.body)
	if text == "" {
		text = http.StatusText(a.status)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.status, text))
}

// unconfirmed says that a yes was none that the service would give.
func (a response) unconfirmed(missing string) error {
	said := "an empty body"
	if text := a.secrets.line(a.body); text != "" {
		said = text
	}
	return fmt.Errorf("it is not certain that the message arrived: status %d without %s; check the address and what is in between, which answered: %s", a.status, missing, said)
}

func (a response) ok() bool { return a.status >= 200 && a.status < 300 }

// poster posts to one service. The address may be a secret: it is in no error.
type poster struct {
	client *retryablehttp.Client
}

// newPoster posts over the connections of base; nil: the usual ones. Where a
// service throttles (429), fails (5xx) or breaks off, it is tried again as long
// as ctx allows, waiting as long as Retry-After says. Redirects are not
// followed: they would carry the message to somewhere else.
func newPoster(base *http.Client) poster {
	inner := &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if base != nil {
		inner.Transport = base.Transport
	}
	return poster{client: &retryablehttp.Client{
		HTTPClient:   inner,
		RetryMax:     maxPostRetries,
		RetryWaitMin: minRetryWait,
		RetryWaitMax: maxRetryWait,
		CheckRetry:   worthAnotherTry,
		Backoff:      retryablehttp.DefaultBackoff, // obeys Retry-After
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}}
}

// worthAnotherTry is retryablehttp's policy, but gives up at once where the
// service asks for a longer wait than there is time.
func worthAnotherTry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	again, err := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	if !again || resp == nil {
		return again, err
	}
	wait := retryablehttp.DefaultBackoff(minRetryWait, maxRetryWait, 0, resp)
	if end, limited := ctx.Deadline(); limited && time.Until(end) < wait {
		return false, nil
	}
	return true, err
}

// post sends a body and gives the answer. header is set as it is.
func (p poster) post(ctx context.Context, address string, header http.Header, body []byte) (response, error) {
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return response{}, errors.New("the address cannot be asked for")
	}
	request.Header = header.Clone()
	request.Header.Set("User-Agent", "lambda-rollback-action")
	resp, err := p.client.Do(request)
	if err != nil {
		return response{}, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return response{}, fmt.Errorf("failed to read the answer (status %d): %w", resp.StatusCode, withoutURL(err))
	}
	return response{status: resp.StatusCode, body: string(text), secrets: secretsOf(address, header)}, nil
}

// withoutURL takes the address out of an error of net/http: it may be a secret.
func withoutURL(err error) error {
	if unreachable, ok := errors.AsType[*url.Error](err); ok {
		if unreachable.Timeout() && !errors.Is(unreachable.Err, context.DeadlineExceeded) {
			return fmt.Errorf("no answer within %s", requestTimeout)
		}
		err = unreachable.Err
	}
	return err
}
