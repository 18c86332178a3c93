package sasl_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// The exchange of RFC 7677 s3.
const (
	rfc7677Nonce       = "rOprNGfwEbeRWgbNEkqO"
	rfc7677ClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	rfc7677ServerFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	rfc7677ClientFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	rfc7677ServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func c(message string) sasltest.Line {
	return sasltest.Line{Op: sasltest.ClientSends, Data: []byte(message)}
}

func s(message string) sasltest.Line {
	return sasltest.Line{Op: sasltest.Challenge, Data: []byte(message)}
}

func refuse(condition sasl.Condition) sasltest.Line {
	return sasltest.Line{Op: sasltest.Refuse, Condition: condition}
}

var (
	succeed = sasltest.Line{Op: sasltest.Succeed}
	abort   = sasltest.Line{Op: sasltest.ClientAborts}
	closes  = sasltest.Line{Op: sasltest.ClientCloses}
	cut     = sasltest.Line{Op: sasltest.Cut}
)

// rfc7677Client logs in as in RFC 7677 s3 with a password.
func rfc7677Client(password string) *sasl.Client {
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, sasl.Password("user", password))}}
	client.SetNonce(rfc7677Nonce)
	return client
}

var (
	scramServer = sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256"}}
	plainServer = sasl.ServerInfo{Secure: true, Mechanisms: []string{"PLAIN"}}
)

func plainClient(password string) *sasl.Client {
	return &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("tim", password))}}
}

// TestOutcomes shows the outcome of a run after each answer of the server, the state
// of the connection, and the text of the error.
func TestOutcomes(t *testing.T) {
	bound := sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256-PLUS"}, Bindings: []sasl.ChannelBinding{exporter}}
	boundFirst := "p=tls-exporter,,n=user,r=" + rfc7677Nonce
	y := sasl.ServerInfo{Secure: true, Mechanisms: []string{"SCRAM-SHA-256"}, Bindings: []sasl.ChannelBinding{exporter}}
	type lines = []sasltest.Line
	for _, row := range []struct {
		name  string
		srv   sasl.ServerInfo
		lines lines
		class sasl.Class
		text  string // of the error; "hint:" and a list of hints
	}{
		{"wrong password", scramServer, lines{c(rfc7677ClientFirst), s(rfc7677ServerFirst), c(rfc7677ClientFinal), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, "not-authorized"},
		{"unknown condition", scramServer, lines{c(rfc7677ClientFirst), refuse("strange\x1b[31m")}, sasl.ErrAuthentication, "strange[31m"},
		{"expired", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.CredentialsExpired)}, sasl.ErrAuthentication, ""},
		{"disabled", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.AccountDisabled)}, sasl.ErrAuthorization, ""},
		{"authzid", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.InvalidAuthzid)}, sasl.ErrAuthorization, ""},
		{"temporary", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.TemporaryAuthFailure)}, sasl.ErrTemporary, ""},
		{"encryption", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.EncryptionRequired)}, sasl.ErrPolicy, ""},
		{"too weak", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.MechanismTooWeak)}, sasl.ErrPolicy, ""},
		{"unknown mechanism", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.InvalidMechanism)}, sasl.ErrPolicy, ""},
		{"malformed", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.MalformedRequest)}, sasl.ErrProtocol, ""},
		{"encoding", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.IncorrectEncoding)}, sasl.ErrProtocol, ""},
		{"aborted", scramServer, lines{c(rfc7677ClientFirst), refuse(sasl.Aborted)}, sasl.ErrProtocol, ""},
		{"cut", scramServer, lines{c(rfc7677ClientFirst), cut, closes}, sasl.ErrConnection, "unexpected EOF"},
		{"challenge too long", scramServer, lines{c(rfc7677ClientFirst), s(strings.Repeat("A", 65537)), abort}, sasl.ErrProtocol, "64 KiB"},

		{"bound and malformed is a binding that does not match", bound, lines{c(boundFirst), refuse(sasl.MalformedRequest)}, sasl.ErrSecurity, "hint:binding"},
		{"bound and refused may be somebody in between", bound, lines{c(boundFirst), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, "hint:password binding"},
		{"a type the server refuses", bound, lines{c(boundFirst), s("e=unsupported-channel-binding-type"), closes}, sasl.ErrSecurity, "hint:binding"},
		{"a list that was cut, in SCRAM's words", y, lines{c("y" + rfc7677ClientFirst[1:]), s("e=server-does-support-channel-binding"), closes}, sasl.ErrSecurity, "hint:proxy"},
		{"bound, and broken for another reason", bound, lines{c(boundFirst), s("e=invalid-encoding"), abort}, sasl.ErrProtocol, "e=invalid-encoding"},
		{"y and malformed is a list that was cut", y, lines{c("y" + rfc7677ClientFirst[1:]), refuse(sasl.MalformedRequest)}, sasl.ErrSecurity, "hint:proxy"},
		{"y and refused may be a proxy", y, lines{c("y" + rfc7677ClientFirst[1:]), refuse(sasl.NotAuthorized)}, sasl.ErrAuthentication, "hint:password proxy"},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := rfc7677Client("pencil")
			client.Mechanisms = append(client.Mechanisms, sasl.SCRAMPlus(sasl.SHA256, sasl.Password("user", "pencil")))
			peer := sasltest.NewPeer(row.lines...)
			_, err := client.Authenticate(t.Context(), peer, row.srv)
			text := err.Error()
			if strings.HasPrefix(row.text, "hint:") {
				text = "hint:" + hints(err)
			}
			if sasl.ClassOf(err) != row.class || !strings.Contains(text, row.text) {
				t.Errorf("class %q, want %q; %s; %v", sasl.ClassOf(err), row.class, text, err)
			}
			if row.class == sasl.ErrSecurity && !peer.Closed() {
				t.Error("the connection is open after an ErrSecurity")
			}
			if row.class == sasl.ErrSecurity && len(peer.Lines) == 0 {
				peer.Lines = append(peer.Lines, closes)
			}
			if err := peer.Fault(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRefusalKeepsWhatTheServerSaid shows that the condition, the text and the
// protocol's own error are reachable.
func TestRefusalKeepsWhatTheServerSaid(t *testing.T) {
	own := errors.New("535 5.7.8")
	_, err := plainClient("secret").Drive(t.Context(), io.NopCloser(nil), plainServer, func(s *sasl.Session) error {
		if _, _, err := s.Start(); err != nil {
			return err
		}
		return &sasl.Failure{Condition: sasl.AccountDisabled, Text: "Gone", Err: own}
	})
	var failure *sasl.Failure
	if !errors.As(err, &failure) || failure.Condition != sasl.AccountDisabled || failure.Text != "Gone" ||
		failure.Class != sasl.ErrAuthorization || !errors.Is(err, own) {
		t.Errorf("error %v, failure %+v", err, failure)
	}
}

// TestRoundTrips shows that RoundTrips counts the client's messages that the server
// answered.
func TestRoundTrips(t *testing.T) {
	for _, row := range []struct {
		client *sasl.Client
		srv    sasl.ServerInfo
		peer   *sasltest.Peer
		want   int
	}{
		{plainClient("secret"), plainServer, sasltest.NewPeer(c("\x00tim\x00secret"), succeed), 1},
		{rfc7677Client("pencil"), scramServer, sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst),
			c(rfc7677ClientFinal), s(rfc7677ServerFinal), c(""), succeed), 3},
		{rfc7677Client("pencil"), scramServer, sasltest.NewPeer(c(rfc7677ClientFirst), s(rfc7677ServerFirst),
			c(rfc7677ClientFinal), sasltest.Line{Op: sasltest.Succeed, Data: []byte(rfc7677ServerFinal)}), 2},
	} {
		result, err := row.client.Authenticate(t.Context(), row.peer, row.srv)
		if err != nil || result.RoundTrips != row.want {
			t.Errorf("%+v, %v, want %d round trips", result, err, row.want)
		}
	}
}

// TestIterationBounds shows that the user can change both limits of the iteration
// count.
func TestIterationBounds(t *testing.T) {
	first := func(i string) string { return strings.Replace(rfc7677ServerFirst, "4096", i, 1) }
	for _, row := range []struct {
		options sasl.SCRAMOptions
		first   string
		class   sasl.Class
	}{
		{sasl.SCRAMOptions{}, first("4096"), ""},
		{sasl.SCRAMOptions{}, first("4095"), sasl.ErrSecurity},
		{sasl.SCRAMOptions{MinIterations: 1}, first("1"), ""},
		{sasl.SCRAMOptions{MinIterations: 10000}, first("4096"), sasl.ErrSecurity},
		{sasl.SCRAMOptions{MaxIterations: 5000}, first("5001"), sasl.ErrSecurity},
		{sasl.SCRAMOptions{MaxIterations: 5000}, first("5000"), ""},
	} {
		client := rfc7677Client("pencil")
		client.SCRAM = row.options
		session, err := client.Begin(t.Context(), scramServer)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		if _, err := session.Respond([]byte(row.first)); sasl.ClassOf(err) != row.class {
			t.Errorf("%+v and %s: %v, want class %q", row.options, row.first, err, row.class)
		}
	}
}
