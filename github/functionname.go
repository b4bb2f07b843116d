package github

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Function is one entry of the input `function-name`.
type Function struct {
	Given   string // as the user wrote it
	Name    string
	ARN     string // of the function, without the alias; empty where a name was given
	Region  string // from the ARN, else empty
	Account string // from the ARN, else empty
	Alias   string

	Deployed int64 // input `deployed-version`; 0: not given
	Target   int64 // input `target-version`; 0: not given
	Seen     int64 // what the alias pointed at when a person chose Target; 0: nobody looked
	// SeenBeside is the version that had a weight then; 0: none.
	SeenBeside int64
}

// String is the entry in the form `name:alias` or `arn:alias`, which
// ParseFunction reads back to the same function.
func (f Function) String() string {
	if f.ARN != "" {
		return f.ARN + ":" + f.Alias
	}
	return f.Name + ":" + f.Alias
}

// memorySuffix makes the name of the alias that keeps what must be remembered.
const memorySuffix = "-rollback"

// aliasLimit is how many characters AWS allows in the name of an alias.
const aliasLimit = 128

var (
	functionNamePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	functionARNPattern  = regexp.MustCompile(`^arn:aws(?:-[a-z]+)*:lambda:(` + regionForm + `):([0-9]{12}):function:([^:]*)(?::(.*))?$`)
	partialARNPattern   = regexp.MustCompile(`^[0-9]{12}:function:`)
	aliasPattern        = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	versionPattern      = regexp.MustCompile(`^(?:[0-9]+|\$LATEST)$`)
)

// fullARNForm is the form of an ARN that messages tell.
const fullARNForm = "arn:aws:lambda:<region>:<account>:function:<name>"

// ParseFunction reads an entry of `function-name`: a name, `name:alias`, or the
// full ARN of a function with or without an alias, in any partition of AWS.
// The given alias stands in where the entry names none, and is taken as valid.
// The error says what about the entry is wrong and what to write.
func ParseFunction(entry, alias string) (Function, error) {
	function := Function{Given: entry, Name: entry}
	var qualifier string
	var qualified bool

	switch {
	case strings.HasPrefix(entry, "arn:") && strings.Count(entry, ":") > 1: // else a function named arn
		match := functionARNPattern.FindStringSubmatch(entry)
		if match == nil {
			return Function{}, fmt.Errorf("has %s, which is not the ARN of a Lambda function: write %s", quoteValue(entry), fullARNForm)
		}
		function.Region, function.Account, function.Name, qualifier = match[1], match[2], match[3], match[4]
		function.ARN = strings.TrimSuffix(entry, ":"+qualifier)
		qualified = function.ARN != entry
	case partialARNPattern.MatchString(entry):
		return Function{}, fmt.Errorf("has the partial ARN %s: write the full one, %s", quoteValue(entry), fullARNForm)
	default:
		function.Name, qualifier, qualified = strings.Cut(entry, ":")
	}

	if !functionNamePattern.MatchString(function.Name) {
		return Function{}, fmt.Errorf("has %s, which does not name a function: a name has 1 to 64 letters, digits, - and _", quoteValue(entry))
	}
	if function.Alias = alias; qualified {
		if err := validateAlias(qualifier); err != nil {
			return Function{}, fmt.Errorf("has %s, which %w", quoteValue(entry), err)
		}
		function.Alias = qualifier
	}
	return function, nil
}

// validateAlias reports whether the text can name an alias that has room for a
// memory alias beside it. The error begins with a verb.
func validateAlias(alias string) error {
	switch {
	case alias == "":
		return errors.New("names no alias after the colon: write the alias, or leave the colon out")
	case versionPattern.MatchString(alias):
		return fmt.Errorf("names a version, not an alias (%s): write the alias that serves production, such as live", quoteValue(alias))
	case !aliasPattern.MatchString(alias):
		return fmt.Errorf("names the alias %s: an alias has letters, digits, - and _ only", quoteValue(alias))
	case len(alias) > aliasLimit-len(memorySuffix):
		return fmt.Errorf("names the alias %s of %d characters: at most %d leave room for the memory alias <alias>%s",
			quoteValue(alias), len(alias), aliasLimit-len(memorySuffix), memorySuffix)
	}
	return nil
}

// conflicts says for each function that stands in the way of an earlier one
// why it does: two entries must not move the same alias, and none may move the
// memory alias of another. The region is that of functions given by name;
// empty: not known, and a name is then not compared with an ARN.
func conflicts(functions []Function, region string) []error {
	var problems []error
	seen := map[string][]Function{} // by name and alias
	note := func(function Function, alias, format string) {
		for _, other := range seen[function.Name+":"+alias] {
			if sameFunction(function, other, region) {
				problems = append(problems, fmt.Errorf(format, quoteValue(function.Given), quoteValue(other.Given)))
				return
			}
		}
	}
	for _, function := range functions {
		note(function, function.Alias, "has %s, which is the same function and alias as %s: remove one")
		note(function, function.Alias+memorySuffix, "has %s, whose memory alias is listed too, as %s: remove the latter")
		if served, isMemory := strings.CutSuffix(function.Alias, memorySuffix); isMemory {
			note(function, served, "has %s, which is the memory alias of %s: remove the former")
		}
		key := function.Name + ":" + function.Alias
		seen[key] = append(seen[key], function)
	}
	return problems
}

// sameFunction compares two functions of one name. An account that is not
// known is taken as the same.
func sameFunction(a, b Function, region string) bool {
	if a.ARN != "" && b.ARN != "" {
		return a.ARN == b.ARN
	}
	if a.ARN == b.ARN {
		return true
	}
	return region != "" && (a.Region == region || b.Region == region)
}
