package verify

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// errorPattern lets AWS leave out most lines that classifyLine would not count. It
// is only that: what comes back is looked at again. A term matches anywhere in a
// line, by case; AWS allows 1,024 characters.
var errorPattern = strings.Join([]string{
	// Levels as text.
	`?ERR ?FATAL ?FTL ?CRIT ?CRT ?SEVERE ?PANIC ?EMERG ?ALERT ?fail`,
	`?"=err" ?"=fatal" ?"=panic" ?"=crit" ?"[err" ?"[Err" ?"[fatal" ?"[Fatal" ?"[crit" ?"[Crit" ?"[alert" ?"[emerg"`,
	`?"error:" ?"fatal:" ?"crit:" ?"critical:" ?"panic:"`,
	// Levels as JSON, with and without a space after the colon.
	`?":\"err" ?": \"err" ?":\"Err" ?": \"Err" ?":\"fatal" ?": \"fatal" ?":\"Fatal" ?": \"Fatal" ?":\"crit" ?": \"crit" ?":\"Crit" ?": \"Crit"`,
	`?":\"severe" ?":\"panic" ?":\"dpanic" ?":\"emerg" ?":\"alert" ?"\"level\":5" ?"\"level\":6" ?"\"level\": 5" ?"\"level\": 6"`,
	// Errors and stack traces of runtimes.
	`?errorType ?"Error:" ?"Error {" ?Exception ?Traceback ?"fatal error:" ?"Fatal error" ?panicked ?".rb:" ?Unhandled`,
	// Lambda's own lines.
	`?"timed out" ?"Process exited" ?"Status: timeout" ?"Status: error" ?"Error Type" ?"Runtime." ?"Extension." ?"Sandbox." ?"Function." ?"status\":\"timeout"`,
	`?"status\":\"error" ?"Unknown application error" ?LAMBDA_`,
}, " ")

// Streams are named 2026/11/22/[41]0f…; in a log group that several functions
// share, 2026/11/22/name[41][0f…].
var streamName = regexp.MustCompile(`^\d{4}/\d{2}/\d{2}/([^\[\]]*)\[(\$LATEST|\d+)\]`)

// streamVersion is the version that writes a stream; empty: the name does not
// say. It is not ours where it says that another function writes it.
func streamVersion(stream, function string) (version string, ours bool) {
	m := streamName.FindStringSubmatch(stream)
	if m == nil {
		return "", true
	}
	return m[2], m[1] == "" || m[1] == function
}

// lineKind is what a line of a log says about errors.
type lineKind int

const (
	unknownLine lineKind = iota // its level cannot be read
	neutralLine                 // Lambda's own about what went well, a metric, or empty
	normalLine                  // its level is below error
	errorLine
)

// classifyLine reads one message of a log: of Lambda, of a runtime, or of a logger
// that writes its level as text or as JSON.
func classifyLine(message string) lineKind {
	text := strings.TrimSpace(message)
	if text == "" {
		return neutralLine
	}
	if strings.HasPrefix(text, "{") {
		if kind := classifyJSON(text); kind != unknownLine {
			return kind
		}
		return classifyText(text)
	}
	if kind := classifyPlatform(text); kind != unknownLine {
		return kind
	}
	if stackTrace.MatchString(text) {
		return errorLine
	}
	// Runtimes write their own level before what the function printed as JSON.
	if i := strings.Index(text, "\t{"); i >= 0 {
		if kind := classifyJSON(text[i+1:]); kind == errorLine || kind == normalLine {
			return kind
		}
	}
	return classifyText(text)
}

// Lambda's own lines in the log format Text. See "Lambda execution environment
// lifecycle" in AWS's developer guide for INIT_REPORT and RESTORE_REPORT.
var (
	platformLine    = regexp.MustCompile(`^(?:START RequestId|END RequestId|REPORT RequestId|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION|TELEMETRY|LOGS|XRAY TraceId)\b`)
	platformError   = regexp.MustCompile(`\sStatus: (?:error|timeout|failure)\b|\sError Type: `)
	platformFailure = regexp.MustCompile(`(?m)^(?:\S+\s+\S+\s+Task timed out after [\d.]+ seconds|RequestId: \S+ (?:Error: |Process exited before completing request)` +
		`|(?:Runtime|Extension|Sandbox|Function)\.[A-Z]\w*\s*$|Runtime exited |Unknown application error occurred|LAMBDA_(?:WARNING: Unhandled exception|RUNTIME Failed))`)
)

func classifyPlatform(text string) lineKind {
	switch {
	case platformFailure.MatchString(text):
		return errorLine
	case !platformLine.MatchString(text):
		return unknownLine
	case platformError.MatchString(text):
		return errorLine
	}
	return neutralLine
}

// stackTrace is the first line of one, as Python, Java, .NET, Node.js, Go, Rust,
// Ruby and PHP write it.
var stackTrace = regexp.MustCompile(`(?m)^(?:Traceback \(most recent call last\):` +
	`|(?:Unhandled [Ee]xception[.:] |Exception in thread "[^"]*" |Uncaught )?(?:[\w$]+(?:\.|::|\\))*[A-Z][\w$]*(?:Error|Exception)(?:: | \{|$)` +
	`|Error: |panic: |fatal error: |thread '[^']*'.* panicked at|(?:PHP )?Fatal error: |\S+\.rb:\d+:in )`)

// Levels by their name in lower case, and whether they are errors.
var levels = map[string]bool{
	"error": true, "err": true, "fail": true, "fatal": true, "ftl": true, "critical": true, "crit": true, "crt": true,
	"severe": true, "panic": true, "dpanic": true, "emergency": true, "emerg": true, "alert": true,
	"trace": false, "trc": false, "trce": false, "verbose": false, "vrb": false, "silly": false,
	"debug": false, "dbg": false, "dbug": false, "fine": false, "finer": false, "finest": false, "config": false,
	"info": false, "inf": false, "information": false, "informational": false, "notice": false,
	"warn": false, "warning": false, "wrn": false,
}

func levelKind(name string) lineKind {
	isError, known := levels[strings.ToLower(strings.TrimSpace(name))]
	switch {
	case !known:
		return unknownLine
	case isError:
		return errorLine
	}
	return normalLine
}

// textLevels find a level where loggers write one.
var textLevels = []*regexp.Regexp{
	regexp.MustCompile(`(?:^|[\s,;])(?:level|lvl|severity|log\.level|loglevel)=([A-Za-z]+)`),
	regexp.MustCompile(`^\S+\t\S+\t([A-Za-z]+)\t`),
	regexp.MustCompile(`\[(?:\w+:)?([A-Za-z]+)\s*\]`),
	regexp.MustCompile(`^(?i:(trace|trce|debug|dbug|verbose|silly|fine|finer|finest|config|info|notice|warn|warning|error|fail|fatal|crit|critical|severe|emerg)):(?:\s|$)`),
	regexp.MustCompile(`"(?:level|severity|levelname|level_name|log\.level|@l)"\s*:\s*"([A-Za-z]+)"`), // JSON that is cut
	regexp.MustCompile(`(?:^|[^A-Za-z0-9_])(TRACE|DEBUG|DBG|INFO|INF|NOTICE|WARN|WARNING|WRN|ERROR|ERR|FATAL|FTL|CRITICAL|CRIT|CRT|SEVERE|PANIC|EMERG|ALERT)(?:[^A-Za-z0-9_]|$)`),
}

// classifyText takes the first level that the first line names: what follows is
// the message.
func classifyText(text string) lineKind {
	line, _, _ := strings.Cut(text, "\n")
	first, kind := len(line), unknownLine
	for _, level := range textLevels {
		for _, m := range level.FindAllStringSubmatchIndex(line, -1) {
			if found := levelKind(line[m[2]:m[3]]); found != unknownLine {
				if m[2] < first {
					first, kind = m[2], found
				}
				break
			}
		}
	}
	return kind
}

// levelKeys are the names under which loggers write a level as JSON.
var levelKeys = []string{
	"level", "@level", "@l", "lvl", "log.level", "log_level", "loglevel", "levelname", "level_name",
	"severity", "severitytext", "severity_text",
}

// classifyJSON reads an object; unknownLine: it is none, or has no level.
func classifyJSON(text string) lineKind {
	var entry map[string]any
	if json.Unmarshal([]byte(text), &entry) != nil {
		return unknownLine
	}
	if kind, _ := entry["type"].(string); strings.HasPrefix(kind, "platform.") {
		return classifyRecord(entry["record"])
	}
	if holdsRuntimeError(entry, 0) {
		return errorLine
	}
	kind := classifyFields(entry)
	for _, key := range []string{"log", "record"} { // of ECS and loguru
		if inner, found := entry[key].(map[string]any); found && kind == unknownLine {
			kind = classifyFields(inner)
		}
	}
	if kind != unknownLine {
		return kind
	}
	_, serilog := entry["@t"] // which leaves the level out where it is Information
	if serilog {
		return normalLine
	}
	if _, metric := entry["_aws"]; metric {
		return neutralLine
	}
	return unknownLine
}

// classifyRecord reads what Lambda says of an initialization, a restore, an
// invocation or an extension in the log format JSON.
func classifyRecord(record any) lineKind {
	fields, _ := record.(map[string]any)
	status, _ := fields["status"].(string)
	errorType, _ := fields["errorType"].(string)
	if errorType != "" || slices.Contains([]string{"error", "timeout", "failure"}, status) {
		return errorLine
	}
	return neutralLine
}

// classifyFields takes the worst level of an object's own fields.
func classifyFields(entry map[string]any) lineKind {
	worst := unknownLine
	for key, value := range entry {
		if slices.Contains(levelKeys, strings.ToLower(key)) {
			worst = max(worst, classifyLevel(value))
		}
	}
	return worst
}

// classifyLevel reads a level: a name, the number of pino and bunyan (10 to 60) or
// of Monolog (100 to 600), or loguru's object.
func classifyLevel(value any) lineKind {
	switch v := value.(type) {
	case string:
		return levelKind(v)
	case float64:
		switch {
		case v >= 400, v >= 50 && v < 100:
			return errorLine
		case v >= 10:
			return normalLine
		}
	case map[string]any:
		name, _ := v["name"].(string)
		return levelKind(name)
	}
	return unknownLine
}

// deepest is how far down an error object is looked for: below message, error and
// the like.
const deepest = 4

// holdsRuntimeError looks for the object that Lambda's runtimes make of an error
// that the function did not catch.
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
