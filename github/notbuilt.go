package github

import "fmt"

// notBuilt is one input that is parsed but whose part of the program is still
// to come. Building that part means deleting its lines here.
type notBuilt struct {
	Input   string
	Missing string // what is not there yet, to stand behind "asks for"
	Planned string // the part that will bring it
	Used    func(Inputs) bool
}

const plannedSite = "rollback of the static site"

// notBuiltYet lists what this version cannot do. Asking for it is an error:
// nothing that a user asked for is silently left out.
func notBuiltYet() []notBuilt {
	return []notBuilt{
		{"site-bucket", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.Bucket != "" }},
		{"site-prefix", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.Prefix != "" }},
		{"site-restore-to", "the rollback of a site", plannedSite, func(in Inputs) bool { return !in.Site.RestoreTo.IsZero() }},
		{"site-manifest", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.Manifest != "" }},
		{"cloudfront-distribution-id", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.DistributionID != "" }},
	}
}

// missingPart is what this version cannot do for the input; empty: nothing.
func missingPart(input string) string {
	for _, part := range notBuiltYet() {
		if part.Input == input {
			return part.Missing
		}
	}
	return ""
}

// refuseNotBuilt reports each input that asks for what is not there yet.
func (p *inputParser) refuseNotBuilt(in Inputs) {
	for _, part := range notBuiltYet() {
		if part.Used(in) {
			p.refuse(part.Input, fmt.Sprintf("asks for %s, which is not built yet in this version: remove it (planned: %s)", part.Missing, part.Planned))
		}
	}
}
