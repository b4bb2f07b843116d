package emulator

import (
	"sync"
)

// Match chooses calls. Empty fields match everything.
type Match struct {
	Service   string
	Operation string
	Region    string
	Function  string
	Qualifier string // alias or version
	// Where, if set, must agree too. It must not call the emulator.
	Where func(Call) bool
}

func (m Match) matches(c Call) bool {
	return fits(m.Service, c.Service) && fits(m.Operation, c.Operation) && fits(m.Region, c.Region) &&
		fits(m.Function, c.Function) && fits(m.Qualifier, c.Qualifier) && (m.Where == nil || m.Where(c))
}

func fits(wanted, is string) bool {
	return wanted == "" || wanted == is
}

// Fault is an effect at work on the calls that match.
type Fault struct {
	match  Match
	effect Effect
	owner  *faults
	seen   int
	hits   int
	gone   bool
}

// Hits is how many calls the fault was due for so far, those included that an
// earlier fault answered.
func (f *Fault) Hits() int {
	f.owner.mu.Lock()
	defer f.owner.mu.Unlock()
	return f.hits
}

// Remove ends the fault.
func (f *Fault) Remove() {
	f.owner.mu.Lock()
	defer f.owner.mu.Unlock()
	f.gone = true
}

// faults are all faults ordered, in that order.
type faults struct {
	mu  sync.Mutex
	all []*Fault
}

// Fault orders an effect for the calls that match. Several faults may match one
// call: they work in the order in which they were ordered, until one of them
// answers in the operation's place.
func (e *Emulator) Fault(match Match, effect Effect) *Fault {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	f := &Fault{match: match, effect: effect, owner: &e.faults}
	e.faults.all = append(e.faults.all, f)
	return f
}

// ClearFaults ends all faults.
func (e *Emulator) ClearFaults() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	for _, f := range e.faults.all {
		f.gone = true
	}
	e.faults.all = nil
}

// take returns the effects due for the call, and counts them.
func (fs *faults) take(c *Call) []Effect {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var due []Effect
	for _, f := range fs.all {
		if f.gone || !f.match.matches(*c) {
			continue
		}
		f.seen++
		first := f.effect.skip + 1
		if f.seen < first || f.effect.times > 0 && f.seen >= first+f.effect.times {
			continue
		}
		f.hits++
		due = append(due, f.effect)
	}
	return due
}
