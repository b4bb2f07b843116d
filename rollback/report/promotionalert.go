package report

import (
	"fmt"
	"strings"
)

// PromotionStage is the stage of a promotion that is in progress.
type PromotionStage struct {
	Headline string // what happened, such as "Promotion started"
	// Message has one sentence per function, or one for all.
	Message string
	Next    string // what comes next; a sentence
	Doubt   bool   // somebody should check it
}

// NewPromotionAlert returns the notification about the stage of a promotion. r
// contains the functions that it is about, in their current state; secrets must be
// removed from it before, as for NewAlert.
func NewPromotionAlert(r Result, stage PromotionStage) Alert {
	a := NewAlert(r)
	a.Preliminary, a.Severity, a.Mark = true, SeverityQuiet, "⏳"
	if stage.Doubt {
		a.Severity, a.Mark = SeverityAttention, attentionMark
	}
	a.Headline, a.Message = withEnvironment(stage.Headline+": "+promotionSubject(r), r), oneLine(stage.Message, longestMessage)
	a.Verdict, a.Checks, a.Next, a.Functions, a.Left = oneLine(stage.Next, longestText), nil, nil, nil, 0
	return a
}

// promotionSubject names what is promoted.
func promotionSubject(r Result) string {
	if len(r.Functions) != 1 {
		return functionCount(len(r.Functions))
	}
	f := r.Functions[0]
	name := orFunction(plainText.name(f.Function, longestName))
	if f.Promotion == nil {
		return name
	}
	return strings.TrimSpace(fmt.Sprintf("%s, version %s", name, versionOrUnknown(f.Promotion.Version)))
}
