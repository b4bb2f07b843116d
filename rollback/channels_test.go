package rollback

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/notify"
)

// A warning that nothing is notified, said of a channel that is, would send a person
// to look for a fault that is not there.
func TestNoChannelIsCalledMissing(t *testing.T) {
	t.Parallel()
	parse := func(given map[string]string) github.Inputs {
		given["INPUT_FUNCTION-NAME"], given["INPUT_NOTIFY-ON"] = "api", "always"
		in, _ := github.ParseInputs(func(name string) string { return given[name] })
		return in
	}
	require.Contains(t, parse(map[string]string{}).Warnings[0], "notify-on has no effect without a channel", "what this test looks for")
	definitions := map[string]github.Definition{}
	for _, d := range github.InputDefinitions() {
		definitions[d.Name] = d
	}
	for _, channel := range notify.Registry() {
		given := map[string]string{}
		for _, input := range channel.Required {
			given[definitions[input].Variable()] = "x"
		}
		for _, warning := range parse(given).Warnings {
			assert.NotContains(t, warning, "without a channel", "add an input of %s to the channels in github/inputchecks.go", channel.Name)
		}
	}
}
