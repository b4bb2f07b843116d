package github

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestARevertIsFoundByItsMessage(t *testing.T) {
	t.Parallel()
	sha := func(digit string) string { return strings.Repeat(digit, 40) }
	bad := commitMessage{sha("a"), "Speed up the cart (#12)"}
	merged := commitMessage{sha("a"), "Merge pull request #12 from octo/cart\n\nSpeed up the cart"}
	plain := commitMessage{sha("a"), "Speed up the cart"}
	revert := commitMessage{sha("b"), "Revert \"Speed up the cart (#12)\"\n\nThis reverts commit " + sha("a") + "."}
	for name, c := range map[string]struct {
		rejected commitMessage
		later    []commitMessage
		want     string
	}{
		"nothing came after it":                    {bad, nil, ""},
		"something else came after it":             {bad, []commitMessage{{sha("b"), "Fix the cart (#13)"}}, ""},
		"git revert":                               {bad, []commitMessage{revert}, sha("b")},
		"git revert, by a short name":              {plain, []commitMessage{{sha("b"), "Revert it\n\nThis reverts commit aaaaaaaa."}}, sha("b")},
		"git revert -m of a merge":                 {merged, []commitMessage{{sha("b"), "Revert\n\nThis reverts commit " + sha("a") + ", reversing\nchanges made to " + sha("9") + "."}}, sha("b")},
		"a revert of another commit":               {bad, []commitMessage{{sha("b"), "This reverts commit " + sha("c")}}, ""},
		"GitHub's button, squashed":                {bad, []commitMessage{{sha("b"), "Revert \"Speed up the cart\" (#14)\n\nReverts octo/shop#12"}}, sha("b")},
		"GitHub's button, of the same repository":  {merged, []commitMessage{{sha("b"), "Revert (#14)\n\nReverts #12"}}, sha("b")},
		"a revert of pull request 123":             {bad, []commitMessage{{sha("b"), "Revert (#14)\n\nReverts octo/shop#123"}}, ""},
		"a message that only names the pull":       {bad, []commitMessage{{sha("b"), "Follows up #12"}}, ""},
		"the revert was reverted":                  {bad, []commitMessage{revert, {sha("c"), "This reverts commit " + sha("b")}}, ""},
		"… and reverted again":                     {bad, []commitMessage{revert, {sha("c"), "This reverts commit " + sha("b")}, {sha("d"), "This reverts commit " + sha("c")}}, sha("b")},
		"reverted, brought back, reverted anew":    {bad, []commitMessage{revert, {sha("c"), "This reverts commit " + sha("b")}, {sha("d"), "This reverts commit " + sha("a")}}, sha("d")},
		"a commit that claims to revert a later":   {bad, []commitMessage{{sha("b"), "This reverts commit " + sha("c")}, {sha("c"), "x"}}, ""},
		"a commit in capitals":                     {bad, []commitMessage{{sha("b"), "THIS REVERTS COMMIT " + strings.ToUpper(sha("a"))}}, sha("b")},
		"several reverts in one message":           {bad, []commitMessage{{sha("b"), "This reverts commit " + sha("c") + ".\nThis reverts commit " + sha("a") + "."}}, sha("b")},
		"a rejected commit of an unknown pull":     {commitMessage{sha("a"), "Release (#12) now"}, []commitMessage{{sha("b"), "Reverts #12"}}, ""},
		"a message without anything":               {bad, []commitMessage{{sha("b"), ""}}, ""},
		"a title with a number that is not a pull": {commitMessage{sha("a"), "Bump (12)"}, []commitMessage{{sha("b"), "Reverts #12"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, revertedBy(c.rejected, c.later))
		})
	}
}
