package rollback

import (
	"io"
	"regexp"
	"strings"

	"github.com/org/lambda-rollback-action/github"
)

// byHandPhrases are what is said to a workflow, and what a person at a terminal is
// told instead: there is no job, no permission of one, and no step before.
var byHandPhrases = strings.NewReplacer(
	"give the job a role by role-to-assume with `permissions: id-token: write`, or run a credentials step before this one",
	"a role is assumed by a workflow's token alone: leave --role-to-assume out, and log in as for the AWS CLI, such as by `aws sso login`",
	"give the job fresh ones, by role-to-assume or by a credentials step before this one",
	"log in again as for the AWS CLI, such as by `aws sso login`, or choose another profile by AWS_PROFILE",
	"Set role-to-assume and give the job permissions: id-token: write, or run aws-actions/configure-aws-credentials before this step. Check that the role trusts this repository and environment.",
	"Log in as for the AWS CLI, such as by `aws sso login`, or choose a profile by AWS_PROFILE.",
	"the role that this job uses", "the identity that you use",
	"Check function-name, aws-region and the account of the role:", "Check --function-name, --aws-region and the account that you are logged in to:",
	"to the role's IAM policy", "to your IAM policy",
	"run the job again", "run this again",
	"Run the job again", "Run this again",
	", in the workflow file", "",
	"set the input (such as eu-west-1), or AWS_REGION,", "give it (such as eu-west-1), or set AWS_REGION or AWS_PROFILE,",
)

var (
	inputNames = func() map[string]bool {
		names := map[string]bool{}
		for _, d := range github.InputDefinitions() {
			names[d.Name] = true
		}
		return names
	}()
	// namedInput is an input that is called so; any name can stand there.
	namedInput = regexp.MustCompile("(?:[Tt]he )?\\binput (?:`([a-z-]+)`|([a-z-]+))")
	// words may be the name of an input.
	words = regexp.MustCompile("`?[A-Za-z0-9_./:=-]+`?")
)

// sayByHand words a text for a person who writes flags: what is an input in a
// workflow is a flag there.
func sayByHand(text string) string {
	text = byHandPhrases.Replace(text)
	text = namedInput.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found[strings.LastIndex(found, " ")+1:], "`")
		if !inputNames[name] {
			return found
		}
		return "--" + name
	})
	return words.ReplaceAllStringFunc(text, func(word string) string {
		name := strings.TrimRight(strings.Trim(word, "`"), ".:")
		if !strings.Contains(name, "-") || !inputNames[name] { // a word without a dash is a word
			return word
		}
		return strings.Replace(word, name, "--"+name, 1)
	})
}

// byHandWriter words each line of the log.
type byHandWriter struct{ w io.Writer }

func (b byHandWriter) Write(line []byte) (int, error) {
	if _, err := io.WriteString(b.w, sayByHand(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
