package github

import (
	"errors"
	"fmt"
	"strings"
)

// Function is one entry of the input `function-name`.
type Function struct {
	Given   string // as the user wrote it
	Name    string
	ARN     string // of the function, without the alias; empty if a name was given
	Region  string // from the ARN; otherwise empty
	Account string // from the ARN; otherwise empty
	Alias   string

	Deployed int64 // input `deployed-version`; 0: not given
	Target   int64 // input `target-version`; 0: not given
	Seen     int64 // version of the alias when a person chose Target; 0: nobody looked
	// SeenBeside is the version in the routing config at that time; 0: none.
	SeenBeside int64
}

// String returns the entry in the form `name:alias` or `arn:alias`, which
// ParseFunction parses to the same function.
func (f Function) String() string {
	if f.ARN != "" {
		return f.ARN + ":" + f.Alias
	}
	return f.Name + ":" + f.Alias
}

// memorySuffix is appended to the name of an alias to form the name of its memory
// alias, which stores what must be remembered.
const memorySuffix = "-rollback"

// aliasLimit is AWS's limit for the length of an alias name, in characters.
const aliasLimit = 128

var (
	functionNamePattern = newPattern(`^[A-Za-z0-9_-]{1,64}$`)
	functionARNPattern  = newPattern(`^arn:aws(?:-[a-z]+)*:lambda:(` + regionForm + `):([0-9]{12}):function:([^:]*)(?::(.*))?$`)
	partialARNPattern   = newPattern(`^[0-9]{12}:function:`)
	aliasPattern        = newPattern(`^[A-Za-z0-9_-]+$`)
	versionPattern      = newPattern(`^(?:[0-9]+|\$LATEST)$`)
)

// fullARNForm is the form of an ARN that messages show.
const fullARNForm = "arn:aws:lambda:<region>:<account>:function:<name>"

// ParseFunction parses an entry of `function-name`: a name, `name:alias`, or the full
// ARN of a function with or without an alias, in any AWS partition. If the entry has
// no alias, the parameter alias is used; it is not validated. The error says what is
// wrong with the entry and what to write.
func ParseFunction(entry, alias string) (Function, error) {
	function := Function{Given: entry, Name: entry}
	var qualifier string
	var qualified bool

	switch {
	case strings.HasPrefix(entry, "arn:") && strings.Count(entry, ":") > 1: // otherwise a function named arn
		match := functionARNPattern().FindStringSubmatch(entry)
		if match == nil {
			return Function{}, fmt.Errorf("has %s, which is not the ARN of a Lambda function: write %s", quoteValue(entry), fullARNForm)
		}
		function.Region, function.Account, function.Name, qualifier = match[1], match[2], match[3], match[4]
		function.ARN = strings.TrimSuffix(entry, ":"+qualifier)
		qualified = function.ARN != entry
	case partialARNPattern().MatchString(entry):
		return Function{}, fmt.Errorf("has the partial ARN %s: write the full one, %s", quoteValue(entry), fullARNForm)
	default:
		function.Name, qualifier, qualified = strings.Cut(entry, ":")
	}

	if !functionNamePattern().MatchString(function.Name) {
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

// validateAlias returns an error if alias is not the name of an alias, or is too long
// to leave room for the name of its memory alias. The error begins with a verb.
func validateAlias(alias string) error {
	switch {
	case alias == "":
		return errors.New("has no alias after the colon: add the alias, or remove the colon")
	case versionPattern().MatchString(alias):
		return fmt.Errorf("names a version, not an alias (%s): write the alias that serves production, such as live", quoteValue(alias))
	case !aliasPattern().MatchString(alias):
		return fmt.Errorf("names the alias %s: an alias has letters, digits, - and _ only", quoteValue(alias))
	case len(alias) > aliasLimit-len(memorySuffix):
		return fmt.Errorf("names the alias %s of %d characters: at most %d leave room for the memory alias <alias>%s",
			quoteValue(alias), len(alias), aliasLimit-len(memorySuffix), memorySuffix)
	}
	return nil
}

// conflicts returns an error for each function that conflicts with an earlier one:
// two entries must not move the same alias, and none may move the memory alias of
// another. region is the region of functions given by name. If it is empty, it is not
// known, and a name is not compared with an ARN.
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

// sameFunction reports whether two functions with the same name are the same
// function. An unknown account is assumed to be the same.
func sameFunction(a, b Function, region string) bool {
	if a.ARN != "" && b.ARN != "" {
		return a.ARN == b.ARN
	}
	if a.ARN == b.ARN {
		return true
	}
	return region != "" && (a.Region == region || b.Region == region)
}
