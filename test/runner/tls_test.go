package runner_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authority signs certificates, and is one that the step trusts.
type authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(tb testing.TB) authority {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(tb, err)
	cert, err := x509.ParseCertificate(raw)
	require.NoError(tb, err)
	return authority{tb: tb, cert: cert, key: key}
}

// file is where the step finds the authority.
func (a authority) file(s *step) string {
	path := s.path("ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
	require.NoError(a.tb, os.WriteFile(path, text, 0o600))
	return path
}

// serve is an endpoint with a certificate for these names, until a time.
func (a authority) serve(until time.Time, addresses []net.IP, names ...string) string {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.tb, err)
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		IPAddresses: addresses, DNSNames: names, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, &key.PublicKey, a.key)
	require.NoError(a.tb, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	a.tb.Cleanup(server.Close)
	return server.URL
}

func TestCertificatesOfHealthURLs(t *testing.T) {
	t.Parallel()
	loopback := []net.IP{net.IPv4(127, 0, 0, 1)}
	later := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		url    func(a authority) string
		want   string
		detail string
	}{
		"one that is right":     {func(a authority) string { return a.serve(later, loopback) }, wellEnd, "3 consecutive responses"},
		"one of another host":   {func(a authority) string { return a.serve(later, nil, "shop.example.com") }, unwellEnd, "the certificate is not trusted"},
		"one that is over":      {func(a authority) string { return a.serve(time.Now().Add(-time.Minute), loopback) }, unwellEnd, "certificate has expired"},
		"of somebody unknown":   {func(a authority) string { return newAuthority(a.tb).serve(later, loopback) }, unwellEnd, "unknown authority"},
		"no TLS at all, though": {func(a authority) string { return newPlain(a.tb) }, unwellEnd, "HTTP response to HTTPS client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			a := newAuthority(t)
			st := s.step().quick()
			if c.want == wellEnd {
				st = st.patient()
			}
			o := st.input("health-url", c.url(a)).set("SSL_CERT_FILE", a.file(st)).run()
			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			_, detail := o.proven(t).check(t, "health ")
			assert.Contains(t, detail, c.detail)
		})
	}
}

// A proxy that reads the traffic, or an address that is not AWS's: no retry helps.
func TestCertificatesOfAWS(t *testing.T) {
	t.Parallel()
	loopback := []net.IP{net.IPv4(127, 0, 0, 1)}
	later := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		url  func(a authority) string
		says string
	}{
		"one of another host":   {func(a authority) string { return a.serve(later, nil, "shop.example.com") }, "AWS_CA_BUNDLE"},
		"one that is over":      {func(a authority) string { return a.serve(time.Now().Add(-time.Minute), loopback) }, "this machine's clock"},
		"of somebody unknown":   {func(a authority) string { return newAuthority(a.tb).serve(later, loopback) }, "unknown authority"},
		"no TLS at all, though": {func(a authority) string { return newPlain(a.tb) }, "responded with http instead of https"},
	} {
		for _, service := range []string{"LAMBDA", "STS"} {
			t.Run(name+" "+service, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				a := newAuthority(t)
				st := s.byRole()
				o := st.set("SSL_CERT_FILE", a.file(st)).set("AWS_ENDPOINT_URL_"+service, c.url(a)).run()
				assert.Equal(t, "failed/invalid-input", o.ended())
				assert.Contains(t, o.outputs["message"], c.says)
				assert.Less(t, o.took-o.stalled, 15*time.Second)
				assert.Equal(t, "3", f.Serving("live"))
			})
		}
	}
}

// newPlain speaks HTTP where the URL says https.
func newPlain(tb testing.TB) string {
	tb.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	tb.Cleanup(server.Close)
	return "https" + server.URL[len("http"):]
}
