package github //nolint:testpackage // of a pure function that is not exported

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCorrectedAddresses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ given, want string }{
		"semicolons, as in Outlook":        {"a@x.example; b@y.example", "a@x.example, b@y.example"},
		"a semicolon at the end":           {"a@x.example;", "a@x.example"},
		"blanks":                           {"a@x.example b@y.example", "a@x.example, b@y.example"},
		"a comma in a name":                {"Acme, Inc. <a@x.example>", `"Acme, Inc." <a@x.example>`},
		"two names with commas":            {"Acme, Inc. <a@x.example>, Doe, Jane <b@y.example>", `"Acme, Inc." <a@x.example>, "Doe, Jane" <b@y.example>`},
		"names, and semicolons":            {"Jane Doe <a@x.example>; Joe <b@y.example>", "Jane Doe <a@x.example>, Joe <b@y.example>"},
		"an address before a name":         {"a@x.example, Acme, Inc. <b@y.example>", `a@x.example, "Acme, Inc." <b@y.example>`},
		"an address behind a name":         {"Acme, Inc. <b@y.example>; a@x.example", `"Acme, Inc." <b@y.example>, a@x.example`},
		"a dot in a name":                  {"Acme Inc. <a@x.example>", `Acme Inc. <a@x.example>`},
		"a colon in a name":                {"Team: on call <a@x.example>", `"Team: on call" <a@x.example>`},
		"an at sign in a name":             {"Ops @ Acme <a@x.example>", `"Ops @ Acme" <a@x.example>`},
		"brackets in a name":               {"[prod] on call <a@x.example>", `"[prod] on call" <a@x.example>`},
		"an umlaut in a name with a comma": {"Müller, Jörg <a@x.example>", `"Müller, Jörg" <a@x.example>`},
		"a quote that is not closed":       {`"Acme <a@x.example>`, "Acme <a@x.example>"},
		"a backslash in a name":            {`Acme\Ops, Inc. <a@x.example>`, `"Acme\\Ops, Inc." <a@x.example>`},
		"a link":                           {"mailto:a@x.example", "a@x.example"},
		"an address in quotes":             {`"a@x.example"`, "a@x.example"},
		"addresses in quotes":              {`'a@x.example', 'b@y.example'`, "a@x.example, b@y.example"},
		"brackets and semicolons":          {"<a@x.example>; <b@y.example>", "a@x.example, b@y.example"},
		"no address":                       {"oncall", ""},
		"no domain":                        {"oncall@", ""},
		"two at signs":                     {"a@b@x.example", ""},
		"a bracket that is not closed":     {"Acme <a@x.example", ""},
		"a name alone":                     {"Acme, Inc.", ""},
		"a group":                          {"team: a@x.example, oncall;", ""},
		"an encoded name":                  {"=?utf-8?q?a=0Ab?= <a@x.example>; b@y.example", ""},
		"a sign that turns the text":       {"a\u202eb, c <a@x.example>", ""},
		"a control character":              {"a\x00b, c <a@x.example>", ""},
		"nothing":                          {" ; , ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, correctedAddresses(test.given))
		})
	}
}

// What is proposed is accepted, and has no address that was not given.
func TestCorrectedAddressesAreAccepted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SampledFrom([]string{"a@x.example", "Acme", ",", ";", " ", "<", ">", `"`, `\`, "(", ")", ":", "@", "é", "[", "mailto:", "<b@y.example>", "\n"})
		text := strings.Join(rapid.SliceOf(pieces).Draw(t, "pieces"), "")
		if corrected := correctedAddresses(text); corrected != "" {
			addresses, err := mail.ParseAddressList(corrected)
			require.NoError(t, err)
			for _, address := range addresses {
				assert.Contains(t, text, address.Address)
			}
		}
	})
}
