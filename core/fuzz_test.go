package sasl_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// addTranscripts adds the messages of one side to a fuzz target's seeds, separated by
// line feeds.
func addTranscripts(f *testing.F, side ...sasltest.Op) {
	for _, tr := range sasltest.Transcripts() {
		var messages [][]byte
		for _, line := range tr.Lines {
			for _, op := range side {
				if line.Op == op && len(line.Data) < 4096 {
					messages = append(messages, line.Data)
				}
			}
		}
		f.Add(tr.MechanismName, bytes.Join(messages, []byte("\n")))
	}
}

// FuzzClientExchange sends any data to a client. The client terminates without a
// panic, and its errors have a class. SCRAM believes in success only after a
// verifier.
func FuzzClientExchange(f *testing.F) {
	addTranscripts(f, sasltest.Challenge, sasltest.Succeed)
	pencil := sasl.Password("user", "pencil")
	f.Fuzz(func(t *testing.T, name string, input []byte) {
		client := &sasl.Client{Mechanisms: append(ladder(), sasl.Anonymous("sirhc"), sasl.External(""), sasl.Login(pencil), sasl.CRAMMD5(pencil), sasl.DigestMD5(pencil))}
		client.Mechanisms = append(client.Mechanisms, sasl.BearerMechanisms(sasl.FixedBearerToken("user", "tok"))...)
		client.SetNonce(rfc7677Nonce)
		client.SCRAM.MaxIterations = 8192
		client.Trace = func(e sasl.Event) { _ = e.String() }
		session, err := client.Begin(t.Context(), sasl.ServerInfo{
			Service: "imap", Host: "elwood.innosoft.com", Secure: true, Downgrade: true, TLSVersion: 0x0304, Mechanisms: []string{name}, Bindings: []sasl.ChannelBinding{{Type: "tls-exporter", Data: []byte("data")}}})
		if err != nil {
			return
		}
		if _, _, err := session.Start(); err != nil {
			t.Fatal(err)
		}
		messages := bytes.Split(input, []byte("\n"))
		for _, message := range messages[:len(messages)-1] {
			if _, err = session.Respond(message); err != nil {
				break
			}
		}
		if err == nil {
			err = session.Finish(messages[len(messages)-1])
		}
		if err != nil && sasl.ClassOf(err) == "" {
			t.Fatalf("no class: %v", err)
		}
		verified := slices.ContainsFunc(messages, func(m []byte) bool { return bytes.HasPrefix(m, []byte("v=")) })
		if name == "DIGEST-MD5" {
			verified = slices.ContainsFunc(messages, func(m []byte) bool { return bytes.Contains(m, []byte("rspauth")) })
		}
		if err == nil && (strings.HasPrefix(name, "SCRAM-") || name == "DIGEST-MD5") && !verified {
			t.Fatalf("success after %q", messages)
		}
	})
}

// FuzzServerExchange sends any data to a server. The server terminates without a
// panic, and its errors have a class. No client logs in without a proof.
func FuzzServerExchange(f *testing.F) {
	addTranscripts(f, sasltest.ClientSends)
	record, err := sasl.DeriveSCRAM(context.Background(), sasl.SHA256, "a password that no seed has", []byte("0123456789abcdef"), 1)
	if err != nil {
		f.Fatal(err)
	}
	refuseAll := func(context.Context, string, sasl.Secret) error { return sasl.ErrAuthentication }
	secretLookup := func(context.Context, string) (sasl.Secret, error) {
		return sasl.NewSecret("a password that no seed has"), nil
	}
	refuseTokens := func(context.Context, sasl.BearerLogin) (string, error) { return "", new(sasl.BearerError) }
	lookup := func(_ context.Context, h sasl.Hash, _ string) (*sasl.SCRAMRecord, error) {
		copied := *record
		copied.Hash = h
		return &copied, nil
	}
	tokens := new(sasl.MemoryTokens)
	put(tokens, sasl.TokenAccount{Username: "lnj", ClientID: "phone"}, sasl.NewToken("HT-SHA-256-EXPR", time.Time{}), sasl.NewToken("HT-SHA-256-NONE", time.Time{}))
	server := &sasl.Server{Key: serverKey, Tokens: &sasl.ServerTokens{Store: tokens, Mechanisms: []string{"HT-SHA-256-EXPR", "HT-SHA-256-NONE"}}, Mechanisms: []sasl.ServerMechanism{
		sasl.PlainServer(refuseAll), sasl.LoginServer(refuseAll), sasl.CRAMMD5Server(secretLookup), sasl.DigestMD5Server("", secretLookup), sasl.SCRAMServer(sasl.SHA256, lookup), sasl.SCRAMPlusServer(sasl.SHA256, lookup),
		sasl.ExternalServer(func(context.Context, any) (string, error) { return "", sasl.ErrAuthentication }),
		sasl.AnonymousServer(func(context.Context, string) (string, error) { return "", sasl.ErrAuthentication }),
		sasl.OAuthBearerServer(refuseTokens), sasl.XOAuth2Server(refuseTokens),
	}}
	server.SetNonce("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
	conn := sasl.ConnInfo{Service: "imap", Host: "elwood.innosoft.com", Secure: true, Downgrade: true, TLSVersion: 0x0304, Bindings: []sasl.ChannelBinding{{Type: "tls-exporter", Data: []byte("data")}}}
	f.Fuzz(func(t *testing.T, name string, input []byte) {
		session, err := server.BeginWithToken(t.Context(), conn, sasl.TokenUse{ClientID: "phone"}, name)
		if err != nil {
			return
		}
		for message := range bytes.SplitSeq(input, []byte("\n")) {
			_, done, err := session.Respond(t.Context(), message)
			if done {
				t.Fatalf("in with %q", input)
			}
			if err != nil {
				if sasl.ClassOf(err) == "" {
					t.Fatalf("no class: %v", err)
				}
				return
			}
		}
	})
}

// FuzzTokenExchange sends any answer to a client that logs in with a token. The
// client terminates without a panic, and its errors have a class. The client
// believes in success only after the server's MAC.
func FuzzTokenExchange(f *testing.F) {
	addTranscripts(f, sasltest.Challenge, sasltest.Succeed)
	f.Add("HT-SHA-256-EXPR", []byte(boundResponder))
	f.Add("HT-SHA-256-EXPR", []byte(boundResponder+"\n"))
	f.Fuzz(func(t *testing.T, _ string, input []byte) {
		client, store := tokenClient()
		put(store, tokenAccount, token("EXPR"))
		client.Trace = func(e sasl.Event) { _ = e.String() }
		peer := tokenPeer(c(boundInitiator))
		messages := bytes.Split(input, []byte("\n"))
		for _, message := range messages[:len(messages)-1] {
			peer.Lines = append(peer.Lines, sasltest.Line{Op: sasltest.Challenge, Data: message}, sasltest.Line{Op: sasltest.ClientSends, Data: []byte{}})
		}
		peer.Lines = append(peer.Lines, sasltest.Line{Op: sasltest.Succeed, Data: messages[len(messages)-1]})
		peer.Issue = issued(string(input))
		_, err := client.Authenticate(t.Context(), peer, tokenSrv)
		if err != nil && sasl.ClassOf(err) == "" {
			t.Fatalf("no class: %v", err)
		}
		if err == nil && !bytes.Contains(input, []byte(boundResponder)) {
			t.Fatalf("success after %q", messages)
		}
	})
}
