package github

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// inputParser reads single inputs and collects their problems. Its methods return the
// zero value for an invalid input.
type inputParser struct {
	getenv      func(string) string
	definitions map[string]Definition
	order       map[string]int // position in action.yml
	problems    InputErrors
	count       map[string]int // number of problems by input
	warnings    []string
	ignored     int // number of ignored entries of deployed-version
}

func newInputParser(getenv func(string) string) *inputParser {
	p := &inputParser{getenv: getenv, definitions: map[string]Definition{}, order: map[string]int{}, count: map[string]int{}}
	for place, definition := range InputDefinitions() {
		p.definitions[definition.Name] = definition
		p.order[definition.Name] = place
	}
	return p
}

// problemLimit is the maximum number of problems that are shown for one input.
const problemLimit = 20

// fail reports a problem, together with the form that the input accepts.
func (p *inputParser) fail(input, problem string) {
	p.report(InputError{Input: input, Problem: problem, Form: p.definitions[input].Form})
}

// refuse reports a problem that has nothing to do with the accepted form.
func (p *inputParser) refuse(input, problem string) {
	p.report(InputError{Input: input, Problem: problem})
}

func (p *inputParser) report(problem InputError) {
	definition := p.definitions[problem.Input]
	problem.Essential, problem.Check = definition.Essential, definition.Check
	problem.Site = definition.Group == groupSite
	p.count[problem.Input]++
	switch count := p.count[problem.Input]; {
	case count <= problemLimit:
		p.problems = append(p.problems, problem)
	case count == problemLimit+1:
		problem.Problem, problem.Form = "has more problems like these", ""
		p.problems = append(p.problems, problem)
	}
}

// failed reports whether a problem of the input has already been reported.
func (p *inputParser) failed(input string) bool {
	return p.count[input] > 0
}

// err returns the problems in the order of action.yml; nil: there are none.
func (p *inputParser) err() error {
	if len(p.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(p.problems, func(a, b InputError) int {
		return cmp.Compare(p.order[a.Input], p.order[b.Input])
	})
	return p.problems
}

// text returns the trimmed value, or the default if it is blank. A default that is an
// expression is filled in by GitHub.
func (p *inputParser) text(input string) string {
	if value := p.given(input); value != "" {
		return value
	}
	return p.fallback(input)
}

// given returns the trimmed value; empty: the default applies.
func (p *inputParser) given(input string) string {
	return strings.TrimSpace(p.getenv(p.definitions[input].Variable()))
}

func (p *inputParser) fallback(input string) string {
	if value := p.definitions[input].Default; !strings.HasPrefix(value, "${{") {
		return value
	}
	return ""
}

// differs reports whether the input was given with a value other than its default.
func (p *inputParser) differs(input string) bool {
	value := p.given(input)
	return value != "" && !strings.EqualFold(value, p.fallback(input))
}

// cite returns the value for a message, or a replacement text if it is secret.
func (p *inputParser) cite(input, value string) string {
	if p.definitions[input].Secret {
		return "a value (not shown)"
	}
	return quoteValue(value)
}

// line reads text that must not contain line breaks or other control characters.
func (p *inputParser) line(input string) string {
	value := p.text(input)
	if strings.ContainsFunc(value, unicode.IsControl) {
		p.fail(input, "has "+p.cite(input, value)+", which contains a line break or another control character")
		return ""
	}
	return value
}

// list splits a value at line breaks and commas, and leaves out blank entries.
func (p *inputParser) list(input string) []string {
	return entriesOf(strings.FieldsFuncSeq(p.text(input), isSeparator))
}

// entriesOf trims the entries and leaves out blank ones.
func entriesOf(all iter.Seq[string]) []string {
	var entries []string
	for entry := range all {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

func isSeparator(char rune) bool { return char == '\n' || char == '\r' || char == ',' }

// set reads a list and leaves out duplicate entries.
func (p *inputParser) set(input string) []string { return unique(p, input, p.list(input)) }

// unique leaves out duplicate entries, and reports entries with control characters.
func unique(p *inputParser, input string, all []string) []string {
	var entries []string
	known := map[string]bool{}
	for _, entry := range all {
		if strings.ContainsFunc(entry, unicode.IsControl) {
			p.fail(input, "has "+quoteValue(entry)+", which contains a control character")
			continue
		}
		if !known[entry] {
			entries = append(entries, entry)
		}
		known[entry] = true
	}
	return entries
}

func (p *inputParser) boolean(input string) bool {
	value := p.text(input)
	if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
		p.fail(input, "has "+p.cite(input, value))
	}
	return strings.EqualFold(value, "true")
}

func (p *inputParser) integer(input string, least, most int) int {
	value := p.text(input)
	number, err := strconv.Atoi(value)
	if err != nil || number < least || number > most {
		p.fail(input, "has "+p.cite(input, value))
		return 0
	}
	return number
}

// parseLimit is like integer, but also accepts the word `all`, and returns 0 for it.
func parseLimit(p *inputParser, input string, least, most int) int {
	if p.text(input) == "all" {
		return 0
	}
	return p.integer(input, least, most)
}

// parseDuration reads a duration above zero.
func parseDuration(p *inputParser, input string) time.Duration {
	duration := parseDurationOrZero(p, input)
	if duration == 0 && !p.failed(input) {
		p.fail(input, "has "+p.cite(input, p.text(input))+", which is zero")
	}
	return duration
}

var bareNumber = newPattern(`^[0-9]+$`)

func parseDurationOrZero(p *inputParser, input string) time.Duration {
	value := p.text(input)
	duration, err := time.ParseDuration(value)
	switch {
	case bareNumber().MatchString(value):
		p.fail(input, fmt.Sprintf("has %s, which has no unit: write %.20ss", p.cite(input, value), value))
	case err != nil:
		p.fail(input, "has "+p.cite(input, value)+", which is not a duration")
	case duration < 0:
		p.fail(input, "has "+p.cite(input, value)+", which is negative")
	default:
		return duration
	}
	return 0
}

func (p *inputParser) choice(input string, choices ...string) string {
	value := p.text(input)
	if !slices.Contains(choices, value) {
		p.fail(input, "has "+p.cite(input, value))
		return ""
	}
	return value
}

// choices reads a list in which every entry must be one of the choices.
func (p *inputParser) choices(input string, choices ...string) []string {
	entries := slices.DeleteFunc(p.set(input), func(entry string) bool {
		if slices.Contains(choices, entry) {
			return false
		}
		p.fail(input, "has "+quoteValue(entry))
		return true
	})
	if len(entries) == 0 && !p.failed(input) {
		p.fail(input, "has no entry")
	}
	return entries
}

// matching reads an optional value that must match the pattern.
func (p *inputParser) matching(input string, pattern pattern) string {
	value := p.text(input)
	if value != "" && !pattern().MatchString(value) {
		p.fail(input, "has "+p.cite(input, value))
		return ""
	}
	return value
}

func parseTime(p *inputParser, input string) time.Time {
	value := p.text(input)
	if value == "" {
		return time.Time{}
	}
	moment, err := time.Parse(time.RFC3339, value)
	if err != nil {
		p.fail(input, "has "+p.cite(input, value))
	}
	return moment
}

func parseJSON(p *inputParser, input string) json.RawMessage {
	value := p.text(input)
	if value == "" {
		return nil
	}
	var ignored any
	if err := json.Unmarshal([]byte(value), &ignored); err != nil {
		problem := "has " + p.cite(input, value) + ", which is not valid JSON"
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			problem += fmt.Sprintf(": %v, at byte %d", syntax, syntax.Offset)
		}
		p.fail(input, problem)
		return nil
	}
	return json.RawMessage(value)
}
