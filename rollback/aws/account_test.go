package aws_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

func TestTheAccountOfAnAccessKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ id, want string }{
		"of a session, as published": {"ASIAY34FZKBOKMUTVV7A", "609629065308"},
		"with zeros in front":        {"ASIAQNZGKIQY56JQ7WML", "029608264753"},
		"nothing":                    {"", ""},
		"too short":                  {"ASIAY34FZKBOKMUTVV7", ""},
		"a line end":                 {"ASIAY34FZKBOKMUTVV7A\n", ""},
		"no base 32":                 {"AKIA0189018901890189", ""},
		"in small letters":           {"asiay34fzkbokmutvv7a", ""},
		"an account that cannot be":  {"AKIA7777777777777777", ""},
		"no account":                 {"AKIAAAAAAAAAAAAAAAAA", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, aws.AccountOf(c.id))
		})
	}
}
