package saslldap_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"

	sasl "github.com/saslkit/saslkit/core"
)

// wire is the server's side of LDAP for sasltest.
type wire struct {
	conn   net.Conn
	reader *bufio.Reader
	id     int64 // the message ID of the outstanding request
	binds  int
	list   string     // the mechanisms of the root DSE
	layer  sasl.Layer // in effect from the next success on
}

func newWire(conn net.Conn) *wire { return &wire{conn: conn, reader: bufio.NewReader(conn)} }

// request reads a message and returns its operation.
func (w *wire) request() (*ber.Packet, error) {
	message, err := ber.ReadPacket(w.reader)
	if err != nil {
		return nil, err
	}
	if len(message.Children) < 2 {
		return nil, errors.New("no LDAP message")
	}
	w.id = message.Children[0].Value.(int64)
	return message.Children[1], nil
}

func (w *wire) send(operation *ber.Packet) error {
	_, err := w.conn.Write(message(w.id, operation))
	return err
}

func message(id int64, operation *ber.Packet) []byte {
	m := ber.NewSequence("")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(operation)
	return m.Bytes()
}

// result returns an LDAPResult; nil credentials are absent.
func result(tag ber.Tag, code int64, text string, credentials []byte) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	op.AppendChild(octets(""))
	op.AppendChild(octets(text))
	if credentials != nil {
		op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 7, string(credentials), ""))
	}
	return op
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

const (
	tagBindResponse = 1
	tagSearchEntry  = 4
	tagSearchDone   = 5
	tagExtended     = 24
)

// attribute returns an attribute of a search entry.
func attribute(name string, values ...string) *ber.Packet {
	a := ber.NewSequence("")
	a.AppendChild(octets(name))
	set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	for _, value := range values {
		set.AppendChild(octets(value))
	}
	a.AppendChild(set)
	return a
}

// answerRootDSE reads a search for the root DSE and answers it.
func (w *wire) answerRootDSE(classes ...string) error {
	op, err := w.request()
	if err != nil {
		return err
	}
	if op.Tag != 3 || op.ClassType != ber.ClassApplication || op.Children[0].Value != "" {
		return fmt.Errorf("no search for the root DSE: tag %d", op.Tag)
	}
	attributes := ber.NewSequence("")
	attributes.AppendChild(attribute("supportedSASLMechanisms", strings.Fields(w.list)...))
	attributes.AppendChild(attribute("objectClass", classes...))
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
	entry.AppendChild(octets(""))
	entry.AppendChild(attributes)
	return errors.Join(w.send(entry), w.send(result(tagSearchDone, 0, "", nil)))
}

func (w *wire) Greet(mechanism string, _ bool) error {
	w.list = mechanism
	return w.answerRootDSE("top")
}

// bind reads a bind request and verifies its grammar.
func (w *wire) bind() (mechanism string, credentials []byte, err error) {
	op, err := w.request()
	if err != nil {
		return "", nil, err
	}
	if op.Tag != 0 || op.ClassType != ber.ClassApplication || len(op.Children) != 3 ||
		op.Children[0].Value != int64(3) || op.Children[1].Value != "" {
		return "", nil, fmt.Errorf("no bind request: tag %d", op.Tag)
	}
	choice := op.Children[2]
	if choice.Tag != 3 || choice.ClassType != ber.ClassContext || len(choice.Children) < 1 || len(choice.Children) > 2 {
		return "", nil, errors.New("no SASL credentials")
	}
	w.binds++
	if len(choice.Children) == 2 {
		credentials = append([]byte{}, choice.Children[1].ByteValue...)
	}
	return choice.Children[0].Value.(string), credentials, nil
}

func (w *wire) ReadInitiate() (mechanism string, initial []byte, err error) { return w.bind() }

func (w *wire) ReadResponse() (response []byte, aborted bool, err error) {
	mechanism, response, err := w.bind()
	switch {
	case err != nil:
		return nil, false, err
	case mechanism == "":
		return nil, true, nil
	case mechanism != w.list:
		return nil, false, fmt.Errorf("the mechanism is %q now", mechanism)
	case response == nil:
		return nil, false, errors.New("a response without credentials")
	}
	return response, false, nil
}

// Challenge encodes by hand, because the encoder copies long data many times.
func (w *wire) Challenge(data []byte) error {
	id := []byte{0x02, 0x04, byte(w.id >> 24), byte(w.id >> 16), byte(w.id >> 8), byte(w.id)}
	fields := append([]byte("\x0a\x01\x0e\x04\x00\x04\x00"), element(0x87, data)...)
	_, err := w.conn.Write(element(0x30, append(id, element(0x61, fields)...)))
	return err
}

// element returns an element whose length has four octets.
func element(tag byte, content []byte) []byte {
	n := len(content)
	return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, content...)
}

// Succeed also answers the search for the root DSE that follows, unless the client
// closes the connection.
func (w *wire) Succeed(data []byte) error {
	if err := w.send(result(tagBindResponse, 0, "", data)); err != nil {
		return err
	}
	if w.layer != nil {
		w.seal()
	}
	err := w.answerRootDSE("top")
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || err != nil && strings.Contains(err.Error(), "reset") {
		return nil
	}
	return err
}

// codes has the result code of each condition.
var codes = map[sasl.Condition]int64{
	sasl.NotAuthorized:        49,
	sasl.MechanismTooWeak:     8,
	sasl.InvalidMechanism:     7,
	sasl.EncryptionRequired:   13,
	sasl.InvalidAuthzid:       123,
	sasl.TemporaryAuthFailure: 52,
	sasl.MalformedRequest:     2,
	sasl.Aborted:              7,
}

func (w *wire) Refuse(condition sasl.Condition) error {
	code, ok := codes[condition]
	if !ok {
		code = 49
	}
	return w.send(result(tagBindResponse, code, "because", nil))
}

func conditions() (list []sasl.Condition) {
	for condition := range codes {
		if condition != sasl.Aborted {
			list = append(list, condition)
		}
	}
	slices.Sort(list)
	return list
}
