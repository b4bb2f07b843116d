package notify_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// opened is a message read by a MIME parser that is not the one that wrote it.
type opened struct {
	header     mail.Header
	subject    string
	text, page string
}

func open(t require.TestingT, data []byte) opened {
	m, err := mail.ReadMessage(bytes.NewReader(data))
	require.NoError(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(m.Body, params["boundary"])
	read := func(want string) string {
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		require.Equal(t, want, part.Header.Get("Content-Type"))
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		return strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	o := opened{header: m.Header, subject: subject, text: read("text/plain; charset=UTF-8"), page: read("text/html; charset=UTF-8")}
	_, err = parts.NextRawPart()
	require.ErrorIs(t, err, io.EOF)
	return o
}

// sent delivers an alert over TLS and opens what arrived.
func sent(t *testing.T, a report.Alert) opened {
	t.Helper()
	s := newMailServer()
	ca := newAuthority(t)
	s.TLSConfig = ca.config(t, forever(), "127.0.0.1")
	options := sending(s.serve(t, false))
	options.RootCAs = ca.pool
	d := deps(nil)
	d.Clock = fixedClock(time.Date(2026, 3, 7, 3, 15, 2, 0, time.UTC))
	require.NoError(t, notify.NewEmail(options, d).Send(t.Context(), notify.Notification{Alert: a}))
	return open(t, s.only(t).data)
}

func TestEmailSubjects(t *testing.T) {
	t.Parallel()
	for name, a := range alerts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, a.Title(), sent(t, a).subject)
		})
	}
}

func TestEmailHeader(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	names := func(h mail.Header) []string {
		var out []string
		for name, values := range h {
			assert.Len(t, values, 1, name)
			out = append(out, name)
		}
		slices.Sort(out)
		return out
	}
	o := sent(t, all["rolled-back"])
	assert.Equal(t, []string{
		"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "References",
		"Subject", "To", "X-Auto-Response-Suppress", "X-Mailer",
	}, names(o.header))
	assert.Equal(t, "Sat, 07 Mar 2026 03:15:02 +0000", o.header.Get("Date"))
	assert.Equal(t, `"Rollbacks" <rollback@shop.example>`, o.header.Get("From"))
	assert.Equal(t, "<pb4hq6dypb4hq6dy@shop.example>", o.header.Get("Message-Id"))
	assert.Equal(t, "auto-generated", o.header.Get("Auto-Submitted"))

	failed := sent(t, all["failed"])
	assert.Equal(t, "high", failed.header.Get("Importance"))
	assert.Equal(t, "1", failed.header.Get("X-Priority"))
	assert.Equal(t, o.header.Get("References"), failed.header.Get("References"), "both are about one run")

	trial := all["failed"]
	trial.Trial = true
	assert.NotContains(t, sent(t, trial).header, "Importance")
	assert.NotContains(t, sent(t, trial).header, "References")
}

func TestATrialEmailIsMarked(t *testing.T) {
	t.Parallel()
	o := sent(t, alerts(t)["trial"])
	assert.True(t, strings.HasPrefix(o.text, "*** TEST MESSAGE: nothing has happened ***\n"))
	assert.Contains(t, o.page, "TEST MESSAGE")
	assert.True(t, strings.HasPrefix(o.subject, "🔔 Test message, nothing has happened."))
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
