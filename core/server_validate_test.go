package sasl_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// offeredAs is a server's mechanism that only has a name and properties.
type offeredAs struct {
	sasl.ServerMechanism
	name       string
	properties sasl.Properties
}

func (m offeredAs) Name() string                { return m.name }
func (m offeredAs) Properties() sasl.Properties { return m.properties }

// TestValidate: the text of each fault, and the mechanisms that the server still
// offers.
func TestValidate(t *testing.T) {
	lookup := scramStore(t, "user", nil)
	plain := sasl.PlainServer(accept)
	const shortKey = "config error: Server.Key has less than 16 octets: use at least 16 random octets"
	nilFunction := func(name string) string {
		return name + ": config error: the function that the mechanism calls is nil: pass a function"
	}
	for name, row := range map[string]struct {
		server sasl.Server
		faults []string
		offers string
	}{
		"right":            {sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{plain, sasl.SCRAMServer(sasl.SHA256, lookup)}}, nil, "PLAIN SCRAM-SHA-256"},
		"no Key":           {sasl.Server{Mechanisms: []sasl.ServerMechanism{plain, sasl.SCRAMServer(sasl.SHA256, lookup), sasl.SCRAMServer(sasl.SHA512, lookup)}}, []string{shortKey}, "PLAIN"},
		"15 octets":        {sasl.Server{Key: sasl.NewSecret("0123456789abcde"), Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup)}}, []string{shortKey}, ""},
		"16 octets":        {sasl.Server{Key: sasl.NewSecret("0123456789abcdef"), Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup)}}, nil, "SCRAM-SHA-256"},
		"no need of a Key": {sasl.Server{Mechanisms: []sasl.ServerMechanism{plain}}, nil, "PLAIN"},
		"twice": {sasl.Server{Mechanisms: []sasl.ServerMechanism{plain, sasl.PlainRecordServer(lookup, sasl.SHA256)}},
			[]string{"config error: Server.Mechanisms has two mechanisms with the name PLAIN: remove one"}, "PLAIN"},
		"nil": {sasl.Server{Mechanisms: []sasl.ServerMechanism{nil, plain}}, []string{"config error: Server.Mechanisms[0] is nil: remove it"}, "PLAIN"},
		"a name": {sasl.Server{Mechanisms: []sasl.ServerMechanism{offeredAs{name: "x-lower"}, plain}},
			[]string{`config error: Server.Mechanisms[0] has the name "x-lower", which RFC 4422 does not allow`}, "PLAIN"},
		"a name of Insecure": {sasl.Server{Insecure: []string{"plain"}, Mechanisms: []sasl.ServerMechanism{plain}},
			[]string{`config error: Server.Insecure has "plain", which is not the name of a mechanism`}, "PLAIN"},
		"nothing": {sasl.Server{}, []string{"config error: Server.Mechanisms has no mechanism that this process can use: add one"}, ""},
		"nothing but forbidden": {sasl.Server{Mechanisms: []sasl.ServerMechanism{offeredAs{name: "X-OLD", properties: sasl.Properties{Unavailable: errors.New("forbidden")}}}},
			[]string{"config error: Server.Mechanisms has no mechanism that this process can use: add one"}, ""},
		"one forbidden": {sasl.Server{Mechanisms: []sasl.ServerMechanism{plain, offeredAs{name: "X-OLD", properties: sasl.Properties{Unavailable: errors.New("forbidden")}}}}, nil, "PLAIN"},
		"a hash": {sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{plain, sasl.SCRAMServer(99, lookup), sasl.LoginRecordServer(lookup, sasl.SHA256, 99)}},
			[]string{"SCRAM-unknown hash: config error: an invalid Hash: use one of the constants from SHA1 to SHA3_512", "LOGIN: config error: an invalid Hash: use one of the constants from SHA1 to SHA3_512"}, "PLAIN"},
		"no hash":             {sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainRecordServer(lookup)}}, []string{"PLAIN: config error: the mechanism for stored records has no hash: pass one"}, ""},
		"iterations":          {sasl.Server{Stored: sasl.StoredRecords{Iterations: 10_000_001}, Key: serverKey, Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup)}}, []string{"config error: Server.Stored.Iterations is 10000001: use 1 to 10000000"}, ""},
		"negative iterations": {sasl.Server{Stored: sasl.StoredRecords{Iterations: -1}, Mechanisms: []sasl.ServerMechanism{plain}}, []string{"config error: Server.Stored.Iterations is -1: use 1 to 10000000"}, "PLAIN"},
		"salt":                {sasl.Server{Stored: sasl.StoredRecords{SaltSize: 1025}, Mechanisms: []sasl.ServerMechanism{plain}}, []string{"config error: Server.Stored.SaltSize is 1025: use 1 to 1024 octets"}, "PLAIN"},
		"negative salt":       {sasl.Server{Stored: sasl.StoredRecords{SaltSize: -1}, Mechanisms: []sasl.ServerMechanism{plain}}, []string{"config error: Server.Stored.SaltSize is -1: use 1 to 1024 octets"}, "PLAIN"},
		"no store of tokens":  {sasl.Server{Tokens: &sasl.ServerTokens{}, Mechanisms: []sasl.ServerMechanism{plain}}, []string{"config error: Server.Tokens has no Store: use MemoryTokens or a store of your own"}, "PLAIN"},
		"only tokens":         {sasl.Server{Tokens: &sasl.ServerTokens{Store: new(sasl.MemoryTokens)}}, nil, ""},
		"another token": {sasl.Server{Tokens: &sasl.ServerTokens{Store: new(sasl.MemoryTokens), Mechanisms: []string{"HT-SHA-256-EXPR", "PLAIN"}}},
			[]string{`config error: Server.Tokens.Mechanisms has "PLAIN", which is not a mechanism for tokens`}, ""},
		"nil functions": {sasl.Server{Key: serverKey, Mechanisms: []sasl.ServerMechanism{
			sasl.PlainServer(nil), sasl.LoginRecordServer(nil, sasl.SHA256), sasl.ExternalServer(nil), sasl.AnonymousServer(nil),
			sasl.SCRAMServer(sasl.SHA256, nil), sasl.SCRAMPlusServer(sasl.SHA256, nil), sasl.OAuthBearerServer(nil), sasl.XOAuth2Server(nil),
			sasl.CRAMMD5Server(nil), sasl.DigestMD5Server("", nil),
		}}, []string{nilFunction("PLAIN"), nilFunction("LOGIN"), nilFunction("EXTERNAL"), nilFunction("ANONYMOUS"), nilFunction("SCRAM-SHA-256"),
			nilFunction("SCRAM-SHA-256-PLUS"), nilFunction("OAUTHBEARER"), nilFunction("XOAUTH2"), nilFunction("CRAM-MD5"), nilFunction("DIGEST-MD5")}, ""},
		"more nil functions": {sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.PlainRecordServer(nil, sasl.SHA256), sasl.LoginServer(nil)}},
			[]string{nilFunction("PLAIN"), nilFunction("LOGIN")}, ""},
		"several": {sasl.Server{Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, lookup), nil}, Tokens: &sasl.ServerTokens{}},
			[]string{"config error: Server.Tokens has no Store: use MemoryTokens or a store of your own", "config error: Server.Mechanisms[1] is nil: remove it", shortKey}, ""},
	} {
		text := strings.Join(row.faults, "\n")
		err := row.server.Validate()
		if (err == nil) != (text == "") || err != nil && (err.Error() != text || sasl.ClassOf(err) != sasl.ErrConfig) {
			t.Errorf("%s: %v, want %s", name, err, text)
		}
		conn := sasl.ConnInfo{Secure: true, Bindings: []sasl.ChannelBinding{exporter}}
		if offers := strings.Join(row.server.Offer(conn), " "); offers != row.offers {
			t.Errorf("%s: the server offers %q, want %q", name, offers, row.offers)
		}
	}
}

// TestBeginReportsTheFault: if a client names a mechanism that the configuration
// makes impossible, the server has the reason in its record.
func TestBeginReportsTheFault(t *testing.T) {
	var reasons []string
	server := &sasl.Server{
		Mechanisms: []sasl.ServerMechanism{sasl.SCRAMServer(sasl.SHA256, scramStore(t, "user", nil)), sasl.PlainServer(nil), offeredAs{name: "X-OLD", properties: sasl.Properties{Unavailable: errors.New("forbidden")}}},
		Refused:    func(_ string, _ sasl.ConnInfo, reason error) { reasons = append(reasons, string(sasl.ClassOf(reason))) },
	}
	for _, name := range []string{"SCRAM-SHA-256", "PLAIN", "X-OLD", "X-OTHER"} {
		if session, err := server.Begin(t.Context(), sasl.ConnInfo{Secure: true}, name); session != nil || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := server.Begin(t.Context(), sasl.ConnInfo{}, "PLAIN"); sasl.ClassOf(err) != sasl.ErrPolicy {
		t.Errorf("PLAIN without TLS: %v", err)
	}
	if got := strings.Join(reasons, " "); got != "config config policy policy policy" {
		t.Errorf("the reasons are %s", got)
	}
}

// TestValidateCallsNothing: the functions of the configuration are not called.
func TestValidateCallsNothing(t *testing.T) {
	server := &sasl.Server{
		Key:       serverKey,
		Canonical: func(string) (string, error) { panic("Canonical") },
		Authorize: func(context.Context, sasl.Identity, sasl.ConnInfo) error { panic("Authorize") },
		Refused:   func(string, sasl.ConnInfo, error) { panic("Refused") },
		Mechanisms: []sasl.ServerMechanism{
			sasl.PlainServer(func(context.Context, string, sasl.Secret) error { panic("the check") }),
			sasl.SCRAMServer(sasl.SHA1, func(context.Context, sasl.Hash, string) (*sasl.SCRAMRecord, error) { panic("the lookup") }),
		},
	}
	if err := server.Validate(); err != nil {
		t.Errorf("FIPS 140 %t: %v", fips140.Enforced(), err)
	}
}
