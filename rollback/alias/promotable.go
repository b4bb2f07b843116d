package alias

import (
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// PromoteOptions are the options of a promotion.
type PromoteOptions struct {
	Splits        bool // a step lets both versions share the traffic
	AllowRejected bool // a version that was rejected, or is equal to a rejected one, may be promoted
	// Together means that all functions go back if one of them does.
	Together bool
}

// decidePromotion decides how to promote the version in deployed-version: Move if it
// gets traffic, Skip if it already has all of it, Fail if Lambda or an earlier event
// does not allow it. It depends only on the observation.
func decidePromotion(o Observation, options PromoteOptions) Decision {
	return decideWith(o, func(f *facts) Decision { return promote(f, options) })
}

func promote(f *facts, options PromoteOptions) Decision {
	now, version := f.o.Alias, f.o.Request.Deployed
	if now.Latest {
		return refuse(onLatestWhy)
	}
	u := f.usable(version)
	if !u.ok {
		return Decision{Action: Fail, Reason: report.VersionNotFound, Why: fmt.Sprintf("version %d, set in deployed-version, %s", version, u.why)}
	}
	if now.Only(version) {
		return Decision{Action: Skip, Notes: u.notes, Why: fmt.Sprintf("version %d already has all of the traffic", version)}
	}
	if d, refused := inFlight(f.o, version); refused {
		return d
	}
	stable := now.Version
	if version < stable {
		return refuse(fmt.Sprintf("version %d is older than version %d, which is live: to go back, use the command rollback", version, stable))
	}
	if !options.AllowRejected {
		if d, refused := rejectedBefore(f, version); refused {
			return d
		}
	}
	f.readForPromotion(stable)
	if options.Splits {
		if d, refused := cannotShare(f, stable, version); refused {
			return d
		}
	}
	d := Decision{Action: Move, Target: version, Notes: u.notes, Why: fmt.Sprintf("version %d was published by this deploy", version)}
	if !f.differs(stable, version) {
		d.Notes = append(d.Notes, report.Note{Warning: true, Text: fmt.Sprintf("version %d has the same code and settings as version %d: the promotion changes nothing", version, stable)})
	}
	return d
}

const (
	onLatestWhy    = "the alias points at $LATEST, which is not a version and cannot share the traffic: publish a version and point the alias at it first"
	provisionedWhy = "the alias has provisioned concurrency, so Lambda does not allow two versions to share its traffic; use steps: 0%, 100% 5m"
)

func refuse(why string) Decision {
	return Decision{Action: Fail, Reason: report.Refused, Why: why}
}

// inFlight refuses if two versions share the traffic, unless that is this run's own
// promotion, which continues.
func inFlight(o Observation, version int64) (Decision, bool) {
	now, m := o.Alias, o.Memory
	promoted := m.promoting(now)
	switch {
	case now.Weighted == 0:
		return Decision{}, false
	case promoted && m.Run == o.Run.ID && now.Weighted == version:
		return Decision{}, false
	case promoted:
		return refuse(fmt.Sprintf("run %d is promoting version %d, or was stopped while it did: %s; wait until it has finished, or clear the weight with the command rollback", m.Run, now.Weighted, serving(now))), true
	case now.stuck():
		return refuse(fmt.Sprintf("AWS has not shifted the traffic since the alias was moved to version %d, as happens if provisioned concurrency does not start: %s; find out why, and clear the weight with the command rollback", now.Version, serving(now))), true
	}
	return refuse(fmt.Sprintf("something else is shifting the traffic: the alias serves %s; wait until it has finished, or clear the weight with the command rollback", serving(now))), true
}

// maxComparedRejected is how many of the newest rejected versions a new one is
// compared with.
const maxComparedRejected = 5

// rejectedBefore refuses a version that was rejected, or that is equal to a rejected
// one.
func rejectedBefore(f *facts, version int64) (Decision, bool) {
	refused := func(why string) (Decision, bool) {
		return Decision{Action: Fail, Reason: report.RejectedBefore, Why: why + "; fix it, or set allow-rejected: true"}, true
	}
	if e, rejected := f.o.Memory.Rejected.Find(version); rejected {
		return refused(fmt.Sprintf("version %d was rejected%s", version, byRun(e.Run)))
	}
	compared := 0
	for _, e := range f.o.Memory.Rejected {
		for v := e.First; v >= e.Last && compared < maxComparedRejected; v-- {
			compared++
			f.readForPromotion(v)
			if known := f.o.Versions[v]; known.Exists && known.Settings.identity != "" && !f.differs(version, v) {
				return refused(fmt.Sprintf("version %d has the same code and settings as version %d, which was rejected%s", version, v, byRun(e.Run)))
			}
		}
	}
	return Decision{}, false
}

// readForPromotion requires the configuration of a version.
func (f *facts) readForPromotion(version int64) {
	if v, known := f.o.Versions[version]; !known || v.Exists && !v.Read {
		f.need(Query{Versions: []int64{version}})
	}
}

// cannotShare refuses what Lambda refuses for two versions that share the traffic.
// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
func cannotShare(f *facts, stable, version int64) (Decision, bool) {
	a, b := f.o.Versions[stable], f.o.Versions[version]
	if !a.Read || !b.Read {
		return Decision{}, false
	}
	for _, what := range []string{settingRole, settingDeadLetters} {
		if a.Settings.value(what) != b.Settings.value(what) {
			return refuse(fmt.Sprintf("versions %d and %d differ in their %s, but Lambda allows versions to share the traffic only if it is the same: use steps: 0%%, 100%% 5m", stable, version, what)), true
		}
	}
	return Decision{}, false
}

// wayBackFrom decides which version to return to from one that already has all of the
// traffic: the version in this run's snapshot, or otherwise the one that a rollback
// would choose.
func wayBackFrom(o Observation, version int64) Decision {
	return decideWith(o, func(f *facts) Decision {
		m := f.o.Memory
		if m.writtenBy(BySnapshot, f.o.Run) && m.Version == version {
			return skip(report.NotDeployed, fmt.Sprintf("this run's snapshot shows that version %d was live before the deploy, which changed nothing", version))
		}
		if m.writtenBy(BySnapshot, f.o.Run) && m.Version != 0 {
			if u := f.usable(m.Version); u.ok {
				return Decision{Action: Move, Target: m.Version, Reason: report.Snapshot, Why: "it was live when this run took its snapshot"}
			}
		}
		d := below(f, version, true)
		d.Reject = nil
		return d
	})
}
