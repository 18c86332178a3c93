package saslxmpp_test

import (
	"context"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// BenchmarkLogin makes a session, from its first octet until it is ready, over TCP
// on loopback without TLS, with prepared answers of the server.
func BenchmarkLogin(b *testing.B) {
	for name, turns := range map[string][]turn{
		"SASL":  {{streamEnd, streamHeader + features(mechanisms)}, {"</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}, {streamEnd, streamHeader + features()}},
		"SASL2": {{streamEnd, streamHeader + features(sasl2)}, {"</authenticate>", success2(identified) + features()}},
	} {
		b.Run(name, func(b *testing.B) {
			login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}
			for b.Loop() {
				conn, heard := scripted(b, turns...)
				if _, err := xmpp.NewSession(context.Background(), jid.MustParse(host), jid.MustParse(address), conn, 0, login.Negotiator(nil)); err != nil {
					b.Fatal(err)
				}
				heard()
			}
		})
	}
}

// BenchmarkCancel measures the time from the end of a context to the return of a
// session that waits.
func BenchmarkCancel(b *testing.B) {
	login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}
	for b.Loop() {
		conn, heard := scripted(b, turn{streamEnd, streamHeader})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := xmpp.NewSession(ctx, jid.MustParse(host), jid.MustParse(address), conn, 0, login.Negotiator(nil)); err == nil {
			b.Fatal("no error")
		}
		heard()
	}
}
