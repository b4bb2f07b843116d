package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// errNoSMTPUTF8: an address has letters that the server does not accept (RFC 6531).
var errNoSMTPUTF8 = errors.New("an address has non-ASCII characters before the @, and the server does not support SMTPUTF8")

// errReplyTooLong is for a reply that is longer than any mail server sends.
var errReplyTooLong = errors.New("its reply is too long")

// smtpStage is the stage that a try has reached.
type smtpStage int

const (
	stageDial smtpStage = iota
	stageGreeting
	stageHELO
	stageTLS
	stageAuth
	stageSender
	stageRecipients
	stageMessage
)

// smtpFault is why a try did not deliver to every recipient.
type smtpFault struct {
	stage    smtpStage
	timedOut bool
	err      error
}

func (f *smtpFault) Error() string { return f.err.Error() }
func (f *smtpFault) Unwrap() error { return f.err }

// rejection is an address that the server rejects for good.
type rejection struct {
	address string
	reply   *textproto.Error
}

func (e *Email) stageOf(t *smtpTrace, c *limitedConn) smtpStage {
	verb, _ := t.verb.Load().(string)
	startsTLS := verb == "" && e.implicitTLS() || verb == "STARTTLS" || verb == "EHLO" && t.tls.Load()
	switch {
	case c.Conn == nil:
		return stageDial
	case startsTLS && !c.encrypted.Load():
		return stageTLS
	case verb == "":
		return stageGreeting
	case verb == "EHLO", verb == "HELO", verb == "STARTTLS":
		return stageHELO
	case verb == "MAIL":
		return stageSender
	case verb == "RCPT":
		return stageRecipients
	case verb == "DATA":
		return stageMessage
	default: // the commands of AUTH have no verb here
		return stageAuth
	}
}

// isRetryable is true for temporary replies of the server (4xx) and for connections
// that break.
func isRetryable(err error) bool {
	fault, is := errors.AsType[*smtpFault](err)
	if !is || fault.timedOut {
		return false
	}
	if reply, is := errors.AsType[*textproto.Error](err); is {
		return isTemporary(reply.Code)
	}
	if unknown, is := errors.AsType[*net.DNSError](err); is {
		return !unknown.IsNotFound
	}
	broken, is := errors.AsType[*net.OpError](err)
	isAlert := is && strings.HasSuffix(broken.Op, " error") // TLS: the two sides do not agree
	return is && !isAlert || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// outcome is nil if every recipient got the message, and otherwise lists who did not. err
// is why any is still pending.
func (e *Email) outcome(d *delivery, err error) error {
	if len(d.pending) == 0 && len(d.rejected) == 0 {
		return nil
	}
	if d.sent == 0 && len(d.rejected) == 0 {
		return errors.New(e.explain(err))
	}
	var order []string
	groups := map[string][]string{}
	add := func(words, address string) {
		if groups[words] == nil {
			order = append(order, words)
		}
		groups[words] = append(groups[words], report.Line(strings.Trim(address, "<>"), maxQuote))
	}
	for _, r := range d.rejected {
		add(e.replyText(r.reply)+e.advice(stageRecipients, r.reply), r.address)
	}
	for _, address := range d.pending {
		add(e.explain(err), address)
	}
	var parts []string
	for _, words := range order {
		parts = append(parts, joinAddresses(groups[words])+": "+words)
	}
	text := "sent to no recipients; rejected for "
	if d.sent > 0 {
		text = fmt.Sprintf("sent to %d of %d recipients, but not to ", d.sent, d.sent+len(d.pending)+len(d.rejected))
	}
	return errors.New(text + strings.Join(parts, "; and not to "))
}

func joinAddresses(addresses []string) string {
	const most = 5
	if more := len(addresses) - most; more > 0 {
		return strings.Join(addresses[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(addresses, ", ")
}

// explain says what went wrong and what to do about it, without a secret.
func (e *Email) explain(err error) string {
	fault, is := errors.AsType[*smtpFault](err)
	if !is {
		return e.redacted(err.Error())
	}
	o := e.config
	server := net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
	reply, isReply := errors.AsType[*textproto.Error](err)
	_, isTLSRecord := errors.AsType[tls.RecordHeaderError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isProtocol := errors.AsType[textproto.ProtocolError](err)
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isReply:
		return "the mail server answered " + e.replyText(reply) + e.advice(fault.stage, reply)
	case errors.Is(err, errNoPasswordAuth) && o.TLS == tlsNone:
		return "the mail server accepts the password only unencrypted, and smtp-tls is none: set smtp-tls to auto, or remove smtp-username and smtp-password"
	case errors.Is(err, errNoPasswordAuth):
		return "the mail server does not offer sign-in with a password: it may require OAuth, an app password, or its own relay; see its documentation"
	case errors.Is(err, errNoAuth):
		return "the mail server does not offer sign-in on port " + strconv.Itoa(o.Port) + ": remove smtp-username and smtp-password, or use its submission port (587 or 465)"
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return "the mail server does not offer STARTTLS on port " + strconv.Itoa(o.Port) + ", and nothing is sent unencrypted: use its TLS port (587 or 465); use smtp-tls: none only for a relay in your own network"
	case isCertificate, isInvalid:
		return "the certificate of " + server + " is not valid: " + e.redacted(rootCause(err)) + "; smtp-host must match the name in the certificate, and a private certificate authority must be in the file that SSL_CERT_FILE points to"
	case isTLSRecord && e.implicitTLS():
		return server + " does not start with TLS: set smtp-tls to starttls, which auto uses on ports other than 465"
	case isDNS && unknown.IsNotFound:
		return "there is no host " + report.Line(o.Host, maxQuote) + ": check smtp-host"
	case isProtocol:
		return "the server at " + server + " does not use SMTP: " + e.redacted(rootCause(err)) + "; check smtp-host and smtp-port"
	case fault.timedOut:
		return e.timeoutText(fault.stage, server)
	case fault.stage == stageDial:
		return "could not connect to " + server + ": " + e.redacted(rootCause(err)) + portAdvice(o.Port)
	case errors.Is(err, errNoSMTPUTF8):
		return err.Error()
	default:
		return "the connection to " + server + " was lost while " + stageNames[fault.stage] + ": " + e.redacted(rootCause(err))
	}
}

var stageNames = map[smtpStage]string{
	stageDial:       "connecting",
	stageGreeting:   "waiting for its greeting",
	stageHELO:       "greeting it",
	stageTLS:        "starting TLS",
	stageAuth:       "signing in",
	stageSender:     "setting the sender",
	stageRecipients: "sending the recipients",
	stageMessage:    "sending the message, which may have arrived anyway",
}

// timeoutText says what the action waited for.
func (e *Email) timeoutText(stage smtpStage, server string) string {
	text := "no response from " + server + " in time, while " + stageNames[stage]
	switch stage {
	case stageDial:
		return text + portAdvice(e.config.Port)
	case stageGreeting, stageTLS:
		return text + e.tlsAdvice()
	default:
		return text
	}
}

// tlsAdvice is for a port that unexpectedly starts with TLS, or without it.
func (e *Email) tlsAdvice() string {
	if e.implicitTLS() {
		return "; if that port starts without TLS, as 587 and 25 do, set smtp-tls to starttls"
	}
	return "; if that port starts with TLS, as 465 does, set smtp-tls to implicit"
}

func portAdvice(port int) string {
	const relay = 25
	if port == relay {
		return "; most clouds, including GitHub-hosted runners, block outgoing connections to port 25: use 587 or 465"
	}
	return "; check smtp-host and smtp-port, and whether a firewall blocks the connection"
}

// advice is what to do about a reply, if that is known.
func (e *Email) advice(stage smtpStage, reply *textproto.Error) string {
	words := strings.ToLower(reply.Msg)
	says := func(wanted ...string) bool {
		for _, word := range wanted {
			if strings.Contains(words, word) {
				return true
			}
		}
		return false
	}
	const signIn = "; sign in with smtp-username and smtp-password"
	switch {
	case isTemporary(reply.Code):
		return "; the action retried as long as there was time"
	case e.config.TLS == tlsNone && says("starttls", "encrypt", "tls"):
		return "; set smtp-tls to auto"
	case stage == stageAuth:
		return "; check smtp-username and smtp-password: many services require an app password, or sending by SMTP must be turned on for the account"
	case stage == stageGreeting, stage == stageHELO, stage == stageTLS:
		return "; check smtp-host and smtp-port"
	case e.config.Username == "" && (reply.Code == 530 || says("authent", "relay", "log in", "login")):
		return signIn
	case stage == stageSender:
		return "; check that this account may send as email-from"
	case stage == stageRecipients && says("relay"):
		return "; this server does not send to that domain for this account"
	case stage == stageRecipients:
		return "; check email-to and email-cc"
	default:
		return ""
	}
}

// enhancedCode is the status code of RFC 3463, which many servers repeat on each line.
var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3} `)

// replyText is a server's answer on one line: "550 5.1.1 no such user".
func (e *Email) replyText(reply *textproto.Error) string {
	lines := strings.Split(reply.Msg, "\n")
	code := enhancedCode.FindString(lines[0])
	for i := range lines {
		if i > 0 {
			lines[i] = strings.TrimPrefix(lines[i], code)
		}
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(fmt.Sprintf("%03d %s", reply.Code, e.redacted(strings.Join(lines, " "))))
}

// redacted is external text on one line, without user and password.
func (e *Email) redacted(text string) string {
	return report.Line(strings.Join(strings.Fields(e.secrets.redact(text)), " "), maxQuote)
}

// rootCause is the innermost error, without the names of calls around it.
func rootCause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
