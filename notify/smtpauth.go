package notify

import (
	"errors"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

var (
	errNoAuth         = errors.New("the server does not offer AUTH")
	errNoPasswordAuth = errors.New("the server offers no AUTH mechanism that uses a password")
	// errNextMechanism: the server is to be asked again, with another mechanism.
	errNextMechanism = errors.New("the AUTH mechanism was rejected")
)

// mechanism is a way to sign in with a password (SASL).
type mechanism struct {
	name string
	// sendsPassword: the server gets the password itself, so TLS must be up.
	sendsPassword bool
	auth          func(EmailConfig, *smtp.Client) (smtp.Auth, error)
}

// mechanisms are in order of preference: that of go-mail, whose own choice is final.
var mechanisms = []mechanism{
	{name: "SCRAM-SHA-256-PLUS", auth: func(c EmailConfig, session *smtp.Client) (smtp.Auth, error) {
		state, err := session.GetTLSConnectionState()
		return smtp.ScramSHA256PlusAuth(c.Username, c.Password, state), err
	}},
	{name: "SCRAM-SHA-256", auth: func(c EmailConfig, _ *smtp.Client) (smtp.Auth, error) {
		return smtp.ScramSHA256Auth(c.Username, c.Password), nil
	}},
	{name: "SCRAM-SHA-1-PLUS", auth: func(c EmailConfig, session *smtp.Client) (smtp.Auth, error) {
		state, err := session.GetTLSConnectionState()
		return smtp.ScramSHA1PlusAuth(c.Username, c.Password, state), err
	}},
	{name: "SCRAM-SHA-1", auth: func(c EmailConfig, _ *smtp.Client) (smtp.Auth, error) {
		return smtp.ScramSHA1Auth(c.Username, c.Password), nil
	}},
	{name: "NTLM", auth: func(c EmailConfig, _ *smtp.Client) (smtp.Auth, error) {
		return smtp.NTLMAuth(c.Username, c.Password, ""), nil
	}},
	{name: "CRAM-MD5", auth: func(c EmailConfig, _ *smtp.Client) (smtp.Auth, error) {
		return smtp.CRAMMD5Auth(c.Username, c.Password), nil
	}},
	{name: "PLAIN", sendsPassword: true, auth: func(c EmailConfig, _ *smtp.Client) (smtp.Auth, error) {
		return smtp.PlainAuth("", c.Username, c.Password, c.Host, false), nil
	}},
	{name: "LOGIN", sendsPassword: true, auth: func(c EmailConfig, _ *smtp.Client) (smtp.Auth, error) {
		return smtp.LoginAuth(c.Username, c.Password, c.Host, false), nil
	}},
}

// signIn signs in with the first mechanism that is offered and was not refused
// before. The session ends with a refusal, so that the next mechanism needs another
// one: errNextMechanism says that there is one to try.
func (e *Email) signIn(session *smtp.Client, encrypted bool, d *delivery) error {
	if e.config.Username == "" {
		return nil
	}
	supported, words := session.Extension("AUTH")
	if !supported {
		return errNoAuth
	}
	left := usable(strings.Fields(words), d.refusedAuth, encrypted)
	if len(left) == 0 {
		return errNoPasswordAuth
	}
	auth, err := left[0].auth(e.config, session)
	if err == nil {
		err = session.Auth(auth)
	}
	if err == nil || isTimeout(err) || !left[0].leavesOpen(err) || len(left) == 1 {
		return err
	}
	d.refusedAuth = append(d.refusedAuth, left[0].name)
	return errNextMechanism
}

// usable are the mechanisms that are offered, but for those that were refused and
// those that would show the password.
func usable(offered, refused []string, encrypted bool) []mechanism {
	var out []mechanism
	offers := func(name string) bool { // RFC 4422 has capitals, and not every server keeps to them
		return slices.ContainsFunc(offered, func(word string) bool { return strings.EqualFold(word, name) })
	}
	for _, m := range mechanisms {
		needsTLS := m.sendsPassword || strings.HasSuffix(m.name, "-PLUS")
		if offers(m.name) && !slices.Contains(refused, m.name) && (encrypted || !needsTLS) {
			out = append(out, m)
		}
	}
	return out
}

// leavesOpen reports whether another mechanism may succeed. A server that was given
// the password itself and refused it will refuse it again, and may lock the account;
// only "I do not know this mechanism" says nothing of the password. With the others
// the server may lack what it needs, such as a domain (NTLM) or the right kind of
// hash, and may say so in any way.
func (m mechanism) leavesOpen(err error) bool {
	const firstUnknown, lastUnknown = 500, 504 // RFC 5321, 4.2.2: syntax, not implemented
	reply, is := errors.AsType[*textproto.Error](err)
	return !m.sendsPassword || is && firstUnknown <= reply.Code && reply.Code <= lastUnknown
}
