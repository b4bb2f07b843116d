package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// far makes an emulator available through TLS and a network with a round-trip time.
type far struct {
	url       string
	authority string // file with the certificate that signed the server's certificate
	server    *http.Server
	network   net.Listener
	work      sync.WaitGroup
}

func newFar(dir, target string, roundTrip time.Duration) (*far, error) {
	certificate, authority, err := certify(dir)
	if err != nil {
		return nil, err
	}
	behind, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("failed to parse %s: %w", target, err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("failed to listen on loopback: %w", err)
	}
	network, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("failed to listen on loopback: %w", err)
	}
	f := &far{url: "https://" + network.Addr().String(), authority: authority, network: network}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host // the request signature covers the host
	}, ErrorLog: log.New(io.Discard, "", 0)}
	f.server = &http.Server{
		Handler: proxy, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	f.work.Go(func() { _ = f.server.ServeTLS(inner, "", "") })
	f.work.Go(func() {
		for {
			client, err := network.Accept()
			if err != nil {
				return
			}
			go relay(client, inner.Addr().String(), roundTrip)
		}
	})
	return f, nil
}

func (f *far) close() {
	_ = f.network.Close()
	_ = f.server.Close()
	f.work.Wait()
}

// relay forwards a connection with the round-trip time of a network: half of it in
// each direction, and one whole round trip to establish the connection.
func relay(client net.Conn, to string, roundTrip time.Duration) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var both sync.WaitGroup
	both.Go(func() { carry(server, client, roundTrip/2, roundTrip) })
	both.Go(func() { carry(client, server, roundTrip/2, 0) })
	both.Wait()
}

// carry copies data, and delays each piece by delay. The first pieces are also held
// back until first has passed.
func carry(to, from net.Conn, delay, first time.Duration) {
	type piece struct {
		data []byte
		due  time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		ready := time.Now().Add(first)
		for {
			buffer := make([]byte, 32<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				due := time.Now()
				if due.Before(ready) {
					due = ready
				}
				pieces <- piece{buffer[:n], due.Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			break
		}
	}
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	for range pieces { // so that the reader can end
		continue
	}
}

// certify creates a certificate for loopback, and a file with the certificate that
// signed it.
func certify(dir string) (tls.Certificate, string, error) {
	fail := func(err error) (tls.Certificate, string, error) {
		return tls.Certificate{}, "", fmt.Errorf("failed to make a certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fail(err)
	}
	path := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600); err != nil {
		return fail(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, path, nil
}
