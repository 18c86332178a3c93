package saslkerberos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const toyKey = "a key that both sides have"

// toyServer is the server's side of GSSAPI over a toy context.
type toyServer struct {
	name  string
	offer string // in the form of RFC 4752 s3.1
}

func (m toyServer) Name() string                { return m.name }
func (m toyServer) Properties() sasl.Properties { return GSSAPI(nil, nil).(*mechanism).Properties() }
func (m toyServer) New(terms sasl.ServerTerms) sasl.Exchange {
	x := &toyExchange{terms: terms, offer: m.offer, toy: toy{key: sasl.NewSecret(toyKey)}}
	if len(terms.Conn.Bindings) > 0 {
		x.toy.binding = terms.Conn.Bindings[0].Prefixed()
	}
	return x
}

type toyExchange struct {
	terms    sasl.ServerTerms
	offer    string
	toy      toy
	layer    *layer
	step     int
	identity sasl.Identity
	err      error
}

func (x *toyExchange) BoundTo() string {
	if len(x.terms.Conn.Bindings) > 0 {
		return x.terms.Conn.Bindings[0].Type
	}
	return ""
}

func (x *toyExchange) Identity() sasl.Identity { return x.identity }

func (x *toyExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err == nil {
		out, done, x.err = x.next(ctx, in)
	}
	return out, done && x.err == nil, x.err
}

func (x *toyExchange) next(ctx context.Context, in []byte) ([]byte, bool, error) {
	x.step++
	switch {
	case x.step == 1 && in == nil:
		x.step--
		return []byte{}, false, nil
	case x.step == 1:
		out, err := x.toy.accept(in)
		return out, false, err
	case x.step == 2 && len(in) == 0:
		out, err := x.toy.Wrap([]byte(x.offer), false)
		return out, false, err
	case x.step == 3:
		choice, _, err := x.toy.Unwrap(in)
		if err != nil {
			return nil, false, err
		}
		if err := x.choose(string(choice)); err != nil {
			return nil, false, err
		}
		if x.identity, err = x.terms.Identity(x.toy.name, string(choice[4:])); err != nil {
			return nil, false, err
		}
		return nil, true, x.terms.Authorize(ctx, x.identity)
	}
	return nil, false, fmt.Errorf("%w: an unexpected message", sasl.ErrProtocol)
}

// choose makes the layer that the client has chosen.
func (x *toyExchange) choose(choice string) (err error) {
	switch {
	case strings.HasPrefix(choice, "\x01\x00\x00\x00"):
	case strings.HasPrefix(choice, "\x02\x01\x00\x00"), strings.HasPrefix(choice, "\x04\x01\x00\x00"):
		x.layer, err = newLayer(&x.toy, choice[0] == 4, 1<<16, 0xffff)
	default:
		err = fmt.Errorf("%w: the choice is %q", sasl.ErrProtocol, choice)
	}
	return err
}

func (x *toyExchange) Layer() sasl.Layer {
	if x.layer == nil {
		return nil
	}
	return x.layer
}

func kit(options *Options, bindings ...sasl.ChannelBinding) sasltest.MechanismKit {
	return sasltest.MechanismKit{
		Mechanism: GSSAPI(initiate("alice@EXAMPLE.ORG", toyKey), options),
		Wrong:     GSSAPI(initiate("alice@EXAMPLE.ORG", "another key"), options),
		Server: &sasl.Server{
			Mechanisms: []sasl.ServerMechanism{toyServer{gssapiName, "\x07\x00\xff\xff"}}, SuccessData: true,
			Authorize: func(context.Context, sasl.Identity, sasl.ConnInfo) error { return nil },
		},
		Conn:     sasl.ConnInfo{Service: "ldap", Host: "dc.example.org", Secure: true, Bindings: bindings},
		Secrets:  []string{toyKey},
		Username: "alice@EXAMPLE.ORG",
	}
}

func TestGSSAPIKit(t *testing.T) {
	sasltest.TestMechanism(t, kit(nil))
}

func TestGSSAPIKitAuthzid(t *testing.T) {
	k := kit(&Options{Authzid: "u:bob"}, sasl.ChannelBinding{Type: "tls-server-end-point", Data: []byte("hash")})
	k.Authzid = "u:bob"
	sasltest.TestMechanism(t, k)
}

// run makes a run of a mechanism with these terms, up to the server's offer.
func run(t *testing.T, m sasl.Mechanism, terms sasl.Terms, offer string) (out []byte, done bool, server *toy, err error) {
	t.Helper()
	return runExchange(t, m.New(terms), terms, offer)
}

func runExchange(t *testing.T, x sasl.Exchange, terms sasl.Terms, offer string) (out []byte, done bool, server *toy, err error) {
	t.Helper()
	server = &toy{key: sasl.NewSecret(toyKey)}
	if terms.Binding.Type != "" {
		server.binding = terms.Binding.Prefixed()
	}
	first, _, err := x.Step(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := server.accept(first)
	if err != nil {
		t.Fatal(err)
	}
	empty, done, err := x.Step(t.Context(), proof)
	if err != nil || done || empty == nil || len(empty) != 0 {
		t.Fatalf("after the context: %q, %v, %v", empty, done, err)
	}
	token, err := server.Wrap([]byte(offer), false)
	if err != nil {
		t.Fatal(err)
	}
	out, done, err = x.Step(t.Context(), token)
	return out, done, server, err
}

var secure = sasl.Terms{GS2Flag: 'n', Server: sasl.ServerInfo{Service: "ldap", Host: "DC.Example.org", Secure: true}}

// TestGSSAPIChoice: the answer to an offer is that of RFC 4752 s3.1.
func TestGSSAPIChoice(t *testing.T) {
	for offer, want := range map[string]string{
		"\x01\x00\x00\x00": "\x01\x00\x00\x00u:bob",
		"\x07\x00\xff\xff": "\x01\x00\x00\x00u:bob", // without a layer, the maximum has to be 0
	} {
		out, done, server, err := run(t, GSSAPI(initiate("alice", toyKey), &Options{Authzid: "u:bob"}), secure, offer)
		if err != nil || !done {
			t.Fatal(done, err)
		}
		if got, sealed, err := server.Unwrap(out); string(got) != want || sealed || err != nil {
			t.Errorf("%q: %q, %v, %v", offer, got, sealed, err)
		}
	}
	for offer, want := range map[string]error{
		"":                     sasl.ErrProtocol,
		"\x01\x00\x00":         sasl.ErrProtocol,
		"\x01\x00\x00\x00\x00": sasl.ErrProtocol,
		"\x06\x00\xff\xff":     sasl.ErrPolicy, // a layer is demanded
		"\x00\x00\x00\x00":     sasl.ErrPolicy,
	} {
		out, done, _, err := run(t, GSSAPI(initiate("alice", toyKey), nil), secure, offer)
		if !errors.Is(err, want) || done || out != nil {
			t.Errorf("%q: %q, %v, %v", offer, out, done, err)
		}
	}
}

// TestRequest: what an Initiator is asked for.
func TestRequest(t *testing.T) {
	bound := secure
	bound.GS2Flag, bound.Binding = 'p', sasl.ChannelBinding{Type: "tls-server-end-point", Data: []byte("hash")}
	for name, row := range map[string]struct {
		terms            sasl.Terms
		options          *Options
		service, binding string
	}{
		"default":             {secure, nil, "ldap/dc.example.org", ""},
		"a principal":         {secure, &Options{ServicePrincipal: "ldap/Other.example.org@EXAMPLE.ORG"}, "ldap/Other.example.org@EXAMPLE.ORG", ""},
		"a binding, RFC 5056": {bound, nil, "ldap/dc.example.org", "tls-server-end-point:hash"},
	} {
		stop := errors.New("stop")
		m := GSSAPI(func(_ context.Context, r Request) (SecurityContext, error) {
			if r.Service != row.service || string(r.ChannelBinding) != row.binding || (r.ChannelBinding == nil) != (row.binding == "") {
				t.Errorf("%s: %+v", name, r)
			}
			if !r.Integrity || r.Confidentiality || r.Prompt.Mechanism != "GSSAPI" || r.Prompt.Server.Host != "DC.Example.org" {
				t.Errorf("%s: %+v", name, r)
			}
			return nil, stop
		}, row.options)
		if _, _, err := m.New(row.terms).Step(t.Context(), nil); !errors.Is(err, stop) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfigErrors: what a caller gets wrong is found before anything is sent.
func TestConfigErrors(t *testing.T) {
	nothing := func(context.Context, Request) (SecurityContext, error) { return nil, nil }
	unknown := sasl.Terms{GS2Flag: 'n', Server: sasl.ServerInfo{Service: "ldap"}}
	for want, m := range map[string]sasl.Exchange{
		"has no Initiator":             GSSAPI(nil, nil).New(secure),
		"returned no security context": GSSAPI(nothing, nil).New(secure),
		"name is not known":            GSSAPI(nothing, nil).New(unknown),
		"has not the form":             GSSAPI(nothing, &Options{ServicePrincipal: "ldap/@R"}).New(secure),
		"the authzid is not UTF-8":     GSSAPI(nothing, &Options{Authzid: "a\x00b"}).New(secure),
	} {
		_, _, err := m.Step(t.Context(), nil)
		if !errors.Is(err, sasl.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, _, again := m.Step(t.Context(), []byte{}); again == nil || again.Error() != err.Error() {
			t.Errorf("the error is not kept: %v", again)
		}
	}
}
