package github

import "strings"

// Definition describes one input. The table of definitions is the single source
// for action.yml, the README, and the messages about invalid values.
type Definition struct {
	Name        string
	Group       string // heading in action.yml, shared by adjacent inputs
	Description string // whole sentences: what the input does; see also Requires
	// Requires names the inputs without which this one has no effect, each as
	// `name` or `name: value`.
	Requires []string
	Form     string // the accepted values, as they follow the word "takes"
	Default  string // as in action.yml; empty: none
	Required bool
	// Essential marks an input that the decision or the move depends on: if it is
	// invalid, the rollback stops before any call to AWS. An invalid value of any
	// other input is reported, and the alias moves anyway.
	Essential bool
	// Check is the name, as in the results, of the check after the move that the
	// input configures; empty: none.
	Check  string
	Secret bool // its value must never be printed
}

// Variable returns the environment variable in which the runner passes the input:
// in upper case, with underscores for spaces; hyphens stay.
func (d Definition) Variable() string {
	return "INPUT_" + strings.ToUpper(strings.ReplaceAll(d.Name, " ", "_"))
}

// Boolean reports whether the input is true or false.
func (d Definition) Boolean() bool { return d.Form == formBoolean }

// Text returns the whole description: what the input does, the values it accepts,
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

// Purpose returns what the input does, and the inputs that it requires.
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
