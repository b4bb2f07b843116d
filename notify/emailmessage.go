package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	maxSubject = 200 // characters
)

// messageIDBytes are few, so that the id stays on the line of its name: what is
// folded there, not every program reads.
const messageIDBytes = 10

func messageID(random []byte) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(random[:messageIDBytes]))
}

// delivery is a message and the recipients it is still to be delivered to.
type delivery struct {
	message   *gomail.Msg
	helo      string // how the server is greeted
	from      string // as in SMTP: "<a@b.example>"
	needsUTF8 bool   // an address needs SMTPUTF8

	pending  []string // as in SMTP
	sent     int
	rejected []rejection

	refusedAuth []string // mechanisms that are not tried again
}

// delivery checks the addresses and writes the message.
func (e *Email) delivery(a report.Alert) (*delivery, error) {
	o, d := e.config, &delivery{}
	from, err := d.address(o.From)
	if err != nil {
		return nil, fmt.Errorf("email-from: %w", err)
	}
	d.from = smtpPath(from)
	_, domain, _ := strings.Cut(from.Address, "@")
	d.helo = o.HELO
	if d.helo == "" {
		d.helo = domain
	}
	to, err := d.recipients(o.To)
	if err != nil {
		return nil, fmt.Errorf("email-to: %w", err)
	}
	cc, err := d.recipients(o.Cc)
	if err != nil {
		return nil, fmt.Errorf("email-cc: %w", err)
	}
	if len(d.pending) == 0 {
		return nil, errors.New("email-to: there is no recipient")
	}
	id := make([]byte, messageIDBytes)
	if _, err = io.ReadFull(e.random, id); err != nil {
		return nil, fmt.Errorf("failed to create a message ID: %w", err)
	}
	a = sanitized(a)
	for _, b := range budgets {
		d.message = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
		d.message.FromMailAddress(from)
		d.message.ToMailAddress(to...)
		d.message.CcMailAddress(cc...)
		d.message.SetMessageIDWithValue(messageID(id) + "@" + domain)
		d.message.SetDateWithValue(e.clock.Now())
		setHeader(d.message, a, domain)
		if err = setBody(d.message, b.truncate(a)); err != nil {
			return nil, err
		}
		if size, err := d.message.WriteTo(io.Discard); err != nil || size <= int64(emailLimit.Max) {
			return d, err
		}
	}
	return d, nil
}

func setHeader(m *gomail.Msg, a report.Alert, domain string) {
	m.Subject(encodedSubject(subject(a)))
	// Answers of machines are not wanted (RFC 3834), but word that a receiver does
	// not exist is: hence no "All". There is no Precedence: bulk, since bulk mail
	// may wait.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader(gomail.HeaderXAutoResponseSuppress, "DR, RN, NRN, OOF, AutoReply")
	m.SetGenHeader(gomail.HeaderXMailer, "lambda-rollback-action")
	if a.Trial {
		return
	}
	if a.Severity == report.SeverityFailure {
		m.SetGenHeader(gomail.HeaderImportance, "high")
		m.SetGenHeader(gomail.HeaderXPriority, "1")
	}
	// What is said of one run stands in one thread, further tries included.
	if len(a.Links) > 0 {
		run := sha256.Sum256([]byte(a.Links[0].URL))
		m.SetGenHeader(gomail.HeaderReferences, "<run."+messageID(run[:])+"@"+domain+">")
	}
}

// subject is the title on one line. What reads as an encoded word (RFC 2047) is
// not decoded into something else.
func subject(a report.Alert) string {
	text := strings.TrimSpace(report.Cut(oneLine(a.Title()), maxSubject))
	return cmp.Or(strings.ReplaceAll(text, "=?", "=\u200b?"), "Rollback")
}

// encodedSubject has the mark as a word of its own. In one with the rest it would
// be too long for the line of "Subject:", and some programs read a blank or
// nothing from a first line that is empty.
func encodedSubject(text string) string {
	encode := func(s string) string { return mime.QEncoding.Encode("utf-8", s) }
	mark, rest, _ := strings.Cut(text, " ")
	first, more := encode(mark), encode(rest)
	if first != mark && more != rest { // blanks between two encoded words do not count
		more = encode(" " + rest)
	}
	return strings.TrimSpace(first + " " + more)
}

func setBody(m *gomail.Msg, a report.Alert) error {
	page, err := emailHTML(a)
	if err != nil {
		return fmt.Errorf("failed to format the message: %w", err)
	}
	m.SetBodyString(gomail.TypeTextPlain, emailText(a))
	m.AddAlternativeString(gomail.TypeTextHTML, page)
	return nil
}

func (d *delivery) recipients(all []*mail.Address) ([]*mail.Address, error) {
	var out []*mail.Address
	for _, one := range all {
		address, err := d.address(one)
		if err != nil {
			return nil, err
		}
		out = append(out, address)
		if !slices.Contains(d.pending, smtpPath(address)) {
			d.pending = append(d.pending, smtpPath(address))
		}
	}
	return out, nil
}

// maxURL makes an address fit for SMTP: its domain in ASCII, as every server
// takes it, and nothing in it that could begin a line of its own.
func (d *delivery) address(a *mail.Address) (*mail.Address, error) {
	if a == nil {
		return nil, errors.New("there is no address")
	}
	at := strings.LastIndex(a.Address, "@")
	if at < 1 || !utf8.ValidString(a.Address) || strings.ContainsFunc(a.Address, unicode.IsControl) {
		return nil, fmt.Errorf("“%s” is not an address", report.Line(a.Address, maxQuote))
	}
	local, domain := a.Address[:at], a.Address[at+1:]
	var err error
	if !strings.HasPrefix(domain, "[") { // else it is an IP address
		domain, err = idna.Lookup.ToASCII(domain)
	}
	if err != nil || domain == "" {
		return nil, fmt.Errorf("“%s” has no valid domain", report.Line(a.Address, maxQuote))
	}
	if strings.ContainsFunc(local, func(r rune) bool { return r > unicode.MaxASCII }) {
		d.needsUTF8 = true
	}
	return &mail.Address{Name: oneLine(a.Name), Address: local + "@" + domain}, nil
}

func smtpPath(a *mail.Address) string { return (&mail.Address{Address: a.Address}).String() }

// oneLine makes a header's text one line of good UTF-8.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
