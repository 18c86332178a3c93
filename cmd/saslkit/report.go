package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// report is the output of saslkit auth. The exported fields are those of --json,
// which docs/json.md describes.
type report struct {
	Format             int          `json:"format"`      // of this object
	URL                string       `json:"url"`         // or the address
	Found              []found      `json:"found"`       // the servers by SRV records that were tried
	Stage              string       `json:"stage"`       // the last step: of transport, or authenticate; "" = none
	Address            string       `json:"address"`     // of the connection; "" = none
	Host               string       `json:"host"`        // the name that is verified; "" = not known
	TLSVersion         string       `json:"tls_version"` // 1.2 or 1.3; "" = no TLS
	TLSCipher          string       `json:"tls_cipher"`
	Verified           bool         `json:"verified"`    // the server proved its identity, and the connection is confidential
	Certificate        *certificate `json:"certificate"` // nil = none
	Offered            []string     `json:"offered"`
	Authenticated      bool         `json:"authenticated"`
	Mechanism          string       `json:"mechanism"`       // the selected mechanism; "" = none
	ChannelBinding     string       `json:"channel_binding"` // the type; "" = none
	BindingUnconfirmed bool         `json:"binding_unconfirmed"`
	Layer              string       `json:"layer"` // the strength of the security layer; "" = none
	Username           string       `json:"username"`
	Authzid            string       `json:"authzid"`  // as sent
	Identity           string       `json:"identity"` // as the server names it; "" = the server does not
	RoundTrips         int          `json:"round_trips"`
	Entries            *int         `json:"entries"`     // the number of entries of --count; nil = not counted
	Alerts             []string     `json:"alerts"`      // texts of the server for people
	Class              string       `json:"class"`       // of the error; "" = no error
	Condition          string       `json:"condition"`   // of a refusal, in the words of RFC 6120
	Text               string       `json:"text"`        // the error in one line
	ServerText         string       `json:"server_text"` // the text of the server's refusal
	Advice             []string     `json:"advice"`
	NotTried           []string     `json:"not_tried"` // the mechanisms that could follow
	NotUsed            []notUsed    `json:"not_used"`  // the mechanisms that cannot be used
	DurationMS         float64      `json:"duration_ms"`
}

// found is a server that the DNS names.
type found struct {
	Address string `json:"address"` // host:port
	Record  string `json:"record"`  // the name of its SRV record; "" = the domain has none
}

// notUsed is a mechanism of the server that the login cannot use.
type notUsed struct {
	Mechanism string `json:"mechanism"`
	Reason    string `json:"reason"`
}

// jsonFormat is the version of the object of --json. A new field does not change it.
const jsonFormat = 1

// stageAuthenticate is the stage of the login itself. The earlier ones are the steps
// of package transport.
const stageAuthenticate = "authenticate"

// newReport returns a report with the scheme, the user and the host of the URL. The
// other parts of the URL may have a password, even though parseTarget refuses it.
func newReport(text string) *report {
	r := &report{
		Format: jsonFormat, Found: []found{}, Offered: []string{}, Alerts: []string{}, Advice: []string{}, NotTried: []string{}, NotUsed: []notUsed{},
	}
	if user, path, ok := cutSocket(text); ok {
		if user, _, _ = strings.Cut(user, ":"); user != "" {
			user += "@"
		}
		r.URL = "ldapi://" + user + path
		return r
	}
	if local, domain, ok := cutAddress(text); ok && !strings.Contains(local, ":") {
		r.URL = local + "@" + domain
		return r
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && (u.Path == "" || u.Path == "/") { // a password may have a slash
		shown := url.URL{Scheme: u.Scheme, Host: u.Host}
		if name := u.User.Username(); name != "" {
			shown.User = url.User(name)
		}
		r.URL = shown.String()
	}
	return r
}

// server stores the facts about the server before the login.
func (r *report) server(info sasl.ServerInfo) {
	r.Stage, r.Host, r.Verified = stageAuthenticate, info.Host, info.Secure
	r.Offered = []string{}
	for _, name := range info.Mechanisms {
		r.Offered = append(r.Offered, sasl.Printable(name))
	}
	if r.Certificate != nil {
		r.Certificate.setEndPoint(info.Bindings)
	}
}

// secured stores the facts about TLS.
func (r *report) secured(state tls.ConnectionState) {
	r.TLSVersion = strings.TrimPrefix(tls.VersionName(state.Version), "TLS ")
	r.TLSCipher = tls.CipherSuiteName(state.CipherSuite)
	r.Certificate = describeCertificate(state.PeerCertificates[0])
}

// result stores the facts about the login, also after a failure.
func (r *report) result(result sasl.Result) {
	if result.Mechanism == "" {
		return
	}
	r.Mechanism, r.ChannelBinding = result.Mechanism, result.Binding
	r.Username, r.Authzid = result.Username, result.Authzid
	r.RoundTrips, r.BindingUnconfirmed = result.RoundTrips, result.BindingUnconfirmed
	r.Layer = string(result.Layer)
}

// ask requests our identity from the server, if the protocol has such a request, and
// counts the entries of --count. A server may refuse to name the identity.
func (r *report) ask(ctx context.Context, conn *connection) error {
	if conn.identity != nil {
		identity, known, err := conn.identity(ctx)
		if known {
			r.Identity = sasl.Printable(identity)
		}
		if err != nil {
			return err
		}
	}
	if conn.entries == nil {
		return nil
	}
	count, err := conn.entries(ctx)
	if err == nil {
		r.Entries = &count
	}
	return err
}

// finish stores the outcome.
func (r *report) finish(err error, took time.Duration) {
	r.DurationMS = float64(took.Microseconds()) / 1000
	if err == nil {
		return
	}
	r.Class, r.Text = string(sasl.ClassOf(err)), summary(err)
	for _, text := range remedies(err) {
		r.Advice = append(r.Advice, sasl.Printable(text)) // a certificate has names of the server
	}
	var step *transport.StepError
	if errors.As(err, &step) {
		r.Stage = string(step.Step)
		if r.Address == "" {
			r.Address = step.Address
		}
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) && len(verification.UnverifiedCertificates) > 0 {
		r.Certificate = describeCertificate(verification.UnverifiedCertificates[0])
	}
	var failure *sasl.Failure
	if errors.As(err, &failure) {
		r.Condition, r.ServerText = sasl.Printable(string(failure.Condition)), sasl.Printable(failure.Text)
	}
	var login *sasl.LoginError
	if !errors.As(err, &login) {
		return
	}
	if anotherMayDo[sasl.ClassOf(err)] {
		r.NotTried = append(r.NotTried, login.NotTried...)
	}
	for _, p := range login.PassedOver {
		r.NotUsed = append(r.NotUsed, notUsed{p.Mechanism, sasl.Printable(flagNames.Replace(p.Reason.Error()))})
	}
}

func (r *report) writeJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }
