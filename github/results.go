package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// largestResults is the maximum size of `results`, in bytes of UTF-8. GitHub allows 1
// MB for all outputs of a job, and counts in UTF-16: two bytes for most characters.
const largestResults = 400_000

// shortText is the length, in characters, to which texts are truncated if the results
// are too large.
const shortText = 200

// resultsJSON returns the output `results`: an array with one object per function, on
// one line. If it is too large, it loses first the changes, then the ends of long
// texts, then functions at the end; left then says what was left out.
func resultsJSON(r report.Result, most int) (text, left string) {
	all := r.Functions
	steps := []struct {
		left string
		slim func(*report.Published)
	}{
		{"", func(*report.Published) {}},
		{"`changes` is left out", withoutChanges},
		{"`changes` is left out and texts are shortened", shortened},
	}
	var elements []string
	for _, step := range steps {
		elements = elements[:0]
		size := len("[]")
		for i, f := range all {
			p := f.Publish()
			if i == 0 {
				p.Site = r.Site
			}
			step.slim(&p)
			element := compactJSON(p)
			elements = append(elements, element)
			size += len(element) + len(",")
		}
		left = step.left
		if size <= most {
			return "[" + strings.Join(elements, ",") + "]", left
		}
	}
	kept, size := 0, len("[]")
	for _, element := range elements {
		if size += len(element) + len(","); size > most {
			break
		}
		kept++
	}
	left += fmt.Sprintf(", and the last %d of %d functions are missing", len(all)-kept, len(all))
	return "[" + strings.Join(elements[:kept], ",") + "]", left
}

func withoutChanges(p *report.Published) { p.Changes = []report.PublishedChange{} }

func shortened(p *report.Published) {
	withoutChanges(p)
	if p.Site != nil {
		short := *p.Site
		short.Message, short.Keys = report.Line(short.Message, shortText), []report.SiteKey{}
		p.Site = &short
	}
	p.Message = report.Line(p.Message, shortText)
	p.Proof = report.Line(p.Proof, shortText)
	for i := range p.Checks {
		p.Checks[i].Detail = report.Line(p.Checks[i].Detail, shortText)
	}
}

// roomForVersions is how many bytes the versions may take in addition to the largest
// results. The results of the command list are small.
const roomForVersions = 40_000

// versionsJSON returns the output `versions`: an array with one object per version,
// grouped by function, newest first. If it is too large, it loses first the changes,
// then versions at the end; left then says what was left out.
func versionsJSON(all []report.Function, most int) (text, left string) {
	var versions []report.Version
	for _, f := range all {
		versions = append(versions, f.Versions...)
	}
	for _, slim := range []bool{false, true} {
		size := len("[]")
		var elements []string
		for _, v := range versions {
			p := v.Publish()
			if slim {
				p.Changes = []report.PublishedChange{}
			}
			element := compactJSON(p)
			if size += len(element) + len(","); size > most {
				break
			}
			elements = append(elements, element)
		}
		text = "[" + strings.Join(elements, ",") + "]"
		switch missing := len(versions) - len(elements); {
		case missing == 0:
			return text, left
		case slim:
			left += fmt.Sprintf(", and the last %d of %d versions are missing", missing, len(versions))
		default:
			left = "`changes` is left out"
		}
	}
	return text, left
}

// ResultJSON returns the result as one JSON object with the outputs as its fields.
// Outputs that are JSON are embedded as such, the others as strings.
func ResultJSON(r report.Result, log *Log) string { return objectOf(Outputs(r, log)) }

// WholeJSON is like ResultJSON, but not subject to GitHub's limits: nothing is left
// out.
func WholeJSON(r report.Result) string {
	results, _ := resultsJSON(r, math.MaxInt)
	versions, _ := versionsJSON(r.Functions, math.MaxInt)
	return visible(objectOf(outputs(r, results, versions)))
}

// visible escapes characters that JSON leaves as they are and that a terminal may
// interpret.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.Is(unicode.C, r) && r <= 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func objectOf(all []Output) string {
	var b strings.Builder
	for i, output := range all {
		value := output.Value
		switch output.Name {
		case "rolled-back", "notifications", "results", "versions":
		default:
			value = compactJSON(value)
		}
		before := "{"
		if i > 0 {
			before = ","
		}
		b.WriteString(before + compactJSON(output.Name) + ":" + value)
	}
	return b.String() + "}"
}

// longestAnswer is the maximum length of the text about one channel in the output
// `notifications`, in characters.
const longestAnswer = 1_500

// notificationsJSON returns the output `notifications`, which maps each channel to
// `sent` or to the error.
func notificationsJSON(all map[string]string) string {
	short := make(map[string]string, len(all))
	for channel, text := range all {
		short[channel] = report.Line(text, longestAnswer)
	}
	return compactJSON(short)
}

// compactJSON returns data as JSON on one line, without HTML escapes, because people
// read it, too. It is only for plain data, which can always be encoded.
func compactJSON(data any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		return "null"
	}
	return strings.TrimSuffix(b.String(), "\n")
}
