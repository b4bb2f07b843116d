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

	// callTimeout limits one request to the API, including retries: go-github has
	// no timeout of its own.
	callTimeout = 10 * time.Second
	// maxAnswer limits the body of one response, in bytes. A page of 100 runs takes
	// about 2 MB.
	maxAnswer = 8 << 20

	maxRetries    = 2
	firstWait     = 200 * time.Millisecond
	longestWait   = time.Second
	maxRetryAfter = 2 * time.Second
)

// API is a client for the parts of GitHub's REST API that the action uses, in one
// repository.
type API struct {
	client *gh.Client
	clock  Clock
	token  string
	repo   string // path of the repository, escaped: repos/owner/name
}

// NewAPI returns an API for the repository owner/name. baseURL is the value of
// GITHUB_API_URL, including the path of GitHub Enterprise Server; empty means
// github.com. httpClient may be nil. Without a token, no request is made, and each
// method returns an error that says so.
func NewAPI(httpClient *http.Client, clock Clock, baseURL, token, repository string) (*API, error) {
	base, err := parseBaseURL(cmp.Or(baseURL, defaultAPIURL))
	if err != nil {
		return nil, err
	}
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("failed to read repository %s: want owner/name, as in GITHUB_REPOSITORY", quoteValue(repository))
	}
	// WithEnterpriseURLs would append /api/v3/, which GITHUB_API_URL has already.
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

// retrying wraps base with retries of transport errors, 5xx and 429. The waits are
// short, because a rollback must not wait long for GitHub.
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

// shouldRetry does not retry if GitHub asks for a longer wait than a rollback can
// afford.
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

// bufferedAnswers reads each body completely before it returns the response: this
// limits the size, and a connection that breaks in the middle of a body is retried.
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
	// errNoToken is returned instead of making a request.
	errNoToken = errors.New("the input github-token is empty")
	// errOddAnswer marks a response that is valid JSON but not usable.
	errOddAnswer = errors.New("unexpected content")
	// errTooMuch marks a response that exceeds one of our limits.
	errTooMuch = errors.New("too much to read")
)

// get decodes the response to GET <repository>/<path>. It uses go-github's decoder
// but not its methods: those return nothing at all if one field has an unexpected
// type; see exceptCustomProperties.
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

// exceptCustomProperties ignores the error for a custom property of a repository with
// several values, which is common but which go-github's types cannot represent. The
// decoder reads the rest of the document anyway.
func exceptCustomProperties(err error) error {
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) && strings.Contains(odd.Field, "custom_properties") {
		return nil
	}
	return err
}

// cause says why a request to GitHub's API failed, and what to do about it. Text from
// outside is quoted and truncated.
func cause(err error) string {
	return causeOf(err, "actions: read")
}

// causeOf is cause for a request that requires another permission.
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
		return "the rate limit of the token is exceeded"
	case errors.As(err, &answer) && answer.Response != nil:
		return refusal(answer, permission)
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not respond in time"
	case errors.Is(err, context.Canceled):
		return "the request was cancelled"
	}
	// Leave out the URL, which would only repeat what was requested.
	reached := !errors.As(err, &unreachable)
	if !reached {
		err = unreachable.Err
	}
	switch {
	case errors.Is(err, errTooMuch):
		return err.Error()
	case errors.As(err, &syntax), errors.As(err, &oddType), errors.Is(err, errOddAnswer),
		reached && errors.Is(err, io.ErrUnexpectedEOF):
		return "it sent an unexpected response: " + quoteValue(err.Error())
	default:
		return "it could not be reached: " + quoteValue(err.Error())
	}
}

func refusal(answer *gh.ErrorResponse, permission string) string {
	status := answer.Response.StatusCode
	said := fmt.Sprintf("it answered %d %s", status, quoteValue(answer.Message))
	switch status {
	case http.StatusUnauthorized:
		return said + "; set github-token to a valid token"
	case http.StatusForbidden, http.StatusNotFound:
		if strings.Contains(strings.ToLower(answer.Message), "locked") {
			return said + "; unlock the conversation"
		}
		return said + "; give the job the permission " + permission
	case http.StatusGone:
		return said + "; turn issues on in the repository's settings, or remove open-issue"
	case http.StatusUnprocessableEntity:
		if len(answer.Errors) > 0 { // the message alone is only "Validation Failed"
			first := answer.Errors[0]
			said += fmt.Sprintf(": the field %s was not accepted (%s)", quoteValue(first.Field), quoteValue(cmp.Or(first.Message, first.Code)))
		}
		return said
	default:
		return said
	}
}
