package report

import (
	"cmp"
	"time"
)

// The published data has its own types, because workflows depend on their fields, but
// not on those of the result. Section 7 of the contract and the reference list them.
// Arrays are never null, because later steps loop over them.

// Published is the result for one function: an element of the output `results`.
type Published struct {
	Function       string            `json:"function"`
	ARN            string            `json:"arn"`
	Region         string            `json:"region"`
	Alias          string            `json:"alias"`
	Status         Status            `json:"status"`
	Reason         Reason            `json:"reason"`
	Message        string            `json:"message"`
	From           string            `json:"from"`
	To             string            `json:"to"`
	WeightsCleared bool              `json:"weights-cleared"`
	Rejected       []string          `json:"rejected"`
	Proof          string            `json:"proof"`
	Healthy        Health            `json:"healthy"`
	Checks         []PublishedCheck  `json:"checks"`
	Changes        []PublishedChange `json:"changes"`
	MovedAt        string            `json:"moved-at"`
	DurationMS     int64             `json:"duration-ms"`
	Timeline       []PublishedMoment `json:"timeline"`
	RecoveryMS     *int64            `json:"time-to-recovery-ms,omitempty"`
	// Site belongs to the whole result, and is only in its first element.
	Site *Site `json:"site,omitempty"`
}

// PublishedCheck is one check as it is published and shown.
type PublishedCheck struct {
	Name   string      `json:"name"`
	Status CheckStatus `json:"status"`
	Detail string      `json:"detail"`
}

// PublishedChange is one difference between two versions.
type PublishedChange struct {
	What string `json:"what"`
	From string `json:"from"`
	To   string `json:"to"`
}

// PublishedMoment is an entry of a timeline. Its time is in UTC and in whole seconds,
// because the date functions of jq do not support fractions.
type PublishedMoment struct {
	Event  Event  `json:"event"`
	At     string `json:"at"`
	Detail string `json:"detail"`
}

// PublishedVersion is an element of the output `versions`.
type PublishedVersion struct {
	Function    string            `json:"function"`
	Region      string            `json:"region"`
	Alias       string            `json:"alias"`
	Version     string            `json:"version"`
	Published   string            `json:"published"`
	Description string            `json:"description"`
	CodeSHA256  string            `json:"code-sha256"`
	State       string            `json:"state"`
	StateReason string            `json:"state-reason"`
	Aliases     []string          `json:"aliases"`
	Serving     bool              `json:"serving"`
	Rejected    bool              `json:"rejected"`
	RejectedBy  string            `json:"rejected-by"`
	Target      bool              `json:"target"`
	Changes     []PublishedChange `json:"changes"`
}

// Publish returns the published part of a function's result.
func (f Function) Publish() Published {
	p := Published{
		Function: f.Function, ARN: f.ARN, Region: f.Region, Alias: f.Alias,
		Status: f.Status, Reason: f.Reason, Message: f.Message,
		From: f.From, To: f.To, WeightsCleared: f.WeightsCleared, Rejected: neverNil(f.Rejected),
		Proof: f.Proof, Healthy: cmp.Or(f.Healthy, HealthUnknown),
		Checks: []PublishedCheck{}, Changes: publishChanges(f.Changes),
		MovedAt: f.MovedAt, DurationMS: f.DurationMS,
		Timeline: []PublishedMoment{}, RecoveryMS: f.RecoveryMS,
	}
	for _, c := range f.Checks {
		p.Checks = append(p.Checks, PublishedCheck{c.Title(), c.Status, c.Detail})
	}
	for _, m := range f.Timeline {
		p.Timeline = append(p.Timeline, PublishedMoment{m.Event, m.At.UTC().Format(time.RFC3339), m.Detail})
	}
	return p
}

// Publish returns the published part of a version.
func (v Version) Publish() PublishedVersion {
	p := PublishedVersion{
		Function: v.Function, Region: v.Region, Alias: v.Alias, Version: v.Version,
		Description: v.Description, CodeSHA256: v.CodeSHA256, State: v.State, StateReason: v.StateReason,
		Aliases: neverNil(v.Aliases), Serving: v.Serving,
		Rejected: v.Rejected, RejectedBy: v.RejectedBy, Target: v.Target,
		Changes: publishChanges(v.Changes),
	}
	if !v.Published.IsZero() {
		p.Published = v.Published.UTC().Format(time.RFC3339)
	}
	return p
}

func publishChanges(all []Change) []PublishedChange {
	out := make([]PublishedChange, 0, len(all))
	for _, c := range all {
		out = append(out, PublishedChange{c.What, c.From, c.To})
	}
	return out
}

// neverNil returns a copy that is an empty array in JSON if it has no elements.
func neverNil(all []string) []string { return append([]string{}, all...) }
