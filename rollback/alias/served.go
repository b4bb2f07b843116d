package alias

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// A version below the failing one need not have been live before it: other aliases of
// the function can have their own versions, such as a staging alias.

// servedInstead returns the version that the last rollback moved the alias to, if a
// candidate is newer, existed then, and only the failing version was published since:
// the candidate was not selected then, and nothing shows that it was live later. It
// returns 0 if the candidate is valid.
func servedInstead(f *facts, candidate, failing int64) int64 {
	m := f.o.Memory
	known, exists := f.o.Versions[m.Version]
	_, rejected := m.Rejected.Find(m.Version)
	if m.By != ByRollback || m.At.IsZero() || m.Version == 0 || m.Version >= candidate || rejected || exists && !known.Exists {
		return 0
	}
	for v := candidate; v < failing; v++ {
		made := f.o.Versions[v].LastModified
		if f.o.Versions[v].Exists && (made.IsZero() || !made.Before(m.At)) {
			return 0
		}
	}
	if !f.usableNow(m.Version).ok {
		return 0
	}
	return m.Version
}

// notKnownToHaveServed returns a note about a target that may have served only another
// alias, or nil if there is nothing to report.
func notKnownToHaveServed(f *facts, target int64) []report.Note {
	if len(f.o.OtherAliases) == 0 || f.o.Memory.Version == target || f.o.Alias.Serves(target) {
		return nil
	}
	if names := f.o.OtherAliases[target]; len(names) > 0 {
		return []report.Note{{Text: fmt.Sprintf(
			"nothing shows that this alias ever pointed at version %d: %s points at it; a snapshot before each deploy records the live version", target, strings.Join(names, ", "))}}
	}
	var all []string
	for _, names := range f.o.OtherAliases {
		all = append(all, names...)
	}
	slices.Sort(all)
	return []report.Note{{Text: fmt.Sprintf(
		"the function has other aliases (%s), and nothing shows that this one ever pointed at version %d; a snapshot before each deploy records the live version",
		strings.Join(slices.Compact(all), ", "), target)}}
}

// otherAliases leaves out the alias itself and its memory alias.
func otherAliases(all map[int64][]string, own string) map[int64][]string {
	out := map[int64][]string{}
	for version, names := range maps.All(all) {
		others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == own || name == own+MemorySuffix })
		if len(others) > 0 {
			out[version] = others
		}
	}
	return out
}
