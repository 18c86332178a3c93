package saslxmpp_test

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

const (
	host    = "example.org"
	address = "user@example.org"

	streamHeader = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' from='example.org' version='1.0'>"
)

// serverWire is the server's side of both profiles.
type serverWire struct {
	conn     net.Conn
	decoder  *xml.Decoder
	sasl2    bool
	received message // the last element
}

func newWire(conn net.Conn, sasl2 bool) sasltest.Wire {
	return &serverWire{conn: conn, decoder: xml.NewDecoder(conn), sasl2: sasl2}
}

// message has the parts of an element that a server reads.
type message struct {
	XMLName   xml.Name
	Mechanism string  `xml:"mechanism,attr"`
	Text      string  `xml:",chardata"`
	Initial   *string `xml:"initial-response"`
	Inner     string  `xml:",innerxml"`
}

// readHeader reads the start of a stream.
func (w *serverWire) readHeader() error {
	for {
		token, err := w.decoder.Token()
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Local != "stream" {
				return fmt.Errorf("<%s> where a stream is due", start.Name.Local)
			}
			return nil
		}
	}
}

func (w *serverWire) Greet(mechanism string, _ bool) error {
	if err := w.readHeader(); err != nil {
		return err
	}
	list := "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>" + mechanism + "</mechanism></mechanisms>"
	if w.sasl2 {
		list = "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>" + mechanism + "</mechanism><inline/></authentication>"
	}
	return w.write(streamHeader + "<stream:features>" + list + "</stream:features>")
}

func (w *serverWire) write(text string) error {
	_, err := io.WriteString(w.conn, text)
	return err
}

func (w *serverWire) read() error {
	w.received = message{}
	for {
		token, err := w.decoder.Token()
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			return w.decoder.DecodeElement(&w.received, &start)
		}
	}
}

func (w *serverWire) namespace() string {
	if w.sasl2 {
		return "urn:xmpp:sasl:2"
	}
	return "urn:ietf:params:xml:ns:xmpp-sasl"
}

func (w *serverWire) ReadInitiate() (mechanism string, initial []byte, err error) {
	if err := w.read(); err != nil {
		return "", nil, err
	}
	switch w.received.XMLName {
	case xml.Name{Space: "urn:xmpp:sasl:2", Local: "authenticate"}:
		if w.received.Initial != nil {
			initial, err = base64.StdEncoding.DecodeString(*w.received.Initial)
		}
	case xml.Name{Space: "urn:ietf:params:xml:ns:xmpp-sasl", Local: "auth"}:
		switch w.received.Text {
		case "":
		case "=":
			initial = []byte{}
		default:
			initial, err = base64.StdEncoding.DecodeString(w.received.Text)
		}
	default:
		err = fmt.Errorf("%v where an exchange is to begin", w.received.XMLName)
	}
	return w.received.Mechanism, initial, err
}

func (w *serverWire) ReadResponse() (response []byte, aborted bool, err error) {
	if err := w.read(); err != nil {
		return nil, false, err
	}
	switch w.received.XMLName {
	case xml.Name{Space: w.namespace(), Local: "abort"}:
		return nil, true, nil
	case xml.Name{Space: w.namespace(), Local: "response"}:
		response, err = base64.StdEncoding.DecodeString(w.received.Text)
		return response, false, err
	}
	return nil, false, fmt.Errorf("%v where a response is due", w.received.XMLName)
}

func (w *serverWire) Challenge(data []byte) error {
	return w.write("<challenge xmlns='" + w.namespace() + "'>" + base64.StdEncoding.EncodeToString(data) + "</challenge>")
}

func (w *serverWire) Succeed(data []byte) error {
	text := base64.StdEncoding.EncodeToString(data)
	switch {
	case w.sasl2:
		if data != nil {
			text = "<additional-data>" + text + "</additional-data>"
		}
		text += "<authorization-identifier>" + address + "</authorization-identifier>"
	case data != nil && text == "":
		text = "="
	}
	return w.write("<success xmlns='" + w.namespace() + "'>" + text + "</success>")
}

func (w *serverWire) Refuse(condition sasl.Condition) error {
	return w.write("<failure xmlns='" + w.namespace() + "'><" + string(condition) + " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>")
}

// conditions are all conditions of core, which has XMPP's words.
var conditions = []sasl.Condition{
	sasl.Aborted, sasl.AccountDisabled, sasl.CredentialsExpired, sasl.EncryptionRequired, sasl.IncorrectEncoding, sasl.InvalidAuthzid,
	sasl.InvalidMechanism, sasl.MalformedRequest, sasl.MechanismTooWeak, sasl.NotAuthorized, sasl.TemporaryAuthFailure,
}

// malformed returns invalid answers in the namespace of a profile.
func malformed(namespace string) []sasltest.Malformed {
	list := []sasltest.Malformed{
		{Name: "not base64", Frame: "<challenge xmlns='NS'>!!!!</challenge>", Class: sasl.ErrProtocol, InSync: true},
		{Name: "base64 cut short", Frame: "<challenge xmlns='NS'>YWJj=</challenge>", Class: sasl.ErrProtocol, InSync: true},
		{Name: "base64 with trailing bits", Frame: "<challenge xmlns='NS'>YR==</challenge>", Class: sasl.ErrProtocol, InSync: true},
		{Name: "base64 in lines", Frame: "<challenge xmlns='NS'>YW\nJj</challenge>", Class: sasl.ErrProtocol, InSync: true},
		{Name: "text", Frame: "go ahead<a/>", Class: sasl.ErrProtocol},
		{Name: "HTTP", Frame: "HTTP/1.1 400 Bad Request\r\n\r\n<html>", Class: sasl.ErrProtocol},
		{Name: "wrong namespace", Frame: "<challenge xmlns='jabber:client'>YWJj</challenge>", Class: sasl.ErrProtocol},
		{Name: "no namespace", Frame: "<challenge xmlns=''>YWJj</challenge>", Class: sasl.ErrProtocol},
		{Name: "stanza", Frame: "<message><body>hi</body></message>", Class: sasl.ErrProtocol},
		{Name: "unknown element", Frame: "<welcome xmlns='NS'/>", Class: sasl.ErrProtocol},
		{Name: "elements in a challenge", Frame: "<challenge xmlns='NS'><a/></challenge>", Class: sasl.ErrProtocol},
		{Name: "text among elements", Frame: "<challenge xmlns='NS'>YW<a/>Jj</challenge>", Class: sasl.ErrProtocol},
		{Name: "wrong end", Frame: "<challenge xmlns='NS'>YWJj</success>", Class: sasl.ErrProtocol},
		{Name: "comment", Frame: "<!-- success --><challenge xmlns='NS'>YWJj</challenge>", Class: sasl.ErrProtocol},
		{Name: "comment in a challenge", Frame: "<challenge xmlns='NS'>YW<!-- -->Jj</challenge>", Class: sasl.ErrProtocol},
		{Name: "processing instruction", Frame: "<?php success ?>", Class: sasl.ErrProtocol},
		{Name: "entity", Frame: "<!DOCTYPE a [<!ENTITY b 'YWJj'>]><challenge xmlns='NS'>&b;</challenge>", Class: sasl.ErrProtocol},
		{Name: "entity that is not declared", Frame: "<challenge xmlns='NS'>&b;</challenge>", Class: sasl.ErrProtocol},
		{Name: "character that XML does not have", Frame: "<challenge xmlns='NS'>&#0;</challenge>", Class: sasl.ErrProtocol},
		{Name: "nested elements", Frame: strings.Repeat("<a>", 1000), Class: sasl.ErrProtocol},
		{Name: "many elements", Frame: "<failure xmlns='NS'>" + strings.Repeat("<a/>", 1000), Class: sasl.ErrProtocol},
		{Name: "many attributes", Frame: "<failure xmlns='NS'><a" + manyAttributes(20000) + "/>", Class: sasl.ErrProtocol},
		{Name: "name without end", Frame: "<" + strings.Repeat("a", 3<<20), Class: sasl.ErrProtocol},
		{Name: "attribute without end", Frame: "<a b='" + strings.Repeat("c", 3<<20), Class: sasl.ErrProtocol},
		{Name: "white space without end", Frame: strings.Repeat(" ", 3<<20), Class: sasl.ErrProtocol},
		{Name: "second stream", Frame: "<stream:stream>", Class: sasl.ErrProtocol},
		{Name: "features", Frame: "<stream:features/>", Class: sasl.ErrProtocol},
		{Name: "end of the stream", Frame: "</stream:stream>", Class: sasl.ErrConnection},
		{Name: "stream error", Frame: "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", Class: sasl.ErrConnection},
	}
	for i := range list {
		list[i].Frame = strings.ReplaceAll(list[i].Frame, "NS", namespace)
	}
	return list
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}
