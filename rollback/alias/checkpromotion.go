package alias

import (
	"context"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// checkPromotion finds out whether a promotion would start now; it does nothing if no
// promotion is intended (nil). The aliases must have been read.
func (c *checker) checkPromotion(ctx context.Context, options *PromoteOptions) checkLine {
	const name = "promotion"
	if options == nil {
		return checkLine{}
	}
	d, err := c.r.observer.decide(ctx, func(o Observation) Decision { return decideToCome(o, *options) })
	switch {
	case err != nil:
		return problem(name, err)
	case d.Action == Fail:
		return checkLine{name: name, status: failed, reason: d.Reason, detail: "it would be refused: " + d.Why}
	case options.Splits && c.provisioned && d.Action == Move:
		return checkLine{name: name, status: failed, reason: report.Refused, detail: "it would be refused: " + provisionedWhy}
	}
	return checkLine{name: name, status: passed, detail: d.Why}
}

// decideToCome is decidePromotion for a new version that need not be known yet.
func decideToCome(o Observation, options PromoteOptions) Decision {
	now := o.Alias
	switch {
	case o.Request.Deployed != 0:
		return decidePromotion(o, options)
	case now.Latest:
		return refuse(onLatestWhy)
	}
	if d, refused := inFlight(o, 0); refused {
		return d
	}
	return Decision{Action: Move, Why: fmt.Sprintf("a newer version than %d could be promoted", now.Version)}
}
