// Package mail delivers emails to a mail server that nobody of this project
// wrote, and has another MIME parser read them. ./run starts the server.
package mail_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	user     = "deploy-bot"
	password = "Tr0ub4dor&3"
)

// fromRun is a value that ./run hands over.
func fromRun(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Skip("needs Postfix: test/mail/run installs and starts one")
	}
	return value
}

func port(t *testing.T, name string) int {
	t.Helper()
	n, err := strconv.Atoi(fromRun(t, name))
	require.NoError(t, err)
	return n
}

func options(t *testing.T) notify.EmailConfig {
	t.Helper()
	cert, err := os.ReadFile(fromRun(t, "MAIL_CERT"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(cert))
	return notify.EmailConfig{
		Host: "localhost", Port: port(t, "MAIL_STARTTLS"), Username: user, Password: password, TLS: "auto", RootCAs: pool,
		From: &mail.Address{Name: "Rückroller, Inc.", Address: "rollback@shop.example"},
		To:   []*mail.Address{{Name: "תורן", Address: "oncall@shop.example"}},
	}
}

// message is what read.py says of one.
type message struct {
	Box        string
	Type       string
	Header     map[string]string
	Names      []string
	From, To   []string
	Parts      []string
	Text, HTML string
}

// inbox waits until so many messages have a headline in their subject.
func inbox(t *testing.T, headline string, want int) []message {
	t.Helper()
	boxes := fromRun(t, "MAIL_BOXES")
	var found []message
	require.Eventually(t, func() bool {
		if entries, err := os.ReadDir(boxes); err != nil || len(entries) == 0 {
			return false
		}
		out, err := exec.Command("python3", "read.py", boxes).Output() //nolint:noctx // as in the other tests
		var failed *exec.ExitError
		if ok := assert.NoError(t, err); !ok && assert.ErrorAs(t, err, &failed) {
			t.Log(string(failed.Stderr))
		}
		var all []message
		if !assert.NoError(t, json.Unmarshal(out, &all)) { // this is not the test's goroutine
			return false
		}
		found = slices.DeleteFunc(all, func(m message) bool { return !strings.Contains(m.Header["Subject"], headline) })
		return len(found) >= want
	}, time.Minute, 200*time.Millisecond)
	require.Len(t, found, want)
	return found
}

func alert(t *testing.T, name string) report.Alert {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "rollback", "report", "testdata", "alert", name+".json"))
	require.NoError(t, err)
	var a report.Alert
	require.NoError(t, json.Unmarshal(data, &a))
	return a
}

func send(t *testing.T, o notify.EmailConfig, a report.Alert) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	d := notify.Deps{Clock: wallClock{}, Random: strings.NewReader(strings.Repeat("x", 1<<10))}
	return notify.NewEmail(o, d).Send(ctx, notify.Notification{Alert: a})
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestDeliveryToPostfix(t *testing.T) {
	for name, change := range map[string]func(*notify.EmailConfig){
		"starttls": func(o *notify.EmailConfig) { o.TLS = "starttls" },
		"auto":     func(*notify.EmailConfig) {},
		"implicit": func(o *notify.EmailConfig) { o.TLS, o.Port = "implicit", port(t, "MAIL_IMPLICIT") },
		"no TLS": func(o *notify.EmailConfig) {
			o.TLS, o.Port, o.Username, o.Password = "none", port(t, "MAIL_RELAY"), "", ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, a := options(t), alert(t, "several")
			a.Headline = name + ": one of four failed · production"
			change(&o)
			require.NoError(t, send(t, o, a))
			m := inbox(t, a.Headline, 1)[0]
			assert.Equal(t, "oncall", m.Box)
			assert.Equal(t, a.Title(), m.Header["Subject"])
			assert.Equal(t, "multipart/alternative", m.Type)
			assert.Equal(t, []string{"text/plain", "text/html"}, m.Parts)
			assert.Equal(t, []string{`"Rückroller, Inc." <rollback@shop.example>`}, m.From)
			assert.Equal(t, []string{`תורן <oncall@shop.example>`}, m.To)
			assert.True(t, strings.HasPrefix(m.Text, a.Title()+"\n"))
			assert.Contains(t, m.HTML, "<title>"+a.Title()+"</title>")
			received := m.Header["Received"]
			assert.Contains(t, received, "from shop.example (localhost [127.0.0.1])")
			switch name { // S: with TLS, A: signed in
			case "no TLS":
				assert.Contains(t, received, "with ESMTP id")
			case "cram-md5":
				assert.Contains(t, received, "with ESMTPA id")
			default:
				assert.Contains(t, received, "with ESMTPSA id")
			}
		})
	}
}

// One message to two who exist and one who does not.
func TestDeliveryToSome(t *testing.T) {
	o, a := options(t), alert(t, "failed")
	a.Headline = "some: " + a.Headline
	o.Cc = []*mail.Address{{Address: "nobody@shop.example"}, {Address: "lead@shop.example"}}
	err := send(t, o, a)
	require.ErrorContains(t, err, "sent to 2 of 3 recipients, but not to nobody@shop.example: 550 5.1.1 <nobody@shop.example>: Recipient address rejected")
	for _, m := range inbox(t, a.Headline, 2) {
		assert.Equal(t, "high", m.Header["Importance"])
		assert.Contains(t, m.Header["Cc"], "nobody@shop.example")
	}
}

func TestWhatPostfixRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*notify.EmailConfig)
		want   string
	}{
		"a wrong password": {
			func(o *notify.EmailConfig) { o.Password = "Wr0ng&3" },
			"the mail server answered 535 5.7.8 Error: authentication failed: ",
		},
		"nobody signed in": {
			func(o *notify.EmailConfig) { o.Username, o.Password = "", "" },
			"sent to no recipients; rejected for oncall@shop.example: 554 5.7.1 ",
		},
		"TLS is a must": {
			func(o *notify.EmailConfig) { o.TLS, o.Username, o.Password = "none", "", "" },
			"the mail server answered 530 5.7.0 Must issue a STARTTLS command first; set smtp-tls to auto",
		},
		"a certificate that nobody signed": {
			func(o *notify.EmailConfig) { o.RootCAs = nil },
			"is not valid: x509: certificate signed by unknown authority",
		},
		"implicit where STARTTLS is": {
			func(o *notify.EmailConfig) { o.TLS = "implicit" },
			"does not start with TLS: set smtp-tls to starttls",
		},
		"a name that is none": {
			func(o *notify.EmailConfig) { o.HELO = "0f3c2a" },
			"need fully-qualified hostname",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			test.change(&o)
			err := send(t, o, alert(t, "failed"))
			require.ErrorContains(t, err, test.want)
			for _, secret := range []string{user, password, o.Password} {
				if secret != "" {
					assert.NotContains(t, err.Error(), secret)
				}
			}
		})
	}
}
