package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// report is the output of saslkit auth. The exported fields are those of --json.
type report struct {
	URL            string   `json:"url"`
	Authenticated  bool     `json:"authenticated"`
	Mechanism      string   `json:"mechanism"`       // the selected mechanism; "" = none
	ChannelBinding string   `json:"channel_binding"` // the type; "" = none
	Username       string   `json:"username"`
	Authzid        string   `json:"authzid"`
	Offered        []string `json:"offered"`
	TLSVersion     string   `json:"tls_version"` // 1.2 or 1.3; "" = no TLS
	RoundTrips     int      `json:"round_trips"`
	Class          string   `json:"class"`     // of the error; "" = no error
	Condition      string   `json:"condition"` // of a refusal, in the words of RFC 6120
	Text           string   `json:"text"`      // the text of the server, or else the error
	DurationMS     float64  `json:"duration_ms"`

	secure      bool
	unconfirmed bool // the server may not have compared the binding
}

// newReport returns a report with the scheme, the user and the host of the URL. The
// other parts of the URL may have a password, even though parseTarget refuses it.
func newReport(text string) *report {
	r := &report{Offered: []string{}}
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
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		shown := url.URL{Scheme: u.Scheme, Host: u.Host}
		if name := u.User.Username(); name != "" {
			shown.User = url.User(name)
		}
		r.URL = shown.String()
	}
	return r
}

func (r *report) server(info sasl.ServerInfo) {
	for _, name := range info.Mechanisms {
		r.Offered = append(r.Offered, sasl.Printable(name))
	}
	r.secure = info.Secure
	if info.TLSVersion != 0 {
		r.TLSVersion = strings.TrimPrefix(tls.VersionName(info.TLSVersion), "TLS ")
	}
}

// result stores the facts about the login, also after a failure.
func (r *report) result(result sasl.Result) {
	if result.Mechanism == "" {
		return
	}
	r.Mechanism, r.ChannelBinding = result.Mechanism, result.Binding
	r.Username, r.Authzid = result.Username, result.Authzid
	r.RoundTrips, r.unconfirmed = result.RoundTrips, result.BindingUnconfirmed
}

// ask requests our identity from the server, if the protocol has such a request. A
// server may refuse to name the identity.
func (r *report) ask(ctx context.Context, conn *connection) error {
	if conn.identity == nil {
		return nil
	}
	authzid, known, err := conn.identity(ctx)
	if known {
		r.Authzid = authzid
	}
	return err
}

func (r *report) finish(err error, took time.Duration) {
	r.DurationMS = float64(took.Microseconds()) / 1000
	if err == nil {
		return
	}
	r.Class = string(sasl.ClassOf(err))
	r.Text = summary(err)
	var failure *sasl.Failure
	if errors.As(err, &failure) {
		r.Condition = string(failure.Condition)
		if failure.Text != "" {
			r.Text = sasl.Printable(failure.Text)
		}
	}
}

func (r *report) writeJSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// writeServer prints the facts about the server before the authentication.
func (r *report) writeServer(w io.Writer) {
	security := "not encrypted"
	if r.secure {
		security = "through a Unix socket"
	}
	if r.TLSVersion != "" {
		security = "TLS " + r.TLSVersion
		if r.secure {
			security += ", verified"
		} else {
			security += ", not verified"
		}
	}
	offered := strings.Join(r.Offered, " ")
	if offered == "" {
		offered = "nothing"
	}
	fmt.Fprintf(w, "connected to %s, %s\noffered: %s\n", r.URL, security, offered)
}

func (r *report) writeText(w io.Writer) {
	as := ""
	switch {
	case r.Username != "" && r.Authzid != "":
		as = fmt.Sprintf(" as %s, acting as %s", r.Username, r.Authzid)
	case r.Username != "":
		as = " as " + r.Username
	case r.Authzid != "":
		as = ", acting as " + r.Authzid
	}
	binding := "not bound to the channel"
	if r.ChannelBinding != "" {
		binding = "bound to " + r.ChannelBinding
		if r.unconfirmed {
			binding += ", unconfirmed"
		}
	}
	trips := "trips"
	if r.RoundTrips == 1 {
		trips = "trip"
	}
	fmt.Fprintf(w, "authenticated%s with %s, %s, in %d round %s, %.1f ms\n", as, r.Mechanism, binding, r.RoundTrips, trips, r.DurationMS)
}
