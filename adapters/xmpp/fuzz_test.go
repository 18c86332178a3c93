package saslxmpp

import (
	"encoding/xml"
	"net"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// discarding is a connection that accepts every Write.
type discarding struct{ net.Conn }

func (discarding) Write(p []byte) (int, error) { return len(p), nil }

// FuzzElements reads any text as a stream of the peer: reading ends without a
// panic, each error has a class, and each element is within the limits. Both
// profiles read the same text as an answer.
func FuzzElements(f *testing.F) {
	for _, seed := range []string{
		"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YWJj</challenge><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</success>",
		"<challenge xmlns='urn:xmpp:sasl:2'/><success xmlns='urn:xmpp:sasl:2'><additional-data>YQ==</additional-data><authorization-identifier>a@example.org/b</authorization-identifier><token xmlns='urn:xmpp:fast:0' token='x' expiry='2026-01-01T00:00:00Z'/></success>",
		"<failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><text xml:lang='en'>no</text><a xmlns='b'/></failure>",
		"<continue xmlns='urn:xmpp:sasl:2'><tasks><task>A</task></tasks><text>t</text></continue>",
		"<a><a><a><a><a><a><a><a><a>", "<!DOCTYPE a><a>&b;</a>", "<a b='c' d:e='f'>t<g/>t</a>", " \n<?x?>", "<a/>text",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(err error) {
			if err != nil && sasl.ClassOf(err) == "" {
				t.Fatalf("no class: %v", err)
			}
		}
		reader := xml.NewDecoder(strings.NewReader(text))
		for {
			e, err := readElement(reader)
			check(err)
			if err != nil {
				break
			}
			elements, octets := size(&e)
			if elements > maxElements || octets > transport.MaxLine || e.Text != "" && e.Children != nil {
				t.Fatalf("%d elements, %d octets: %+v", elements, octets, e)
			}
		}
		domain := jid.MustParse("example.org")
		for _, conn := range []sasl.Interface{
			&sasl1{link{reader: xml.NewDecoder(strings.NewReader(text)), conn: discarding{}}},
			&sasl2{link: link{reader: xml.NewDecoder(strings.NewReader(text)), conn: discarding{}}, login: new(Login), offered: new(offer), domain: domain},
		} {
			reply, err := conn.Initiate(t.Context(), "PLAIN", nil)
			for check(err); err == nil && !reply.Done; check(err) {
				reply, err = conn.Respond(t.Context(), []byte{})
			}
			check(conn.Abort(t.Context()))
			if s, ok := conn.(*sasl2); ok && err == nil && !s.address.Domain().Equal(domain) {
				t.Fatalf("success for %v", s.address)
			}
		}
	})
}

// size returns the number of elements in an element, and the octets of their texts
// and names.
func size(e *Element) (elements, octets int) {
	elements, octets = 1, len(e.Text)+len(e.Name.Local)+len(e.Name.Space)
	for _, a := range e.Attr {
		octets += len(a.Value)
	}
	for i := range e.Children {
		n, m := size(&e.Children[i])
		elements, octets = elements+n, octets+m
	}
	return elements, octets
}
