package saslxmpp

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"mellium.im/xmpp/stream"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Element is an XML element that a server sent. It has text or children, not
// both.
type Element struct {
	Name     xml.Name
	Attr     []xml.Attr
	Text     string
	Children []Element
}

// Bounds on an element.
const (
	maxDepth    = 8
	maxElements = 512 // with all below it
)

// xmlSpace is what XML takes for white space.
const xmlSpace = " \t\r\n"

// readElement reads the next element at the level of the reader, and passes
// over white space before it. Errors are ErrProtocol for an invalid element, or
// is one beyond the bounds, else ErrConnection.
func readElement(r xml.TokenReader) (Element, error) {
	for {
		token, err := r.Token()
		if err != nil {
			return Element{}, streamError(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			return readRest(r, token)
		case xml.EndElement: // of the stream
			return Element{}, transport.ReadError(io.EOF)
		case xml.CharData:
			if strings.Trim(string(token), xmlSpace) != "" {
				return Element{}, fmt.Errorf("%w: the peer sent text where an element is due", sasl.ErrProtocol)
			}
		default:
			return Element{}, fmt.Errorf("%w: the peer sent a %T where an element is due", sasl.ErrProtocol, token)
		}
	}
}

// readRest reads an element whose start has been read.
func readRest(r xml.TokenReader, start xml.StartElement) (Element, error) {
	b := builder{reader: r}
	return b.element(start.Copy(), 1)
}

// builder counts what it reads.
type builder struct {
	reader   xml.TokenReader
	elements int
	octets   int
}

func (b *builder) element(start xml.StartElement, depth int) (Element, error) {
	e := Element{Name: start.Name, Attr: start.Attr}
	b.octets += len(start.Name.Space) + len(start.Name.Local)
	for _, a := range start.Attr {
		b.octets += len(a.Name.Space) + len(a.Name.Local) + len(a.Value)
	}
	if b.elements++; b.elements > maxElements || depth > maxDepth {
		return Element{}, fmt.Errorf("%w: the peer sent more than %d elements in one, or more than %d levels of them", sasl.ErrProtocol, maxElements, maxDepth)
	}
	var text strings.Builder
	for {
		if b.octets > transport.MaxLine {
			return Element{}, fmt.Errorf("%w: the peer sent an element of more than 96 KiB", sasl.ErrProtocol)
		}
		token, err := b.reader.Token()
		if err != nil {
			return Element{}, streamError(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			child, err := b.element(token.Copy(), depth+1)
			if err != nil {
				return Element{}, err
			}
			e.Children = append(e.Children, child)
		case xml.CharData:
			b.octets += len(token)
			text.Write(token)
		case xml.EndElement:
			e.Text = strings.Trim(text.String(), xmlSpace)
			if e.Text != "" && e.Children != nil {
				return Element{}, fmt.Errorf("%w: the peer sent text among elements", sasl.ErrProtocol)
			}
			return e, nil
		default:
			return Element{}, fmt.Errorf("%w: the peer sent a %T, which XMPP does not have", sasl.ErrProtocol, token)
		}
	}
}

// child returns the first child of a name.
func (e *Element) child(space, local string) (*Element, bool) {
	for i := range e.Children {
		if e.Children[i].Name == (xml.Name{Space: space, Local: local}) {
			return &e.Children[i], true
		}
	}
	return nil, false
}

// texts returns the texts of the children of a name.
func (e *Element) texts(space, local string) []string {
	texts := []string{}
	for i := range e.Children {
		if e.Children[i].Name == (xml.Name{Space: space, Local: local}) {
			texts = append(texts, e.Children[i].Text)
		}
	}
	return texts
}

// attr returns the value of an attribute without a namespace.
func (e *Element) attr(local string) string {
	for _, a := range e.Attr {
		if a.Name == (xml.Name{Local: local}) {
			return a.Value
		}
	}
	return ""
}

// grammarErrors are the stream errors about XML (RFC 6120 s4.9.3), in which the
// library says what it finds wrong.
var grammarErrors = []string{
	stream.BadFormat.Err, stream.BadNamespacePrefix.Err, stream.InvalidNamespace.Err,
	stream.InvalidXML.Err, stream.NotWellFormed.Err, stream.RestrictedXML.Err,
}

// streamError gives an error of reading a stream its class: ErrConnection
// where the connection or the stream ended, else ErrProtocol.
func streamError(err error) error {
	var ended stream.Error
	var malformed *xml.SyntaxError
	var network net.Error
	switch {
	case err == nil || sasl.ClassOf(err) != "":
		return err
	case errors.As(err, &ended) && slices.Contains(grammarErrors, ended.Err):
		return fmt.Errorf("%w: this is no XMPP: %w", sasl.ErrProtocol, ended)
	case errors.As(err, &ended):
		text := ""
		if len(ended.Text) > 0 {
			text = ": " + sasl.Printable(ended.Text[0].Value)
		}
		return fmt.Errorf("%w: the peer ended the stream: %w%s", sasl.ErrConnection, ended, text)
	case strings.Contains(err.Error(), "(*stream.Error).UnmarshalXML"):
		// With an element that the server may add (RFC 6120 s4.9.4).
		return fmt.Errorf("%w: the peer ended the stream with an error of its own", sasl.ErrConnection)
	case errors.As(err, &malformed) && malformed.Msg == "unexpected EOF":
		return transport.ReadError(io.EOF)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return transport.ReadError(io.EOF)
	case errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", sasl.ErrConnection, err)
	}
	return fmt.Errorf("%w: %s", sasl.ErrProtocol, sasl.Printable(err.Error()))
}
