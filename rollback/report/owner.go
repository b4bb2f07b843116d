package report

import "strings"

// Owner describes what else moves an alias. Its texts may come from outside.
type Owner struct {
	Tool         string // "AWS CDK"; empty if unknown
	Name         string // "the stack checkout"; empty if unknown
	OnlyFunction bool   // it owns the function but, as far as is known, not the alias
	State        string // what it is doing, as part of a sentence; empty if unknown
	Command      string // how to recover it from that state; empty if nothing has to be done
	Deployment   string // a CodeDeploy deployment in progress, as part of a sentence
	Next         string // what the next deploy does with the alias, as part of a sentence
	Keep         string // whether the next deploy deletes old versions, and how to keep them, as part of a sentence
	// TargetDeleted reports that the next deploy deletes old versions, unless this is
	// prevented.
	TargetDeleted bool
	// Deletes is the cause if old versions are missing; empty if the tool is not
	// known.
	Deletes NoPrevious
	Past    []string // what was waited for or stopped; parts of sentences
	Unseen  []string // what could not be read, and why; parts of sentences
}

// Title names the owner, such as "AWS CDK, the stack checkout", or returns an empty
// string if none is known.
func (o Owner) Title() string {
	var parts []string
	for _, part := range []string{o.Tool, o.Name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// sentences describe the owner, most important first.
func (o Owner) sentences() []string {
	var out []string
	add := func(text string) {
		if text != "" {
			out = append(out, capitalized(withFullStop(text)))
		}
	}
	if title := o.Title(); title != "" {
		what := "The alias belongs to "
		if o.OnlyFunction {
			what = "The function belongs to "
		}
		if o.State != "" {
			title += ": " + o.State
		}
		add(what + title)
	}
	if o.Command != "" {
		add("To recover it, run: " + o.Command)
	}
	add(o.Deployment)
	for _, text := range o.Past {
		add(text)
	}
	if o.Next != "" {
		add("Next deploy: " + o.Next)
	}
	if o.Keep != "" {
		add("Old versions: " + o.Keep)
	}
	if len(o.Unseen) > 0 {
		add("Could not determine: " + strings.Join(o.Unseen, "; "))
	}
	return out
}

// ownerSection describes what else moves the alias.
func ownerSection(f Function) string {
	if f.Owner == nil {
		return ""
	}
	var lines []string
	for _, text := range f.Owner.sentences() {
		lines = append(lines, "- "+escapeMarkdown(text, longestText))
	}
	return strings.Join(lines, "\n")
}

// ownerFacts returns the lines about the owner for a message: what it is, and what the
// next deploy does.
func ownerFacts(f Function) []Fact {
	o := f.Owner
	if o == nil {
		return nil
	}
	is := o.Title()
	for _, text := range append([]string{o.State, o.Deployment}, o.Past...) {
		if text != "" && is != "" {
			is += "; "
		}
		is += text
	}
	facts := []Fact{{Name: "Deployed by", Text: oneLine(is, longestCell)}}
	if o.Command != "" {
		facts = append(facts, Fact{Name: "Recover the stack", Text: oneLine(o.Command, longestCell)})
	}
	if o.Next != "" {
		facts = append(facts, Fact{Name: "Next deploy", Text: oneLine(o.Next, longestCell)})
	}
	return facts
}

// Check returns a line for the command check: what else moves the alias, its state,
// and whether the version to go back to is kept by the next deploy. The line never
// fails.
func (o Owner) Check() Check {
	line := Check{Name: "owner", Status: CheckPassed, Detail: strings.Join(o.sentences(), " ")}
	if o.TargetDeleted || o.Deployment != "" || o.Command != "" || len(o.Unseen) > 0 {
		line.Status = CheckInconclusive
	}
	return line
}
