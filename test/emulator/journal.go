package emulator

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// The services a Call can be meant for.
const (
	ServiceLambda     = "lambda"
	ServiceSTS        = "sts"
	ServiceCloudWatch = "cloudwatch"
	ServiceLogs       = "logs"
	ServiceStacks     = "cloudformation"
	ServiceCodeDeploy = "codedeploy"
	ServiceGitHub     = "github"
	ServiceOIDC       = "oidc"   // the endpoint that issues the job's identity token
	ServiceHealth     = "health" // what HealthURL and Health serve
)

// Call is one request as the emulator saw it.
type Call struct {
	Number    int // in the order of arrival, counted from 1
	Start     time.Time
	End       time.Time // zero while it is being answered
	Service   string
	Operation string // as AWS names it; on GitHub as go-github names its method
	Region    string // from the signature; empty for GitHub
	Function  string // name without qualifier; for GitHub owner/repository; for Logs the log group
	Qualifier string // alias or version; for GitHub the run, workflow, job, deployment, commit, issue or comment
	Actor     string // ARN of the caller; empty for GitHub
	Method    string
	Path      string // as it came, without query
	RequestID string
	Status    int    // answered, or meant to be; 0 where the connection was reset before
	ErrorCode string // empty for success
	Fault     string // names of the effects that worked on it
	// InFlight is how many calls were being answered when this one arrived,
	// itself included.
	InFlight int
}

// Mutates reports whether the operation changes something at AWS.
func (c Call) Mutates() bool {
	return c.Service == ServiceLambda && c.Method != http.MethodGet && c.Operation != "Invoke" || c.Operation == "StopDeployment"
}

// journal keeps the calls in the order of their arrival.
type journal struct {
	mu       sync.Mutex
	calls    []*Call
	inFlight int
	number   int
}

func (j *journal) begin(c *Call, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	j.inFlight++
	c.Number, c.Start, c.InFlight = j.number, at, j.inFlight
	j.calls = append(j.calls, c)
}

func (j *journal) end(c *Call, a answer, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inFlight--
	c.End, c.Status, c.ErrorCode = at, a.status, a.code
}

// name notes an effect that worked on the call.
func (j *journal) name(c *Call, effect string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.Fault != "" {
		c.Fault += ", "
	}
	c.Fault += effect
}

// Journal returns a copy of all calls so far, in the order of their arrival.
func (e *Emulator) Journal() []Call {
	return e.Calls(Match{})
}

// Calls returns the calls that match, in the order of their arrival.
func (e *Emulator) Calls(match Match) []Call {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	var calls []Call
	for _, c := range e.journal.calls {
		if match.matches(*c) {
			calls = append(calls, *c)
		}
	}
	return slices.Clip(calls)
}

// ResetJournal forgets the calls so far; numbering starts again at 1.
func (e *Emulator) ResetJournal() {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	e.journal.calls, e.journal.number = nil, 0
}
