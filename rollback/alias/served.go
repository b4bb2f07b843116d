package alias

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// A version below the failing one need not have served before it: other aliases
// of the function can have versions of their own, as a staging alias has.

// servedInstead is the version that the last rollback left the alias on, where a
// candidate is newer, was there already, and nothing but the failing version was
// published since: the candidate was not chosen then, and nothing shows that it
// served later. 0: the candidate stands.
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

// notKnownToHaveServed is a note about a target that may have served another alias
// only; nil where there is nothing to say.
func notKnownToHaveServed(f *facts, target int64) []report.Note {
	if len(f.o.OtherAliases) == 0 || f.o.Memory.Version == target || f.o.Alias.Serves(target) {
		return nil
	}
	if names := f.o.OtherAliases[target]; len(names) > 0 {
		return []report.Note{{Text: fmt.Sprintf(
			"version %d is not known to have served this alias: %s points at it; a snapshot before each deploy records what served", target, strings.Join(names, ", "))}}
	}
	var all []string
	for _, names := range f.o.OtherAliases {
		all = append(all, names...)
	}
	slices.Sort(all)
	return []report.Note{{Text: fmt.Sprintf(
		"the function has other aliases (%s), and version %d is not known to have served this one; a snapshot before each deploy records what served",
		strings.Join(slices.Compact(all), ", "), target)}}
}

// otherAliases leaves out the alias itself and its memory.
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
