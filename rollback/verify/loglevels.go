package verify

import (
	"slices"
	"strconv"
	"strings"
)

// levels maps the name of a level, in lower case, to whether it is an error.
var levels = map[string]bool{
	"error": true, "err": true, "erro": true, "eror": true, "fail": true, "fatal": true, "fata": true, "ftl": true, "critical": true, "crit": true, "crt": true,
	"severe": true, "panic": true, "dpanic": true, "emergency": true, "emerg": true, "alert": true,
	"trace": false, "trc": false, "trce": false, "verbose": false, "vrb": false, "silly": false,
	"debug": false, "debu": false, "dbg": false, "dbug": false, "http": false, "success": false, "fine": false, "finer": false, "finest": false, "config": false,
	"info": false, "inf": false, "information": false, "informational": false, "notice": false,
	"warn": false, "warning": false, "wrn": false,
}

// tagNames are the levels that people also use as tags: [http], [config].
var tagNames = []string{"http", "config", "success", "fine", "finer", "finest", "verbose", "silly", "trace", "alert", "fail"}

func levelKind(name string) lineKind {
	isError, known := levels[strings.ToLower(strings.TrimSpace(colours().ReplaceAllString(name, "")))]
	switch {
	case !known:
		return unknownLine
	case isError:
		return errorLine
	}
	return normalLine
}

// truncatedJSON matches a level in JSON that was cut off.
var truncatedJSON = newPattern(`"(?:level|severity|levelname|level_name|log\.level|@l)"\s*:\s*"([A-Za-z]+)"`)

// inspectedObject matches the level of an object that Node.js or Python printed.
var inspectedObject = newPattern(`^\{[^{}]*?['\s](?:level|severity|levelname)'?: '([A-Za-z]+)'`)

// markedOutput matches a level that the output of a function begins with. In other
// places, and without a mark after it, such a word can belong to a message.
var markedOutput = newPattern(`^(ERROR|FATAL|CRITICAL)(?::| [-|] )`)

// textLevels match a level in the places where loggers write one. A structured one
// has a form that does not occur in the words of a message.
var textLevels = []struct {
	pattern    pattern
	structured bool
}{
	{newPattern(`(?:^|[\s,;])(?:level|lvl|severity|log\.level|loglevel)="?([A-Za-z]+)`), true},
	{newPattern(`\[(?:\w+:|[\d .,:/TZ+-]*:\d\d[\d .,:/TZ+-]* )?([A-Za-z]+)\s*\]`), true},
	{newPattern(`^([a-z]{4}): \S+\[\d+\]`), true},         // .NET
	{newPattern(`^(?:\d\S* )?\S+\t([A-Za-z]+)\t`), false}, // zap
	{newPattern(`^(?:\[?\d{2,4}[-/:][^\s\]]*(?: \d\d:[^\s\]]*)?\]? )?(?:\[[^\]]*\] )?(?i:(trace|trce|debug|dbug|verbose|silly|fine|finer|finest|config|info|notice|warn|warning|error|err|fail|fatal|crit|critical|severe|emerg)):(?:\s|$)`), false},
	{truncatedJSON, false},
	{newPattern(`\b(TRACE|DEBUG|DBG|INFO|INF|NOTICE|WARN|WARNING|WRN|ERROR|ERRO|ERR|FATAL|FATA|FTL|CRITICAL|CRIT|CRT|SEVERE|DPANIC|PANIC|EMERG|ALERT)\b`), false},
}

// textLevel is a level that was found in a line.
type textLevel struct {
	kind       lineKind
	start, end int // of its name
	structured bool
	tag        bool // it can also be a tag
}

// levelsOf returns the levels in a line, in the order of their positions.
func levelsOf(line string) []textLevel {
	var found []textLevel
	for _, form := range textLevels {
		for _, m := range form.pattern().FindAllStringSubmatchIndex(line, -1) {
			start, end := m[2], m[3]
			if kind := levelKind(line[start:end]); kind != unknownLine {
				found = append(found, textLevel{kind, start, end, form.structured, isTag(line, start, end)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b textLevel) int { return a.start - b.start })
	return found
}

// isTag reports whether the name of a level can be a tag: [http], [Config], config:.
func isTag(line string, start, end int) bool {
	name, after := line[start:end], line[end:]
	bracketed := strings.HasSuffix(line[:start], "[") && strings.HasPrefix(strings.TrimLeft(after, " "), "]")
	labelled := strings.HasPrefix(after, ":") && name != strings.ToUpper(name)
	return (bracketed || labelled) && slices.Contains(tagNames, strings.ToLower(name))
}

// firstLevel returns the first of the levels in a line. If that can be a tag, a clear
// level in the same header replaces it.
func firstLevel(line string, found []textLevel) textLevel {
	if len(found) == 0 {
		return textLevel{}
	}
	first := found[0]
	next := slices.IndexFunc(found, func(l textLevel) bool { return !l.tag })
	if next > 0 && isHeader(line[first.end:found[next].start]) {
		return found[next]
	}
	return first
}

// header matches what loggers write before a level: times, tags, numbers, IDs, names
// with dots, and fields, but no words.
var header = newPattern(`^(?:[^A-Za-z="]|\d[TZ]|[AP]M\b|[0-9a-f]{8}-[0-9a-f-]{27}|[\w$]+(?:\.[\w$]+)+|\[[^\[\]]*\]|[\w.@-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*))*(?:\[\w+:|[\w.]+="?)?$`)

// headerLength is the maximum length of a header, in bytes.
const headerLength = 2048

func isHeader(text string) bool { return len(text) <= headerLength && header().MatchString(text) }

// timeOfDay matches a part of a timestamp.
var timeOfDay = newPattern(`\d:\d\d`)

// letterLevels match a one-letter level, as klog and Ruby's semantic_logger write it.
var letterLevels = []pattern{
	newPattern(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s`),
	newPattern(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ ([TDIWEF]) \[`),
}

// javaHeader matches the first line of a java.util.logging record, which has its
// level in the second line.
var javaHeader = newPattern(`^[A-Z][a-z]{2} \d{1,2}, \d{4},? \d`)

// runtimeLine matches a line that Lambda's runtimes write for the output of a
// function: the time, the request's ID, the level and the output.
var runtimeLine = newPattern(`^\S+\t(\S+)\t([A-Za-z]+)\t(.*)`)

// classifyText returns the kind of the first level in the first line. Anything after
// that level belongs to the message. sure is false if the level can be something else:
// a tag, or a word of the message, because other words come before it.
func classifyText(text string) (kind lineKind, sure bool) {
	line, rest, _ := strings.Cut(text, "\n")
	if javaHeader().MatchString(line) {
		line, _, _ = strings.Cut(rest, "\n")
	}
	for _, level := range letterLevels {
		if m := level().FindStringSubmatch(line); m != nil {
			return errorIf(m[1] == "E" || m[1] == "F"), true
		}
	}
	if m := inspectedObject().FindStringSubmatch(text); m != nil {
		return levelKind(m[1]), true
	}
	if m := runtimeLine().FindStringSubmatch(line); m != nil && (levelKind(m[1]) == unknownLine || slices.Contains(tagNames, m[1])) {
		if kind := levelKind(m[2]); kind != unknownLine {
			return max(kind, structuredKind(m[3]+"\n"+rest)), true
		}
	}
	level := firstLevel(line, levelsOf(line))
	return level.kind, level.kind != unknownLine && !level.tag && isHeader(line[:level.start])
}

// structuredKind returns the kind of the level that a logger wrote into the output of
// a function. Lambda's runtimes write their own level before it, which is INFO for
// everything that is only printed. Words such as ERROR do not count here: they can
// belong to a message.
func structuredKind(text string) lineKind {
	text = strings.TrimSpace(text)
	line, _, _ := strings.Cut(text, "\n")
	if m := truncatedJSON().FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "{") {
		return levelKind(m[1])
	}
	for _, form := range []pattern{inspectedObject, markedOutput} {
		if m := form().FindStringSubmatch(text); m != nil {
			return levelKind(m[1])
		}
	}
	level := firstLevel(line, slices.DeleteFunc(levelsOf(line), func(l textLevel) bool {
		before := line[:l.start]
		return !l.structured && !timeOfDay().MatchString(before) || !isHeader(before)
	}))
	return level.kind
}

// numberKeys maps the JSON keys of levels that are always numbers to functions that
// classify them.
var numberKeys = map[string]func(number float64) lineKind{
	"severitynumber":  openTelemetryKind,
	"severity_number": openTelemetryKind,
	"levelno":         func(number float64) lineKind { return errorIf(number >= 40) }, // Python: 10 to 50
}

// numberOf returns a value as a number. It also accepts a whole number that is
// written as text.
func numberOf(value any) (float64, bool) {
	if text, is := value.(string); is {
		number, err := strconv.Atoi(text) // not ParseFloat, which accepts INF, a level of Serilog
		return float64(number), err == nil
	}
	number, is := value.(float64)
	return number, is
}

// openTelemetryKind classifies an OpenTelemetry severity, from 1 to 24; 0 is
// unspecified.
func openTelemetryKind(number float64) lineKind {
	if number < 1 {
		return unknownLine
	}
	return errorIf(number >= 17)
}

// syslogKind classifies a syslog severity (RFC 5424), from 0, the worst, to 7. GELF
// uses these numbers.
func syslogKind(number float64) lineKind { return errorIf(number <= 3) }

func errorIf(isError bool) lineKind {
	if isError {
		return errorLine
	}
	return normalLine
}

// classifyLevel classifies a level: a name; a number as in pino and bunyan (10 to
// 60), Monolog (100 to 600) or Logback (5000 to 40000); or loguru's object.
func classifyLevel(value any) lineKind {
	if number, is := numberOf(value); is {
		switch {
		case number >= 40000, number >= 400 && number < 1000, number >= 50 && number < 100:
			return errorLine
		case number >= 10:
			return normalLine
		}
		return unknownLine
	}
	switch v := value.(type) {
	case string:
		return levelKind(v)
	case map[string]any:
		name, _ := v["name"].(string)
		return levelKind(name)
	}
	return unknownLine
}
