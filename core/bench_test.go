package sasl_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// BenchmarkSCRAMSHA256 compares a whole exchange of a client, at 4096
// iterations, with the key derivation, which is the unavoidable part of the work.
func BenchmarkSCRAMSHA256(b *testing.B) {
	b.Run("exchange", func(b *testing.B) {
		client := rfc7677Client("pencil")
		conn := &fixedServer{replies: []sasl.Reply{
			{Data: []byte(rfc7677ServerFirst)}, {Data: []byte(rfc7677ServerFinal)}, {Done: true}}}
		b.ReportAllocs()
		for b.Loop() {
			conn.next = 0
			if _, err := client.Authenticate(context.Background(), conn, scramServer); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pbkdf2", func(b *testing.B) {
		salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := pbkdf2.Key(sha256.New, "pencil", salt, 4096, 32); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPlain measures a login through Authenticate, with the whole ladder of
// mechanisms and with one mechanism.
func BenchmarkPlain(b *testing.B) {
	for name, client := range map[string]*sasl.Client{
		"ladder": {Mechanisms: sasl.PasswordMechanisms(sasl.Password("tim", "secret"))},
		"one":    plainClient("secret"),
	} {
		b.Run(name, func(b *testing.B) {
			conn := &fixedServer{replies: []sasl.Reply{{Done: true}}}
			b.ReportAllocs()
			for b.Loop() {
				conn.next = 0
				if _, err := client.Authenticate(context.Background(), conn, plainServer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkToken measures a login with a token from memory, bound to the channel.
func BenchmarkToken(b *testing.B) {
	client, store := tokenClient()
	put(store, tokenAccount, token("EXPR"))
	conn := &fixedTokenServer{fixedServer{replies: []sasl.Reply{{Data: []byte(boundResponder), Done: true}}}}
	b.ReportAllocs()
	for b.Loop() {
		conn.next = 0
		if result, err := client.Authenticate(context.Background(), conn, tokenSrv); err != nil || result.RoundTrips != 1 {
			b.Fatal(result, err)
		}
	}
}

// fixedTokenServer is a fixedServer that carries tokens.
type fixedTokenServer struct{ fixedServer }

func (*fixedTokenServer) TokenMechanisms() []string       { return tokenOffer }
func (*fixedTokenServer) RequestTokens(sasl.TokenRequest) {}
func (*fixedTokenServer) IssuedToken() *sasl.IssuedToken  { return nil }

// TestPlainAllocations limits the allocations that BenchmarkPlain shows.
func TestPlainAllocations(t *testing.T) {
	client := &sasl.Client{Mechanisms: ladder()}
	conn := &fixedServer{replies: []sasl.Reply{{Done: true}}}
	allocations := testing.AllocsPerRun(100, func() {
		conn.next = 0
		if _, err := client.Authenticate(context.Background(), conn, plainServer); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 6 {
		t.Errorf("%v allocations", allocations)
	}
}

// fixedServer gives the same replies to any messages.
type fixedServer struct {
	replies []sasl.Reply
	next    int
}

func (f *fixedServer) reply() (sasl.Reply, error) {
	f.next++
	return f.replies[f.next-1], nil
}

func (f *fixedServer) Initiate(context.Context, string, []byte) (sasl.Reply, error) { return f.reply() }
func (f *fixedServer) Respond(context.Context, []byte) (sasl.Reply, error)          { return f.reply() }
func (f *fixedServer) Abort(context.Context) error                                  { return nil }
func (f *fixedServer) Close() error                                                 { return nil }
