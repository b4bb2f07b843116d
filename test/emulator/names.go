package emulator

import (
	"regexp"
	"strings"
)

// name is what a caller may write for a function: a name, name:qualifier,
// account:function:name or an ARN, each with or without qualifier.
type name struct {
	region    string // empty unless an ARN told it
	account   string // empty unless told
	function  string
	qualifier string
	valid     bool
}

// functionName is the pattern that Lambda's API reference gives for
// FunctionName, qualifiers included.
var functionName = regexp.MustCompile(
	`^(?:arn:(?:aws[a-zA-Z-]*):lambda:([a-z0-9-]+):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$`)

func parseName(text string) name {
	part := functionName.FindStringSubmatch(text)
	if part == nil {
		return name{function: text}
	}
	return name{region: part[1], account: part[2], function: part[3], qualifier: part[4], valid: true}
}

// functionARN is the ARN of a function, with a qualifier if there is one.
func functionARN(region, function, qualifier string) string {
	arn := strings.Join([]string{"arn:aws:lambda", region, Account, "function", function}, ":")
	if qualifier == "" {
		return arn
	}
	return arn + ":" + qualifier
}
