package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// step is an instruction with its values.
type step struct {
	do     instruction
	values values
}

// values are the values for `{name}`, by name. An absent value is described in general
// words.
type values map[string]value

type value struct {
	prefix  string // used in prose, never shown as code
	text    string // from outside
	missing string // used in prose if there is no text
}

const longestName = 140 // characters of a function's name; an ARN is not longer

func valuesOf(r Result, group []Function) values {
	f := group[0]
	if len(group) > 1 { // values that differ between the functions are described in general words
		f = commonFields(group)
	}
	return values{
		"function":    {text: functionNames(group), missing: "the function"},
		"alias":       {text: f.Alias, missing: "the alias"},
		"region":      {text: f.Region, missing: "the region"},
		"environment": {text: r.Environment, missing: "production"},
		"branch":      {text: r.Run.Branch, missing: "the branch"},
		"commit":      {text: ShortSHA(commitToRevert(r, group)), missing: "what broke it"},
		"from":        {prefix: "version ", text: f.From, missing: "the version it is on"},
		"Bad":         {prefix: "Version ", text: failedVersion(f), missing: "The failing version"},
		"tried":       {prefix: "version ", text: strings.Join(f.Tried, ", "), missing: "an older version"},
		"to":          {prefix: "version ", text: f.To, missing: "the earlier version"},
		"target":      {prefix: "version ", text: cmp.Or(f.To, f.Target), missing: "the earlier version"},
		"command":     {text: moveCommand(f)},
	}
}

// failedVersion returns the version that a rollback leaves behind. In a canary, the
// alias already pointed at the good version: there it is the newest of the rejected
// ones.
func failedVersion(f Function) string {
	if f.From != f.To {
		return f.From
	}
	if len(f.Rejected) > 0 {
		return f.Rejected[0]
	}
	return ""
}

// commonFields keeps the values that all functions of a group share.
func commonFields(group []Function) Function {
	f := group[0]
	f.Function = ""
	for _, other := range group[1:] {
		if other.Alias != f.Alias {
			f.Alias = ""
		}
		if other.Region != f.Region {
			f.Region = ""
		}
		if other.From != f.From {
			f.From = ""
		}
		if other.To != f.To {
			f.To = ""
		}
		if !slices.Equal(other.Tried, f.Tried) {
			f.Tried = nil
		}
		if other.CanaryVersion != f.CanaryVersion || other.CanaryWeight != f.CanaryWeight {
			f.CanaryVersion = ""
		}
		if failedVersion(other) != failedVersion(f) {
			f.Rejected = nil
		}
	}
	return f
}

// moveCommand returns the AWS CLI command that moves an alias to a given version and
// ends a canary, or an empty string if a part is not known, or not safe to copy.
func moveCommand(f Function) string {
	safe := func(s string) string {
		if strings.ContainsFunc(s, notForShell) {
			return ""
		}
		return s
	}
	to, weights := cmp.Or(f.To, f.Target), ""
	switch {
	case f.NotRestored && f.Promotion != nil:
		to = f.Promotion.Stable
	case f.NotRestored: // to the version from before the drill, including weights
		to = f.From
		if beside := safe(f.CanaryVersion); beside != "" {
			weights = fmt.Sprintf("%s=%g", beside, f.CanaryWeight)
		}
	case f.MovedAt != "": // it is already there: a person has to choose an older version
		to = ""
	}
	function, alias, to := safe(f.Function), safe(f.Alias), safe(to)
	if function == "" || alias == "" || to == "" {
		return ""
	}
	command := "aws lambda update-alias --function-name " + function +
		" --name " + alias +
		" --function-version " + to +
		" --routing-config AdditionalVersionWeights={" + weights + "}"
	if region := safe(f.Region); region != "" {
		command += " --region " + region
	}
	return command
}

// notForShell rejects everything that a shell would not read as part of a single word,
// because people copy the command.
func notForShell(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/", r)
}

// ShortSHA returns the first seven digits of the commit.
func ShortSHA(sha string) string {
	const digits = 7
	if len(sha) > digits && strings.Trim(sha, "0123456789abcdefABCDEF") == "" {
		return sha[:digits]
	}
	return Line(sha, longestName)
}

// plain fills in the text as plain text.
func (s step) plain() string {
	plain := func(text string) string { return Line(text, longestCode) }
	return s.fill(plain, plain)
}

// markdown fills in the text in GitHub's Markdown, on one line.
func (s step) markdown() string {
	code := func(text string) string { return inlineCode(text, longestCode) }
	return s.fill(code, code)
}

// item is markdown with the command in its own block, because GitHub shows a copy
// button there. Each line of the block starts with indent.
func (s step) item(indent string) string {
	if !s.do.command {
		return s.markdown()
	}
	command := "```sh\n" + strings.ReplaceAll(s.values["command"].text, " --", " \\\n  --") + "\n```"
	text := step{instruction{text: s.do.text}, s.values}.markdown()
	return text + "\n\n" + indent + strings.ReplaceAll(command, "\n", "\n"+indent)
}

const longestCode = 600 // characters of one command or name

// fill puts the values into the text. quote is applied to values in prose, and code to
// text between backticks and to the command.
func (s step) fill(quote, code func(string) string) string {
	var b strings.Builder
	for i, part := range strings.Split(s.do.text, "`") {
		if i%2 == 1 {
			b.WriteString(code(s.replace(part, func(v value) string { return v.text })))
			continue
		}
		b.WriteString(s.replace(part, func(v value) string {
			if v.text == "" {
				return v.missing
			}
			return v.prefix + quote(v.text)
		}))
	}
	if s.do.command {
		b.WriteString(" " + code(s.values["command"].text))
	}
	return b.String()
}

func (s step) replace(text string, say func(value) string) string {
	pairs := make([]string, 0, 2*len(s.values))
	for name, v := range s.values {
		pairs = append(pairs, "{"+name+"}", say(v))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
