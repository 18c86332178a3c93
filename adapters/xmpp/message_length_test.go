package saslxmpp_test

import (
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestLongMessage: a first message of 16 KiB goes out whole in both profiles, which
// have no limit.
func TestLongMessage(t *testing.T) {
	message := "\x00u\x00" + strings.Repeat("p", 16<<10-3)
	encoded := base64.StdEncoding.EncodeToString([]byte(message))
	if len(encoded) != 21848 {
		t.Fatal(len(encoded))
	}
	for profile, row := range map[string]struct {
		turns []turn
		want  string
	}{
		"SASL": {[]turn{
			{streamEnd, streamHeader + features(mechanisms)},
			{"</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
			{streamEnd, streamHeader + features()},
		}, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + encoded + "</auth>"},
		"SASL2": {[]turn{
			{streamEnd, streamHeader + features(sasl2)},
			{"</authenticate>", success2(identified) + features()},
		}, "<initial-response>" + encoded + "</initial-response>"},
	} {
		conn, heard := scripted(t, row.turns...)
		login := &saslxmpp.Login{Client: insecure(sasl.Plain(sasl.Password("u", message[3:]))), Secure: true}
		_, outcome, err := negotiate(t.Context(), conn, login)
		if err != nil || outcome.Result.Username != "u" {
			t.Errorf("%s: %+v, %v", profile, outcome, err)
		}
		if said := heard(); !strings.Contains(said, row.want) {
			t.Errorf("%s: the client said %.300s", profile, said)
		}
	}
}

// TestLongToken: a JSON Web Token of 3 KiB passes through the client and the server,
// with a bare address beside it or with an address as the username.
func TestLongToken(t *testing.T) {
	server := serve(t, sasltest.AllMechanisms())
	for _, source := range []sasl.BearerSource{
		sasl.FixedBearerToken("user", sasltest.LongToken()).ActingAs(address),
		sasl.FixedBearerToken(address, sasltest.LongToken()),
	} {
		for _, m := range sasl.BearerMechanisms(source) {
			login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: []sasl.Mechanism{m}}}
			outcome, at, _, err := server.login(t, login, address, tls.VersionTLS13, true)
			if err != nil || at.err != nil || outcome.Result.Mechanism != m.Name() || outcome.Address.String() != address || at.result.Username != "user" {
				t.Errorf("%s: %+v, %v, server: %+v", m.Name(), outcome, err, at)
			}
		}
	}
}
