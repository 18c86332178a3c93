package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

func Example() {
	ctx := context.Background()
	login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}}
	session, outcome, err := login.Dial(ctx, jid.MustParse("alice@example.org"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	fmt.Println(session.LocalAddr(), "with", outcome.Mechanism, "bound to", outcome.Binding)
}

// A token that the server issues is used for the next login, in one round trip.
func ExampleLogin_Dial_tokens() {
	ctx := context.Background()
	login := &saslxmpp.Login{
		Client: &sasl.Client{
			Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret")),
			Tokens:     &sasl.Tokens{Store: new(sasl.MemoryTokens), Username: "alice"},
		},
		UserAgent: saslxmpp.UserAgent{ID: "d4565fa7-4d72-4749-b3d3-740edbf87770"},
		BindTag:   "phone",
	}
	for range 2 {
		session, outcome, err := login.Dial(ctx, jid.MustParse("alice@example.org"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(outcome.Mechanism, outcome.RoundTrips)
		session.Close()
		session.Conn().Close()
	}
}

// In a list of features, Login.Features stands where xmpp.SASL stood.
func ExampleLogin_Features() {
	ctx := context.Background()
	login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "secret"))}}
	var outcome saslxmpp.Outcome
	features := append(login.Features(&outcome), xmpp.StartTLS(&tls.Config{ServerName: "example.org"}), xmpp.BindResource())
	session, err := xmpp.DialClientSession(ctx, jid.MustParse("alice@example.org"), features...)
	if err != nil {
		fmt.Println(err)
		return
	}
	if session.State()&xmpp.Authn == 0 { // which Negotiator sees to
		fmt.Println("the server offered nothing to authenticate with")
	}
}

func ExampleServerAuth() {
	ctx := context.Background()
	server := &saslxmpp.ServerAuth{
		Server: &sasl.Server{SuccessData: true, Mechanisms: []sasl.ServerMechanism{
			sasl.ExternalServer(func(_ context.Context, peer any) (string, error) {
				for _, address := range saslxmpp.CertificateAddresses(peer.(*x509.Certificate)) {
					if address.Domainpart() == "example.org" {
						return address.Localpart(), nil
					}
				}
				return "", sasl.ErrAuthentication
			}),
		}},
		Domains:   []jid.JID{jid.MustParse("example.org")},
		TLSConfig: &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:5222")
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := listener.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	session, address, _, err := server.Accept(ctx, conn)
	if errors.Is(err, sasl.ErrAuthentication) {
		fmt.Println("refused")
		return
	}
	fmt.Println(address, "with", session.State())
}
