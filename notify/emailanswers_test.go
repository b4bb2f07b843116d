package notify_test

import (
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/notify"
)

// bubble is a server in a synctest bubble, with TLS and a user, and the options
// for it.
func bubble(t *testing.T, ca *authority) (*mailServer, notify.EmailConfig) {
	t.Helper()
	s := newMailServer()
	s.TLSConfig = ca.config(t, forever(), "mail.example")
	options := sending(587)
	options.Host, options.RootCAs, options.Dial = "mail.example", ca.pool, s.pipe(t)
	options.Username, options.Password = mailUser, mailPassword
	return s, options
}

func smtpError(code int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: words}
}

// once gives an answer to the first so many connections.
func once(times int, on string, err error) func(string, string, int) error {
	return func(command, _ string, dial int) error {
		if command == on && dial <= times {
			return err
		}
		return nil
	}
}

const always = 1 << 20

// Every command that a server may answer with a no, and what is said of it.
func TestEmailThatIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(string, string, int) error
		change func(*notify.EmailConfig)
		want   string
		dials  int
		took   time.Duration
	}{
		"taken": {want: notify.Sent, dials: 1},
		"wrong password": {
			change: func(o *notify.EmailConfig) { o.Password = "wrong" }, dials: 1,
			want: "the mail server answered 535 5.7.8 Authentication failed; check smtp-username and smtp-password: many services require an app password, or sending by SMTP must be turned on for the account",
		},
		"an app password is wanted": {
			answer: once(always, "AUTH", smtpError(534, "5.7.9 Application-specific password required. For more information, go to\n5.7.9  https://support.example/?p=InvalidSecondFactor")), dials: 1,
			want: "the mail server answered 534 5.7.9 Application-specific password required. For more information, go to https://support.example/?p=InvalidSecondFactor; check smtp-username and smtp-password: many services require an app password, or sending by SMTP must be turned on for the account",
		},
		"no greeting for us": {
			answer: once(always, "EHLO", smtpError(554, "5.7.1 no service for you")), dials: 1,
			want: "the mail server answered 554 5.7.1 no service for you; check smtp-host and smtp-port",
		},
		"the sender is not ours": {
			answer: once(always, "MAIL", smtpError(553, "5.7.1 Sender address rejected: not owned by user")), dials: 1,
			want: "the mail server answered 553 5.7.1 Sender address rejected: not owned by user; check that this account may send as email-from",
		},
		"TLS is a must": {
			answer: once(always, "MAIL", smtpError(530, "5.7.0 Must issue a STARTTLS command first")), dials: 1,
			change: func(o *notify.EmailConfig) { o.TLS, o.Username = "none", "" },
			want:   "the mail server answered 530 5.7.0 Must issue a STARTTLS command first; set smtp-tls to auto",
		},
		"a user is a must": {
			answer: once(always, "MAIL", smtpError(530, "5.7.1 Authentication required")), dials: 1,
			change: func(o *notify.EmailConfig) { o.Username = "" },
			want:   "the mail server answered 530 5.7.1 Authentication required; sign in with smtp-username and smtp-password",
		},
		"no relay without a user": {
			answer: once(always, "RCPT", smtpError(550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain")), dials: 1,
			change: func(o *notify.EmailConfig) { o.Username = "" },
			want:   "sent to no recipients; rejected for oncall@shop.example: 550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain; sign in with smtp-username and smtp-password",
		},
		"no relay": {
			answer: once(always, "RCPT", smtpError(554, "5.7.1 Relay access denied")), dials: 1,
			want: "sent to no recipients; rejected for oncall@shop.example: 554 5.7.1 Relay access denied; this server does not send to that domain for this account",
		},
		"nobody of that name": {
			answer: once(always, "RCPT", smtpError(550, "5.1.1 no such user")), dials: 1,
			want: "sent to no recipients; rejected for oncall@shop.example: 550 5.1.1 no such user; check email-to and email-cc",
		},
		"the content is refused": {
			answer: once(always, "DATA", smtpError(554, "5.7.1 Message rejected as spam")), dials: 1,
			want: "the mail server answered 554 5.7.1 Message rejected as spam",
		},
		"put off, then taken":            {answer: once(2, "RCPT", smtpError(450, "4.2.0 Greylisted")), want: notify.Sent, dials: 3, took: 3 * time.Second},
		"no service now, then taken":     {answer: once(1, "EHLO", smtpError(421, "4.3.2 Shutting down")), want: notify.Sent, dials: 2, took: time.Second},
		"the message later, then taken":  {answer: once(1, "DATA", smtpError(451, "4.3.0 try again")), want: notify.Sent, dials: 2, took: time.Second},
		"sign in later, then taken":      {answer: once(1, "AUTH", smtpError(454, "4.7.0 Temporary authentication failure")), want: notify.Sent, dials: 2, took: time.Second},
		"breaks off once at EHLO":        {answer: once(1, "EHLO", errDrop), want: notify.Sent, dials: 2, took: time.Second},
		"breaks off once at AUTH":        {answer: once(1, "AUTH", errDrop), want: notify.Sent, dials: 2, took: time.Second},
		"breaks off once at MAIL":        {answer: once(1, "MAIL", errDrop), want: notify.Sent, dials: 2, took: time.Second},
		"breaks off once at RCPT":        {answer: once(1, "RCPT", errDrop), want: notify.Sent, dials: 2, took: time.Second},
		"breaks off once at the message": {answer: once(1, "DATA", errDrop), want: notify.Sent, dials: 2, took: time.Second},
		"put off for good": {
			answer: once(always, "RCPT", smtpError(450, "4.2.0 Greylisted, come back in 5 minutes")), dials: 4, took: 7 * time.Second,
			want: "the mail server answered 450 4.2.0 Greylisted, come back in 5 minutes; the action retried as long as there was time",
		},
		"breaks off for good": {
			answer: once(always, "DATA", errDrop), dials: 4, took: 7 * time.Second,
			want: "the connection to mail.example:587 was lost while sending the message, which may have arrived anyway: EOF",
		},
		"an endless answer with control characters": {
			answer: once(always, "MAIL", smtpError(550, "no\x1b[31m \u202e::error::x "+strings.Repeat("x", 1000))), dials: 1,
			want: `the mail server answered 550 no\u001b[31m \u202e::error::x ` + strings.Repeat("x", 169) + "…; check that this account may send as email-from",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s, options := bubble(t, ca)
				s.answer = test.answer
				if test.change != nil {
					test.change(&options)
				}
				got, took := mailed(t, options, 15*time.Second)
				assert.Equal(t, test.want, got)
				assert.Equal(t, test.took, took)
				assert.Equal(t, test.dials, s.dials)
				taken := 0
				if test.want == notify.Sent {
					taken = 1
				}
				assert.Len(t, s.mails, taken)
			})
		})
	}
}

// One receiver that is refused does not keep the others from being told.
func TestEmailToSomeWhoAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refuses map[string]error
		later   map[string]error // at the first connection only
		want    string
		mails   [][]string
	}{
		"all are served": {want: notify.Sent, mails: [][]string{{"a@x.example", "b@x.example", "c@x.example"}}},
		"one does not exist": {
			refuses: map[string]error{"b@x.example": smtpError(550, "5.1.1 no such user")},
			want:    "sent to 2 of 3 recipients, but not to b@x.example: 550 5.1.1 no such user; check email-to and email-cc",
			mails:   [][]string{{"a@x.example", "c@x.example"}},
		},
		"none exists": {
			refuses: map[string]error{"a@x.example": smtpError(550, "5.1.1 no such user"), "b@x.example": smtpError(550, "5.1.1 no such user"), "c@x.example": smtpError(552, "5.2.2 full")},
			want:    "sent to no recipients; rejected for a@x.example, b@x.example: 550 5.1.1 no such user; check email-to and email-cc; and not to c@x.example: 552 5.2.2 full; check email-to and email-cc",
		},
		"one is put off, then taken": {
			later: map[string]error{"c@x.example": smtpError(450, "4.2.0 Greylisted")},
			want:  notify.Sent,
			mails: [][]string{{"a@x.example", "b@x.example"}, {"c@x.example"}},
		},
		"one is put off for good, one does not exist": {
			refuses: map[string]error{"a@x.example": smtpError(550, "5.1.1 no such user"), "c@x.example": smtpError(450, "4.2.0 Greylisted")},
			want:    "sent to 1 of 3 recipients, but not to a@x.example: 550 5.1.1 no such user; check email-to and email-cc; and not to c@x.example: the mail server answered 450 4.2.0 Greylisted; the action retried as long as there was time",
			mails:   [][]string{{"b@x.example"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s, options := bubble(t, ca)
				options.To = receivers("a@x.example", "b@x.example", "a@x.example")
				options.Cc = receivers("c@x.example")
				s.answer = func(command, argument string, dial int) error {
					if command != "RCPT" {
						return nil
					}
					if err, is := test.later[argument]; is && dial == 1 {
						return err
					}
					return test.refuses[argument]
				}
				got, _ := mailed(t, options, 15*time.Second)
				assert.Equal(t, test.want, got)
				var mails [][]string
				ids := map[string]bool{}
				for _, m := range s.mails {
					mails = append(mails, m.to)
					ids[open(t, m.data).header.Get("Message-Id")] = true
				}
				assert.Equal(t, test.mails, mails)
				assert.LessOrEqual(t, len(ids), 1, "it is one message")
			})
		})
	}
}

// Without TLS a password is sent in no way that shows it.
func TestEmailSignsInOnlyWhereItIsSafe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mechanisms []string
		insecure   bool
		tls        string
		want       string
	}{
		"only in clear, and no TLS": {
			mechanisms: []string{"PLAIN", "LOGIN"}, insecure: true, tls: "none",
			want: "the mail server accepts the password only unencrypted, and smtp-tls is none: set smtp-tls to auto, or remove smtp-username and smtp-password",
		},
		"nobody signs in here": {
			mechanisms: []string{"PLAIN"}, tls: "none",
			want: "the mail server does not offer sign-in on port 587: remove smtp-username and smtp-password, or use its submission port (587 or 465)",
		},
		"only OAuth": {
			mechanisms: []string{"XOAUTH2", "OAUTHBEARER"}, tls: "auto",
			want: "the mail server does not offer sign-in with a password: it may require OAuth, an app password, or its own relay; see its documentation",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s, options := bubble(t, ca)
				s.mechanisms, s.AllowInsecureAuth = test.mechanisms, test.insecure
				options.TLS = test.tls
				got, _ := mailed(t, options, 15*time.Second)
				assert.Equal(t, test.want, got)
				assert.Equal(t, 1, s.dials)
				assert.NotContains(t, s.seen(), "AUTH")
			})
		})
	}
}

// A server that repeats what it was told does not bring it into the output.
func TestEmailErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	plain := "\x00" + mailUser + "\x00" + mailPassword
	for name, echo := range map[string]string{
		"in clear":               "bad password " + mailPassword + " for " + mailUser,
		"as sent by PLAIN":       "cannot AUTH PLAIN " + base64Of(plain),
		"without its padding":    "cannot " + strings.TrimRight(base64Of(plain), "="),
		"as sent by LOGIN":       "cannot " + base64Of(mailUser) + " " + base64Of(mailPassword),
		"behind something":       "cannot [" + base64Of("x"+mailPassword) + "]",
		"as the answer to a sum": "cannot " + base64Of(mailUser+" 0123456789abcdef0123456789abcdef"),
		"in a URL":               "see https://mail.example/?u=" + url.QueryEscape(mailUser) + "&p=" + mailPassword,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, command := range []string{"AUTH", "MAIL", "RCPT", "DATA"} {
				ca := newAuthority(t)
				synctest.Test(t, func(t *testing.T) {
					s, options := bubble(t, ca)
					s.answer = refuses(command, 535, echo)
					got, _ := mailed(t, options, 15*time.Second)
					assert.Contains(t, got, "535 ")
					assert.Contains(t, got, "***")
					for _, secret := range []string{mailUser, mailPassword, base64Of(plain)[:8], base64Of(mailUser), base64Of(mailPassword)[:8]} {
						assert.NotContains(t, got, secret)
					}
				})
			}
		})
	}
}

func TestEmailAddresses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from, to *mail.Address
		utf8     bool // the server offers SMTPUTF8
		want     string
		header   string // To, as sent
		envelope string
		flagged  bool // the message needs SMTPUTF8
	}{
		"a domain with an umlaut":  {to: &mail.Address{Address: "oncall@bücher.example"}, want: notify.Sent, header: "<oncall@xn--bcher-kva.example>", envelope: "oncall@xn--bcher-kva.example"},
		"the same, for a new mail": {utf8: true, to: &mail.Address{Address: "oncall@bücher.example"}, want: notify.Sent, header: "<oncall@xn--bcher-kva.example>", envelope: "oncall@xn--bcher-kva.example"},
		"a name in Hebrew":         {to: &mail.Address{Name: "תורן", Address: "oncall@shop.example"}, want: notify.Sent, header: "=?utf-8?q?=D7=AA=D7=95=D7=A8=D7=9F?= <oncall@shop.example>", envelope: "oncall@shop.example"},
		"a letter beyond ASCII":    {utf8: true, to: &mail.Address{Address: "jörg@shop.example"}, want: notify.Sent, header: "<jörg@shop.example>", envelope: "jörg@shop.example", flagged: true},
		"the same, for an old server": {
			to:   &mail.Address{Address: "jörg@shop.example"},
			want: "an address has non-ASCII characters before the @, and the server does not support SMTPUTF8",
		},
		"a name that would begin a line": {
			to:   &mail.Address{Name: "x\r\nBcc: evil@evil.example", Address: "oncall@shop.example"},
			want: notify.Sent, header: `"x  Bcc: evil@evil.example" <oncall@shop.example>`, envelope: "oncall@shop.example",
		},
		"an address that would begin a line": {
			to:   &mail.Address{Address: "oncall@shop.example>\r\nDATA\r\n"},
			want: `email-to: “oncall@shop.example>\r\nDATA\r\n” is not an address`,
		},
		"an address with parameters": {to: &mail.Address{Address: "oncall@shop.example> NOTIFY=NEVER"}, want: "email-to: “oncall@shop.example> NOTIFY=NEVER” has no valid domain"},
		"no domain":                  {to: &mail.Address{Address: "oncall"}, want: "email-to: “oncall” is not an address"},
		"nobody":                     {to: nil, want: "email-to: there is no address"},
		"a quoted name":              {to: &mail.Address{Address: "on call@shop.example"}, want: notify.Sent, header: `<"on call"@shop.example>`, envelope: "on call@shop.example"},
		"an IP address":              {to: &mail.Address{Address: "oncall@[192.0.2.1]"}, want: notify.Sent, header: "<oncall@[192.0.2.1]>", envelope: "oncall@[192.0.2.1]"},
		"a sender that is none":      {from: &mail.Address{Address: "x"}, to: &mail.Address{Address: "a@b.example"}, want: "email-from: “x” is not an address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s, options := bubble(t, ca)
				s.EnableSMTPUTF8 = test.utf8
				options.To = []*mail.Address{test.to}
				if test.from != nil {
					options.From = test.from
				}
				got, _ := mailed(t, options, 15*time.Second)
				assert.Equal(t, test.want, got)
				if test.want != notify.Sent {
					assert.Empty(t, s.mails)
					return
				}
				m := s.only(t)
				header := open(t, m.data).header
				assert.Equal(t, test.header, header.Get("To"))
				assert.NotContains(t, header, "Bcc")
				assert.Equal(t, []string{test.envelope}, m.to)
				assert.Equal(t, test.flagged, m.utf8)
			})
		})
	}
	assert.Equal(t, "email", notify.NewEmail(notify.EmailConfig{}, deps(nil)).Name())
}
