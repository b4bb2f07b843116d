package github

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"
)

const (
	defaultAPIURL = "https://api.github.com"

	// callTimeout bounds one question to the API, its retries included, where
	// the caller's context leaves more: go-github has no timeout of its own.
	callTimeout = 10 * time.Second
	// maxAnswer bounds the body of one answer, in bytes. A page of 100 runs
	// takes some 2 MB.
	maxAnswer = 8 << 20

	maxRetries    = 2
	firstWait     = 200 * time.Millisecond
	longestWait   = time.Second
	maxRetryAfter = 2 * time.Second
)

// API reads what GitHub knows about workflow runs.
type API struct {
	client *gh.Client
	clock  Clock
	token  string
	repo   string // path of the repository, escaped: repos/owner/name
}

// NewAPI makes an API for the repository owner/name. baseURL is the value of
// GITHUB_API_URL, path of an enterprise server included; empty means
// github.com. httpClient may be nil. Without a token no call is ever made, and
// each method says so.
func NewAPI(httpClient *http.Client, clock Clock, baseURL, token, repository string) (*API, error) {
	base, err := parseBaseURL(cmp.Or(baseURL, defaultAPIURL))
	if err != nil {
		return nil, err
	}
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("failed to read repository %s: want owner/name, as in GITHUB_REPOSITORY", quoteValue(repository))
	}
	// WithEnterpriseURLs would append /api/v3/, which GITHUB_API_URL has.
	client := gh.NewClient(retrying(httpClient))
	if token != "" {
		client = client.WithAuthToken(token)
	}
	client.BaseURL = base
	client.UserAgent = "lambda-rollback-action"
	return &API{
		client: client,
		clock:  clock,
		token:  token,
		repo:   "repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name),
	}, nil
}

func parseBaseURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fmt.Errorf("failed to read API address %s: want a URL like %s, as in GITHUB_API_URL", quoteValue(text), defaultAPIURL)
	}
	base.RawQuery, base.Fragment = "", ""
	base.Path = strings.TrimRight(base.Path, "/") + "/"
	return base, nil
}

// retrying wraps base with retries of transport errors, 5xx and 429. Waits
// are short: a rollback is not kept waiting for GitHub.
func retrying(base *http.Client) *http.Client {
	if base == nil {
		base = cleanhttp.DefaultPooledClient()
	}
	inner := *base
	inner.Transport = bufferedAnswers{next: base.Transport}
	client := &retryablehttp.Client{
		HTTPClient:   &inner,
		RetryMax:     maxRetries,
		RetryWaitMin: firstWait,
		RetryWaitMax: longestWait,
		CheckRetry:   shouldRetry,
		Backoff:      retryablehttp.DefaultBackoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	return client.StandardClient()
}

// shouldRetry gives up at once where GitHub asks for a longer wait than a
// rollback can afford.
func shouldRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if errors.Is(err, errTooMuch) || isOnce(ctx) && (resp == nil || resp.StatusCode != http.StatusTooManyRequests) {
		return false, nil
	}
	again, err := retryablehttp.DefaultRetryPolicy(ctx, resp, err)
	if again && resp != nil && retryablehttp.DefaultBackoff(firstWait, longestWait, 0, resp) > maxRetryAfter {
		return false, nil
	}
	return again, err
}

// bufferedAnswers reads a body to its end before handing it on: it is bounded,
// and a connection that breaks in the middle of it can be tried again.
type bufferedAnswers struct {
	next http.RoundTripper // nil: the default one
}

func (w bufferedAnswers) RoundTrip(req *http.Request) (*http.Response, error) {
	next := w.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to read answer: %w", err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("%w: the answer is longer than %d bytes", errTooMuch, maxAnswer)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

var (
	// errNoToken is given instead of a call.
	errNoToken = errors.New("the input github-token is empty")
	// errOddAnswer is an answer that is valid JSON but not usable.
	errOddAnswer = errors.New("unexpected content")
	// errTooMuch is a bound of ours that an answer exceeds.
	errTooMuch = errors.New("too much to read")
)

// get decodes the answer to GET <repository>/<path>. The decoder is go-github's
// but not its methods: those give nothing at all where one field is odd; see
// exceptCustomProperties.
func (a *API) get(ctx context.Context, path string, query url.Values, into any) (*gh.Response, error) {
	if a.token == "" {
		return nil, errNoToken
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	target := a.repo + "/" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := a.client.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("failed to make request: %w", err)
	}
	resp, err := a.client.Do(ctx, req, into)
	return resp, exceptCustomProperties(err)
}

// cause words why GitHub's API did not give what was asked, and what to do
// about it. It repeats text from outside only quoted and cut.
func cause(err error) string {
	return causeOf(err, "actions: read")
}

// causeOf is cause for a call that takes another permission.
func causeOf(err error, permission string) string {
	var (
		limit       *gh.RateLimitError
		abuse       *gh.AbuseRateLimitError
		answer      *gh.ErrorResponse
		syntax      *json.SyntaxError
		oddType     *json.UnmarshalTypeError
		unreachable *url.Error
	)
	switch {
	case errors.Is(err, errNoToken):
		return "the input github-token is empty; leave it at its default, ${{ github.token }}"
	case errors.As(err, &limit), errors.As(err, &abuse):
		return "it refuses for now: the token's rate limit is used up"
	case errors.As(err, &answer) && answer.Response != nil:
		return refusal(answer, permission)
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the question was cancelled"
	}
	// The address would only repeat what was asked for.
	reached := !errors.As(err, &unreachable)
	if !reached {
		err = unreachable.Err
	}
	switch {
	case errors.Is(err, errTooMuch):
		return err.Error()
	case errors.As(err, &syntax), errors.As(err, &oddType), errors.Is(err, errOddAnswer),
		reached && errors.Is(err, io.ErrUnexpectedEOF):
		return "its answer is not what GitHub documents: " + quoteValue(err.Error())
	default:
		return "it could not be reached: " + quoteValue(err.Error())
	}
}

func refusal(answer *gh.ErrorResponse, permission string) string {
	status := answer.Response.StatusCode
	said := fmt.Sprintf("it answered %d %s", status, quoteValue(answer.Message))
	switch status {
	case http.StatusUnauthorized:
		return said + "; give a valid github-token"
	case http.StatusForbidden, http.StatusNotFound:
		if strings.Contains(strings.ToLower(answer.Message), "locked") {
			return said + "; unlock the conversation"
		}
		return said + "; give the job the permission " + permission
	case http.StatusGone:
		return said + "; turn issues on in the repository's settings, or remove open-issue"
	case http.StatusUnprocessableEntity:
		if len(answer.Errors) > 0 { // the message alone says no more than "Validation Failed"
			first := answer.Errors[0]
			said += fmt.Sprintf(": the field %s is not taken (%s)", quoteValue(first.Field), quoteValue(cmp.Or(first.Message, first.Code)))
		}
		return said
	default:
		return said
	}
}
