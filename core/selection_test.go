package sasl_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"slices"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

var (
	exporter = sasl.ChannelBinding{Type: "tls-exporter", Data: []byte("exporter data")}
	endPoint = sasl.ChannelBinding{Type: "tls-server-end-point", Data: []byte("end point data")}
	unique   = sasl.ChannelBinding{Type: "tls-unique", Data: []byte("unique data")}
)

func ladder() []sasl.Mechanism { return sasl.PasswordMechanisms(sasl.Password("user", "pencil")) }

// TestSelection shows the selected mechanism with its gs2 flag and binding, or the
// class of the error. After an error nothing was sent.
func TestSelection(t *testing.T) {
	type list = []string
	type bindings = []sasl.ChannelBinding
	sha1OrPlain := "SCRAM-SHA-1 n,,"
	if fips140.Enforced() {
		sha1OrPlain = "PLAIN \x00user\x00"
	}
	// The server of a row is Secure unless the row states otherwise.
	for _, row := range []struct {
		name        string
		client      sasl.Client
		offered     list
		bindings    bindings
		types       list // XEP-0440
		insecure    bool
		bindingName string
		version     uint16
		want        string // the mechanism and the beginning of its message
		err         sasl.Class
		both        bool // ErrSecurity too
	}{
		{name: "bound before unbound, the order of hashes",
			offered:  list{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-512", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"},
			bindings: bindings{exporter, endPoint}, want: "SCRAM-SHA-256-PLUS p=tls-exporter,,"},
		{name: "SHA-512 before SHA3-512", offered: list{"SCRAM-SHA3-512", "SCRAM-SHA-512"}, want: "SCRAM-SHA-512 n,,"},
		{name: "SHA3-512 before SHA-384", offered: list{"SCRAM-SHA-384", "SCRAM-SHA3-512"}, want: "SCRAM-SHA3-512 n,,"},
		{name: "SHA-384 before SHA-256", offered: list{"SCRAM-SHA-256", "SCRAM-SHA-384"}, want: "SCRAM-SHA-384 n,,"},
		{name: "SHA-256 before SHA-224", offered: list{"SCRAM-SHA-224", "SCRAM-SHA-256"}, want: "SCRAM-SHA-256 n,,"},
		{name: "SHA-224 before SHA-1", offered: list{"SCRAM-SHA-1", "SCRAM-SHA-224"}, want: "SCRAM-SHA-224 n,,"},
		{name: "SHA-1 before PLAIN", offered: list{"PLAIN", "SCRAM-SHA-1"}, want: sha1OrPlain},
		{name: "PLAIN last", offered: list{"PLAIN", "GSSAPI"}, want: "PLAIN \x00user\x00"},

		{name: "y: we can bind and nothing that binds is offered",
			offered: list{"SCRAM-SHA-256"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 y,,"},
		{name: "y: what binds is none of ours, and may have been put there",
			offered: list{"SCRAM-SHA-256", "OTHER-PLUS"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 y,,"},
		{name: "y: another hash binds, which we do not have", client: sasl.Client{Mechanisms: []sasl.Mechanism{
			sasl.SCRAMPlus(sasl.SHA512, sasl.Password("user", "pencil")), sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil"))}},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-384-PLUS"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 y,,"},
		{name: "n: one of ours binds, but we prefer not to", client: sasl.Client{Mechanisms: []sasl.Mechanism{
			sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil")), sasl.SCRAMPlus(sasl.SHA512, sasl.Password("user", "pencil"))}},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-512-PLUS"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 n,,"},
		{name: "n: nothing to bind to, with or without a -PLUS",
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, want: "SCRAM-SHA-256 n,,"},
		{name: "n: no -PLUS among ours", client: sasl.Client{Mechanisms: []sasl.Mechanism{sasl.SCRAM(sasl.SHA256, sasl.Password("user", "pencil"))}},
			offered: list{"SCRAM-SHA-256"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 n,,"},
		{name: "n: binding disabled", client: sasl.Client{Binding: sasl.DisableBinding},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 n,,"},
		{name: "n: no binding of the types allowed", client: sasl.Client{BindingTypes: list{"tls-unique"}},
			offered: list{"SCRAM-SHA-256"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 n,,"},
		{name: "the types allowed, in their order", client: sasl.Client{BindingTypes: list{"tls-unique", "tls-server-end-point", "tls-exporter"}},
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter, endPoint}, want: "SCRAM-SHA-256-PLUS p=tls-server-end-point,,"},
		{name: "a type by the name that the server has for it", client: sasl.Client{BindingTypes: list{"tls-server-end-point"}},
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{endPoint}, bindingName: "ldap", want: "SCRAM-SHA-256-PLUS p=ldap,,"},
		{name: "tls-unique is undefined for TLS 1.3", version: 0x0304,
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{unique}, err: sasl.ErrConfig},
		{name: "and defined for TLS 1.2", version: 0x0303,
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{unique}, want: "SCRAM-SHA-256-PLUS p=tls-unique,,"},
		{name: "a name that cannot be one",
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{endPoint}, bindingName: "ld,ap", err: sasl.ErrConfig},

		{name: "the first of ours that the server lists", types: list{"tls-server-end-point", "tls-unique"},
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter, endPoint}, want: "SCRAM-SHA-256-PLUS p=tls-server-end-point,,"},
		{name: "-PLUS but none of our types: a list was cut", types: list{"tls-unique"},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter}, err: sasl.ErrSecurity},
		{name: "-PLUS but no types at all: a list was cut", types: list{},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter}, err: sasl.ErrSecurity},
		{name: "the one type listed is undefined for the certificate", types: list{"tls-server-end-point"},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 n,,"},
		{name: "no -PLUS, whatever the types", types: list{"tls-exporter"},
			offered: list{"SCRAM-SHA-256"}, bindings: bindings{exporter}, want: "SCRAM-SHA-256 y,,"},

		{name: "require: bound", client: sasl.Client{Binding: sasl.RequireBinding},
			offered: list{"PLAIN", "SCRAM-SHA-224-PLUS"}, bindings: bindings{unique}, want: "SCRAM-SHA-224-PLUS p=tls-unique,,"},
		{name: "require: not offered", client: sasl.Client{Binding: sasl.RequireBinding},
			offered: list{"PLAIN", "SCRAM-SHA-256"}, bindings: bindings{exporter}, err: sasl.ErrPolicy, both: true},
		{name: "require: nothing to bind to, as with an Ed25519 certificate and no other type", client: sasl.Client{Binding: sasl.RequireBinding},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, err: sasl.ErrPolicy, both: true},
		{name: "require: none of the types listed", client: sasl.Client{Binding: sasl.RequireBinding}, types: list{"tls-unique"},
			offered: list{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter}, err: sasl.ErrPolicy, both: true},
		{name: "require, but it is not the binding that is missing", client: sasl.Client{Binding: sasl.RequireBinding}, insecure: true,
			offered: list{"SCRAM-SHA-256-PLUS"}, bindings: bindings{exporter}, err: sasl.ErrPolicy},

		{name: "insecure: nothing of a password", insecure: true,
			offered: list{"PLAIN", "SCRAM-SHA-256"}, err: sasl.ErrPolicy},
		{name: "insecure: ANONYMOUS", insecure: true, client: sasl.Client{Mechanisms: append(ladder(), sasl.Anonymous("sirhc"))},
			offered: list{"PLAIN", "ANONYMOUS"}, want: "ANONYMOUS sirhc"},
		{name: "insecure: what is named", insecure: true, client: sasl.Client{Allow: sasl.AllowInsecure("SCRAM-SHA-224")},
			offered: list{"PLAIN", "SCRAM-SHA-224", "SCRAM-SHA-256"}, want: "SCRAM-SHA-224 n,,"},

		{name: "no common mechanism", offered: list{"GSSAPI", "NTLM"}, err: sasl.ErrPolicy},
		{name: "names that are none", offered: list{"scram-sha-256", "TOOLONGMECHANISMNAME1", "BAD NAME", ""}, err: sasl.ErrPolicy},
		{name: "no offer", err: sasl.ErrPolicy},
		{name: "no mechanisms", client: sasl.Client{Mechanisms: []sasl.Mechanism{}}, offered: list{"PLAIN"}, err: sasl.ErrConfig},
		{name: "a binding without data", offered: list{"SCRAM-SHA-256-PLUS"},
			bindings: bindings{{Type: "tls-exporter"}}, err: sasl.ErrConfig},
		{name: "a binding whose name would end the header", offered: list{"SCRAM-SHA-256-PLUS"},
			bindings: bindings{{Type: "x,a=root", Data: []byte{1}}}, err: sasl.ErrConfig},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.client.Mechanisms == nil {
				row.client.Mechanisms = ladder()
			}
			srv := sasl.ServerInfo{Mechanisms: row.offered, Bindings: row.bindings, AdvertisedBindings: row.types, Secure: !row.insecure, BindingName: row.bindingName, TLSVersion: row.version}
			session, err := row.client.Begin(t.Context(), srv)
			if row.err != "" {
				if sasl.ClassOf(err) != row.err || errors.Is(err, sasl.ErrSecurity) != (row.both || row.err == sasl.ErrSecurity) {
					t.Errorf("error %v of class %q, want %q", err, sasl.ClassOf(err), row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			mechanism, initial, err := session.Start()
			if got := mechanism + " " + string(initial); err != nil || !strings.HasPrefix(got, row.want) {
				t.Errorf("%q, %v, want %q", got, err, row.want)
			}
		})
	}
}

// TestNothingUsableSaysWhy shows that the error names the server's mechanisms, and the
// reason why each mechanism of the Client is not used.
func TestNothingUsableSaysWhy(t *testing.T) {
	client := &sasl.Client{Mechanisms: ladder()}
	_, err := client.Begin(t.Context(), sasl.ServerInfo{Mechanisms: []string{"PLAIN", "SCRAM-SHA-224-PLUS", "GSSAPI"}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"PLAIN SCRAM-SHA-224-PLUS GSSAPI",
		"PLAIN: the server is not verified or the connection not confidential",
		"SCRAM-SHA-224-PLUS: there is nothing to bind to on this connection",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "SHA-512") {
		t.Errorf("the error names a mechanism that the server does not offer: %v", err)
	}
}

// TestInsecureReason: the error for a connection that is not Secure says why.
func TestInsecureReason(t *testing.T) {
	for _, row := range []struct {
		srv  sasl.ServerInfo
		want string
	}{
		{sasl.ServerInfo{}, "PLAIN: the server is not verified or the connection not confidential"},
		{sasl.ServerInfo{InsecureReason: errors.New("the connection has no TLS")}, "PLAIN: the server is not verified or the connection not confidential: the connection has no TLS"},
		{sasl.ServerInfo{InsecureReason: errors.New("no"), Secure: true}, ""},
	} {
		row.srv.Mechanisms = []string{"PLAIN"}
		_, err := plainClient("x").Begin(t.Context(), row.srv)
		if (err == nil) != (row.want == "") || err != nil && (!strings.HasSuffix(err.Error(), row.want) || sasl.ClassOf(err) != sasl.ErrPolicy) {
			t.Errorf("%v, want %q", err, row.want)
		}
	}
}

// TestOneMechanismARun shows that the client tries no other mechanism after a refusal,
// and that the error names the mechanisms that were not tried.
func TestOneMechanismARun(t *testing.T) {
	peer := sasltest.NewPeer(
		sasltest.Line{Op: sasltest.ClientSends, Data: []byte("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")},
		sasltest.Line{Op: sasltest.Refuse, Condition: sasl.NotAuthorized})
	client := &sasl.Client{Mechanisms: ladder()}
	client.SetNonce("rOprNGfwEbeRWgbNEkqO")
	_, err := client.Authenticate(context.Background(), peer, sasl.ServerInfo{
		Secure: true, Mechanisms: []string{"PLAIN", "SCRAM-SHA-224", "SCRAM-SHA-256"}})
	var login *sasl.LoginError
	if !errors.Is(err, sasl.ErrAuthentication) || !errors.As(err, &login) || !slices.Equal(login.NotTried, []string{"SCRAM-SHA-224", "PLAIN"}) || !login.ByServer {
		t.Errorf("error %v, %+v", err, login)
	}
	if err := peer.Fault(); err != nil {
		t.Error(err)
	}
}
