package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Needs is the parsed input `needs`: what the workflow expression
// `${{ toJSON(needs) }}` says about the jobs that this job needs, by job ID. It is
// nil if the input was not given: no text, null or {}.
type Needs map[string]NeedsJob

// NeedsJob is one job of Needs. Its outputs are left out on purpose: nothing here
// needs them, and they may contain text that must not be printed.
type NeedsJob struct {
	Result string // success, failure, cancelled or skipped
}

// Results of jobs and runs that decisions depend on.
const (
	resultSuccess   = "success"
	resultFailure   = "failure"
	resultCancelled = "cancelled"
	resultSkipped   = "skipped"
	resultTimedOut  = "timed_out" // only from the API, never in `needs`
)

// needsResults are the results that GitHub documents for a job of `needs`.
var needsResults = []string{resultSuccess, resultFailure, resultCancelled, resultSkipped}

// ParseNeeds parses the JSON of `${{ toJSON(needs) }}`. The error says which job, or
// what about the text, does not have that form; it never repeats an output of a job.
// A result that GitHub does not document is also an error: if it counted as "did not
// fail", it would silently turn rollbacks off.
func ParseNeeds(text string) (Needs, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	var jobs map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &jobs); err != nil {
		if typeError := (*json.UnmarshalTypeError)(nil); errors.As(err, &typeError) {
			return nil, fmt.Errorf("is a JSON %s instead of an object of jobs", typeError.Value)
		}
		return nil, errors.New("is not valid JSON")
	}
	if len(jobs) == 0 {
		return nil, nil
	}

	needs := make(Needs, len(jobs))
	for _, id := range slices.Sorted(maps.Keys(jobs)) {
		var job struct {
			Result *string `json:"result"`
		}
		if err := json.Unmarshal(jobs[id], &job); err != nil || job.Result == nil {
			return nil, fmt.Errorf("has no result for the job %s, as if it held a single job instead of the whole context", quoteValue(id))
		}
		if !slices.Contains(needsResults, *job.Result) {
			return nil, fmt.Errorf("has the unknown result %s for the job %s, which is not one of %s",
				quoteValue(*job.Result), quoteValue(id), strings.Join(needsResults, ", "))
		}
		needs[id] = NeedsJob{Result: *job.Result}
	}
	return needs, nil
}

// With returns the IDs of the counted jobs that have one of the results, sorted. If
// jobs is empty, every job counts.
func (n Needs) With(results, jobs []string) []string {
	var found []string
	for _, id := range slices.Sorted(maps.Keys(n)) {
		counts := len(jobs) == 0 || slices.Contains(jobs, id)
		if counts && slices.Contains(results, n[id].Result) {
			found = append(found, id)
		}
	}
	return found
}

// quotedJobs is the maximum number of jobs of `needs` that a message lists.
const quotedJobs = 20

// lacks returns an error that lists the known jobs, if there is no such job.
func (n Needs) lacks(job string) error {
	if _, ok := n[job]; ok {
		return nil
	}
	var known []string
	for _, id := range slices.Sorted(maps.Keys(n)) {
		if len(known) == quotedJobs {
			known = append(known, "…")
			break
		}
		known = append(known, quoteValue(id))
	}
	return fmt.Errorf("has %s, which needs does not list: it has %s", quoteValue(job), strings.Join(known, ", "))
}
