package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// TestReportPrintable: no text of a server brings a control character into the report.
// The character DEL is not escaped in JSON.
func TestReportPrintable(t *testing.T) {
	const hostile = "a\x7f\u202eb"
	var r report
	conn := &connection{identity: func(context.Context) (string, bool, error) { return hostile, true, nil }}
	if err := r.ask(t.Context(), conn); err != nil || r.Identity != "ab" {
		t.Errorf("the identity is %q, %v", r.Identity, err)
	}
	leaf := &x509.Certificate{DNSNames: []string{hostile}}
	wrongName := x509.HostnameError{Certificate: leaf, Host: "c"}
	for _, err := range []error{
		&tls.CertificateVerificationError{UnverifiedCertificates: []*x509.Certificate{leaf}, Err: wrongName},
		&sasl.Failure{Condition: hostile, Text: hostile},
	} {
		r := newReport("imap://alice@c")
		r.finish(err, 0)
		var out bytes.Buffer
		if err := r.writeJSON(&out); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x7f\u202e") || !strings.Contains(out.String(), "ab") {
			t.Errorf("%T: %q", err, out.String())
		}
	}
}

// TestReportURL: no part of a password in a URL reaches the report.
func TestReportURL(t *testing.T) {
	for _, url := range []string{"imaps://alice:12/34@mail.example.org", "imap:alice:1234@mail.example.org", "alice:1234@mail.example.org"} {
		if r := newReport(url); strings.Contains(r.URL, "12") {
			t.Errorf("%s: %q", url, r.URL)
		}
	}
	for _, url := range []string{"imaps://alice:1234@mail.example.org", "imaps://alice@mail.example.org/"} {
		if r := newReport(url); r.URL != "imaps://alice@mail.example.org" {
			t.Errorf("%s: %q", url, r.URL)
		}
	}
}
