package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	userAgent    = "lambda-rollback-action"
	probeLimit   = 10 * time.Second // for one probe, including its body
	bodyLimit    = 1 << 20
	maxRedirects = 5
)

// answer is the result of one probe.
type answer struct {
	problem string        // empty: the response was accepted
	took    time.Duration // zero: there was no response
	reached bool          // there was a connection, with TLS where the URL has https
}

// prober probes one URL.
type prober struct {
	run    *run
	health Health
	client *http.Client
	url    *url.URL // without user and password
	user   *url.Userinfo
}

func newProber(r *run, u *url.URL) prober {
	bare := *u
	bare.User, bare.Fragment = nil, ""
	p := prober{run: r, health: r.options.Health, url: &bare, user: u.User}
	p.client = &http.Client{Transport: r.transport, CheckRedirect: p.redirect}
	return p
}

// redirect follows a redirect only to the same host and scheme, because another host
// says nothing about this one. A redirect that is not followed counts with its own
// status.
func (p prober) redirect(next *http.Request, via []*http.Request) error {
	next.Close = true // net/http does not copy it from the first request
	first := via[0].URL
	switch {
	case p.accepts(next.Response.StatusCode), // the redirect is the expected response
		next.URL.Host != first.Host, next.URL.Scheme != first.Scheme, len(via) > maxRedirects:
		return http.ErrUseLastResponse
	}
	return nil
}

func (p prober) accepts(status int) bool {
	if p.health.Statuses == nil {
		return status == http.StatusOK
	}
	return p.health.Statuses(status)
}

// probe sends one request, on its own connection, because a reused connection could
// still lead to where the traffic went before.
func (p prober) probe(ctx context.Context) answer {
	limit := probeLimit
	if p.health.Timeout > 0 {
		limit = min(limit, p.health.Timeout)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no complete response within %s", limit))
	defer cancel()
	var reached atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { reached.Store(true) },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		return answer{problem: "the URL cannot be requested"}
	}
	request.Close = true
	request.Header.Set("User-Agent", userAgent)
	if password, given := p.user.Password(); given || p.user.Username() != "" {
		request.SetBasicAuth(p.user.Username(), password)
	}
	began := p.run.clock.Now()
	response, err := p.client.Do(request)
	if err != nil {
		return answer{problem: p.explain(ctx, err), reached: reached.Load()}
	}
	defer func() { _ = response.Body.Close() }()
	problem := p.judge(ctx, response)
	return answer{problem: problem, took: max(p.run.clock.Now().Sub(began), 1), reached: true}
}

// judge returns what is wrong with a response; empty: nothing.
func (p prober) judge(ctx context.Context, response *http.Response) string {
	if !p.accepts(response.StatusCode) {
		return fmt.Sprintf("status %d%s", response.StatusCode, p.explainRedirect(response))
	}
	if p.health.Body == "" {
		return ""
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	switch {
	case strings.Contains(string(body), p.health.Body):
		return ""
	case err != nil:
		return fmt.Sprintf("status %d, but the body ended early after %d bytes, without the required text (%s)",
			response.StatusCode, len(body), p.explain(ctx, err))
	case len(body) == bodyLimit:
		return fmt.Sprintf("status %d, but the first MiB of the body does not contain the required text", response.StatusCode)
	}
	return fmt.Sprintf("status %d, but the body does not contain the required text", response.StatusCode)
}

// explainRedirect returns why a redirect was not followed.
func (p prober) explainRedirect(response *http.Response) string {
	next, err := response.Location()
	if err != nil || response.StatusCode < 300 || response.StatusCode > 399 {
		return ""
	}
	if next.Host == p.url.Host && next.Scheme == p.url.Scheme {
		return fmt.Sprintf(" after %d redirects, which is the limit", maxRedirects)
	}
	return fmt.Sprintf(", a redirect to %s: redirects to another host or scheme are not followed", p.run.sanitize(bareURL(next), longestText))
}

// explain describes an error without the URL, which may contain secrets.
func (p prober) explain(ctx context.Context, err error) string {
	if sent, found := errors.AsType[*url.Error](err); found {
		err = sent.Err
	}
	if bad, found := errors.AsType[*tls.CertificateVerificationError](err); found {
		return "the certificate is not trusted: " + p.run.sanitize(bad.Err.Error(), longestText)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx).Error()
	}
	return p.run.sanitize(err.Error(), longestText)
}

// bareURL returns a URL as it may be shown: without user, query and fragment, which
// can be secret.
func bareURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
