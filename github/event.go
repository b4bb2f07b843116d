package github

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Names of the events whose payload, or whose bare name, the trigger looks at.
const (
	eventPush               = "push"
	eventWorkflowRun        = "workflow_run"
	eventDeploymentStatus   = "deployment_status"
	eventWorkflowDispatch   = "workflow_dispatch"
	eventRepositoryDispatch = "repository_dispatch"
)

// pullRequestEvent is what the payloads of all events of a pull request share.
type pullRequestEvent struct {
	PullRequest *gh.PullRequest `json:"pull_request"`
	Repo        *gh.Repository  `json:"repository"`
}

// maxPayload bounds the event file in bytes. GitHub's own limit for a payload
// is 25 MB.
const maxPayload = 32 << 20

// Event is what started the workflow. Without its payload it is usable too:
// a trigger that needs the payload then refuses to act.
type Event struct {
	Name string

	// payload is go-github's type for the event; nil where the payload could
	// not be read and for events that need none.
	payload any
	// deployedBy is the run that made the deployment, in a deployment_status.
	deployedBy *gh.WorkflowRun
}

// ReadEvent reads the payload of the event called name from the file at path.
// An error means that the payload could not be read; the Event is usable
// nevertheless, so a caller warns and goes on.
func ReadEvent(name, path string, readFile func(string) ([]byte, error)) (Event, error) {
	event := Event{Name: name}
	if path == "" {
		return event, errors.New("failed to read event payload: GITHUB_EVENT_PATH is not set; run this as a step of a workflow")
	}
	raw, err := readFile(path)
	if err != nil {
		return event, fmt.Errorf("failed to read event payload: %w", err)
	}
	if err := event.parse(raw); err != nil {
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
		return fmt.Errorf("the file has %d bytes; %d are the most that is read", len(raw), maxPayload)
	case raw[0] != '{':
		return errors.New("the file is not a JSON object")
	}
	var payload any
	switch e.Name {
	case eventPush, eventWorkflowRun, eventDeploymentStatus, eventWorkflowDispatch, eventRepositoryDispatch:
		// ParseWebHook would do the same, but gives nothing where one field is odd.
		payload = gh.EventForType(e.Name)
	default: // nothing in it is asked for, and a schedule has no type in go-github
		if eventRefs[e.Name] != refProposed {
			return json.Unmarshal(raw, &map[string]json.RawMessage{})
		}
		payload = &pullRequestEvent{}
	}
	if err := exceptCustomProperties(json.Unmarshal(raw, payload)); err != nil {
		return err
	}
	if e.Name == eventDeploymentStatus {
		// go-github v62 has no field for the run that made the deployment.
		var extra struct {
			Run *gh.WorkflowRun `json:"workflow_run"`
		}
		if err := exceptCustomProperties(json.Unmarshal(raw, &extra)); err != nil {
			return err
		}
		e.deployedBy = extra.Run
	}
	e.payload = payload
	return nil
}

// exceptCustomProperties lets pass the error for the one thing that
// go-github's types cannot hold though it is common: a custom property of a
// repository that has several values. The decoder has read the rest of the
// document all the same; a field it could not read is missing, and the trigger
// refuses to act without the fields that it needs.
func exceptCustomProperties(err error) error {
	var odd *json.UnmarshalTypeError
	if errors.As(err, &odd) && strings.Contains(odd.Field, "custom_properties") {
		return nil
	}
	return err
}

// workflowRun is the payload of a workflow_run event, or nil.
func (e Event) workflowRun() *gh.WorkflowRunEvent {
	p, _ := e.payload.(*gh.WorkflowRunEvent)
	return p
}

// deploymentStatus is the payload of a deployment_status event, or nil.
func (e Event) deploymentStatus() *gh.DeploymentStatusEvent {
	p, _ := e.payload.(*gh.DeploymentStatusEvent)
	return p
}

// pullRequest is the payload of an event of a pull request, or an empty one.
func (e Event) pullRequest() pullRequestEvent {
	if p, is := e.payload.(*pullRequestEvent); is {
		return *p
	}
	return pullRequestEvent{}
}

// ByDispatch is true where somebody started the own run by hand or by a call.
func (e Event) ByDispatch() bool {
	return e.Name == eventWorkflowDispatch || e.Name == eventRepositoryDispatch
}

// readable is false where the event alone can show that acting is allowed and
// its payload is not known.
func (e Event) readable() bool {
	switch e.Name {
	case eventWorkflowRun:
		return e.workflowRun().GetWorkflowRun() != nil
	case eventDeploymentStatus:
		return e.deploymentStatus().GetDeployment() != nil && e.deploymentStatus().GetDeploymentStatus() != nil
	default:
		return eventRefs[e.Name] != refProposed || e.pullRequest().PullRequest != nil
	}
}

// Run is the run that failed, as far as the payload and the environment tell
// it without a call: the one in the payload of a workflow_run; the one that
// made the deployment, where a deployment_status names it; else the own one.
func (e Event) Run(c Context) report.Run {
	switch p := e.payload.(type) {
	case *gh.WorkflowRunEvent:
		if p.GetWorkflowRun().GetID() != 0 {
			run := runFrom(p.GetWorkflowRun(), c.Repository)
			run.Workflow = cmp.Or(run.Workflow, p.GetWorkflow().GetName())
			if run.Status == "completed" {
				run.EndedBy = seconds(p.GetWorkflowRun().GetUpdatedAt())
			}
			return run
		}
	case *gh.DeploymentStatusEvent:
		run := e.runOfDeployment(c, p.GetDeployment())
		if state := p.GetDeploymentStatus().GetState(); state == "failure" || state == "error" {
			run.EndedBy = seconds(p.GetDeploymentStatus().GetCreatedAt())
		}
		return run
	case *gh.PushEvent:
		run := ownRun(c)
		run.Commit = title(p.GetHeadCommit().GetMessage())
		run.CreatedAt = seconds(p.GetRepo().GetPushedAt())
		run.CreatedBound = !run.CreatedAt.IsZero()
		return run
	}
	return ownRun(c)
}

// TimesByAPI reports whether what the API says about Run's id are the times of
// the deploy. It is false where the run that failed is not known and Run had
// to give the own one, which began only after the deploy had failed.
func (e Event) TimesByAPI() bool {
	switch e.Name {
	case eventWorkflowRun:
		return e.workflowRun().GetWorkflowRun().GetID() != 0
	case eventDeploymentStatus:
		return e.deployedBy.GetID() != 0
	default:
		return true
	}
}

func (e Event) runOfDeployment(c Context, d *gh.Deployment) report.Run {
	run := ownRun(c)
	if e.deployedBy.GetID() != 0 {
		run = runFrom(e.deployedBy, c.Repository)
	} else {
		run.SHA = cmp.Or(d.GetSHA(), run.SHA)
		run.Branch = ""
		run.Actor = cmp.Or(d.GetCreator().GetLogin(), run.Actor)
	}
	run.SHA = cmp.Or(run.SHA, d.GetSHA())
	run.Branch = cmp.Or(run.Branch, e.originOfDeployment().branch())
	if run.CreatedAt.IsZero() {
		run.CreatedAt = seconds(d.GetCreatedAt())
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
