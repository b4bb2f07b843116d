package notify_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/notify"
)

// A mechanism that the server offers may not work: NTLM wants a domain, SCRAM and
// CRAM-MD5 a hash that the server may not have. The next one offered is tried.
func TestEmailSignsInWithTheNextMechanism(t *testing.T) {
	t.Parallel()
	fails := func(code int, words string) saslFunc {
		return func([]byte) ([]byte, bool, error) { return nil, false, smtpError(code, words) }
	}
	challenges := func(challenge string) saslFunc {
		return func([]byte) ([]byte, bool, error) { return []byte(challenge), false, nil }
	}
	const (
		failed  = "5.7.8 Authentication failed"
		unknown = "5.5.4 Unrecognized authentication type"
		advice  = "; check smtp-username and smtp-password: many services require an app password, or sending by SMTP must be turned on for the account"
	)
	for name, test := range map[string]struct {
		offers   []string
		auth     map[string]saslFunc
		tls      string // empty: auto
		password string // empty: the right one
		want     string // empty: sent
		user     string
		dials    int
	}{
		"NTLM fails, LOGIN succeeds":                {offers: []string{"NTLM", "GSSAPI", "LOGIN"}, auth: map[string]saslFunc{"NTLM": fails(535, failed)}, user: "LOGIN deploy-bot", dials: 2},
		"NTLM fails after its challenge":            {offers: []string{"NTLM", "GSSAPI", "LOGIN"}, auth: map[string]saslFunc{"NTLM": challenges("NTLM supported")}, user: "LOGIN deploy-bot", dials: 2},
		"NTLM fails with a temporary error":         {offers: []string{"NTLM", "LOGIN"}, auth: map[string]saslFunc{"NTLM": fails(454, "4.7.0 Temporary authentication failure")}, user: "LOGIN deploy-bot", dials: 2},
		"NTLM is not known after all":               {offers: []string{"NTLM", "PLAIN"}, auth: map[string]saslFunc{"NTLM": fails(504, unknown)}, user: "PLAIN deploy-bot", dials: 2},
		"the connection ends at NTLM":               {offers: []string{"NTLM", "PLAIN"}, auth: map[string]saslFunc{"NTLM": fails(421, "4.7.0 closing")}, user: "PLAIN deploy-bot", dials: 2},
		"two fail, the third succeeds":              {offers: []string{"LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}, auth: map[string]saslFunc{"CRAM-MD5": fails(535, failed), "SCRAM-SHA-256": fails(535, failed)}, user: "LOGIN deploy-bot", dials: 3},
		"PLAIN is not known after all":              {offers: []string{"PLAIN", "LOGIN"}, auth: map[string]saslFunc{"PLAIN": fails(504, unknown)}, user: "LOGIN deploy-bot", dials: 2},
		"a wrong password is not tried in two ways": {offers: []string{"PLAIN", "LOGIN"}, password: "wrong", want: "the mail server answered 535 " + failed + advice, dials: 1},
		"in small letters":                          {offers: []string{"plain", "login"}, user: "PLAIN deploy-bot", dials: 1},
		"two need what the server lacks":            {offers: []string{"GSSAPI", "XOAUTH2", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN"}, auth: map[string]saslFunc{"SCRAM-SHA-1": fails(501, "5.5.2 Cannot decode"), "CRAM-MD5": challenges("not a challenge")}, user: "PLAIN deploy-bot", dials: 3},
		"none takes a password":                     {offers: []string{"GSSAPI", "XOAUTH2", "EXTERNAL"}, want: "the mail server does not offer sign-in with a password: it may require OAuth, an app password, or its own relay; see its documentation", dials: 1},
		"all fail":                                  {offers: []string{"NTLM", "GSSAPI", "LOGIN"}, auth: map[string]saslFunc{"NTLM": fails(535, failed)}, password: "wrong", want: "the mail server answered 535 " + failed + advice, dials: 2},
		"NTLM alone fails":                          {offers: []string{"NTLM", "GSSAPI"}, auth: map[string]saslFunc{"NTLM": fails(535, failed)}, want: "the mail server answered 535 " + failed + advice, dials: 1},
		"without TLS, nothing shows the password":   {offers: []string{"CRAM-MD5", "PLAIN", "LOGIN"}, auth: map[string]saslFunc{"CRAM-MD5": fails(535, failed)}, tls: "none", want: "the mail server answered 535 " + failed + advice, dials: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s, options := bubble(t, ca)
				s.mechanisms, s.auth = test.offers, test.auth
				if test.tls != "" {
					options.TLS, s.AllowInsecureAuth = test.tls, true
				}
				if test.password != "" {
					options.Password = test.password
				}
				got, took := mailed(t, options, 15*time.Second)
				want := test.want
				if want == "" {
					want = notify.Sent
				}
				assert.Equal(t, want, got)
				assert.Equal(t, test.dials, s.dials)
				assert.Zero(t, took, "there is nothing to wait for")
				var users []string
				if test.user != "" {
					users = []string{test.user}
				}
				assert.Equal(t, users, s.users)
				assert.NotContains(t, s.seen(), mailPassword)
			})
		})
	}
}
