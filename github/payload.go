package github

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// payload has the fields of the payloads that the program uses, and no others. A
// field of another type than expected is as if it were missing.
type payload struct {
	Action           string              `json:"action"`
	Workflow         payloadWorkflow     `json:"workflow"`
	Repository       payloadRepository   `json:"repository"`
	WorkflowRun      *payloadRun         `json:"workflow_run"`
	Deployment       *payloadDeployment  `json:"deployment"`
	DeploymentStatus *payloadStatus      `json:"deployment_status"`
	PullRequest      *payloadPullRequest `json:"pull_request"`
	HeadCommit       payloadCommit       `json:"head_commit"`
}

// payloadWorkflow is empty for the events that have a path here.
type payloadWorkflow struct{ Name string }

// UnmarshalJSON never fails.
func (w *payloadWorkflow) UnmarshalJSON(raw []byte) error {
	var sent struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(raw, &sent)
	w.Name = sent.Name
	return nil
}

type payloadRepository struct {
	ID       int64       `json:"id"`
	FullName string      `json:"full_name"`
	PushedAt payloadTime `json:"pushed_at"`
}

type payloadCommit struct {
	Message string `json:"message"`
}

type payloadUser struct {
	Login string `json:"login"`
}

type payloadRun struct {
	ID              int64              `json:"id"`
	Attempt         int                `json:"run_attempt"`
	Number          int                `json:"run_number"`
	WorkflowID      int64              `json:"workflow_id"`
	Name            string             `json:"name"`
	Repository      payloadRepository  `json:"repository"`
	HeadRepository  *payloadRepository `json:"head_repository"`
	HeadBranch      string             `json:"head_branch"`
	HeadSHA         string             `json:"head_sha"`
	HeadCommit      payloadCommit      `json:"head_commit"`
	Actor           payloadUser        `json:"actor"`
	TriggeringActor payloadUser        `json:"triggering_actor"`
	Event           string             `json:"event"`
	HTMLURL         string             `json:"html_url"`
	Status          string             `json:"status"`
	Conclusion      string             `json:"conclusion"`
	CreatedAt       payloadTime        `json:"created_at"`
	UpdatedAt       payloadTime        `json:"updated_at"`
}

type payloadDeployment struct {
	ID          int64       `json:"id"`
	Ref         string      `json:"ref"`
	SHA         string      `json:"sha"`
	Environment string      `json:"environment"`
	Creator     payloadUser `json:"creator"`
	CreatedAt   payloadTime `json:"created_at"`
}

type payloadStatus struct {
	State       string      `json:"state"`
	Environment string      `json:"environment"`
	CreatedAt   payloadTime `json:"created_at"`
}

type payloadPullRequest struct {
	Merged bool `json:"merged"`
	Head   struct {
		Repo *payloadRepository `json:"repo"`
	} `json:"head"`
}

// payloadTime is a time in one of the forms that GitHub sends, in whole seconds; zero:
// missing, or not a time.
type payloadTime struct{ at time.Time }

// UnmarshalJSON never fails: an error would end the decoding of the whole payload.
func (t *payloadTime) UnmarshalJSON(raw []byte) error {
	var sent gh.Timestamp
	*t = payloadTime{}
	if json.Unmarshal(raw, &sent) == nil {
		t.at = seconds(sent)
	}
	return nil
}

// parsePayload decodes a payload. The payload is nil if raw is not a JSON object, or if
// a field has an unexpected type that the trigger needs for the event. If another field
// has one, it returns the payload without this field, and an error that names it.
func parsePayload(event string, raw []byte) (*payload, error) {
	if err := json.Unmarshal(raw, neededFields(event)); err != nil {
		return nil, err
	}
	var p payload
	err := json.Unmarshal(raw, &p)
	// The decoder skips a value of an unexpected type, and reads the rest.
	odd, found := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case found:
		return &p, fmt.Errorf("the field %s has an unexpected type and is treated as missing", quoteValue(odd.Field))
	case err != nil:
		return nil, err
	}
	return &p, nil
}

// neededFields returns a value with the fields of an event that decide whether the
// program may act, and for which run. If one of them is not what it should be, such as
// the ID of a fork, the rest must not decide instead.
func neededFields(event string) any {
	type repository struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
	}
	switch {
	case event == eventWorkflowRun:
		return &struct {
			Action     string     `json:"action"`
			Repository repository `json:"repository"`
			Run        struct {
				ID             int64      `json:"id"`
				HeadRepository repository `json:"head_repository"`
				HeadBranch     string     `json:"head_branch"`
				HeadSHA        string     `json:"head_sha"`
				Event          string     `json:"event"`
				Conclusion     string     `json:"conclusion"`
			} `json:"workflow_run"`
		}{}
	case event == eventDeploymentStatus:
		return &struct {
			Deployment struct {
				Ref         string `json:"ref"`
				SHA         string `json:"sha"`
				Environment string `json:"environment"`
			} `json:"deployment"`
			Status struct {
				State       string `json:"state"`
				Environment string `json:"environment"`
			} `json:"deployment_status"`
			Run struct {
				ID int64 `json:"id"`
			} `json:"workflow_run"`
		}{}
	case eventRefs[event] == refProposed:
		return &struct {
			Repository  repository `json:"repository"`
			PullRequest struct {
				Merged bool `json:"merged"`
				Head   struct {
					Repo repository `json:"repo"`
				} `json:"head"`
			} `json:"pull_request"`
		}{}
	default: // the environment variables are enough
		return &struct{}{}
	}
}

// reported converts a run of repository.
func (r payloadRun) reported(repository string) report.Run {
	return report.Run{
		ID:         r.ID,
		Attempt:    r.Attempt,
		Number:     r.Number,
		WorkflowID: r.WorkflowID,
		Workflow:   r.Name,
		Repository: cmp.Or(repository, r.Repository.FullName),
		Branch:     r.HeadBranch,
		SHA:        r.HeadSHA,
		Commit:     title(r.HeadCommit.Message),
		Actor:      cmp.Or(r.Actor.Login, r.TriggeringActor.Login),
		Event:      r.Event,
		URL:        r.HTMLURL,
		Status:     r.Status,
		Conclusion: r.Conclusion,
		CreatedAt:  r.CreatedAt.at,
	}
}
