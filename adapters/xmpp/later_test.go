package saslxmpp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"mellium.im/xmpp"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/stream"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
)

// TestAfterwards: no error contains the words of a server that has seen the
// password, on the stream after the authentication and after a resource is bound.
func TestAfterwards(t *testing.T) {
	bindTag := []turn{{streamEnd, streamHeader + features(sasl2)}}
	for name, row := range map[string]struct {
		turns []turn
		class sasl.Class
	}{
		"another server":      {[]turn{{"</auth>", "<success" + ns1 + "/>"}, {streamEnd, strings.Replace(streamHeader, host, "pencil.example", 1)}}, sasl.ErrProtocol},
		"no XML, bound":       {append(bindTag, turn{"</authenticate>", success2(boundInline) + "<pencil></a>"}), sasl.ErrProtocol},
		"an entity, bound":    {append(bindTag, turn{"</authenticate>", success2(boundInline) + "<a>&pencil;</a>"}), sasl.ErrProtocol},
		"no XML in a list":    {[]turn{{"</auth>", "<success" + ns1 + "/>"}, {streamEnd, streamHeader + "<stream:features><mechanisms" + ns1 + "><pencil></a>"}}, sasl.ErrProtocol},
		"an error of its own": {[]turn{{"</auth>", "<success" + ns1 + "/>"}, {streamEnd, streamHeader + "<stream:error><pencil xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"}}, sasl.ErrConnection},
		"no XML":              {[]turn{{"</auth>", "<success" + ns1 + "/>"}, {streamEnd, "<pencil></a>"}}, sasl.ErrProtocol},
		"a stream error":      {[]turn{{"</auth>", "<success" + ns1 + "/>"}, {streamEnd, streamHeader + "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>pencil</text></stream:error>"}}, sasl.ErrConnection},
		"its end":             {append(bindTag, turn{"</authenticate>", success2(boundInline) + "</stream:stream>"}), sasl.ErrConnection},
		"an error, bound":     {append(bindTag, turn{"</authenticate>", success2(boundInline) + "<stream:error><pencil xmlns='urn:pencil'/></stream:error>"}), sasl.ErrConnection},
		"an element, bound":   {append(bindTag, turn{"</authenticate>", success2(boundInline) + "<pencil/>"}), sasl.ErrProtocol},
	} {
		turns := row.turns
		if turns[0].hears == "</auth>" {
			turns = append([]turn{{streamEnd, streamHeader + features(mechanisms)}}, turns...)
		}
		conn, heard := scripted(t, turns...)
		_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true, BindTag: "tag"})
		if sasl.ClassOf(err) != row.class || err != nil && strings.Contains(err.Error(), "pencil") {
			t.Errorf("%s: %v, want %s", name, err, row.class)
		}
		if ended := (stream.Error{}); name == "a stream error" && (!errors.As(err, &ended) || ended.Err != "conflict" || !strings.Contains(err.Error(), "conflict")) {
			t.Errorf("%s: %v", name, err)
		}
		heard()
	}
}

// TestOwnFeature: an error of the caller's feature keeps its text.
func TestOwnFeature(t *testing.T) {
	own := errors.New("own feature: the file is missing")
	feature := xmpp.StreamFeature{
		Name: xml.Name{Space: "urn:own", Local: "own"}, Necessary: xmpp.Authn, Prohibited: xmpp.Ready,
		Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
			return true, nil, d.Skip()
		},
		Negotiate: func(context.Context, *xmpp.Session, any) (xmpp.SessionState, io.ReadWriter, error) {
			return 0, nil, own
		},
	}
	nothing := feature
	nothing.Negotiate = func(context.Context, *xmpp.Session, any) (xmpp.SessionState, io.ReadWriter, error) {
		return 0, nil, (*stanza.Error)(nil) // as the library's own features do
	}
	turns := []turn{{streamEnd, streamHeader + features(sasl2)}, {"</authenticate>", success2(identified) + features("<own xmlns='urn:own'/>")}}
	conn, heard := scripted(t, turns...)
	if _, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}, nothing); !errors.Is(err, sasl.ErrProtocol) {
		t.Error(err)
	}
	heard()
	conn, heard = scripted(t, turns...)
	_, _, err := negotiate(t.Context(), conn, &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), Secure: true}, feature)
	if !errors.Is(err, own) || sasl.ClassOf(err) == "" || !strings.Contains(err.Error(), own.Error()) || strings.Contains(err.Error(), "server") {
		t.Error(err)
	}
	heard()
}
