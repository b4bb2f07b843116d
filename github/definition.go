package github

import "strings"

// Definition describes one input. The table of them is the single source for
// action.yml, the README, and the messages about wrong values.
type Definition struct {
	Name        string
	Group       string // heading that neighbours share
	Description string // whole sentences: what it does; Requires adds another one
	// Requires names the inputs without which this one has no effect, each as
	// `name` or `name: value`.
	Requires []string
	Form     string // what it accepts, to stand behind "takes"
	Default  string // as in action.yml; empty: none
	Required bool
	// Essential: the input decides or makes the move, so a fault in it ends a
	// rollback before any call to AWS. A fault in any other input is told, and the
	// alias moves all the same.
	Essential bool
	// Check is the check after the move that the input configures, as results name
	// it; empty: none.
	Check  string
	Secret bool // its value must never be printed
}

// Variable is the environment variable in which a runner hands the input over:
// upper case, with spaces as underscores; dashes stay.
func (d Definition) Variable() string {
	return "INPUT_" + strings.ToUpper(strings.ReplaceAll(d.Name, " ", "_"))
}

// Boolean reports whether the input is true or false.
func (d Definition) Boolean() bool { return d.Form == formBoolean }

// Text is the whole description: what the input does, the form it takes
// and its default.
func (d Definition) Text() string {
	sentences := []string{d.Purpose(), "Takes " + d.Form + "."}
	switch {
	case d.Required:
		sentences = append(sentences, "Required.")
	case strings.HasPrefix(d.Default, "${{"):
		sentences = append(sentences, "The default is the job's own token.")
	case d.Default != "":
		sentences = append(sentences, "The default is `"+d.Default+"`.")
	}
	if d.Secret && d.Default == "" {
		sentences = append(sentences, "Pass it from a secret.")
	}
	return strings.Join(sentences, " ")
}

// Purpose is what the input does, and the inputs that it requires.
func (d Definition) Purpose() string {
	if len(d.Requires) == 0 {
		return d.Description
	}
	names := "`" + strings.Join(d.Requires, "` and `") + "`"
	if strings.Contains(d.Description, names) {
		names = "it"
	}
	return d.Description + " Requires " + names + "."
}
