package report

import "strings"

// Owner tells who else moves an alias, in words. Its texts may come from outside.
type Owner struct {
	Tool         string // "AWS CDK"; empty: not known
	Name         string // "the stack checkout"; empty: not known
	OnlyFunction bool   // it owns the function, and as far as is known not the alias
	State        string // half a sentence: what it is doing; empty: not known
	Command      string // what brings it out of that state; empty: nothing is to be done
	Deployment   string // half a sentence about a deployment of CodeDeploy in flight
	Next         string // half a sentence: what the next deploy does with the alias
	Keep         string // half a sentence: whether the next deploy deletes old versions, and what keeps them
	// TargetDeleted: the next deploy deletes old versions, unless something was done
	// about it.
	TargetDeleted bool
	Past          []string // half sentences: what was waited for or stopped
	Unseen        []string // half sentences: what could not be seen, and why
}

// Title names the owner: "AWS CDK, the stack checkout"; empty: none is known.
func (o Owner) Title() string {
	var parts []string
	for _, part := range []string{o.Tool, o.Name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// sentences tell of the owner, the most important first.
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

// ownerSection tells who else moves the alias.
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

// ownerFacts are the lines of a message about the owner: what it is, and what the
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

// Check is the line of the command check: who else moves the alias, in which state
// it is, and whether the version to go back to outlives the next deploy. It fails
// nothing.
func (o Owner) Check() Check {
	line := Check{Name: "owner", Status: CheckPassed, Detail: strings.Join(o.sentences(), " ")}
	if o.TargetDeleted || o.Deployment != "" || o.Command != "" || len(o.Unseen) > 0 {
		line.Status = CheckInconclusive
	}
	return line
}
