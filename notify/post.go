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
	maxResponse = 64 << 10 // bytes of a response that are read

	maxPostRetries = 4
	minRetryWait   = 500 * time.Millisecond
	maxRetryWait   = 8 * time.Second
	// requestTimeout bounds one try, so that a service that hangs once can be tried
	// again.
	requestTimeout = 8 * time.Second
)

// response is the response of a service, with any status.
type response struct {
	status  int
	body    string // up to maxResponse
	secrets secrets
}

// text is the response on one line: "403 action_prohibited".
func (r response) text() string {
	text := r.secrets.quote(r.body)
	if text == "" {
		text = http.StatusText(r.status)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, text))
}

// unconfirmed is the error for a success that does not look like the service's own.
func (r response) unconfirmed(missing string) error {
	body := "an empty body"
	if text := r.secrets.quote(r.body); text != "" {
		body = text
	}
	return fmt.Errorf("the message may not have arrived: status %d without %s; check the URL and any proxy in between; the response was: %s", r.status, missing, body)
}

func (r response) ok() bool { return r.status >= 200 && r.status < 300 }

// poster posts to one service. The URL may be a secret, so no error contains it.
type poster struct {
	client *retryablehttp.Client
}

// newPoster posts over the connections of d.HTTP. Where a service throttles (429),
// fails (5xx) or breaks off, it is tried again as long as ctx allows, waiting as
// long as Retry-After says. Redirects are not followed: they would carry the
// message to somewhere else.
func newPoster(d Deps) poster {
	inner := &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if d.HTTP != nil {
		inner.Transport = d.HTTP.Transport
	}
	return poster{client: &retryablehttp.Client{
		HTTPClient:   inner,
		RetryMax:     maxPostRetries,
		RetryWaitMin: minRetryWait,
		RetryWaitMax: maxRetryWait,
		CheckRetry:   retryPolicy(d.Clock),
		Backoff:      retryablehttp.DefaultBackoff, // obeys Retry-After
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}}
}

// retryPolicy is retryablehttp's, but stops at once if the service requests a longer
// wait than there is time for.
func retryPolicy(clock Clock) retryablehttp.CheckRetry {
	return func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		retry, err := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
		if retry && resp != nil && !hasTimeFor(ctx, clock, retryablehttp.DefaultBackoff(minRetryWait, maxRetryWait, 0, resp)) {
			return false, nil
		}
		return retry, err
	}
}

// post sends a body and returns the response. header is set unchanged.
func (p poster) post(ctx context.Context, address string, header http.Header, body []byte) (response, error) {
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return response{}, errors.New("the URL cannot be requested")
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
		return response{}, fmt.Errorf("failed to read the response (status %d): %w", resp.StatusCode, withoutURL(err))
	}
	return response{status: resp.StatusCode, body: string(text), secrets: requestSecrets(address, header)}, nil
}

// postJSON posts a message as JSON.
func (p poster) postJSON(ctx context.Context, address string, message any) (response, error) {
	body, err := compactJSON(message)
	if err != nil {
		return response{}, err
	}
	return p.post(ctx, address, jsonHeader(), body)
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}

// withoutURL removes the URL from an error of net/http: it may be a secret.
func withoutURL(err error) error {
	if unreachable, ok := errors.AsType[*url.Error](err); ok {
		if unreachable.Timeout() && !errors.Is(unreachable.Err, context.DeadlineExceeded) {
			return fmt.Errorf("no response within %s", requestTimeout)
		}
		err = unreachable.Err
	}
	return err
}
