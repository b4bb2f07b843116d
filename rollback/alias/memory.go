package alias

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// MemorySuffix is the suffix that the memory alias adds to the name of the alias.
const MemorySuffix = "-rollback"

// descriptionLimit is the maximum length of the Description of an alias in Lambda.
const descriptionLimit = 256

// The commands that write the memory.
const (
	ByRollback = "rollback"
	BySnapshot = "snapshot"
)

// Memory is the content of the memory alias: the version that it points at, and its
// Description.
type Memory struct {
	Exists     bool
	RevisionID string
	Version    int64 // the version that it points at: where the alias was when the memory was written; 0 for none or $LATEST
	Weighted   bool  // it has weights, which this program never sets

	Rejected Rejections
	Run      int64 // the run that wrote it; 0 for none
	Attempt  int
	At       time.Time
	By       string // ByRollback, BySnapshot, or empty if versions were only rejected
	// Promotes is the version that the run is or was promoting, if a promotion took
	// the snapshot; otherwise 0.
	Promotes int64

	// Unreadable says why a Description does not parse. All fields from it are then
	// empty.
	Unreadable string
	// Foreign is the Description of an alias that has the name of the memory alias but
	// belongs to somebody else; empty if there is none. The action does not use or
	// change that alias.
	Foreign string
	// Unread is the error if the memory could not be read, otherwise nil. If it is
	// set, it is not known whether the memory exists.
	Unread *Problem
}

// readable reports whether the memory says what it knows. It may not exist.
func (m Memory) readable() bool { return m.Unread == nil && m.Unreadable == "" && m.Foreign == "" }

// foreign reports whether a Description that does not parse was not written by this
// program: its own ones start with rejected=, even if the rest is damaged.
func foreign(description string) bool {
	for field := range strings.FieldsSeq(description) {
		key, value, found := strings.Cut(field, "=")
		if found && (key == "rejected" || key == "by" && (value == ByRollback || value == BySnapshot)) {
			return false
		}
	}
	return true
}

// rejectedAt says when a version was rejected, if that is still known: the memory
// stores only the time of its last write. Several manual rollbacks cannot be
// distinguished.
func (m Memory) rejectedAt(e Rejection) string {
	if m.At.IsZero() || e.Run != m.Run || m.By != ByRollback {
		return ""
	}
	at := m.At.UTC().Format("2006-01-02 15:04") + " UTC"
	if m.Run == 0 {
		at += ", or before that"
	}
	return " (" + at + ")"
}

// writtenBy reports whether a run wrote the memory, with a rollback or with a
// snapshot.
func (m Memory) writtenBy(writer string, run report.Run) bool {
	return m.Exists && m.By == writer && m.Run != 0 && m.Run == run.ID
}

// promoting reports whether the weight of an alias belongs to the promotion of a run.
func (m Memory) promoting(a Alias) bool {
	return m.By == BySnapshot && m.Run != 0 && m.Promotes != 0 && m.Promotes == a.Weighted && m.Version == a.Version
}

// Rejection is a version that is never selected automatically or, if Last is below
// First, a range of adjacent versions.
type Rejection struct {
	First int64 // the highest number
	Last  int64 // the lowest number; equal to First for a single version
	Run   int64 // the run whose failure caused it; 0 if there is none, or it is no longer known
}

// Rejections are ordered by number, highest first, and do not overlap.
type Rejections []Rejection

// anyAbove reports whether a version above the given one is rejected.
func (r Rejections) anyAbove(version int64) bool {
	return slices.ContainsFunc(r, func(e Rejection) bool { return e.First > version })
}

// Find returns the rejection that contains version.
func (r Rejections) Find(version int64) (Rejection, bool) {
	for _, e := range r {
		if e.Last <= version && version <= e.First {
			return e, true
		}
	}
	return Rejection{}, false
}

// Add rejects a version for a run (0 for none). A version that is already rejected
// keeps its place, and gets the newer run.
func (r Rejections) Add(version, run int64) Rejections {
	if e, found := r.Find(version); found && (e.First != e.Last || run == 0) {
		return r
	}
	return append(r.Remove(version), Rejection{First: version, Last: version, Run: run}).sorted()
}

// Remove removes a version, also from the middle of a range.
func (r Rejections) Remove(version int64) Rejections {
	var out Rejections
	for _, e := range r {
		if version < e.Last || version > e.First {
			out = append(out, e)
			continue
		}
		if version < e.First {
			out = append(out, Rejection{First: e.First, Last: version + 1, Run: e.Run})
		}
		if version > e.Last {
			out = append(out, Rejection{First: version - 1, Last: e.Last, Run: e.Run})
		}
	}
	return out
}

// Strings returns one text per entry: "42", or "31-40" for a range.
func (r Rejections) Strings() []string {
	out := make([]string, 0, len(r))
	for _, e := range r {
		out = append(out, e.numbers())
	}
	return out
}

func (r Rejections) sorted() Rejections {
	slices.SortStableFunc(r, func(a, b Rejection) int { return cmp.Compare(b.First, a.First) })
	return r
}

// shorten frees space in the order that the contract specifies: the two lowest
// neighbors become one range; if there are none left, the lowest entry is removed. It
// reports whether it freed anything.
func (r Rejections) shorten() (Rejections, bool) {
	for i := len(r) - 1; i > 0; i-- {
		if r[i].First+1 == r[i-1].Last {
			joined := Rejection{First: r[i-1].First, Last: r[i].Last}
			return slices.Concat(r[:i-1], Rejections{joined}, r[i+1:]), true
		}
	}
	if len(r) == 0 {
		return r, false
	}
	return r[:len(r)-1], true
}

func (e Rejection) numbers() string {
	if e.First == e.Last {
		return strconv.FormatInt(e.First, 10)
	}
	return fmt.Sprintf("%d-%d", e.Last, e.First)
}

func (e Rejection) String() string {
	if e.Run == 0 {
		return e.numbers()
	}
	return fmt.Sprintf("%s@%d", e.numbers(), e.Run)
}

// Description returns the memory in the format of the memory alias, with at most 256
// characters.
func (m Memory) Description() string {
	for r, more := m.Rejected, true; ; r, more = r.shorten() {
		if text := m.describe(r); len(text) <= descriptionLimit || !more {
			return text
		}
	}
}

func (m Memory) describe(rejected Rejections) string {
	entries := make([]string, len(rejected))
	for i, e := range rejected {
		entries[i] = e.String()
	}
	fields := []string{"rejected=" + strings.Join(entries, ",")}
	if m.Run != 0 {
		fields = append(fields, fmt.Sprintf("run=%d/%d", m.Run, m.Attempt))
	}
	if !m.At.IsZero() {
		fields = append(fields, "at="+m.At.UTC().Format(time.RFC3339))
	}
	if m.By != "" {
		fields = append(fields, "by="+m.By)
	}
	if m.Promotes != 0 {
		fields = append(fields, fmt.Sprintf("promotes=%d", m.Promotes))
	}
	return strings.Join(fields, " ")
}

// ParseDescription parses the format of Description. It ignores unknown keys, so that
// a later version of this program can add some.
func ParseDescription(text string) (Memory, error) {
	var m Memory
	seen := map[string]bool{}
	for field := range strings.FieldsSeq(text) {
		key, value, found := strings.Cut(field, "=")
		if !found || seen[key] {
			return Memory{}, fmt.Errorf("failed to parse description: %q is not a key=value pair", truncated(field))
		}
		seen[key] = true
		var err error
		switch key {
		case "rejected":
			m.Rejected, err = parseRejections(value)
		case "run":
			m.Run, m.Attempt, err = parseRun(value)
		case "at":
			m.At, err = time.Parse(time.RFC3339, value)
			m.At = m.At.UTC()
		case "by":
			if m.By = value; value != ByRollback && value != BySnapshot {
				err = fmt.Errorf("by=%q is neither %s nor %s", truncated(value), ByRollback, BySnapshot)
			}
		case "promotes":
			m.Promotes, err = parseNumber(value)
		}
		if err != nil {
			return Memory{}, fmt.Errorf("failed to parse description: %w", err)
		}
	}
	if !seen["rejected"] && !seen["by"] {
		return Memory{}, errors.New("failed to parse description: it has neither rejected= nor by=")
	}
	return m, nil
}

func parseRejections(text string) (Rejections, error) {
	if text == "" {
		return nil, nil
	}
	var out Rejections
	for entry := range strings.SplitSeq(text, ",") {
		numbers, run, hasRun := strings.Cut(entry, "@")
		low, high, isRow := strings.Cut(numbers, "-")
		e := Rejection{}
		var err error
		if e.Last, err = parseNumber(low); err != nil {
			return nil, fmt.Errorf("rejected %q: %w", truncated(entry), err)
		}
		e.First = e.Last
		if isRow {
			if e.First, err = parseNumber(high); err != nil {
				return nil, fmt.Errorf("rejected %q: %w", truncated(entry), err)
			}
		}
		if hasRun {
			if e.Run, err = parseNumber(run); err != nil {
				return nil, fmt.Errorf("rejected %q: %w", truncated(entry), err)
			}
		}
		if e.First < e.Last {
			return nil, fmt.Errorf("rejected %q: a range goes from the lower to the higher number", truncated(entry))
		}
		out = append(out, e)
	}
	out = out.sorted()
	for i := 1; i < len(out); i++ {
		if out[i].First >= out[i-1].Last {
			return nil, fmt.Errorf("rejected %q and %q overlap", out[i-1].String(), out[i].String())
		}
	}
	return out, nil
}

func parseRun(text string) (run int64, attempt int, err error) {
	id, count, found := strings.Cut(text, "/")
	if run, err = parseNumber(id); err != nil {
		return 0, 0, fmt.Errorf("run %q: %w", truncated(text), err)
	}
	if !found {
		return run, 0, nil
	}
	n, err := strconv.ParseUint(count, 10, 31)
	if err != nil {
		return 0, 0, fmt.Errorf("run %q: %q is not an attempt", truncated(text), truncated(count))
	}
	return run, int(n), nil
}

// parseNumber parses a positive decimal number without a sign or leading zeros, as AWS
// writes versions and GitHub writes IDs.
func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > maxVersion || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("%q is not a positive whole number", truncated(text))
	}
	return n, nil
}

// maxVersion limits the length of a number to 18 digits.
const maxVersion = 999_999_999_999_999_999

// truncated shortens outside text in an error.
func truncated(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}
