package saslxmpp

import (
	"fmt"
	"slices"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// markup follows the octets of a stream, as far as is necessary to know where an
// element of the stream ends, and which white space stands between elements. The
// parser does the rest.
type markup struct {
	in    markupState
	depth int
	name  []byte // of the tag or the instruction, up to maxName octets
	named bool   // the name is complete
	last  byte   // the octet before
	quote byte   // the end of the value of an attribute

	started  bool // an octet other than white space was seen
	switches bool // the element changes what follows it
	binary   bool // other data than XML follows
	list     bool // within <stream:features/>
	offered  []string
}

type markupState uint8

const (
	inText markupState = iota
	inTag
	inValue
	inDeclaration // <!
	inCDATA
	inInstruction // <?
)

const (
	maxName    = 64
	maxOffered = 16
)

// switching are the elements after which a stream goes on over TLS (RFC 6120 s5.4.2)
// or compressed (XEP-0138 s3).
var switching = []string{"starttls", "proceed", "compress", "compressed"}

// errForeign is the error of octets that begin no stream.
var errForeign = fmt.Errorf("%w: the peer speaks another protocol than XMPP", sasl.ErrProtocol)

// next takes an octet. It reports whether the parser needs the octet, and whether an
// element of the stream, or the start of the stream, ends with it. White space is
// allowed between the elements of a stream (RFC 6120 s11.7), also while these are
// negotiated, and some servers send it between features too. The library allows it
// in neither place.
func (m *markup) next(b byte) (keep, ends bool, err error) {
	keep = true
	switch m.in {
	case inText:
		keep, err = m.text(b)
	case inTag:
		ends, err = m.tag(b)
	case inValue:
		if b == m.quote {
			m.in = inTag
		}
	case inDeclaration:
		err = m.declaration(b)
	case inCDATA:
		if b == '>' && strings.HasSuffix(string(m.name), "]]") {
			m.in = inText
		}
		m.name = append(m.name[max(len(m.name)-1, 0):], b)
	case inInstruction:
		err = m.instruction(b)
	}
	m.last = b
	return keep, ends, err
}

func (m *markup) text(b byte) (keep bool, err error) {
	between := m.depth <= 1 || m.depth == 2 && m.list
	switch {
	case between && strings.IndexByte(xmlSpace, b) >= 0:
		return false, nil
	case m.depth == 1 && m.switches:
		m.binary = true
	case b == '<':
		m.in, m.name, m.named = inTag, m.name[:0], false
	case !m.started:
		return false, errForeign
	case m.depth <= 1: // the parser would wait for its end
		return false, fmt.Errorf("%w: the peer sent text in place of an element", sasl.ErrProtocol)
	}
	m.started = true
	return true, nil
}

func (m *markup) tag(b byte) (ends bool, err error) {
	switch {
	case len(m.name) == 0 && b == '!':
		m.in = inDeclaration
	case len(m.name) == 0 && b == '?':
		m.in = inInstruction
	case b == '>':
		m.in = inText
		return m.endTag()
	case b == '"' || b == '\'':
		m.in, m.quote = inValue, b
	default:
		m.collect(b, len(m.name) > 0 && b == '/' || strings.IndexByte(xmlSpace, b) >= 0)
	}
	return false, nil
}

func (m *markup) collect(b byte, end bool) {
	m.named = m.named || end
	if !m.named && len(m.name) < maxName {
		m.name = append(m.name, b)
	}
}

// endTag counts the levels.
func (m *markup) endTag() (ends bool, err error) {
	name, closes := strings.CutPrefix(string(m.name), "/")
	_, local, prefixed := strings.Cut(name, ":")
	if !prefixed {
		local = name
	}
	if closes {
		m.depth--
		return m.depth <= 1, nil
	}
	switch m.depth {
	case 0:
		if local != "stream" && local != "error" {
			return false, fmt.Errorf("%w: it began with <%s>; check the port", errForeign, sasl.Printable(name))
		}
	case 1:
		m.list = local == "features"
		m.switches = slices.Contains(switching, local)
	case 2:
		if m.list && len(m.offered) < maxOffered && !slices.Contains(m.offered, local) {
			m.offered = append(m.offered, local)
		}
	}
	if m.last != '/' {
		m.depth++
	}
	return m.depth <= 1, nil
}

// declaration refuses what XMPP does not have (RFC 6120 s11.1).
func (m *markup) declaration(b byte) error {
	const cdata = "[CDATA["
	m.name = append(m.name, b)
	switch text := string(m.name); {
	case text == cdata:
		m.in, m.name = inCDATA, m.name[:0]
	case text == "--":
		return restricted("a comment")
	case text != "-" && !strings.HasPrefix(cdata, text):
		return restricted("a document type declaration")
	}
	return nil
}

// instruction refuses all but the XML declaration, which begins a stream (RFC 6120
// s11.5).
func (m *markup) instruction(b byte) error {
	if m.collect(b, b == '?' || strings.IndexByte(xmlSpace, b) >= 0); !m.named {
		return nil
	}
	if string(m.name) != "xml" || m.depth > 0 {
		return restricted("a processing instruction")
	}
	if b == '>' && m.last == '?' {
		m.in = inText
	}
	return nil
}

// restricted returns the error of XML that XMPP does not have.
func restricted(what string) error {
	return fmt.Errorf("%w: the peer sent %s, which XMPP does not have", sasl.ErrProtocol, what)
}
