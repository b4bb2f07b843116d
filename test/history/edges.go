package history

import (
	"slices"
	"time"
)

// within tells whether a version of somebody else can be this run's by all that can
// be observed: it was published while the deploy job was running; or while another
// job was that can deploy by what is said of them, and either no earlier version
// shows which job it is, or nothing gave a cause to ask: no job was skipped, and
// nothing else was published.
func (w *World) within(l *Lambda, r *Run, v *version) bool {
	if !v.hotfix {
		return false
	}
	at, difference := v.modified.Add(l.skew).Truncate(time.Second), l.skew.Abs()
	in := func(j *Job) bool {
		return r.canDeploy(j.Name) && j.Conclusion != "skipped" && !at.Before(j.Start.Add(-difference)) && !at.After(j.End.Add(difference))
	}
	within, cause := false, false
	for _, a := range r.Attempts {
		for _, j := range a.Jobs {
			if in(j) && (j.Name == deployJob || j.Name == lintJob) { // the lint goes on beside every deploy
				return true
			}
			within = within || in(j)
			cause = cause || r.canDeploy(j.Name) && j.Conclusion == "skipped"
		}
	}
	for _, n := range l.numbers() {
		cause = cause || l.versions[n].publisher == r && n < v.number
	}
	// The two versions below, if they exist, are those that GitHub is asked about.
	old := func(v *version) bool { return v.modified.Before(r.Created) }
	first := l.below(v.number, old)
	second := l.below(first, old)
	told := second > 0 && second == v.number-2 && l.versions[first].publisher != nil && l.versions[second].publisher != nil
	return within && (!told || !cause)
}

// passedOver tells whether such a version lies between two others.
func (w *World) passedOver(l *Lambda, r *Run, from, to int64) bool {
	return l.below(to, func(v *version) bool { return v.number > from && w.within(l, r, v) }) != 0
}

// canDeploy tells whether nothing that is said of a job rules out that it deploys.
func (r *Run) canDeploy(job string) bool {
	switch r.Naming {
	case NeedsDeploy, DeployJob:
		return job == deployJob || job == smokeJob
	case NeedsAll:
		return job != lintJob && job != rollbackJob
	case NeedsSmoke, NeedsNone, NotJudged:
	}
	return job != rollbackJob
}

// near tells whether a job began or ended near a time.
func (r *Run) near(at time.Time, difference time.Duration) bool {
	difference += time.Second
	for _, a := range r.Attempts {
		for _, j := range a.Jobs {
			if at.Sub(j.Start).Abs() <= difference || at.Sub(j.End).Abs() <= difference {
				return true
			}
		}
	}
	return at.Sub(r.Created).Abs() <= difference
}

// lintAt tells whether the lint was running at a time.
func (r *Run) lintAt(at time.Time, difference time.Duration) bool {
	at = at.Truncate(time.Second)
	return slices.ContainsFunc(r.Attempts, func(a *Attempt) bool {
		j := a.job(lintJob)
		return j.Name != "" && !at.Before(j.Start.Add(-difference)) && !at.After(j.End.Add(difference))
	})
}

// namesTooLittle: no job that is named failed in this attempt. Either only the smoke
// test is named, and was skipped because the deploy failed; or the deploy was not
// reached, and what serves is an earlier attempt's, which was left then.
func (r *Run) namesTooLittle(a *Attempt) bool {
	return r.Naming == NeedsSmoke && a.job(smokeJob).Conclusion != "failure" ||
		a.Number > 1 && a.job(deployJob).Conclusion == "skipped"
}
