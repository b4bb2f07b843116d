package github_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	const secret = `p@ss/"wörd"+<1>`
	quoted, err := json.Marshal(secret)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"as it is":                      {[]string{secret}, "a " + secret + " b", "a *** b"},
		"twice":                         {[]string{"hunter22"}, "hunter22hunter22", "******"},
		"in a query":                    {[]string{secret}, "?p=" + url.QueryEscape(secret), "?p=***"},
		"in a path":                     {[]string{secret}, "/" + url.PathEscape(secret) + "/", "/***/"},
		"in a path with small digits":   {[]string{"a/b/c/d"}, "a%2fb%2fc%2fd", "***"},
		"in JSON":                       {[]string{secret}, `{"p":` + string(quoted) + `}`, `{"p":"***"}`},
		"in base64":                     {[]string{secret}, base64.StdEncoding.EncodeToString([]byte(secret)), "***"},
		"in base64 for URLs":            {[]string{secret}, base64.RawURLEncoding.EncodeToString([]byte(secret)), "***"},
		"in HTML":                       {[]string{secret}, "<p>" + html.EscapeString(secret) + "</p>", "<p>***</p>"},
		"in a query of a query":         {[]string{secret}, "?p=" + url.QueryEscape(url.QueryEscape(secret)), "?p=***"},
		"in hex":                        {[]string{secret}, hex.EncodeToString([]byte(secret)), "***"},
		"in PHP's JSON":                 {[]string{"abc/def/ghi"}, `"abc\/def\/ghi"`, `"***"`},
		"the longest wins":              {[]string{"hunter", "hunter22"}, "hunter22 hunter", "*** ***"},
		"overlapping ones are one":      {[]string{"abcdef", "defghi"}, "abcdefghi", "***"},
		"one that is too short":         {[]string{"abc", ""}, "abc", "abc"},
		"blanks around it do not count": {[]string{" hunter22\n"}, "hunter22", "***"},
		"a line of a key":               {[]string{"-----BEGIN KEY-----\nMIIBbase\n-----END KEY-----"}, "got MIIBbase.", "got ***."},
		"no secrets":                    {nil, "abc", "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, github.NewRedactor(c.secrets).Redact(c.text))
		})
	}
}

func TestRedactWithinBase64OfMore(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery"
	r := github.NewRedactor([]string{secret})
	for _, user := range []string{"", "a", "ab", "abc"} {
		header := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret+":tail"))
		got := r.Redact(header)
		assert.Contains(t, got, "***")
		assert.Less(t, len(got), len(header)-len(secret))
	}
}

func TestRedactByNobody(t *testing.T) {
	t.Parallel()
	var none *github.Redactor
	assert.Equal(t, "x", none.Redact("x"))
	assert.Equal(t, "x", (&github.Redactor{}).Redact("x"))
}

func FuzzRedact(f *testing.F) {
	f.Add("hunter22", "a", "b")
	f.Add("abab", "ab", "abab")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		trimmed := strings.TrimSpace(secret)
		if len(trimmed) < 4 || strings.Contains(trimmed, "*") {
			t.Skip()
		}
		assert.NotContains(t, github.NewRedactor([]string{secret}).Redact(before+trimmed+after), trimmed)
	})
}
