package main

import (
	"regexp"
	"strings"
)

// A logLine is one line of a step's log as GitHub's page shows it.
type logLine struct {
	indent int // blanks before it: it stands in a group
	text   string
	style  style
}

var (
	command = regexp.MustCompile(`^::([a-z-]+)(?: [^:]*)?::(.*)$`)
	// unescaped undoes what workflow commands escape, the percent sign last.
	unescaped = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	address   = regexp.MustCompile(`\]\(<https?://[^>]*>\)`)
)

// renderLog makes of workflow commands what GitHub's page does: folds, and
// coloured words for annotations.
func (p page) renderLog(log string) []logLine {
	styles := map[string]style{"error": p.red, "warning": p.yellow, "notice": p.blue}
	var lines []logLine
	indent := 0
	for raw := range strings.SplitSeq(strings.TrimRight(log, "\n"), "\n") {
		parts := command.FindStringSubmatch(raw)
		if parts == nil {
			lines = append(lines, logLine{indent, raw, nil})
			continue
		}
		name, text := parts[1], unescaped.Replace(parts[2])
		switch name {
		case "group":
			lines, indent = append(lines, logLine{0, "▾ " + text, p.bold}), 2
		case "endgroup":
			indent = 0
		case "add-mask": // leaves no line
		case "error", "warning", "notice":
			lines = append(lines, logLine{indent, strings.ToUpper(name[:1]) + name[1:] + ": " + text, styles[name]})
		default:
			lines = append(lines, logLine{indent, name + ": " + text, nil})
		}
	}
	return lines
}

// withoutAddresses cuts the addresses out of a Markdown page's links.
func withoutAddresses(markdown string) string {
	return address.ReplaceAllString(markdown, "](…)")
}

var item = regexp.MustCompile(`^(\s*)(- |\d+\. |> |\| )`)

// hanging is what stands before the further lines of a line of Markdown that is
// broken, so that it still reads as one.
func hanging(line string) string {
	mark := item.FindStringSubmatch(line)
	switch {
	case mark == nil:
		return ""
	case mark[2] == "> ":
		return mark[0]
	}
	return strings.Repeat(" ", len(mark[0]))
}
