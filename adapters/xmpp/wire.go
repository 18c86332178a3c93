package saslxmpp

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"mellium.im/xmlstream"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// Element is an XML element that a server sent. It has text or children, not both.
type Element struct {
	Name     xml.Name   // with the namespace
	Attr     []xml.Attr // in the order of the element
	Text     string     // "" = none
	Children []Element  // nil = none
}

// Limits on an element.
const (
	maxDepth    = 8
	maxElements = 512 // the elements inside it included
)

// xmlSpace is the white space of XML.
const xmlSpace = " \t\r\n"

// readElement reads the next element at the level of the reader, after white space.
// Errors are ErrProtocol for an invalid element and for one beyond the limits, else
// ErrConnection.
func readElement(r xml.TokenReader) (Element, error) {
	for {
		token, err := r.Token()
		if err != nil {
			return Element{}, streamError(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			return readRest(r, token)
		case xml.EndElement: // the end of the stream
			return Element{}, transport.ReadError(io.EOF)
		case xml.CharData:
			if strings.Trim(string(token), xmlSpace) != "" {
				return Element{}, fmt.Errorf("%w: the peer sent text in place of an element", sasl.ErrProtocol)
			}
		default:
			return Element{}, fmt.Errorf("%w: the peer sent a %T in place of an element", sasl.ErrProtocol, token)
		}
	}
}

// readRest reads an element whose start was read.
func readRest(r xml.TokenReader, start xml.StartElement) (Element, error) {
	b := builder{reader: r}
	return b.element(start.Copy(), 1)
}

// builder counts the elements and octets that it reads.
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
		return Element{}, fmt.Errorf("%w: the peer sent an element with more than %d elements or more than %d levels", sasl.ErrProtocol, maxElements, maxDepth)
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
				return Element{}, fmt.Errorf("%w: the peer sent an element with both text and elements", sasl.ErrProtocol)
			}
			return e, nil
		default:
			return Element{}, fmt.Errorf("%w: the peer sent a %T, which XMPP does not have", sasl.ErrProtocol, token)
		}
	}
}

// child returns the first child with this name.
func (e *Element) child(space, local string) (*Element, bool) {
	for i := range e.Children {
		if e.Children[i].Name == (xml.Name{Space: space, Local: local}) {
			return &e.Children[i], true
		}
	}
	return nil, false
}

// texts returns the texts of the children with this name.
func (e *Element) texts(space, local string) []string {
	texts := []string{}
	for i := range e.Children {
		if e.Children[i].Name == (xml.Name{Space: space, Local: local}) {
			texts = append(texts, e.Children[i].Text)
		}
	}
	return texts
}

// attr returns the value of an attribute without a namespace; "" = there is none.
func (e *Element) attr(local string) string {
	for _, a := range e.Attr {
		if a.Name == (xml.Name{Local: local}) {
			return a.Value
		}
	}
	return ""
}

// names returns elements with these texts.
func names(local string, texts []string) (list []Element) {
	for _, text := range texts {
		list = append(list, Element{Name: xml.Name{Local: local}, Text: text})
	}
	return list
}

// encode writes an element to a stream.
func (e *Element) encode(w xmlstream.TokenWriter) error {
	start := xml.StartElement{Name: e.Name, Attr: e.Attr}
	if err := w.EncodeToken(start); err != nil {
		return err
	}
	if e.Text != "" {
		if err := w.EncodeToken(xml.CharData(e.Text)); err != nil {
			return err
		}
	}
	for i := range e.Children {
		if err := e.Children[i].encode(w); err != nil {
			return err
		}
	}
	return w.EncodeToken(start.End())
}

// decodeMessage decodes the text of an element. RFC 6120 s6.4.2 writes an empty
// message as "=".
func decodeMessage(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	message, err := sasl.DecodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the peer's message %w", sasl.ErrProtocol, err)
	}
	return message, nil
}

// tag returns an element with a text. The name and the text are XML already.
func tag(name, text string) string {
	if text == "" {
		return "<" + name + "/>"
	}
	end := name
	if i := bytes.IndexByte([]byte(name), ' '); i >= 0 {
		end = name[:i]
	}
	return "<" + name + ">" + text + "</" + end + ">"
}

func encode(message []byte) string { return base64.StdEncoding.EncodeToString(message) }

func escape(text string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(text)) // a Buffer returns no error
	return b.String()
}
