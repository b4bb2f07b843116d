package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Trigger is everything that the question "may it act?" depends on.
type Trigger struct {
	// Command is the input of that name. check and list change nothing and
	// are never refused; snapshot, drill and promote are by the branch alone.
	Command     string
	Branches    []string // patterns of the branches and tags that may act
	Environment string
	Needs       Needs // empty: not given
	// FailedResults count as a failed deploy; empty: failure alone.
	FailedResults []string
	DeployJobs    []string
	// TargetGiven is true where a person chose the version to go back to.
	TargetGiven bool
	Context     Context
	Event       Event
	// Jobs are the jobs of the run; nil where the API did not give them.
	Jobs []report.Job
	// JobsAsked is true once the API was asked for Jobs.
	JobsAsked bool
	// Ref is the answer to Verdict.AskRef; nil: not asked.
	Ref *RefAnswer
}

// Verdict is the answer: either Act, or a question, or a refusal.
type Verdict struct {
	Act bool
	// AskJobs asks to read the run's jobs and to judge again.
	AskJobs bool
	// AskRef asks what a name or a commit is, and to judge again; nil: nothing.
	AskRef  *RefQuestion
	Reason  report.Reason // of a refusal
	Message string        // of a refusal: what was seen, and what would be needed
	// Attention is true for a refusal after which a person must look: a deploy
	// failed, and it stays.
	Attention bool
	// Cancelled is true for a refusal that saw a deploy which was cancelled or cut
	// off by a time limit: it can have moved the alias.
	Cancelled bool
	Because   string // why it acts
	// FailedJobs are the jobs that failed: ids where `needs` names them,
	// display names where the API did.
	FailedJobs []string
	// FailedBy is what showed the failure.
	FailedBy report.FailureSource
	Notes    []report.Note
}

// Judge decides whether the program may act. It knows nothing but t. What is
// missing in a payload counts against acting.
func (t Trigger) Judge() Verdict {
	if t.Command == "check" || t.Command == "list" {
		return actBecause("", "the command %s changes nothing", t.Command)
	}
	for _, rule := range []func() *Verdict{t.checkPayload, t.checkFork} {
		if refusal := rule(); refusal != nil {
			return *refusal
		}
	}
	allowed, ask, note := judgeOrigin(t.Branches, t.Event.origin(t.Context), t.Event.workflowRun().GetWorkflowRun().GetHeadSHA(), t.Ref)
	switch {
	case ask != nil:
		return Verdict{AskRef: ask}
	case !allowed:
		return *t.refuseOrigin()
	}
	verdict := t.judgeAllowed()
	if note != "" {
		verdict.Notes = append(verdict.Notes, report.Note{Warning: true, Text: note})
	}
	return verdict
}

func (t Trigger) judgeAllowed() Verdict {
	if t.Command == "snapshot" || t.Command == "drill" || t.Command == "promote" {
		return actBecause("", "the branch is allowed, and the command %s needs no failure", t.Command)
	}
	if refusal := t.checkEnvironment(); refusal != nil {
		return *refusal
	}
	return t.failure()
}

// checkPayload refuses where only the payload could say which branch failed.
func (t Trigger) checkPayload() *Verdict {
	if t.Event.readable() {
		return nil
	}
	return refuse(report.BranchNotAllowed,
		"The payload of the event %s could not be read, so the branch that failed is not known and cannot be shown to be one that the input branch allows (%s); start the rollback by workflow_dispatch if it is needed.",
		t.Event.Name, quoteList(t.Branches))
}

// checkFork refuses a workflow_run and a pull request whose commit is not from
// this repository: both may have secrets for a fork's code too, a fork can call its
// branch main, and GITHUB_REF of a pull_request_target is this repository's.
func (t Trigger) checkFork() *Verdict {
	var head, base *gh.Repository
	switch {
	case t.Event.Name == eventWorkflowRun:
		p := t.Event.workflowRun()
		head, base = p.GetWorkflowRun().HeadRepository, p.GetRepo()
	case eventRefs[t.Event.Name] == refProposed:
		p := t.Event.pullRequest()
		head, base = p.PullRequest.GetHead().GetRepo(), p.Repo
	default:
		return nil
	}
	if head == nil {
		return refuse(report.UntrustedFork,
			"The payload does not say from which repository the failed run's commit came (a deleted fork looks like this), and only a run of this repository may start a rollback.")
	}
	name := cmp.Or(t.Context.Repository, base.GetFullName())
	if sameRepository(head, cmp.Or(base.GetID(), t.Context.RepositoryID), name) {
		return nil
	}
	refusal := refuse(report.UntrustedFork,
		"The failed run's commit is from the repository %s, and only a run of this repository (%s) may start a rollback.",
		quoteValue(head.GetFullName()), quoteValue(name))
	// What was merged may have been deployed all the same.
	refusal.Attention = t.Event.pullRequest().PullRequest.GetMerged() && t.Command == "rollback" && t.deployFailed()
	return refusal
}

// sameRepository compares what is known of a repository with an id and a name, 0
// or empty where it is not known. Whatever is known of both must agree.
func sameRepository(head *gh.Repository, id int64, name string) bool {
	byID := id != 0 && head.GetID() != 0
	byName := name != "" && head.GetFullName() != ""
	return (byID || byName) &&
		(!byID || id == head.GetID()) &&
		(!byName || strings.EqualFold(name, head.GetFullName()))
}

// refuseOrigin says what is not allowed. A deploy that failed there is left.
func (t Trigger) refuseOrigin() *Verdict {
	o := t.Event.origin(t.Context)
	var refusal *Verdict
	switch allowed := quoteList(t.Branches); {
	case o.refused != "":
		refusal = refuse(report.BranchNotAllowed, "What failed is %s, and the input branch allows %s.", o.refused, allowed)
	case o.commit != "" && t.Ref.Problem != "":
		refusal = refuse(report.BranchNotAllowed,
			"The deployment is of the commit %s, and which branch or tag has it is not known (%s); the input branch allows %s.", quoteValue(o.commit), t.Ref.Problem, allowed)
	case o.commit != "":
		refusal = refuse(report.BranchNotAllowed,
			"The deployment is of the commit %s, which no branch or tag that the input branch allows (%s) was found to have; looking takes permissions: contents: read.", quoteValue(o.commit), allowed)
	case strings.HasPrefix(o.ref, tagPrefix):
		refusal = refuse(report.BranchNotAllowed, "The tag %s is not one that the input branch allows (%s).", quoteValue(strings.TrimPrefix(o.ref, tagPrefix)), allowed)
	case o.branch() != "":
		refusal = refuse(report.BranchNotAllowed, "The branch %s is not one that the input branch allows (%s).", quoteValue(o.branch()), allowed)
	default:
		refusal = refuse(report.BranchNotAllowed, "What failed is not on a branch or tag (ref %s), and the input branch allows %s.", quoteValue(o.ref), allowed)
	}
	refusal.Attention = t.Command == "rollback" && t.deployFailed()
	return refusal
}

// deployFailed is true where the event or `needs` shows that a deploy failed, and
// not just some job of a branch: then a refusal wants a person to look.
func (t Trigger) deployFailed() bool {
	switch {
	case len(t.Needs.With(t.failedResults(), t.DeployJobs)) > 0:
		// Tests fail on every branch; the deploy after them is skipped then.
		return len(t.DeployJobs) > 0 || len(t.Needs.With([]string{resultSkipped}, nil)) == 0
	case t.Event.Name == eventDeploymentStatus:
		return t.checkEnvironment() == nil && t.byDeployment().Act
	case t.Event.Name == eventWorkflowRun:
		// Runs of any branch fail; those of a tag deploy.
		isTag := func(ref string) bool { return strings.HasPrefix(ref, tagPrefix) }
		tag := isTag(t.Event.origin(t.Context).ref) || t.Ref != nil && slices.ContainsFunc(t.Ref.Refs, isTag)
		return tag && t.counts(t.Event.workflowRun().GetWorkflowRun().GetConclusion())
	default:
		return false
	}
}

// checkEnvironment refuses the status of a deployment to another environment.
// GitHub takes environment names without regard to case.
func (t Trigger) checkEnvironment() *Verdict {
	if t.Event.Name != eventDeploymentStatus {
		return nil
	}
	p := t.Event.deploymentStatus()
	seen := cmp.Or(p.GetDeploymentStatus().GetEnvironment(), p.GetDeployment().GetEnvironment())
	if strings.EqualFold(seen, t.Environment) {
		return nil
	}
	return refuse(report.EnvironmentMismatch,
		"The deployment was to the environment %s, and the input environment is %s.", quoteValue(seen), quoteValue(t.Environment))
}

func refuse(reason report.Reason, format string, args ...any) *Verdict {
	return &Verdict{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
