// Skips reads what go test -json writes, prints it as go test does, and at the
// end the tests that were skipped, with the reason of each: go test itself keeps
// silent about them where a package passes.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() {
	failed, err := summarize(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if failed || err != nil {
		os.Exit(1)
	}
}

// event is a line of go test -json: https://pkg.go.dev/cmd/test2json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// place is a test, or with no name the package.
type place struct{ folder, test string }

// because is the line that t.Skip wrote.
var because = regexp.MustCompile(`(?m)^\s+\w+\.go:\d+: (.+)$`)

// summarize tells whether a package failed. What is no event, such as an error of
// the compiler, is handed on.
func summarize(in io.Reader, out io.Writer) (failed bool, err error) {
	output := map[place]string{}
	failures := map[string]string{}
	skipped := map[string]map[string]int{} // how many tests, by package and reason
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text())
			continue
		}
		at := place{e.Package, e.Test}
		switch {
		case e.Action == "build-output":
			fmt.Fprint(out, e.Output)
		case e.Action == "build-fail":
			failed = true
		case e.Action == "output":
			output[at] += e.Output
		case e.Action == "fail" && e.Test != "":
			failures[e.Package] += output[at]
		case e.Action == "skip" && e.Test != "":
			reason := "no reason is given"
			if found := because.FindStringSubmatch(output[at]); found != nil {
				reason = found[1]
			}
			if skipped[e.Package] == nil {
				skipped[e.Package] = map[string]int{}
			}
			skipped[e.Package][reason]++
		case e.Action == "fail" && e.Test == "":
			failed = true
			fmt.Fprint(out, failures[e.Package], output[at])
		case e.Test == "" && (e.Action == "pass" || e.Action == "skip"):
			fmt.Fprint(out, last(output[at]))
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(skipped)) {
		for _, reason := range slices.Sorted(maps.Keys(skipped[folder])) {
			fmt.Fprintf(out, "skipped %d in %s: %s\n", skipped[folder][reason], folder, reason)
		}
	}
	if err := lines.Err(); err != nil {
		return failed, fmt.Errorf("failed to read the events of go test: %w", err)
	}
	return failed, nil
}

// last is the last line: that of the package.
func last(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndex(text, "\n")+1:] + "\n"
}
