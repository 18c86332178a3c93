package saslxmpp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding"
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
	defer session.Conn().Close()
	fmt.Println(session.LocalAddr(), "with", outcome.Mechanism, "bound to", outcome.Binding)
}

// The next login uses the token that the server has issued, in one round trip.
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

// A bearer token has the bare address as its name.
func ExampleLogin_Dial_bearer() {
	ctx := context.Background()
	address := jid.MustParse("alice@example.org")
	source := sasl.FixedBearerToken(address.String(), "a token of an authorization server")
	login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.BearerMechanisms(source)}}
	session, outcome, err := login.Dial(ctx, address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Conn().Close()
	fmt.Println(session.LocalAddr(), "with", outcome.Mechanism)
}

// In a list of features, Login.Features takes the place of xmpp.SASL.
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
	if session.State()&xmpp.Authn == 0 { // Negotiator returns an error instead
		fmt.Println("the server offered nothing to authenticate with")
	}
}

func ExampleDomain() {
	certificate, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		fmt.Println(err)
		return
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	users := func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) {
		return nil, nil // no user has a record yet: sasl.DeriveSCRAM makes one of a password
	}
	auth := &sasl.Server{Key: sasl.NewSecret("16 random octets"), Mechanisms: []sasl.ServerMechanism{
		sasl.SCRAMPlusServer(sasl.SHA256, users), sasl.SCRAMServer(sasl.SHA256, users),
	}}
	if err := auth.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	server := &saslxmpp.Domain{
		Server:    auth,
		Name:      jid.MustParse("example.org"),
		TLSConfig: config,
		Leaf:      channelbinding.LeafOf(config),
	}
	listener, err := net.Listen("tcp", ":5222")
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			session, client, err := server.Accept(ctx, conn)
			if err != nil {
				return
			}
			defer session.Conn().Close()
			session.Serve(nil)
			fmt.Println(client.Address, "was here, with", client.Mechanism)
		}()
	}
}

func ExampleCertificateAddresses() {
	external := sasl.ExternalServer(func(_ context.Context, peer any) (string, error) {
		for _, address := range saslxmpp.CertificateAddresses(peer.(*x509.Certificate)) {
			if address.Domainpart() == "example.org" {
				return address.Localpart(), nil
			}
		}
		return "", sasl.ErrAuthentication
	})
	fmt.Println(external.Name())
	// Output: EXTERNAL
}
