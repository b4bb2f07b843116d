package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// proxyError is the response of a proxy that did not connect to a host.
type proxyError struct {
	host   string // with its port
	status int
}

func (e *proxyError) Error() string {
	switch {
	case e.status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("the proxy did not accept the user and password in HTTPS_PROXY, or there are none (HTTP status %d)", e.status)
	case e.passing():
		return fmt.Sprintf("the proxy (HTTPS_PROXY) could not connect to %s (HTTP status %d)", e.host, e.status)
	}
	return fmt.Sprintf("the proxy (HTTPS_PROXY) refused to connect to %s (HTTP status %d): allow this host in the proxy, or add it to NO_PROXY", e.host, e.status)
}

// passing reports whether a retry may succeed.
func (e *proxyError) passing() bool {
	return e.status == http.StatusTooManyRequests || isTemporary(e.status)
}

// proxyConnected returns a *proxyError if a proxy did not connect. Without it, net/http
// returns the text of the status only.
func proxyConnected(_ context.Context, _ *url.URL, request *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{host: request.Host, status: response.StatusCode}
}

// isMisrouted reports whether a proxy, or its setting, permanently prevents the call
// from reaching its host.
func isMisrouted(err error) bool {
	if refused, found := errors.AsType[*proxyError](err); found {
		return !refused.passing()
	}
	return hasBadProxyPort(err)
}

// hasBadProxyPort reports whether HTTPS_PROXY has a port that cannot exist.
func hasBadProxyPort(err error) bool {
	op, found := errors.AsType[*net.OpError](err)
	if !found || op.Op != "proxyconnect" {
		return false
	}
	_, found = errors.AsType[*net.AddrError](op.Err)
	return found
}
