package errorrate

import "fmt"

// Why returns the reason for the verdict as part of a sentence, for people. It does
// not include the rates.
func (v Verdict) Why() string {
	why := v.because()
	if v.LikeTheLeft {
		why += "; the version that was replaced failed as often, so the cause is probably not the code"
	}
	return why
}

func (v Verdict) because() string {
	switch v.Status {
	case Passed:
		return fmt.Sprintf("an increase of %.0f points would have been detected", 100*SeenRise)
	case Failed:
		return "more than chance explains (" + v.chance() + ")"
	case Inconclusive:
	}
	switch v.Reason {
	case NoCalls:
		return "no calls were counted, and missing data does not mean healthy"
	case NothingToCompare:
		if v.Against == Before {
			return "there is no data from before the deploy to compare it with"
		}
		return "the other version had no calls at the same time to compare it with"
	case Throttled:
		if v.Tested.Calls == 0 {
			return fmt.Sprintf("every call was throttled (%d)", v.Tested.Throttles)
		}
		return "more calls were throttled than usual: throttled calls are not served"
	case OneMinute:
		return fmt.Sprintf("more than chance explains (%s), but all of the errors were in one minute", v.chance())
	case OneWindow:
		return fmt.Sprintf("more than chance explains (%s), but not in both halves of the time", v.chance())
	case TooFewCalls:
		if v.Needed == 0 {
			return fmt.Sprintf("too few calls to tell: %d seen, and %d to compare them with", v.Tested.Calls, v.Other.Calls)
		}
		return fmt.Sprintf("too few calls to tell: %d seen, about %d needed", v.Tested.Calls, v.Needed)
	case NoReason:
	}
	return ""
}

func (v Verdict) chance() string {
	if v.PValue < 0.0001 {
		return "p < 0.0001"
	}
	return fmt.Sprintf("p = %.2g", v.PValue)
}
