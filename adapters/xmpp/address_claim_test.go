package saslxmpp_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// bindingSASL logs in with the profile of RFC 6120 at a server that binds an address.
func bindingSASL(t *testing.T, bound string) (*xmpp.Session, error) {
	t.Helper()
	conn, heard := scripted(t, turn{streamEnd, streamHeader + features(mechanisms)}, turn{"</auth>", success1},
		turn{streamEnd, streamHeader + features(offersBind)})
	answer := &answering{Conn: conn, answer: bindResult("<jid>" + bound + "</jid>")}
	session, _, err := negotiate(t.Context(), answer, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials))}, xmpp.BindResource())
	heard()
	return session, err
}

// TestBindSASL: with the profile of RFC 6120 too, the address is one of the domain.
func TestBindSASL(t *testing.T) {
	for bound, class := range map[string]sasl.Class{
		"user@example.org/r":   "",
		"other@EXAMPLE.org/r":  "", // the server may choose (RFC 6120 s7.6.1)
		"user@example.net/r":   sasl.ErrProtocol,
		"user@a.example.org/r": sasl.ErrProtocol,
		"example.org/r":        sasl.ErrProtocol,
		"user@example.org":     sasl.ErrProtocol,
		"":                     sasl.ErrProtocol,
	} {
		session, err := bindingSASL(t, bound)
		if sasl.ClassOf(err) != class || err == nil && !session.LocalAddr().Equal(jid.MustParse(bound)) {
			t.Errorf("%s: %v", bound, err)
		}
	}
}

// TestClaim: a server that ends the stream after the authentication may do so because of
// the address that the stream claims. The error says what the server did, and names the
// address.
func TestClaim(t *testing.T) {
	anonymous := strings.Replace(mechanisms, "PLAIN", "ANONYMOUS", 1)
	nobody := "; the stream is from \"user@example.org\", which ANONYMOUS does not prove: leave the local part out"
	ended := "<stream:error><invalid-from" + nsStreams + "/></stream:error>"
	for _, row := range []struct {
		mechanism sasl.Mechanism
		turns     []turn
		want      string
	}{
		{sasl.Anonymous(""), []turn{{streamEnd, streamHeader + features(anonymous)}, {"</auth>", success1}, {streamEnd, streamHeader + ended}}, "connection error: the server ended the stream after the authentication: invalid-from" + nobody},
		{sasl.Plain(credentials), []turn{{streamEnd, streamHeader + features(mechanisms)}, {"</auth>", success1}, {streamEnd, streamHeader + ended}}, "connection error: the server ended the stream after the authentication: invalid-from; the stream is from \"user@example.org\""},
		{sasl.Plain(credentials), []turn{{streamEnd, streamHeader + features(sasl2)}, {"</authenticate>", success2(identified) + ended}}, "connection error: the server ended the stream after the authentication: invalid-from"},
	} {
		conn, heard := scripted(t, row.turns...)
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(row.mechanism), Secure: true})
		if !errors.Is(err, sasl.ErrConnection) || err.Error() != row.want {
			t.Errorf("%v", err)
		}
		heard()
	}
	for name, says := range map[string]string{"before the header": "", "in the header": "<stream", "after the header": streamHeader} {
		conn, heard := scripted(t, turn{streamEnd, streamHeader + features(anonymous)}, turn{"</auth>", success1})
		_, _, err := negotiate(t.Context(), &closing{Conn: conn, says: says}, &saslxmpp.Login{Client: insecure(sasl.Anonymous(""))})
		if !errors.Is(err, sasl.ErrConnection) || !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "connection error: the server closed the connection after the authentication"+nobody {
			t.Errorf("%s: %v", name, err)
		}
		heard()
	}
}

// TestClaimOfNobody: a stream without a local part claims nothing.
func TestClaimOfNobody(t *testing.T) {
	const end = "from='example.org'>"
	conn, heard := scripted(t, turn{end, streamHeader + features(strings.Replace(mechanisms, "PLAIN", "ANONYMOUS", 1))},
		turn{"</auth>", success1}, turn{end, streamHeader + "<stream:error><invalid-from" + nsStreams + "/></stream:error>"})
	login := &saslxmpp.Login{Client: insecure(sasl.Anonymous("")), Secure: true}
	_, err := xmpp.NewSession(t.Context(), jid.MustParse(host), jid.MustParse(host), conn, 0, login.Negotiator(nil, xmpp.BindResource()))
	if err == nil || err.Error() != "connection error: the server ended the stream after the authentication: invalid-from" {
		t.Error(err)
	}
	heard()
}
