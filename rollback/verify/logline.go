package verify

import (
	"encoding/json"
	"slices"
	"strings"
)

// errorPattern is a filter pattern that makes CloudWatch Logs leave out most lines
// that classifyLine would not count. It is only a first filter: the remaining lines
// are classified again. A term matches anywhere in a line and is case-sensitive. AWS
// allows 1,024 characters.
var errorPattern = strings.Join([]string{
	// Parts of levels that are rare in other words.
	`?ERR ?FAIL ?FATA ?FTL ?CRIT ?CRT ?SEVERE ?PANIC ?EMERG ?ALERT ?Fail ?Fata ?Crit ?Severe ?Panic ?Emerg ?fail ?fata ?ftl ?crit ?crt ?severe ?panic ?emerg ?eror`,
	// Other levels where a logger writes one. The letter m is the end of an ANSI code.
	`?"=err" ?"=Err" ?"=\"err" ?"=\"Err" ?"[err" ?"[Err" ?"rr]" ?"rro]" ?"rror]" ?"rror:" ?merr ?mErr` + " ?\"\terr\" ?\"\tErr\"",
	`?"=alert" ?"=Alert" ?"lert]" ?"lert\"" ?malert ?mAlert` + " ?\"lert\t\"",
	`?" E [" ?" F [" ?E0 ?E1 ?F0 ?F1`, // semantic_logger, klog
	// Levels as JSON, with and without a space after the colon.
	`?":\"err" ?": \"err" ?":\"Err" ?": \"Err" ?": 'err" ?": 'Err" ?"el\":400" ?"el\": 400" ?"el\":5" ?"el\": 5" ?"el\":6" ?"el\": 6" ?"el\":\"5" ?"el\":\"6" ?"lvl\":5" ?"lvl\":6"`,
	`?"rity\":400" ?"rity\": 400" ?"rity\":5" ?"rity\": 5" ?"rity\":6" ?"rity\": 6"`,
	`?"umber\":1" ?"umber\": 1" ?"umber\":2" ?"umber\": 2" ?short_message ?"elno\":4" ?"elno\": 4" ?"elno\":5" ?"elno\": 5"`, // OpenTelemetry, GELF, Python
	// Errors and stack traces of runtimes.
	`?errorType ?"Error {" ?OverflowError ?MemoryError ?Exception ?Traceback ?".rb:" ?Unhandled ?"  at "` + " ?\"\tat \"",
	// Lambda's own lines.
	`?"timed out" ?"Process exited" ?"Status: timeout" ?"Status: error" ?"Error Type" ?"Runtime." ?"Extension." ?"Sandbox." ?"Function." ?":\"timeout"`,
	`?"Unknown app" ?LAMBDA_`,
}, " ")

// streamName matches the name of a log stream: 2026/11/22/[41]0f…, or in a log group
// that several functions share, 2026/11/22/name[41][0f…].
var streamName = newPattern(`^\d{4}/\d{2}/\d{2}/([^\[\]]*)\[(\$LATEST|\d+)\]`)

// streamVersion returns the version that writes to a log stream; empty: the name does
// not say. ours is false if the name says that another function writes to it.
func streamVersion(stream, function string) (version string, ours bool) {
	m := streamName().FindStringSubmatch(stream)
	if m == nil {
		return "", true
	}
	return m[2], m[1] == "" || m[1] == function
}

// lineKind says whether a log line reports an error.
type lineKind int

const (
	unknownLine lineKind = iota // its level is not known
	neutralLine                 // a line from Lambda without a failure, a metric, or an empty line
	normalLine                  // its level is below error
	errorLine
)

// colours matches ANSI codes, which many loggers write around a level.
var colours = newPattern(`\x1b\[[0-9;]*m`)

// classifyLine classifies one log message: from Lambda, from a runtime, or from a
// logger that writes its level as text or as JSON.
func classifyLine(message string) lineKind {
	text := strings.TrimSpace(colours().ReplaceAllString(message, ""))
	if text == "" {
		return neutralLine
	}
	if strings.HasPrefix(text, "{") {
		if kind := classifyJSON(text); kind != unknownLine {
			return kind
		}
		kind, _ := classifyText(text)
		return kind
	}
	if kind := classifyPlatform(text); kind != unknownLine {
		return kind
	}
	trace := stackTrace().FindStringIndex(text)
	if trace != nil && trace[0] == 0 {
		return errorLine
	}
	kind, sure := classifyText(text)
	if !sure && (trace != nil || stackFrame().MatchString(text)) {
		return errorLine
	}
	// Runtimes write their own level before JSON that the function printed.
	if i := strings.Index(text, "\t{"); i >= 0 {
		if inner := classifyJSON(text[i+1:]); inner != neutralLine {
			return max(kind, inner)
		}
	}
	return kind
}

// Patterns for Lambda's own lines in the log format Text. See "Lambda execution
// environment lifecycle" in the AWS Lambda Developer Guide for INIT_REPORT and
// RESTORE_REPORT.
var (
	platformLine    = newPattern(`^(?:START RequestId|END RequestId|REPORT RequestId|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION|TELEMETRY|LOGS|XRAY TraceId)\b`)
	platformError   = newPattern(`\sStatus: (?:error|timeout|failure)\b|\sError Type: `)
	platformFailure = newPattern(`(?m)^(?:\S+\s+\S+\s+Task timed out after [\d.]+ seconds|RequestId: \S+ (?:Error: |Process exited before completing request)` +
		`|(?:Runtime|Extension|Sandbox|Function)\.[A-Z]\w*\s*$|Runtime exited |Unknown application error occurred|LAMBDA_(?:WARNING: Unhandled exception|RUNTIME Failed))`)
)

func classifyPlatform(text string) lineKind {
	switch {
	case platformFailure().MatchString(text):
		return errorLine
	case !platformLine().MatchString(text):
		return unknownLine
	case platformError().MatchString(text):
		return errorLine
	}
	return neutralLine
}

// stackTrace matches the first line of a stack trace from Python, Java, .NET,
// Node.js, Go, Rust, Ruby or PHP.
var stackTrace = newPattern(`(?m)^(?:(?:\+ Exception Group )?Traceback \(most recent call last\):` +
	`|Unhandled [Ee]xception[.:] |Exception in thread "[^"]*" ` +
	`|(?:Uncaught (?:\(in promise\) )?)?(?:[\w$]+(?:\.|::|\\))*(?:[A-Z][\w$]*)?(?:Error|Exception)(?:: | \{|$)` +
	`|panic: |fatal error: |thread '[^']*'.* panicked at|(?:NOTICE: PHP message: )?(?:PHP )?Fatal error: |Fatal Python error: |\S+\.rb:\d+:in )`)

// stackFrame matches a later line of a stack trace from Java or .NET, or from
// Node.js. The class in the first line of the trace can have any name.
var stackFrame = newPattern(`\n[ \t]+at (?:[^\s(]+\.[^\s(]+\(|(?:.* \()?\S+:\d+:\d+\)?(?:\n|$))`)

// levelKeys are the JSON keys under which loggers write a level.
var levelKeys = []string{
	"level", "@level", "@l", "lvl", "log.level", "log_level", "loglevel", "loglevelname", "levelname", "level_name",
	"severity", "severitytext", "severity_text",
}

// classifyJSON classifies a JSON object. It returns unknownLine if text is not an
// object or has no level.
func classifyJSON(text string) lineKind {
	var entry map[string]any
	if json.Unmarshal([]byte(text), &entry) != nil {
		return unknownLine
	}
	switch kind, _ := entry["type"].(string); {
	case kind == "platform.fault":
		return errorLine
	case strings.HasPrefix(kind, "platform."):
		return classifyRecord(entry["record"])
	}
	if holdsRuntimeError(entry, 0) {
		return errorLine
	}
	kind := classifyFields(entry)
	for _, key := range []string{"log", "record", "_meta"} { // ECS, loguru and tslog
		if inner, found := entry[key].(map[string]any); found && kind == unknownLine {
			kind = classifyFields(inner)
		}
	}
	if kind = max(kind, classifyMessage(entry)); kind != unknownLine {
		return kind
	}
	_, serilog := entry["@t"] // Serilog leaves out the level Information
	if serilog {
		return normalLine
	}
	if _, metric := entry["_aws"]; metric {
		return neutralLine
	}
	return unknownLine
}

// classifyMessage classifies the output of a function's own logger. In the log format
// JSON, Lambda's runtimes put it into their own object, whose level is INFO.
func classifyMessage(entry map[string]any) lineKind {
	if fields, is := entry["message"].(map[string]any); is {
		return classifyFields(fields)
	}
	text, _ := entry["message"].(string)
	var fields map[string]any
	if strings.HasPrefix(strings.TrimSpace(text), "{") && json.Unmarshal([]byte(text), &fields) == nil {
		if holdsRuntimeError(fields, 0) {
			return errorLine
		}
		return classifyFields(fields)
	}
	if writtenByRuntime(entry) {
		return structuredKind(colours().ReplaceAllString(text, ""))
	}
	return unknownLine
}

// writtenByRuntime reports whether an object has the fields that Lambda's runtimes
// write. Before the first invocation, there is no requestId.
func writtenByRuntime(entry map[string]any) bool {
	_, invoked := entry["requestId"]
	return entry["timestamp"] != nil && entry["level"] != nil && (invoked || len(entry) == 3)
}

// classifyRecord classifies a record from Lambda about an initialization, a restore,
// an invocation or an extension, in the log format JSON.
func classifyRecord(record any) lineKind {
	fields, _ := record.(map[string]any)
	status, _ := fields["status"].(string)
	errorType, _ := fields["errorType"].(string)
	if errorType != "" || slices.Contains([]string{"error", "timeout", "failure"}, status) {
		return errorLine
	}
	return neutralLine
}

// classifyFields returns the kind of the worst level among an object's own fields.
func classifyFields(entry map[string]any) lineKind {
	if _, gelf := entry["short_message"]; gelf && entry["version"] == "1.1" {
		if number, is := numberOf(entry["level"]); is {
			return syslogKind(number)
		}
		return unknownLine
	}
	worst := unknownLine
	for key, value := range entry {
		key = strings.ToLower(key)
		if kindOf, found := numberKeys[key]; found {
			if number, is := numberOf(value); is {
				worst = max(worst, kindOf(number))
			}
		} else if slices.Contains(levelKeys, key) {
			worst = max(worst, classifyLevel(value))
		}
	}
	return worst
}

// deepest is the maximum depth at which an error object is searched for: it can be
// nested in fields such as message and error.
const deepest = 4

// holdsRuntimeError reports whether value contains the object that Lambda's runtimes
// write for an error that the function did not catch.
func holdsRuntimeError(value any, depth int) bool {
	switch v := value.(type) {
	case map[string]any:
		if kind, _ := v["errorType"].(string); kind != "" {
			for _, key := range []string{"errorMessage", "stackTrace", "stack", "trace"} {
				if v[key] != nil {
					return true
				}
			}
		}
		for _, inner := range v {
			if depth < deepest && holdsRuntimeError(inner, depth+1) {
				return true
			}
		}
	case []any:
		return depth < deepest && slices.ContainsFunc(v, func(inner any) bool { return holdsRuntimeError(inner, depth+1) })
	}
	return false
}
