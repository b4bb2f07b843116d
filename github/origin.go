package github

import (
	"regexp"
	"slices"
	"strings"
)

const tagPrefix = "refs/tags/"

// origin is what was deployed from, as far as an event says it. At most one
// field is set; none: it is not known.
type origin struct {
	ref    string // full name: refs/heads/main, refs/tags/v1
	name   string // of a branch or of a tag: the event does not say which
	commit string
	// refused is what it is where nothing can be deployed from a branch or tag, to
	// stand behind "what failed is".
	refused string
}

// refKind is what the ref of a run says about what the run can have deployed.
type refKind int

const (
	refUnknown  refKind = iota // GitHub does not document the event
	refNamed                   // the branch or tag that the event is about
	refDefault                 // always the default branch, whose code runs
	refTag                     // always a tag
	refProposed                // code that is proposed and not on the branch yet
)

// eventRefs is, for each event, the row GITHUB_REF of
// https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
// with what follows for a deploy. A run's head_branch is that ref without
// `refs/heads/` or `refs/tags/`; for a pull request it is the head's branch, in
// the head's repository.
var eventRefs = map[string]refKind{
	"push":                refNamed,   // updated ref
	"workflow_dispatch":   refNamed,   // branch or tag that received the dispatch
	"deployment":          refNamed,   // branch or tag to be deployed, empty for a commit
	"deployment_status":   refNamed,   // the same
	"create":              refNamed,   // branch or tag created
	"registry_package":    refNamed,   // branch or tag of the published package
	"merge_group":         refNamed,   // the queue's own branch, gh-readonly-queue/…, which nobody else has
	"release":             refTag,     // tag of the release
	"schedule":            refDefault, // default branch
	"repository_dispatch": refDefault,
	"workflow_run":        refDefault, // of the run that was started, whatever started it
	"check_run":           refDefault,
	"check_suite":         refDefault,
	"status":              refDefault,
	"delete":              refDefault,
	"page_build":          refDefault,
	"issue_comment":       refDefault, // a chat command deploys by the default branch's workflow
	"issues":              refDefault,
	"label":               refDefault,
	"milestone":           refDefault,
	"discussion":          refDefault,
	"discussion_comment":  refDefault,

	"branch_protection_rule": refDefault,

	"pull_request":                refProposed, // refs/pull/N/merge
	"pull_request_target":         refProposed, // the base branch, though it is not merged
	"pull_request_review":         refProposed, // refs/pull/N/merge
	"pull_request_review_comment": refProposed, // refs/pull/N/merge
}

// origin is what was deployed from by the run or the deployment that failed.
func (e Event) origin(c Context) origin {
	switch {
	case e.Name == eventWorkflowRun:
		return e.originOfRun()
	case e.Name == eventDeploymentStatus:
		return e.originOfDeployment()
	case eventRefs[e.Name] == refProposed && !e.pullRequest().PullRequest.GetMerged():
		return origin{refused: "a pull request that is not merged (ref " + quoteValue(c.Ref) + ")"}
	default:
		return origin{ref: c.Ref}
	}
}

func (e Event) originOfRun() origin {
	run := e.workflowRun().GetWorkflowRun()
	name := run.GetHeadBranch()
	kind := eventRefs[run.GetEvent()]
	switch {
	case kind == refProposed:
		return origin{refused: "a run of a pull request from the branch " + quoteValue(name) + " (event " + run.GetEvent() + "), which deploys nothing from that branch"}
	case kind == refUnknown:
		return origin{refused: "a run of the event " + quoteValue(run.GetEvent()) + ", of which it is not known what it can deploy"}
	case name == "":
		return origin{}
	case kind == refTag:
		return origin{ref: tagPrefix + name}
	case kind == refDefault:
		return origin{ref: branchPrefix + name}
	default:
		return origin{name: name}
	}
}

// commitForm is a whole commit id. GitHub takes no branch or tag of this form.
var commitForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func (e Event) originOfDeployment() origin {
	deployment := e.deploymentStatus().GetDeployment()
	ref := deployment.GetRef()
	switch {
	case strings.HasPrefix(ref, "refs/"):
		return origin{ref: ref}
	case commitForm.MatchString(ref):
		return origin{commit: ref}
	case len(ref) >= 7 && strings.HasPrefix(deployment.GetSHA(), ref):
		return origin{commit: deployment.GetSHA()} // cut short
	case ref == "":
		return origin{}
	default:
		return origin{name: ref}
	}
}

// branch is the branch; empty where it is none, or where it is not known.
func (o origin) branch() string {
	if branch, is := strings.CutPrefix(o.ref, branchPrefix); is {
		return branch
	}
	return o.name
}

// RefQuestion asks GitHub what a name or a commit is. One of Name and Commit is
// given.
type RefQuestion struct {
	Name     string // of a branch or of a tag
	SHA      string // the commit that Name stood for; empty: not known
	Commit   string
	Patterns []string // that the branches and tags of Commit must match
}

// RefAnswer is what the API answered.
type RefAnswer struct {
	// Refs are the full names of what Name can be, or of what matches and has
	// Commit in its history.
	Refs []string
	// Problem says why it is not known; empty: it is.
	Problem string
}

// judgeOrigin reports whether the patterns allow what was deployed from. Where the
// event alone cannot tell, it gives the question to ask, unless there is an answer.
// A note says what had to be believed.
func judgeOrigin(patterns []string, o origin, sha string, answer *RefAnswer) (allowed bool, ask *RefQuestion, note string) {
	switch {
	case slices.Contains(patterns, "*"):
		return true, nil, ""
	case o.ref != "":
		return MatchRef(patterns, o.ref), nil, ""
	case o.commit != "" && answer == nil:
		return false, &RefQuestion{Commit: o.commit, Patterns: patterns}, ""
	case o.commit != "":
		return len(answer.Refs) > 0, nil, ""
	case o.name == "":
		return false, nil, ""
	}
	asBranch, asTag := MatchRef(patterns, branchPrefix+o.name), MatchRef(patterns, tagPrefix+o.name)
	switch {
	case asBranch == asTag, slices.Contains(patterns, o.name):
		return asBranch, nil, ""
	case answer == nil:
		return false, &RefQuestion{Name: o.name, SHA: sha}, ""
	case answer.Problem != "":
		kind := "branch"
		if asTag {
			kind = "tag"
		}
		return true, nil, "It is not known whether " + quoteValue(o.name) + " is a branch or a tag (" + answer.Problem + "); it is taken to be a " + kind + ", which the input branch allows."
	default:
		return !slices.ContainsFunc(answer.Refs, func(ref string) bool { return !MatchRef(patterns, ref) }), nil, ""
	}
}
