package rollback

import (
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/org/lambda-rollback-action/github"
)

// terminalPhrases replaces advice for a workflow with advice for the command line,
// where there are no jobs, permissions or earlier steps.
var terminalPhrases = strings.NewReplacer(
	"set role-to-assume and give the job `permissions: id-token: write`, or configure AWS credentials in an earlier step",
	"only a workflow's token can assume the role: omit --role-to-assume, and sign in as you do for the AWS CLI, for example with `aws sso login`",
	"renew them with role-to-assume, or with a credentials step right before this one",
	"sign in again as you do for the AWS CLI, for example with `aws sso login`, or select another profile with AWS_PROFILE",
	"Set role-to-assume and give the job permissions: id-token: write, or run aws-actions/configure-aws-credentials before this step. Check that the role trusts this repository and environment.",
	"Sign in as you do for the AWS CLI, for example with `aws sso login`, or select a profile with AWS_PROFILE.",
	"the role that this job uses", "the identity that you use",
	"Check function-name, aws-region and the account of the role:", "Check --function-name, --aws-region and the account that you are signed in to:",
	"to the role's IAM policy", "to your IAM policy",
	"run the job again", "run this again",
	"Run the job again", "Run this again",
	", in the workflow file", "",
	"set the input (such as eu-west-1) or AWS_REGION,", "set --aws-region (such as eu-west-1), AWS_REGION or AWS_PROFILE,",
)

var (
	inputNames = func() map[string]bool {
		names := map[string]bool{}
		for _, d := range github.InputDefinitions() {
			names[d.Name] = true
		}
		return names
	}()
	// namedInput matches "input" followed by a name, which may be any word.
	namedInput = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("(?:[Tt]he )?\\binput (?:`([a-z-]+)`|([a-z-]+))") })
	// words matches words that may be the name of an input.
	words = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("`?[A-Za-z0-9_./:=-]+`?") })
	// turnedOn and setTo match inputs with a value, in the syntax of a workflow.
	turnedOn = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(--[a-z-]+): true\b`) })
	setTo    = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(--[a-z-]+): (false|go-on|step-back|continue|wait|stop)\b`)
	})
)

// rewordForTerminal rewords a text for the command line, where inputs are flags.
func rewordForTerminal(text string) string {
	text = terminalPhrases.Replace(text)
	text = namedInput().ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found[strings.LastIndex(found, " ")+1:], "`")
		if !inputNames[name] {
			return found
		}
		return "--" + name
	})
	text = words().ReplaceAllStringFunc(text, func(word string) string {
		name := strings.TrimRight(strings.Trim(word, "`"), ".:")
		if !strings.Contains(name, "-") || !inputNames[name] { // without a hyphen it may be an ordinary word
			return word
		}
		return strings.Replace(word, name, "--"+name, 1)
	})
	return setTo().ReplaceAllString(turnedOn().ReplaceAllString(text, "$1"), "$1 $2")
}

// terminalWriter rewords each line of the log.
type terminalWriter struct{ w io.Writer }

func (b terminalWriter) Write(line []byte) (int, error) {
	if _, err := io.WriteString(b.w, rewordForTerminal(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
