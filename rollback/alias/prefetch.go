package alias

import "slices"

// prefetch lists what will most likely be needed, so that it can be read concurrently:
// the live versions, and the chosen or stored version, otherwise at least atLeast
// numbers just below the failing one.
func (o Observation) prefetch(atLeast int) []int64 {
	var out []int64
	if !o.Alias.Latest {
		out = append(out, o.Alias.Version)
	}
	if o.Alias.Weighted != 0 {
		out = append(out, o.Alias.Weighted)
	}
	switch {
	case o.Request.Target != 0:
		out = append(out, o.Request.Target)
	case o.Memory.writtenBy(ByRollback, o.Run) && o.Memory.Attempt == o.Run.Attempt && o.Memory.Version == o.Alias.Version && o.Alias.Weighted == 0:
		return nil
	case o.Memory.writtenBy(BySnapshot, o.Run) && o.Memory.Version != 0:
		out = append(out, o.Memory.Version)
	default:
		out = append(out, o.candidates(o.Alias.Version, atLeast)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Candidates are read concurrently, before it is known which one is needed.
const (
	minCandidates = 2
	maxCandidates = 6
)

// candidates returns the next numbers below a version that may be the target: atLeast
// of them, or as many more as necessary to include one that is not rejected, but at
// most six.
func (o Observation) candidates(below int64, atLeast int) []int64 {
	var out []int64
	free := false
	for v := below - 1; v > 0 && len(out) < maxCandidates && (len(out) < atLeast || !free); v-- {
		e, rejected := o.Memory.Rejected.Find(v)
		if rejected && e.Run == 0 {
			v = e.Last
			continue
		}
		out = append(out, v)
		free = free || !rejected
	}
	return out
}
