package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Lenient lets pass what is known to go wrong, so that the rest is held all the
// same. Each case has its own history in the tests; the flag -strict of the
// tests turns this off.
var Lenient = true

// Verdict is how one function fared in one step of a rollback.
type Verdict struct {
	Run      int
	Function string
	Right    bool // by the strict truth, whatever could be observed
	Bad      bool // it was moved to a version of a failed run
	Was, Now Serving
	Truth    Truth
}

// Truth is where the alias belongs after a run has failed, told from who did
// what in the model. The program sees none of this.
type Truth struct {
	// Stays: this run is not answerable for what serves, or there is nothing
	// to go back to.
	Stays bool
	// Newer: a newer run's deploy serves.
	Newer bool
	// Accept are the versions that may serve alone afterwards: what served
	// before, else the highest good one below the failing one.
	Accept []int64
	// Contested: two runs were in their deploy job when what serves was
	// published; nothing that can be observed tells whose it is.
	Contested bool
	// Believed: deployed-version names what served before this run, too, and
	// there is no snapshot that would say so.
	Believed bool
	// Silent: what serves is a newer run's, and nothing that is read of this
	// attempt's own versions shows that: it published none, or its snapshot makes
	// the others go unread, or the newer run promoted an old one.
	Silent bool
	// Own: this run published what serves, though another one put it there.
	Own bool
	// Meanwhile: an older, slower run published what serves while this run was
	// at work.
	Meanwhile bool
	// Undated: what this run moved the alias to is older than the run, which
	// neither a snapshot nor deployed-version tells. The contract leaves it.
	Undated bool
	// Overtaken: a newer run's deploy job had begun before this run published
	// what serves.
	Overtaken bool
	// Hidden: this run went back to an older version by hand, and nothing says
	// that a newer one served before.
	Hidden bool
	// Restored: somebody put there a version of a failed run; to leave it again is
	// right, too.
	Restored bool
	// Within: somebody else published what serves while a job of this run that can
	// deploy was running.
	Within bool
	// Near: by the difference of the clocks what serves was published so near to the
	// beginning or the end of a job that it can be on either side.
	Near bool
	// Beside: nobody said which job deploys, and the lint was running, too, when what
	// serves was published.
	Beside bool
	// Unproven are versions of failed runs of which nothing that could be
	// observed says so; to choose one is a pity, not a mistake.
	Unproven []int64
}

// truth tells where the alias belongs now.
func (w *World) truth(l *Lambda, r *Run, a *Attempt, snapshot int64) Truth {
	top := w.top(l)
	t := Truth{}
	for _, v := range []int64{top.Version, top.Weighted} {
		if found := l.versions[v]; found != nil {
			at := found.modified.Truncate(time.Second)
			t.Contested = t.Contested || w.deploying(at) > 1
			t.Overtaken = t.Overtaken || w.overtaken(r, a, at)
			t.Undated = t.Undated || (at.Before(r.Created) && snapshot == 0 && !r.Tells)
			p := found.publisher
			t.Within = t.Within || w.within(l, r, found)
			t.Beside = t.Beside || r.Naming == NeedsNone && r.lintAt(found.modified.Add(l.skew), l.skew.Abs())
			t.Near = t.Near || l.skew != 0 && r.near(found.modified.Add(l.skew), 2*l.skew.Abs())
			t.Silent = t.Silent || (p != nil && p.Number > r.Number && (snapshot != 0 || !l.published(r, a))) || (snapshot != 0 && at.Before(r.Created))
			t.Own = t.Own || found.publisher == r
			t.Meanwhile = t.Meanwhile || (found.publisher != nil && found.publisher.Number < r.Number && !at.Before(r.Created))
		}
	}
	if top.by != r || a.Ends == Succeeds {
		t.Stays = true
		t.Newer = top.by != nil && top.by.Number > r.Number
		t.Restored = top.by == nil && top.Weighted == 0 && w.bad(l, top.Version) && a.Ends != Succeeds
		t.Believed = r.Tells && top.has(a.put[l]) && snapshot == 0
		return t
	}
	before := w.without(l, r)
	was := before[len(before)-1].Serving
	failing := int64(0)
	for _, e := range w.stacks[l][len(before):] {
		for _, attempt := range r.Attempts {
			if v := attempt.put[l]; e.has(v) {
				failing = max(failing, v)
			}
		}
	}
	good := func(v *version) bool { return v.usable() && !w.bad(l, v.number) }
	sure := false
	for _, v := range []int64{was.Version, was.Weighted, snapshot} {
		found := l.versions[v]
		if found == nil || v == failing || slices.Contains(t.Accept, v) || !found.usable() {
			continue
		}
		// A version of a failed run that a later run deployed anew with
		// success served before; the contract rejects it all the same.
		if w.bad(l, v) && !w.praised(l, v) {
			continue
		}
		t.Accept = append(t.Accept, v)
		sure = sure || !w.bad(l, v)
	}
	// Without a snapshot nothing tells what served before: AWS keeps no
	// history of an alias. The contract's answer is the highest good version
	// below. Unless somebody went back by hand, both are the same.
	if snapshot == 0 || !sure {
		if v := l.below(failing, good); v != 0 && !slices.Contains(t.Accept, v) {
			t.Accept = append(t.Accept, v)
		}
	}
	// Where the last rollback left the alias, a version served that was good.
	if m := l.aliases[memory]; m != nil && strings.HasSuffix(m.description, " by=rollback") && m.Version < failing {
		if found := l.versions[m.Version]; found != nil && good(found) && !slices.Contains(t.Accept, m.Version) {
			t.Accept = append(t.Accept, m.Version)
		}
	}
	t.Unproven = w.doubtful(l, failing)
	for _, v := range []int64{was.Version, was.Weighted} {
		if found := l.versions[v]; found != nil && found.usable() && w.unproven(l, found) && v != failing {
			t.Unproven = append(t.Unproven, v)
		}
	}
	t.Hidden = snapshot == 0 && was.Version > failing
	t.Stays = len(t.Accept) == 0
	return t
}

// doubtful are the versions below the failing one that may be taken for the
// highest good one: down to the first of which no observation raises a doubt.
func (w *World) doubtful(l *Lambda, failing int64) []int64 {
	var out []int64
	for _, v := range slices.Backward(l.numbers()) {
		found := l.versions[v]
		if v >= failing || !found.usable() {
			continue
		}
		if !w.bad(l, v) || w.unproven(l, found) || w.praised(l, v) {
			out = append(out, v)
		}
		if w.certain(l, v) {
			break
		}
	}
	return out
}

// published tells whether an attempt published anything that still exists.
func (l *Lambda) published(r *Run, a *Attempt) bool {
	for _, v := range l.versions {
		if v.publisher == r && !v.modified.Before(a.Begun) {
			return true
		}
	}
	return false
}

// certain tells that no observation raises a doubt about a version.
func (w *World) certain(l *Lambda, v int64) bool {
	found := l.versions[v]
	mistaken := l.doubted[v] || w.maligned(found) || w.entangled(found.publisher)
	return !w.everBad(l, v) && (!Lenient || !mistaken)
}

// unproven tells that a version of a failed run cannot be known as one: it
// never served, and either GitHub did not tell enough, or two runs were
// deploying when it was published.
func (w *World) unproven(l *Lambda, v *version) bool {
	p := v.publisher
	if p == nil || l.pardoned[v.number] {
		return Lenient && l.pardoned[v.number]
	}
	if Lenient && (w.entangled(p) || p.Naming == NeedsSmoke || l.skew != 0 && p.near(v.modified.Add(l.skew), 2*l.skew.Abs())) {
		return true
	}
	return !p.left[l][v.number] && (p.Evidence != Everything || w.deploying(v.modified) > 1 ||
		(Lenient && (p.Snapshot || p.misled[l] || w.overtaken(p, p.Attempts[0], v.modified) || l.beyondGap(v.number))))
}

// beyondGap tells that at least four numbers in a row below a version do not
// exist any more: the search for published versions above the serving one ends
// there.
func (l *Lambda) beyondGap(v int64) bool {
	missing := 0
	for n := v - 1; n > 0 && missing < 4; n-- {
		if missing++; l.versions[n] != nil {
			missing = 0
		}
	}
	return missing >= 4
}

// maligned tells that another run was running, and failed, when a version was
// published: it is taken for that run's.
func (w *World) maligned(v *version) bool {
	at := v.modified.Truncate(time.Second)
	for _, r := range w.runs {
		if v.publisher != nil && v.publisher != r && r.everFailed && !at.Before(r.Created) && !at.After(r.updated(w.now)) {
			return true
		}
	}
	return false
}

// witness is what is noted before a step.
type witness struct {
	serving       Serving
	revision      int
	moves, writes int
	snapshot      int64 // what served before, by the own snapshot of this run; 0: there is none
	remembered    string
}

func (w *World) witness(l *Lambda, r *Run) witness {
	return witness{
		serving: l.serving(), revision: l.aliases[live].revision,
		moves: l.moves, writes: l.writes, snapshot: l.snapshotOf(r), remembered: l.remembered(),
	}
}

// trial is one function in one step, to be judged.
type trial struct {
	r       *Run
	a       *Attempt
	l       *Lambda
	was     witness
	result  *report.Function
	again   bool
	blocked bool
}

// judge holds one step against the truth. The properties are those of the
// package's documentation, a to f.
func (w *World) judge(t trial) {
	l, r := t.l, t.r
	now, top := l.serving(), w.top(l).Serving // what deploys left; now: what the step made of it
	moved := now != top
	say := func(property, format string, args ...any) {
		w.Wrong = append(w.Wrong, fmt.Sprintf("%s: run %d attempt %d, %s: %s [%s → %s, %s/%s: %s; proof: %s; memory %q]",
			property, r.Number, t.a.Number, l.name, fmt.Sprintf(format, args...), top, now,
			t.result.Status, t.result.Reason, t.result.Message, t.result.Proof, l.remembered()))
	}
	w.judgeReport(t, top, now, say)
	w.judgeMemory(l, say)
	// The first step saw what served change under it, and kept off; for the
	// second one it is the state of things.
	if t.again && r.Interrupt > 0 {
		return
	}
	if t.again {
		if moved || l.moves != t.was.moves || l.aliases[live].revision != t.was.revision {
			say("d", "the same step again changed the alias")
		}
		if l.writes != t.was.writes && (!Lenient || !w.entangled(r) && r.Naming == NotJudged) {
			say("d", "the same step again wrote the memory, which was %q", t.was.remembered)
		}
		return
	}
	truth, right := w.note(l, r, t.a, t.was.snapshot)
	r.misled[l] = r.misled[l] || truth.Meanwhile
	if right || (!moved && t.blocked) {
		return
	}
	w.judgeMove(t, truth, top, now, say)
}

// judgeMove says what is wrong with where the alias ended, as far as it could
// have been known.
func (w *World) judgeMove(t trial, truth Truth, top, now Serving, say func(string, string, ...any)) {
	l, r, moved := t.l, t.r, now != top
	solo := w.alone(r)
	timed := r.Evidence != Nothing // something says when the run began
	told := r.Tells && t.a.put[l] != 0
	// What must hold at least, by evidence. With everything: all. Without the
	// newer runs or the jobs: all, where no other run was running. With
	// nothing at all: all, where this run did move the alias.
	owed := r.Evidence <= NoAnswers || (timed && solo) || (solo && !truth.Stays)
	switch {
	case moved && (now.Weighted != 0 || l.versions[now.Version] == nil || (!l.versions[now.Version].usable() && r.Interrupt == 0)):
		say("a", "the alias ends on what cannot serve alone")
	case truth.Newer && moved && Lenient && (truth.Silent || r.Evidence != Everything || w.others(r) > 1):
	case truth.Newer && moved && !truth.Own && (r.Evidence <= NoAnswers || told) && !truth.Believed:
		say("c", "a newer run's deploy was overwritten")
	case Lenient && w.entangled(r):
	case !owed, moved && truth.Believed:
	case truth.Stays && len(truth.Unproven) > 0 && slices.Contains(truth.Unproven, now.Version):
	case truth.Stays && moved && truth.Own:
	case truth.Stays && moved && truth.Meanwhile && Lenient:
	case truth.Stays && moved && now.Version == t.was.snapshot && Lenient:
	case truth.Stays && moved && truth.Within && Lenient:
	case truth.Stays && moved:
		say("a", "this run had not moved the alias, or there is nothing good to go back to; it was moved all the same")
	case !moved && truth.Undated && !t.result.Attention && r.Naming != NotJudged && w.bad(l, top.Version) && rejects(t.was.remembered, top.Version):
		say("a", "what failed serves again, and nobody is told")
	case !moved && t.result.Attention && (truth.Near || truth.Beside || r.Naming == NeedsSmoke) && Lenient:
	case !moved && (truth.Contested || truth.Undated || truth.Hidden):
	case !moved && truth.Overtaken && Lenient:
	case !moved && t.was.snapshot == top.Version && Lenient:
	case !moved && t.result.Reason == report.NoPreviousVersion && Lenient && !slices.ContainsFunc(truth.Accept, func(v int64) bool { return w.certain(l, v) }):
	case !moved && t.result.Reason == report.NoPreviousVersion && Lenient && w.passedOver(l, r, 0, max(top.Version, top.Weighted)):
	case !moved:
		say("a", "the alias was left on what failed; it belongs on %v", truth.Accept)
	case slices.Contains(truth.Unproven, now.Version):
	case Lenient && w.passedOver(l, r, now.Version, max(top.Version, top.Weighted)):
	case truth.Contested && Lenient:
	case now.Version == t.was.snapshot && Lenient:
	case w.bad(l, now.Version):
		say("b", "the alias ends on a version of a failed run; it belongs on %v", truth.Accept)
	default:
		say("a", "the alias belongs on %v", truth.Accept)
	}
}

// rejects tells whether a memory has a version as rejected.
func rejects(remembered string, v int64) bool {
	m, err := alias.ParseDescription(remembered)
	_, rejected := m.Rejected.Find(v)
	return err == nil && rejected
}

// judgeReport: what the result says is what the alias serves (e).
func (w *World) judgeReport(t trial, top, now Serving, say func(string, string, ...any)) {
	f := t.result
	switch f.Status {
	case report.RolledBack:
		if t.r.Interrupt > 0 && now == top {
			break // somebody else had just done the same
		}
		if f.To != text(now.Version) || now.Weighted != 0 || f.From != text(top.Version) || f.WeightsCleared != (top.Weighted != 0) {
			say("e", "the result says %s to %s (weights cleared: %t)", f.From, f.To, f.WeightsCleared)
		}
		if t.l.moves != t.was.moves+1 {
			say("e", "rolled back in %d moves", t.l.moves-t.was.moves)
		}
	case report.Skipped:
		if now != top || f.To != "" || f.MovedAt != "" || f.From != text(top.Version) {
			say("e", "skipped, says the result, with to %q, from %q", f.To, f.From)
		}
	default:
		if f.Reason == report.VersionNotFound && t.r.Interrupt > 0 && now == top {
			break // the target was deleted between the look and the move
		}
		say("e", "nothing in this world makes a rollback fail for good")
	}
	for _, note := range f.Notes {
		if note.Warning && strings.Contains(note.Text, "could not record the rejected version") {
			say("e", "a warning about the memory, which always can be written here: %s", note.Text)
		}
	}
}

func text(v int64) string { return strconv.FormatInt(v, 10) }

// judgeMemory: the memory alias stays well formed, and the live alias keeps
// its Description (f).
func (w *World) judgeMemory(l *Lambda, say func(string, string, ...any)) {
	if l.aliases[live].description != liveDescription {
		say("f", "the alias's own Description became %q", l.aliases[live].description)
	}
	m, ok := l.aliases[memory]
	if !ok {
		return
	}
	if m.Version <= 0 || m.Weighted != 0 {
		say("f", "the memory alias points at %s", m.Serving)
	}
	if _, err := alias.ParseDescription(m.description); err != nil || !wellFormed.MatchString(m.description) || utf8.RuneCountInString(m.description) > 256 {
		say("f", "the memory's Description is %q (%v)", m.description, err)
	}
}
