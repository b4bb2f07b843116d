package github

import "fmt"

// unsupportedInput is one input that is parsed but whose part of the program is still
// to come. Building that part means deleting its lines here.
type unsupportedInput struct {
	Input   string
	Missing string // what is not there yet, to stand behind "asks for"
	Planned string // the part that will bring it
	Used    func(Inputs) bool
}

const plannedSite = "rollback of the static site"

// unsupportedInputs lists what this version cannot do. Asking for it is an error:
// nothing that a user asked for is silently left out.
func unsupportedInputs() []unsupportedInput {
	return []unsupportedInput{
		{"site-bucket", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.Bucket != "" }},
		{"site-prefix", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.Prefix != "" }},
		{"site-restore-to", "the rollback of a site", plannedSite, func(in Inputs) bool { return !in.Site.RestoreTo.IsZero() }},
		{"site-manifest", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.Manifest != "" }},
		{"cloudfront-distribution-id", "the rollback of a site", plannedSite, func(in Inputs) bool { return in.Site.DistributionID != "" }},
	}
}

// unsupportedPart is what this version cannot do for the input; empty: nothing.
func unsupportedPart(input string) string {
	for _, part := range unsupportedInputs() {
		if part.Input == input {
			return part.Missing
		}
	}
	return ""
}

// checkUnsupported reports each input that asks for what is not there yet.
func checkUnsupported(p *inputParser, in Inputs) {
	for _, part := range unsupportedInputs() {
		if part.Used(in) {
			p.refuse(part.Input, fmt.Sprintf("asks for %s, which is not built yet in this version: remove it (planned: %s)", part.Missing, part.Planned))
		}
	}
}
