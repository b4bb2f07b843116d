package github

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// publishedVersion matches a version number as AWS writes it; 18 digits fit into an
// int64.
var publishedVersion = newPattern(`^[1-9][0-9]{0,17}$`)

// parseVersion parses the number of a published version.
func parseVersion(text string) (int64, error) {
	if text == "$LATEST" {
		return 0, errors.New("has $LATEST, but an alias can be rolled back only to a published version: write its number")
	}
	if !publishedVersion().MatchString(text) {
		return 0, fmt.Errorf("has %s, which is not the number of a published version", quoteValue(text))
	}
	return strconv.ParseInt(text, 10, 64)
}

// versionsOf parses the entries of `deployed-version` or `target-version`: a number
// alone for the only function, or `name=number`. It returns one version per function,
// 0 if none was given: `name=` without a number is what the outputs of a deploy that
// stopped early look like. All problems are returned. If functions is nil, because
// `function-name` itself is invalid, only the numbers are checked.
func versionsOf(entries []string, functions []Function) ([]int64, []error) {
	versions := make([]int64, len(functions))
	named := make([]bool, len(functions))
	var problems []error
	for _, entry := range entries {
		key, number, keyed := cutVersion(entry)
		var version int64
		if number != "" {
			var err error
			if version, err = parseVersion(number); err != nil {
				problems = append(problems, err)
				continue
			}
		}
		if functions == nil {
			continue
		}
		index, err := indexOfFunction(functions, key, keyed)
		switch {
		case err != nil:
			problems = append(problems, err)
		case named[index] && versions[index] == version:
		case named[index]: // neither can be trusted
			versions[index] = 0
			problems = append(problems, fmt.Errorf("has a second version for %s (%s): write only one", quoteValue(functions[index].Given), quoteValue(entry)))
		default:
			versions[index], named[index] = version, true
		}
	}
	return versions, problems
}

// cutVersion splits `name=number`; a number alone is not keyed. Quotes are removed,
// and the ARN of a version is replaced with its function and number.
func cutVersion(entry string) (key, number string, keyed bool) {
	key, number, keyed = strings.Cut(unquoted(entry), "=")
	if !keyed {
		key, number = "", key
	}
	key, number = unquoted(key), unquoted(number)
	if function, version, isARN := cutVersionARN(number); isARN {
		if number = version; !keyed {
			key, keyed = function, true
		}
	}
	return key, number, keyed
}

// cutVersionARN splits the ARN of a version, as returned when a version is published.
func cutVersionARN(text string) (function, version string, is bool) {
	at := strings.LastIndex(text, ":")
	if at < 0 || !functionARNPattern().MatchString(text[:at]) {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// isARNOf reports whether text is the ARN of a function with this name, in any region
// and account.
func isARNOf(text, name string) bool {
	match := functionARNPattern().FindStringSubmatch(text)
	return match != nil && match[3] == name && match[4] == ""
}

// unquoted returns text without the blanks and quotes around it.
func unquoted(text string) string { return strings.Trim(text, " \t\"'`") }

// indexOfFunction returns the index of the function that the key of a version refers
// to.
func indexOfFunction(functions []Function, key string, keyed bool) (int, error) {
	if !keyed {
		if len(functions) == 1 {
			return 0, nil
		}
		return 0, fmt.Errorf("has a version without its function, but function-name lists %d: write %s=<version>",
			len(functions), functions[0].Given)
	}
	if index := slices.IndexFunc(functions, func(f Function) bool { return f.Given == key }); index >= 0 {
		return index, nil
	}
	var found []int
	for index, function := range functions {
		if key == function.Name || key == function.Name+":"+function.Alias ||
			key == function.ARN && key != "" || key == function.String() || function.ARN == "" && isARNOf(key, function.Name) {
			found = append(found, index)
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("has a version for %s, which function-name does not list", quoteValue(key))
	case 1:
		return found[0], nil
	default:
		return 0, fmt.Errorf("has a version for %s, which matches %d entries of function-name: write the entry exactly as in function-name, such as %s=<version>",
			quoteValue(key), len(found), functions[found[0]].Given)
	}
}
