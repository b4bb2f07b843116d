package notify

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// errNoUnicode: an address has letters that the server cannot take (RFC 6531).
var errNoUnicode = errors.New("an address has letters other than ASCII before its @, and the server does not offer SMTPUTF8")

// errTalksOn: no mail server says as much.
var errTalksOn = errors.New("it talks without an end")

// mailStage is how far a try has come.
type mailStage int

const (
	stageDial mailStage = iota
	stageGreeting
	stageHello
	stageTLS
	stageSignIn
	stageSender
	stageReceivers
	stageMessage
)

// mailFault is why a try did not deliver to all.
type mailFault struct {
	stage mailStage
	late  bool // the time was over
	err   error
}

func (f *mailFault) Error() string { return f.err.Error() }
func (f *mailFault) Unwrap() error { return f.err }

// refusal is an address that the server does not take, now or later.
type refusal struct {
	address string
	answer  *textproto.Error
}

func (e *Email) stage(t *talk, c *mailConn) mailStage {
	verb, _ := t.verb.Load().(string)
	startsTLS := verb == "" && e.implicit() || verb == "STARTTLS" || verb == "EHLO" && t.tls.Load()
	switch {
	case c.Conn == nil:
		return stageDial
	case startsTLS && !c.encrypted.Load():
		return stageTLS
	case verb == "":
		return stageGreeting
	case verb == "EHLO", verb == "HELO", verb == "STARTTLS":
		return stageHello
	case verb == "MAIL":
		return stageSender
	case verb == "RCPT":
		return stageReceivers
	case verb == "DATA":
		return stageMessage
	default: // the commands of AUTH have no verb here
		return stageSignIn
	}
}

// worthAnotherMail is true for what may be otherwise in a moment: the server's
// own "later", and connections that break.
func worthAnotherMail(err error) bool {
	fault, is := errors.AsType[*mailFault](err)
	if !is || fault.late {
		return false
	}
	if answer, is := errors.AsType[*textproto.Error](err); is {
		return isTemporary(answer.Code)
	}
	if unknown, is := errors.AsType[*net.DNSError](err); is {
		return !unknown.IsNotFound
	}
	broken, is := errors.AsType[*net.OpError](err)
	isAlert := is && strings.HasSuffix(broken.Op, " error") // TLS: the two sides do not agree
	return is && !isAlert || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// verdict is nil where every receiver was served, and else says who was not. err
// is why any is left.
func (e *Email) verdict(l *letter, err error) error {
	if len(l.left) == 0 && len(l.refused) == 0 {
		return nil
	}
	if l.sent == 0 && len(l.refused) == 0 {
		return errors.New(e.explain(err))
	}
	var order []string
	groups := map[string][]string{}
	add := func(words, address string) {
		if groups[words] == nil {
			order = append(order, words)
		}
		groups[words] = append(groups[words], report.Line(strings.Trim(address, "<>"), longestWords))
	}
	for _, r := range l.refused {
		add(e.said(r.answer)+e.advice(stageReceivers, r.answer), r.address)
	}
	for _, address := range l.left {
		add(e.explain(err), address)
	}
	var parts []string
	for _, words := range order {
		parts = append(parts, enumerated(groups[words])+": "+words)
	}
	text := "sent to nobody; refused for "
	if l.sent > 0 {
		text = fmt.Sprintf("sent to %d of %d receivers, but not to ", l.sent, l.sent+len(l.left)+len(l.refused))
	}
	return errors.New(text + strings.Join(parts, "; and not to "))
}

func enumerated(addresses []string) string {
	const most = 5
	if more := len(addresses) - most; more > 0 {
		return strings.Join(addresses[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(addresses, ", ")
}

// explain says what went wrong and what to do about it, without a secret.
func (e *Email) explain(err error) string {
	fault, is := errors.AsType[*mailFault](err)
	if !is {
		return e.safe(err.Error())
	}
	o := e.options
	server := net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
	answer, isAnswer := errors.AsType[*textproto.Error](err)
	_, isTLSRecord := errors.AsType[tls.RecordHeaderError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isProtocol := errors.AsType[textproto.ProtocolError](err)
	unknown, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case isAnswer:
		return "the mail server answered " + e.said(answer) + e.advice(fault.stage, answer)
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered) && o.TLS == tlsNone:
		return "the mail server takes the password only in clear, and smtp-tls is none: set smtp-tls to auto, or leave smtp-username and smtp-password out"
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered):
		return "the mail server offers no way to sign in with a password: it may want OAuth, or an app password or relay of its own; see its documentation"
	case strings.Contains(err.Error(), "does not support SMTP AUTH"):
		return "the mail server does not let anybody sign in on port " + strconv.Itoa(o.Port) + ": leave smtp-username and smtp-password out, or take its port for submission (587 or 465)"
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return "the mail server offers no STARTTLS on port " + strconv.Itoa(o.Port) + ", and nothing is sent in clear: take its port for TLS (587 or 465); only a relay in a network of your own may have smtp-tls: none"
	case isCertificate, isInvalid:
		return "the certificate of " + server + " is not good: " + e.safe(root(err)) + "; smtp-host must be the name in it, and an authority of your own must be in the file that SSL_CERT_FILE names"
	case isTLSRecord && e.implicit():
		return server + " does not begin with TLS: set smtp-tls to starttls, which is what auto does on ports other than 465"
	case isDNS && unknown.IsNotFound:
		return "there is no host " + report.Line(o.Host, longestWords) + ": check smtp-host"
	case isProtocol:
		return "what answers at " + server + " does not speak SMTP: " + e.safe(root(err)) + "; check smtp-host and smtp-port"
	case fault.late:
		return e.hang(fault.stage, server)
	case fault.stage == stageDial:
		return "no connection to " + server + ": " + e.safe(root(err)) + portAdvice(o.Port)
	case errors.Is(err, errNoUnicode):
		return err.Error()
	default:
		return "the connection to " + server + " broke off while " + doing[fault.stage] + ": " + e.safe(root(err))
	}
}

var doing = map[mailStage]string{
	stageDial:      "connecting",
	stageGreeting:  "waiting for its greeting",
	stageHello:     "greeting it",
	stageTLS:       "starting TLS",
	stageSignIn:    "signing in",
	stageSender:    "naming the sender",
	stageReceivers: "naming the receivers",
	stageMessage:   "handing the message over, which may have arrived all the same",
}

// hang says what a server kept us waiting for.
func (e *Email) hang(stage mailStage, server string) string {
	text := "no answer from " + server + " in time, while " + doing[stage]
	switch stage {
	case stageDial:
		return text + portAdvice(e.options.Port)
	case stageGreeting, stageTLS:
		return text + e.tlsAdvice()
	default:
		return text
	}
}

// tlsAdvice is for a port that does not begin as it was expected to.
func (e *Email) tlsAdvice() string {
	if e.implicit() {
		return "; if that port begins without TLS, as 587 and 25 do, set smtp-tls to starttls"
	}
	return "; if that port begins with TLS, as 465 does, set smtp-tls to implicit"
}

func portAdvice(port int) string {
	const relay = 25
	if port == relay {
		return "; most clouds, and with them GitHub's own runners, let nobody out to port 25: take 587 or 465"
	}
	return "; check smtp-host and smtp-port, and whether a firewall is between"
}

// advice is what to do about an answer, where that is known.
func (e *Email) advice(stage mailStage, answer *textproto.Error) string {
	words := strings.ToLower(answer.Msg)
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
	case isTemporary(answer.Code):
		return "; it was asked again as long as there was time"
	case e.options.TLS == tlsNone && says("starttls", "encrypt", "tls"):
		return "; set smtp-tls to auto"
	case stage == stageSignIn:
		return "; check smtp-username and smtp-password: many services want an app password, or the right to send by SMTP switched on for the account"
	case stage == stageGreeting, stage == stageHello, stage == stageTLS:
		return "; check smtp-host and smtp-port"
	case e.options.Username == "" && (answer.Code == 530 || says("authent", "relay", "log in", "login")):
		return signIn
	case stage == stageSender:
		return "; check that this account may send as email-from"
	case stage == stageReceivers && says("relay"):
		return "; this server does not send to that domain for this account"
	case stage == stageReceivers:
		return "; check email-to and email-cc"
	default:
		return ""
	}
}

// enhanced is the status code of RFC 3463, which many servers repeat on each line.
var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3} `)

// said is a server's answer on one line: "550 5.1.1 no such user".
func (e *Email) said(answer *textproto.Error) string {
	lines := strings.Split(answer.Msg, "\n")
	code := enhanced.FindString(lines[0])
	for i := range lines {
		if i > 0 {
			lines[i] = strings.TrimPrefix(lines[i], code)
		}
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSpace(fmt.Sprintf("%03d %s", answer.Code, e.safe(strings.Join(lines, " "))))
}

// encoded finds what may be base64.
var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{4,}={0,2}`)

// safe is a text from outside on one line, without user and password, in clear
// or as they go over the wire.
func (e *Email) safe(text string) string {
	const hidden = "***"
	var secrets []string
	for _, secret := range []string{e.options.Password, e.options.Username} {
		if secret != "" {
			secrets = append(secrets, secret)
		}
	}
	text = encoded.ReplaceAllStringFunc(text, func(word string) string {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			bare := strings.TrimRight(word, "=")
			for cut := range 4 { // an answer may have been cut, or have begun within the word
				if cut >= len(bare) {
					break
				}
				plain, _ := encoding.DecodeString(bare[cut:])
				for _, secret := range secrets {
					if strings.Contains(string(plain), secret) {
						return hidden
					}
				}
			}
		}
		return word
	})
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return report.Line(strings.Join(strings.Fields(text), " "), longestWords)
}

// root is the innermost error, without the names of calls around it.
func root(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
