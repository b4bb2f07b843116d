package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Trigger has everything that the question "may the program act?" depends on.
type Trigger struct {
	// Command is the input `command`. check and list change nothing and are never
	// refused. For snapshot, drill and promote, only the origin matters, not whether
	// a deploy failed.
	Command     string
	Branches    []string // patterns of the branches and tags that may act
	Environment string
	// AnyEnvironment is set if the input could not be read: it only labels messages
	// then, and does not prevent a rollback.
	AnyEnvironment bool
	Needs          Needs // empty: not given
	// FailedResults are the results that count as a failed deploy; empty: only
	// failure.
	FailedResults []string
	DeployJobs    []string
	// TargetGiven reports that a person chose the version to go back to.
	TargetGiven bool
	Context     Context
	Event       Event
	// Jobs are the jobs of the run; nil: the API did not return them.
	Jobs []report.Job
	// JobsAsked reports that the API has been asked for Jobs.
	JobsAsked bool
	// Ref is the answer to Verdict.AskRef; nil: not asked.
	Ref *RefAnswer
}

// Verdict is the answer: to act, a question, or a refusal.
type Verdict struct {
	Act bool
	// AskJobs asks the caller to read the jobs of the run and to judge again.
	AskJobs bool
	// AskRef asks the caller to find out what a name or a commit is and to judge
	// again; nil: no question.
	AskRef  *RefQuestion
	Reason  report.Reason // of a refusal
	Message string        // of a refusal: what was seen, and what would be required
	// Attention reports that a person must look at the refusal: a deploy failed, and
	// it is not rolled back.
	Attention bool
	// Cancelled reports, for a refusal, that a deploy was cancelled or stopped by a
	// time limit: it may have moved the alias.
	Cancelled bool
	Because   string // why the program may act
	// FailedJobs are the jobs that failed: IDs if they come from `needs`, display
	// names if they come from the API.
	FailedJobs []string
	// FailedBy is the source that showed the failure.
	FailedBy report.FailureSource
	Notes    []report.Note
}

// Judge decides whether the program may act. The decision depends only on t. What is
// missing from a payload counts against acting.
func (t Trigger) Judge() Verdict {
	if t.Command == "check" || t.Command == "list" {
		return actBecause("", "the command %s changes nothing", t.Command)
	}
	for _, rule := range []func() *Verdict{t.checkPayload, t.checkFork} {
		if refusal := rule(); refusal != nil {
			return *refusal
		}
	}
	allowed, ask, note := judgeOrigin(t.Branches, t.Event.origin(t.Context), t.Event.workflowRun().HeadSHA, t.Ref)
	switch {
	case ask != nil:
		return Verdict{AskRef: ask}
	case !allowed && t.mayBeAllowed():
		note = fmt.Sprintf("Could not determine which branch or tag contains the deployed commit (%s); it is taken to be one that the input branch allows (%s), because the deployment is to the environment %s.",
			t.Ref.Problem, quoteList(t.Branches), quoteValue(t.Environment))
	case !allowed:
		return *t.refuseOrigin()
	}
	verdict := t.judgeAllowed()
	if note != "" {
		verdict.Notes = append(verdict.Notes, report.Note{Warning: true, Text: note})
	}
	return verdict
}

// mayBeAllowed reports whether a deployment of a commit is rolled back although GitHub
// did not say which branch contains the commit. GitHub's API must never stop a
// rollback, and the environment of the deployment is then the evidence. No other
// command is urgent enough to do without the branch.
func (t Trigger) mayBeAllowed() bool {
	return t.Command == "rollback" && !t.AnyEnvironment &&
		t.Event.origin(t.Context).commit != "" && t.Ref != nil && t.Ref.Problem != ""
}

func (t Trigger) judgeAllowed() Verdict {
	if t.Command == "snapshot" || t.Command == "drill" || t.Command == "promote" {
		return actBecause("", "the branch is allowed, and the command %s does not require a failure", t.Command)
	}
	if refusal := t.checkEnvironment(); refusal != nil {
		return *refusal
	}
	return t.failure()
}

// checkPayload returns a refusal if the payload could not be read and only the
// payload could say which branch failed.
func (t Trigger) checkPayload() *Verdict {
	if t.Event.readable() {
		return nil
	}
	return refuse(report.BranchNotAllowed,
		"The payload of the event %s could not be read, so the action could not determine whether the input branch allows what failed (%s); if a rollback is needed, start it with workflow_dispatch.",
		t.Event.Name, quoteList(t.Branches))
}

// checkFork returns a refusal for a workflow_run or a pull request whose commit is
// not from this repository. Both may have secrets even for a fork's code, a fork can
// name its branch main, and GITHUB_REF of a pull_request_target is that of this
// repository.
func (t Trigger) checkFork() *Verdict {
	var head *payloadRepository
	switch {
	case t.Event.Name == eventWorkflowRun:
		head = t.Event.workflowRun().HeadRepository
	case eventRefs[t.Event.Name] == refProposed:
		head = t.Event.pullRequest().Head.Repo
	default:
		return nil
	}
	if head == nil {
		return refuse(report.UntrustedFork,
			"The payload does not say which repository the commit of the failed run came from (for example, because a fork was deleted), and only a run of this repository may start a rollback.")
	}
	base := t.Event.fields(t.Event.Name).Repository
	name := cmp.Or(t.Context.Repository, base.FullName)
	if sameRepository(*head, cmp.Or(base.ID, t.Context.RepositoryID), name) {
		return nil
	}
	refusal := refuse(report.UntrustedFork,
		"The commit of the failed run is from the repository %s, and only a run of this repository (%s) may start a rollback.",
		quoteValue(head.FullName), quoteValue(name))
	// What was merged may have been deployed anyway.
	refusal.Attention = t.Event.pullRequest().Merged && t.Command == "rollback" && t.deployFailed()
	return refusal
}

// sameRepository reports whether head is the repository with an ID and a name, which
// are 0 or empty if they are not known. At least one of them must be known of both,
// and whatever is known of both must match.
func sameRepository(head payloadRepository, id int64, name string) bool {
	byID := id != 0 && head.ID != 0
	byName := name != "" && head.FullName != ""
	return (byID || byName) &&
		(!byID || id == head.ID) &&
		(!byName || strings.EqualFold(name, head.FullName))
}

// refuseOrigin returns a refusal that says what is not allowed. A deploy that failed
// there is not rolled back, which needs attention.
func (t Trigger) refuseOrigin() *Verdict {
	o := t.Event.origin(t.Context)
	var refusal *Verdict
	switch allowed := quoteList(t.Branches); {
	case o.refused != "":
		refusal = refuse(report.BranchNotAllowed, "What failed is %s, and the input branch allows %s.", o.refused, allowed)
	case o.commit != "" && t.Ref.Problem != "":
		refusal = refuse(report.BranchNotAllowed,
			"The deployment is of commit %s, and the action could not determine which branch or tag contains it (%s); the input branch allows %s.", quoteValue(o.commit), t.Ref.Problem, allowed)
	case o.commit != "":
		refusal = refuse(report.BranchNotAllowed,
			"The deployment is of commit %s, which was not found on any branch or tag that the input branch allows (%s); the lookup requires permissions: contents: read.", quoteValue(o.commit), allowed)
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

// deployFailed reports whether the event or `needs` shows that a deploy failed, and
// not just any job of a branch. A person must then look at the refusal.
func (t Trigger) deployFailed() bool {
	switch {
	case len(t.Needs.With(t.failedResults(), t.DeployJobs)) > 0:
		// Tests can fail on every branch; the deploy after them is then skipped.
		return len(t.DeployJobs) > 0 || len(t.Needs.With([]string{resultSkipped}, nil)) == 0
	case t.Event.Name == eventDeploymentStatus:
		return t.checkEnvironment() == nil && t.byDeployment().Act
	case t.Event.Name == eventWorkflowRun:
		// Runs of any branch can fail; those of a tag are deploys.
		isTag := func(ref string) bool { return strings.HasPrefix(ref, tagPrefix) }
		tag := isTag(t.Event.origin(t.Context).ref) || t.Ref != nil && slices.ContainsFunc(t.Ref.Refs, isTag)
		return tag && t.counts(t.Event.workflowRun().Conclusion)
	default:
		return false
	}
}

// checkEnvironment returns a refusal for the status of a deployment to another
// environment. GitHub ignores the case of environment names.
func (t Trigger) checkEnvironment() *Verdict {
	if t.Event.Name != eventDeploymentStatus {
		return nil
	}
	seen := cmp.Or(t.Event.deploymentStatus().Environment, t.Event.deployment().Environment)
	if t.AnyEnvironment || strings.EqualFold(seen, t.Environment) {
		return nil
	}
	return refuse(report.EnvironmentMismatch,
		"The deployment was to the environment %s, and the input environment is %s.", quoteValue(seen), quoteValue(t.Environment))
}

func refuse(reason report.Reason, format string, args ...any) *Verdict {
	return &Verdict{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
