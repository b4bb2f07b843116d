package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	deploymentsWrite = "deployments: write"

	// longestDescription is GitHub's limit for a description, in characters.
	longestDescription = 140
	// maxRecords is the largest number of commits that are recorded. Functions that
	// were published by different runs go back to different commits.
	maxRecords = 5
	// maxCandidates is how many deployments of the failed commit are examined.
	maxCandidates = 5
	// maxInPayload is how many functions a record lists.
	maxInPayload = 50
)

// recordDeployment marks the failed deployment, and then records the one that is live
// again. In this order, the failed one is never the active one of the two.
func (f *followUp) recordDeployment(ctx context.Context) (string, error) {
	var problems []string
	if err := f.markFailed(ctx); err != nil {
		if isRefused(err) {
			return "", err
		}
		problems = append(problems, err.Error())
	}
	records, unknown := recordsOf(f.r.Functions)
	problems = append(problems, changedByOthers(f.r.Functions)...)
	for i, record := range records {
		if err := f.makeRecord(ctx, record, i == 0); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if len(unknown) > 0 {
		problems = append(problems, fmt.Sprintf("no deployment was recorded for %s: could not determine the commit that it was built from", strings.Join(unknown, ", ")))
	}
	if len(problems) > 0 {
		return "", errors.New(strings.Join(problems, "; "))
	}
	return sent, nil
}

// markFailed gives the deployment of the failed commit the status failure.
func (f *followUp) markFailed(ctx context.Context) error {
	if !slices.ContainsFunc(f.r.Functions, func(one report.Function) bool { return report.WasMoved(one) && !report.Forward(one) }) {
		return nil
	}
	sha := validSHA(report.FailedRunCommit(f.r))
	if sha == "" {
		return errors.New("no deployment was marked as failed: could not determine the commit that failed")
	}
	deployment, err := f.failedDeployment(ctx, sha)
	if err != nil {
		return f.failed("find the deployment that failed", err, deploymentsWrite)
	}
	if deployment == nil {
		f.log.Infof("record-deployment: GitHub has no finished deployment of commit %s to %s that could be marked as failed", report.ShortSHA(sha), f.environment)
		return nil
	}
	err = f.setState(ctx, deployment.GetID(), "failure", f.r.Run.URL, "Rolled back: "+moves(f.r.Functions), false)
	if err != nil {
		return f.failed("mark the deployment that failed", err, deploymentsWrite)
	}
	return nil
}

// failedDeployment returns the newest finished deployment of a commit to the
// environment that this program did not record; nil: there is none. A deployment in
// progress may be that of this job.
func (f *followUp) failedDeployment(ctx context.Context, sha string) (*gh.Deployment, error) {
	all, err := f.deploymentsOf(ctx, sha)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d *gh.Deployment) bool { return payloadOf(d).Action == recordedBy })
	slices.SortFunc(all, func(a, b *gh.Deployment) int {
		return cmp.Or(b.GetCreatedAt().Compare(a.GetCreatedAt().Time), cmp.Compare(b.GetID(), a.GetID()))
	})
	for _, d := range all[:min(len(all), maxCandidates)] {
		status, err := f.latestStatus(ctx, d.GetID())
		if err != nil {
			return nil, err
		}
		if !slices.Contains([]string{"in_progress", "queued", "pending", "waiting"}, status.GetState()) {
			return d, nil
		}
	}
	return nil, nil
}

func (f *followUp) deploymentsOf(ctx context.Context, sha string) ([]*gh.Deployment, error) {
	return listAll[gh.Deployment](ctx, f.api, "deployments", url.Values{"sha": {sha}, "environment": {f.environment}})
}

// latestStatus returns the latest status of a deployment; nil: it has none.
func (f *followUp) latestStatus(ctx context.Context, id int64) (*gh.DeploymentStatus, error) {
	all, err := listAll[gh.DeploymentStatus](ctx, f.api, statusesPath(id), nil)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return slices.MaxFunc(all, func(a, b *gh.DeploymentStatus) int {
		return cmp.Or(a.GetCreatedAt().Compare(b.GetCreatedAt().Time), cmp.Compare(a.GetID(), b.GetID()))
	}), nil
}

// setState sets the state of a deployment, unless it has that state already.
func (f *followUp) setState(ctx context.Context, id int64, state, log, description string, autoInactive bool) error {
	_, _, err := findOrCreate(ctx, f.api.clock,
		func(ctx context.Context) (*gh.DeploymentStatus, error) {
			status, err := f.latestStatus(ctx, id)
			there := status.GetState() == state || state == "failure" && status.GetState() == "error"
			if err != nil || !there {
				return nil, err
			}
			return status, nil
		},
		func(ctx context.Context) (*gh.DeploymentStatus, error) {
			f.log.Infof("GitHub: setting the status of deployment %d to %s", id, state)
			request := gh.DeploymentStatusRequest{
				State: &state, Description: new(report.Line(description, longestDescription)), AutoInactive: &autoInactive,
			}
			if log = webAddress(log); log != "" {
				request.LogURL = &log
			}
			status := &gh.DeploymentStatus{}
			return status, f.api.send(ctx, http.MethodPost, statusesPath(id), request, status)
		})
	return err
}

func statusesPath(id int64) string {
	return "deployments/" + strconv.FormatInt(id, 10) + "/statuses"
}

// deploymentRecord is a commit that is live again, with its functions.
type deploymentRecord struct {
	sha       string
	published time.Time // of the newest of the versions
	functions []report.Function
}

// recordsOf returns the commits that are live again, with the newest version last,
// because GitHub shows the latest record first. unknown describes functions whose
// commit is not known.
func recordsOf(all []report.Function) (records []deploymentRecord, unknown []string) {
	for _, one := range all {
		if !report.WasMoved(one) || one.ChangedByOthers {
			continue
		}
		sha := validSHA(one.Commits[one.To])
		if sha == "" {
			unknown = append(unknown, fmt.Sprintf("version %s of %s", one.To, quoteValue(one.Function)))
			continue
		}
		at := slices.IndexFunc(records, func(r deploymentRecord) bool { return r.sha == sha })
		if at < 0 {
			records, at = append(records, deploymentRecord{sha: sha}), len(records)
		}
		records[at].functions = append(records[at].functions, one)
		if made := one.Published[one.To]; made.After(records[at].published) {
			records[at].published = made
		}
	}
	slices.SortStableFunc(records, func(a, b deploymentRecord) int { return a.published.Compare(b.published) })
	if more := len(records) - maxRecords; more > 0 {
		for _, left := range records[:more] {
			unknown = append(unknown, fmt.Sprintf("commit %s, one of more than %d", report.ShortSHA(left.sha), maxRecords))
		}
		records = records[more:]
	}
	return records, unknown
}

// changedByOthers describes functions whose alias has been moved by something else
// since. A record would claim that the commit is live, which it is not.
func changedByOthers(all []report.Function) []string {
	var names []string
	for _, one := range all {
		if report.WasMoved(one) && one.ChangedByOthers {
			names = append(names, quoteValue(one.Function))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"no deployment was recorded for " + strings.Join(names, ", ") + ": the alias has been changed since the rollback"}
}

// recordedBy marks the records of this program.
const recordedBy = "lambda-rollback-action"

// recordPayload is the payload of a record, for other programs.
type recordPayload struct {
	Action       string             `json:"action"`
	Key          string             `json:"key"`
	RunID        int64              `json:"run_id"`
	RunAttempt   int                `json:"run_attempt"`
	RunURL       string             `json:"run_url,omitempty"`
	FailedCommit string             `json:"failed_commit,omitempty"`
	Functions    []recordedFunction `json:"functions"`
}

type recordedFunction struct {
	Function string `json:"function"`
	Alias    string `json:"alias"`
	Region   string `json:"region"`
	From     string `json:"from"`
	To       string `json:"to"`
}

// payloadOf decodes a deployment's payload, which GitHub returns as an object or as a
// string that contains one. Any other payload is not ours.
func payloadOf(d *gh.Deployment) recordPayload {
	var p recordPayload
	raw := []byte(d.Payload)
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = []byte(text)
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return recordPayload{}
	}
	return p
}

// makeRecord records a deployment of a commit, or finds the record of an earlier
// attempt. The first record makes earlier deployments inactive; the others do not, so
// that all records stay active.
func (f *followUp) makeRecord(ctx context.Context, record deploymentRecord, first bool) error {
	key := f.key()
	deployment, _, err := findOrCreate(ctx, f.api.clock,
		func(ctx context.Context) (*gh.Deployment, error) {
			all, err := f.deploymentsOf(ctx, record.sha)
			if at := slices.IndexFunc(all, func(d *gh.Deployment) bool { return payloadOf(d).Key == key }); at >= 0 {
				return all[at], nil
			}
			return nil, err
		},
		func(ctx context.Context) (*gh.Deployment, error) {
			f.log.Infof("GitHub: recording a deployment of commit %s to %s", report.ShortSHA(record.sha), f.environment)
			deployment := &gh.Deployment{}
			err := f.api.send(ctx, http.MethodPost, "deployments", f.deploymentRequest(record, key), deployment)
			if err == nil && deployment.GetID() == 0 {
				err = fmt.Errorf("%w: a deployment without an id", errOddAnswer)
			}
			return deployment, err
		})
	if err == nil {
		state, description := "success", "Live again: "+moves(record.functions)
		if slices.ContainsFunc(record.functions, func(one report.Function) bool { return one.Status != report.RolledBack }) {
			state, description = "failure", "Rolled back, not healthy: "+moves(record.functions)
		}
		err = f.setState(ctx, deployment.GetID(), state, cmp.Or(f.r.OwnURL, f.r.Run.URL), description, first)
	}
	if err != nil {
		return f.failed("record a deployment of commit "+report.ShortSHA(record.sha), err, deploymentsWrite)
	}
	return nil
}

func (f *followUp) deploymentRequest(record deploymentRecord, key string) gh.DeploymentRequest {
	content := recordPayload{
		Action: recordedBy, Key: key, RunID: f.c.RunID, RunAttempt: f.c.RunAttempt, RunURL: webAddress(f.r.OwnURL),
		FailedCommit: validSHA(report.FailedCommit(f.r)), Functions: []recordedFunction{},
	}
	for _, one := range record.functions[:min(len(record.functions), maxInPayload)] {
		text := func(text string) string { return report.Line(text, longestDescription) }
		content.Functions = append(content.Functions, recordedFunction{
			Function: text(one.Function), Alias: text(one.Alias), Region: text(one.Region),
			From: text(report.LeftVersion(one)), To: text(one.To),
		})
	}
	return gh.DeploymentRequest{
		Ref: &record.sha, Environment: &f.environment, Payload: content,
		Description: new(report.Line("Rolled back: "+moves(record.functions), longestDescription)),
		// The commit is recorded unchanged: do not merge the default branch into it,
		// and do not require status checks, which passed before it was live.
		AutoMerge: new(false), RequiredContexts: &[]string{},
	}
}

// moves lists the moves: "api 42 → 41, worker 7 → 6".
func moves(functions []report.Function) string {
	var all []string
	for _, one := range functions {
		if report.WasMoved(one) {
			all = append(all, one.Function+" "+report.FromTo(report.LeftVersion(one), one.To))
		}
	}
	return strings.Join(all, ", ")
}
