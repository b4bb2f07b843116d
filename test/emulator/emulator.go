// Package emulator answers as AWS Lambda, AWS STS, CloudWatch, CloudWatch Logs,
// CloudFormation, CodeDeploy and GitHub's API do, over real HTTP on loopback, so that the shipped program
// runs against it unchanged: AWS_ENDPOINT_URL, GITHUB_API_URL and
// ACTIONS_ID_TOKEN_REQUEST_URL are all it takes (see Env).
//
// Tests set the scene in Go (Lambda, CloudWatch, Logs, GitHub, Health), order
// what goes wrong (Fault), and afterwards read what was asked (Journal) and what
// every alias went through (Function.History). What Lambda answers, errors
// included, follows real recordings; recorded_test.go holds the package to them.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Account is the AWS account that owns every function here.
const Account = "111111111111"

// accessKey is the id of a static access key of that account, which it has in base
// 32 as AWS's own have.
const accessKey = "AKIARTXV5AHDQAABCIRT"

// githubBase is where GitHub's API hangs under the emulator's address. It is
// not the root, as on GitHub Enterprise, so that a client that drops the path
// of its base address is found out.
const githubBase = "/api/v3"

// graphQLPath is GitHub's other API on an enterprise server. Of it there is the
// one question who the token speaks for.
const graphQLPath = "/api/graphql"

// Emulator is one running emulator. All of its methods may be called while
// requests are served.
type Emulator struct {
	// URL is what AWS_ENDPOINT_URL takes.
	URL string
	// GitHubURL is what GITHUB_API_URL takes.
	GitHubURL string
	// GitHub holds the repositories, their workflow runs and the token.
	GitHub *GitHub

	now     func() time.Time
	server  *http.Server
	closing context.Context
	close   context.CancelFunc
	served  sync.WaitGroup

	faults  faults
	journal journal

	mu        sync.Mutex // guards everything below, and all state reached from it
	regions   map[string]*Region
	watches   map[string]*CloudWatch // by region
	logsOf    map[string]*Logs       // by region
	stacks    map[string]*CloudFormation
	deploys   map[string]*CodeDeploy
	endpoints []endpoint
	idTokens  map[string]string // web identity token → audience
	roleNames map[string]string // access key → ARN of the assumed role's session
	audience  string            // that STS expects; empty for its default
	subject   string            // of identity tokens; empty for its default
}

// Option changes how an emulator starts.
type Option func(*Emulator)

// WithClock replaces the clock that stamps calls and changes. Latency, Hang and
// rates always take real time.
func WithClock(now func() time.Time) Option {
	return func(e *Emulator) { e.now = now }
}

// TB is what StartFor needs of a *testing.T.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// StartFor starts an emulator that lives as long as the test.
func StartFor(t TB, options ...Option) *Emulator {
	t.Helper()
	e, err := Start(options...)
	if err != nil {
		t.Fatalf("the emulator did not start: %v", err)
	}
	t.Cleanup(e.Close)
	return e
}

// Start listens on a free port of 127.0.0.1 and answers until Close.
func Start(options ...Option) (*Emulator, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("failed to listen on loopback: %w", err)
	}
	e := &Emulator{
		URL:       "http://" + listener.Addr().String(),
		now:       time.Now,
		regions:   map[string]*Region{},
		watches:   map[string]*CloudWatch{},
		logsOf:    map[string]*Logs{},
		stacks:    map[string]*CloudFormation{},
		deploys:   map[string]*CodeDeploy{},
		idTokens:  map[string]string{},
		roleNames: map[string]string{},
	}
	e.GitHubURL = e.URL + githubBase
	e.GitHub = newGitHub(e)
	e.closing, e.close = context.WithCancel(context.Background())
	for _, option := range options {
		option(e)
	}
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	e.served.Go(func() {
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			e.close()
		}
	})
	return e, nil
}

// Close ends all connections, those that hang included. It may be called twice.
func (e *Emulator) Close() {
	e.close()
	_ = e.server.Close() // Nothing is left to be lost: the state dies with the emulator.
	e.served.Wait()
}

// Env is the environment that points the program here, as a map from name to
// value: addresses, static AWS credentials, the GitHub token's OIDC request.
// Drop the credentials from it to make role-to-assume the only way in.
func (e *Emulator) Env() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":               e.URL,
		"AWS_ACCESS_KEY_ID":              accessKey,
		"AWS_SECRET_ACCESS_KEY":          "emulator-secret",
		"AWS_EC2_METADATA_DISABLED":      "true",
		"GITHUB_API_URL":                 e.GitHubURL,
		"ACTIONS_ID_TOKEN_REQUEST_URL":   e.OIDCURL(),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": OIDCRequestToken,
	}
}
