package github

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Names of the events that the trigger handles.
const (
	eventPush               = "push"
	eventWorkflowRun        = "workflow_run"
	eventDeploymentStatus   = "deployment_status"
	eventWorkflowDispatch   = "workflow_dispatch"
	eventRepositoryDispatch = "repository_dispatch"
)

// maxPayload limits the event file, in bytes. GitHub's own limit for a payload is
// 25 MB.
const maxPayload = 32 << 20

// Event is the event that started the workflow. It is usable without its payload: a
// trigger that needs the payload then refuses to act.
type Event struct {
	Name string

	// payload is nil if it could not be read.
	payload *payload
}

// ReadEvent reads the payload of the named event from the file at path. If it returns
// an error, the payload or a field of it could not be read, but the Event is still
// usable: callers log a warning and continue.
func ReadEvent(name, path string, readFile func(string) ([]byte, error)) (Event, error) {
	event := Event{Name: name}
	if path == "" {
		return event, errors.New("failed to read event payload: GITHUB_EVENT_PATH is not set; run this as a step of a workflow")
	}
	raw, err := readFile(path)
	if err != nil {
		return event, fmt.Errorf("failed to read event payload: %w", err)
	}
	err = event.parse(raw)
	if event.payload != nil && err != nil {
		return event, fmt.Errorf("event payload %s of %s: %w", quoteValue(path), quoteValue(name), err)
	}
	if err != nil {
		return event, fmt.Errorf("failed to read event payload %s of %s: %w", quoteValue(path), quoteValue(name), err)
	}
	return event, nil
}

func (e *Event) parse(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return errors.New("the file is empty")
	case len(raw) > maxPayload:
		return fmt.Errorf("the file has %d bytes; the limit is %d", len(raw), maxPayload)
	case raw[0] != '{':
		return errors.New("the file is not a JSON object")
	}
	payload, err := parsePayload(e.Name, raw)
	e.payload = payload
	return err
}

// fields returns the payload if it belongs to the named event, or else an empty one.
func (e Event) fields(name string) payload {
	if e.Name != name || e.payload == nil {
		return payload{}
	}
	return *e.payload
}

// workflowRun returns the run in the payload of a workflow_run event, or an empty one.
func (e Event) workflowRun() payloadRun { return orEmpty(e.fields(eventWorkflowRun).WorkflowRun) }

// deployment returns the deployment of a deployment_status event, or an empty one.
func (e Event) deployment() payloadDeployment {
	return orEmpty(e.fields(eventDeploymentStatus).Deployment)
}

// deploymentStatus returns the status of a deployment_status event, or an empty one.
func (e Event) deploymentStatus() payloadStatus {
	return orEmpty(e.fields(eventDeploymentStatus).DeploymentStatus)
}

// deployedBy returns the run that created the deployment of a deployment_status event,
// or an empty one.
func (e Event) deployedBy() payloadRun { return orEmpty(e.fields(eventDeploymentStatus).WorkflowRun) }

// pullRequest returns the pull request of a pull request event, or an empty one.
func (e Event) pullRequest() payloadPullRequest {
	if eventRefs[e.Name] != refProposed {
		return payloadPullRequest{}
	}
	return orEmpty(e.fields(e.Name).PullRequest)
}

func orEmpty[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// ByDispatch reports whether this workflow run was started by workflow_dispatch or
// repository_dispatch.
func (e Event) ByDispatch() bool {
	return e.Name == eventWorkflowDispatch || e.Name == eventRepositoryDispatch
}

// readable reports whether the payload was read, if the event requires it to decide
// whether acting is allowed.
func (e Event) readable() bool {
	p := e.fields(e.Name)
	switch e.Name {
	case eventWorkflowRun:
		return p.WorkflowRun != nil
	case eventDeploymentStatus:
		return p.Deployment != nil && p.DeploymentStatus != nil
	default:
		return eventRefs[e.Name] != refProposed || p.PullRequest != nil
	}
}

// Run returns the failed run, as far as it is known from the payload and the
// environment: the run in the payload of a workflow_run, the run that created the
// deployment of a deployment_status, or else this workflow run.
func (e Event) Run(c Context) report.Run {
	p := e.fields(e.Name)
	switch {
	case e.workflowRun().ID != 0:
		run := p.WorkflowRun.reported(c.Repository)
		run.Workflow = cmp.Or(run.Workflow, p.Workflow.Name)
		run.NotBefore = run.CreatedAt
		if run.Status == "completed" {
			run.EndedBy = p.WorkflowRun.UpdatedAt.at
		}
		return run
	case e.Name == eventDeploymentStatus && e.payload != nil:
		run := e.runOfDeployment(c)
		if state := e.deploymentStatus().State; state == "failure" || state == "error" {
			run.EndedBy = e.deploymentStatus().CreatedAt.at
		}
		return run
	case e.Name == eventPush:
		run := ownRun(c)
		run.Commit = title(p.HeadCommit.Message)
		run.CreatedAt = p.Repository.PushedAt.at
		run.CreatedBound = !run.CreatedAt.IsZero()
		run.NotBefore = run.CreatedAt
		return run
	default:
		return ownRun(c)
	}
}

// TimesByAPI reports whether the API's times for the ID of Run are those of the deploy.
// They are not if the failed run is not known: Run then returns this workflow run,
// which started only after the deploy had failed.
func (e Event) TimesByAPI() bool {
	switch e.Name {
	case eventWorkflowRun:
		return e.workflowRun().ID != 0
	case eventDeploymentStatus:
		return e.deployedBy().ID != 0
	default:
		return true
	}
}

func (e Event) runOfDeployment(c Context) report.Run {
	run, d := ownRun(c), e.deployment()
	if by := e.deployedBy(); by.ID != 0 {
		run = by.reported(c.Repository)
		run.NotBefore = run.CreatedAt // the deployment is created later
	} else {
		run.SHA = cmp.Or(d.SHA, run.SHA)
		run.Branch = ""
		run.Actor = cmp.Or(d.Creator.Login, run.Actor)
	}
	run.SHA = cmp.Or(run.SHA, d.SHA)
	run.Branch = cmp.Or(run.Branch, e.originOfDeployment().branch())
	if run.CreatedAt.IsZero() {
		run.CreatedAt = d.CreatedAt.at
		run.CreatedBound = !run.CreatedAt.IsZero()
	}
	return run
}

func ownRun(c Context) report.Run {
	return report.Run{
		ID:         c.RunID,
		Attempt:    c.RunAttempt,
		Number:     c.RunNumber,
		Workflow:   c.Workflow,
		Repository: c.Repository,
		Branch:     c.Branch(),
		SHA:        c.SHA,
		Actor:      c.Actor,
		Event:      c.EventName,
		URL:        c.RunURL(),
	}
}
