package github

import (
	"fmt"
	"slices"
	"strings"
)

const tagPrefix = "refs/tags/"

// origin is the branch, tag or commit that was deployed, as far as an event says it.
// At most one field is set; none: it is not known.
type origin struct {
	ref    string // full name: refs/heads/main, refs/tags/v1
	name   string // of a branch or a tag; the event does not say which
	commit string
	// refused describes what failed if nothing can be deployed from a branch or tag.
	// It follows "What failed is" in a message.
	refused string
}

// refKind says what a run may have deployed, according to its ref.
type refKind int

const (
	refUnknown  refKind = iota // GitHub does not document the event
	refNamed                   // the branch or tag that the event is about
	refDefault                 // always the default branch, whose code runs
	refTag                     // always a tag
	refProposed                // code that is proposed and not on the branch yet
)

// eventRefs says for each event what the row GITHUB_REF of
// https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
// means for a deploy. The head_branch of a run is that ref without `refs/heads/` or
// `refs/tags/`; for a pull request, it is the branch of the head, in the repository
// of the head.
var eventRefs = map[string]refKind{
	"push":                refNamed,   // updated ref
	"workflow_dispatch":   refNamed,   // branch or tag that received the dispatch
	"deployment":          refNamed,   // branch or tag to be deployed, empty for a commit
	"deployment_status":   refNamed,   // the same
	"create":              refNamed,   // branch or tag created
	"registry_package":    refNamed,   // branch or tag of the published package
	"merge_group":         refNamed,   // the queue's own branch, gh-readonly-queue/…, which nobody else uses
	"release":             refTag,     // tag of the release
	"schedule":            refDefault, // default branch
	"repository_dispatch": refDefault,
	"workflow_run":        refDefault, // for the run that was triggered, whichever run triggered it
	"check_run":           refDefault,
	"check_suite":         refDefault,
	"status":              refDefault,
	"delete":              refDefault,
	"page_build":          refDefault,
	"issue_comment":       refDefault, // a chat command deploys with the workflow of the default branch
	"issues":              refDefault,
	"label":               refDefault,
	"milestone":           refDefault,
	"discussion":          refDefault,
	"discussion_comment":  refDefault,

	"branch_protection_rule": refDefault,

	"pull_request":                refProposed, // refs/pull/N/merge
	"pull_request_target":         refProposed, // the base branch, although the pull request is not merged
	"pull_request_review":         refProposed, // refs/pull/N/merge
	"pull_request_review_comment": refProposed, // refs/pull/N/merge
}

// origin returns the branch, tag or commit that the failed run or deployment
// deployed.
func (e Event) origin(c Context) origin {
	switch {
	case e.Name == eventWorkflowRun:
		return e.originOfRun()
	case e.Name == eventDeploymentStatus:
		return e.originOfDeployment()
	case eventRefs[e.Name] == refProposed && !e.pullRequest().Merged:
		return origin{refused: "a pull request that is not merged (ref " + quoteValue(c.Ref) + ")"}
	default:
		return origin{ref: c.Ref}
	}
}

func (e Event) originOfRun() origin {
	run := e.workflowRun()
	name := run.HeadBranch
	kind := eventRefs[run.Event]
	switch {
	case kind == refProposed:
		return origin{refused: "a run of a pull request from the branch " + quoteValue(name) + " (event " + run.Event + "), which deploys nothing from that branch"}
	case kind == refUnknown:
		return origin{refused: "a run of the event " + quoteValue(run.Event) + ", which GitHub does not document"}
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

// commitForm matches a full commit ID. GitHub does not accept a branch or tag of this
// form.
var commitForm = newPattern(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

func (e Event) originOfDeployment() origin {
	deployment := e.deployment()
	ref := deployment.Ref
	switch {
	case strings.HasPrefix(ref, "refs/"):
		return origin{ref: ref}
	case commitForm().MatchString(ref):
		return origin{commit: ref}
	case len(ref) >= 7 && strings.HasPrefix(deployment.SHA, ref):
		return origin{commit: deployment.SHA} // abbreviated
	case ref == "":
		return origin{}
	default:
		return origin{name: ref}
	}
}

// branch returns the branch, or a name that may be a branch or a tag; empty: it is
// neither, or not known.
func (o origin) branch() string {
	if branch, is := strings.CutPrefix(o.ref, branchPrefix); is {
		return branch
	}
	return o.name
}

// RefQuestion asks GitHub what a name or a commit is. Either Name or Commit is set.
type RefQuestion struct {
	Name     string // of a branch or a tag
	SHA      string // the commit that Name pointed at; empty: not known
	Commit   string
	Patterns []string // that the branches and tags of Commit must match
}

// RefAnswer is the answer of the API.
type RefAnswer struct {
	// Refs are full ref names: those that Name can be, or those that match and have
	// Commit in their history.
	Refs []string
	// Problem says why the answer is not known; empty: it is known.
	Problem string
}

// judgeOrigin reports whether the patterns allow what was deployed. If the event
// alone does not show this and there is no answer yet, it returns the question to
// ask. note says what had to be assumed.
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
		return true, nil, fmt.Sprintf("Could not determine whether %s is a branch or a tag (%s); it is taken to be a %s, which the input branch allows.", quoteValue(o.name), answer.Problem, kind)
	default:
		return !slices.ContainsFunc(answer.Refs, func(ref string) bool { return !MatchRef(patterns, ref) }), nil, ""
	}
}
