package report

// medium writes outside texts in the format of a medium. The limits are in characters.
type medium struct {
	text   func(text string, limit int) string
	name   func(text string, limit int) string // of a function, a branch or a person
	strong func(text string) string            // takes a text of the medium

	longestRun int    // characters of a workflow's name
	unnamedRun string // the name for a run whose workflow is not known; empty for none
}

var (
	plainText = medium{
		text: oneLine, name: Line, strong: func(text string) string { return text },
		longestRun: longestName,
	}
	gitHub = medium{
		text: escapeMarkdown, name: inlineCode, strong: func(text string) string { return "**" + text + "**" },
		longestRun: longestCell, unnamedRun: "page of the run",
	}
)

// FromTo returns a short form of the move: "42 → 41".
func FromTo(from, to string) string { return versionOrUnknown(from) + arrow + versionOrUnknown(to) }

const arrow = " → "

// move returns where an alias was moved, "42 → 41", or the version it is on, or an
// empty string if neither is known. about returns additional facts about a version; it
// may be nil.
func (m medium) move(f Function, about func(version string) string) string {
	plain := func(version string) string { return m.text(version, longestName) }
	version := plain
	if about != nil {
		version = func(version string) string { return plain(about(version)) }
	}
	from := version(versionOrUnknown(f.From))
	switch {
	case f.From == "" && f.To == "":
		return ""
	case f.Status == Drilled:
		return from + arrow + version(versionOrUnknown(f.Target)) + arrow + m.strong(from)
	case f.Status == Ready && f.Target != "":
		return from + " (a rollback goes to " + plain(f.Target) + ")"
	case f.NotRestored && f.Promotion != nil:
		return from + ", and " + m.strong(plain(f.Promotion.Version)) + " with " + percent(f.Promotion.Weight)
	case f.To == "":
		return from
	case f.Promotion != nil && f.Status == Failed:
		return m.strong(plain(f.To)) + ", not " + plain(f.Promotion.Version)
	case f.From == f.To && f.WeightsCleared:
		return m.strong(plain(f.To)) + ", without the canary"
	case f.Status == RolledBack || f.MovedAt != "" || f.Status == Promoted:
		return from + arrow + m.strong(version(f.To))
	case f.Status == Planned:
		return from + arrow + version(f.To) + " (not done)"
	default:
		return from + " (rollback to " + plain(f.To) + " failed)"
	}
}
