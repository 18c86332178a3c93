package saslxmpp_test

import (
	"context"
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

// TestStatedLimit: a server that states the size of its elements (XEP-0478) gets no
// larger one. The connection stays usable.
func TestStatedLimit(t *testing.T) {
	limits := func(octets string) string {
		return "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>" + octets + "</max-bytes><idle-seconds>60</idle-seconds></limits>"
	}
	// Prosody states 10000. The message is what remains beside the other parts.
	for name, row := range map[string]struct {
		limits, offered string
		octets          int
		fits            bool
	}{
		"SASL, at the limit":    {limits("10000"), mechanisms, 7245, true},
		"SASL, over it":         {limits("10000"), mechanisms, 7246, false},
		"SASL2, at the limit":   {limits("10000"), sasl2, 7227, true},
		"SASL2, over it":        {limits("10000"), sasl2, 7228, false},
		"no limits":             {"", mechanisms, 16 << 10, true},
		"no number":             {limits("many"), mechanisms, 16 << 10, true},
		"no octets":             {"<limits xmlns='urn:xmpp:stream-limits:0'><idle-seconds>60</idle-seconds></limits>", mechanisms, 16 << 10, true},
		"less than the element": {limits("100"), mechanisms, 14, false},
		"nothing":               {limits("0"), sasl2, 14, false},
	} {
		long := "\x00u\x00" + strings.Repeat("p", row.octets-3)
		asked := false
		client := insecure(sasl.Plain(sasl.Password("u", long[3:])))
		client.Retry = func(_ context.Context, failed error) *sasl.Client {
			asked = sasl.ClassOf(failed) == sasl.ErrConfig
			return nil
		}
		turns := []turn{{streamEnd, streamHeader + features(row.limits, row.offered)}}
		if row.offered == mechanisms {
			turns = append(turns, turn{"</auth>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}, turn{streamEnd, streamHeader + features()})
		} else {
			turns = append(turns, turn{"</authenticate>", success2(identified) + features()})
		}
		conn, heard := scripted(t, turns...)
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: client, Secure: true})
		said := heard()
		_, element, _ := strings.Cut(said, streamEnd)
		element, _, _ = strings.Cut(element, "<?xml")
		if (err == nil) != row.fits || asked == row.fits || (element != "") != row.fits {
			t.Errorf("%s: %v, asked: %t, sent %.100q", name, err, asked, element)
		}
		if row.fits && row.octets < 8000 && len(element) > 10000 {
			t.Errorf("%s: %d octets", name, len(element))
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
