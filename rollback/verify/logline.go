package verify

import (
	"encoding/json"
	"regexp"
	"strings"
)

// errorPattern lets AWS leave out most of what isError would. It is only that:
// what comes back is looked at again.
const errorPattern = `?ERROR ?"Task timed out" ?"Runtime exited" ` +
	`?"\"level\":\"error\"" ?"\"level\": \"error\"" ?"\"level\":50" ?"\"level\":60" ` +
	`?"\"status\":\"timeout\"" ?"\"status\":\"error\""`

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

// isError tells whether a line reports an error: of the runtime, of the
// platform, or of a logger that writes its level as text or as JSON.
func isError(line string) bool {
	if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "{") {
		var entry logEntry
		if json.Unmarshal([]byte(trimmed), &entry) == nil && entry.saysMore() {
			return entry.isError()
		}
	}
	return strings.Contains(line, "Task timed out") || strings.Contains(line, "Runtime exited") || errorWord.MatchString(line)
}

// errorWord is the level as text, not a part of ERROR_COUNT or NOERROR.
var errorWord = regexp.MustCompile(`(^|[^A-Za-z0-9_])ERROR([^A-Za-z0-9_]|$)`)

// logEntry is a line of JSON, as far as it tells about errors.
type logEntry struct {
	Level    any    `json:"level"`
	Severity any    `json:"severity"`
	Type     string `json:"type"`
	Record   struct {
		Status string `json:"status"`
	} `json:"record"`
}

func (e logEntry) isError() bool {
	if e.Type == "platform.report" { // Lambda's own line for a call
		return e.Record.Status == "error" || e.Record.Status == "timeout" || e.Record.Status == "failure"
	}
	for _, level := range []any{e.Level, e.Severity} {
		switch l := level.(type) {
		case string:
			switch strings.ToLower(l) {
			case "error", "fatal", "critical", "panic":
				return true
			}
		case float64: // pino and bunyan: 50 is error, 60 fatal
			return l == 50 || l == 60
		}
	}
	return false
}

// saysMore tells whether the line's level is to be taken from its fields.
func (e logEntry) saysMore() bool { return e.Level != nil || e.Severity != nil || e.Type != "" }
