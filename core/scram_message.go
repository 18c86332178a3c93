package sasl

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The messages of SCRAM (RFC 5802 s7). The parsers are strict and total. The order
// of attributes is the RFC's, and extensions are allowed only in the RFC's places.
// Extensions stay part of the hashed text, because the text of a message is never
// assembled again from the parsed fields.

// The octets of usual messages and of a usual AuthMessage. Larger ones need one more
// allocation.
const (
	usualMessage     = 192
	usualAuthMessage = 512
)

// clientFirst is the client-first-message.
type clientFirst struct {
	gs2      gs2Header
	header   string // the gs2-header as received
	bare     string // client-first-message-bare as received
	username string // unescaped
	nonce    string
}

// appendBare appends the client-first-message-bare to the gs2-header.
func (m *clientFirst) appendBare(header []byte) []byte {
	b := appendSaslname(append(header, "n="...), m.username)
	return append(append(b, ",r="...), m.nonce...)
}

func parseClientFirst(msg string) (m clientFirst, err error) {
	if len(msg) > maxSCRAMMessage {
		return m, fault("", "the message is over 8 KiB")
	}
	if m.gs2, m.bare, err = parseGS2Header(msg); err != nil {
		return m, nameFault(err)
	}
	m.header = strings.TrimSuffix(msg, m.bare)
	// The name has a server-error-value of its own, so it is looked at before the
	// message as a whole.
	if name, _, _ := strings.Cut(m.bare, ","); strings.HasPrefix(name, "n=") && !utf8.ValidString(name) {
		return m, nameFault(errSaslname)
	}
	var memory fewAttributes
	attributes, err := splitAttributes(memory[:0], m.bare)
	if err != nil {
		return m, err
	}
	name, err := attributes.take('n')
	if err != nil {
		return m, err
	}
	if m.username, err = parseSaslname(name); err != nil {
		return m, nameFault(err)
	}
	if m.nonce, err = attributes.takeNonce(); err != nil {
		return m, err
	}
	return m, attributes.onlyExtensions()
}

// serverFirst is the server-first-message.
type serverFirst struct {
	nonce      string
	salt       []byte
	iterations int // math.MaxInt if the number is larger than an int

	// The values of optional attributes, in their order; only one of each is usual.
	listHashes  []string // h of XEP-0474
	tlsVersions []string // t of XEP-0515
}

func (m *serverFirst) append(b []byte) []byte {
	b = append(append(b, "r="...), m.nonce...)
	b = base64.StdEncoding.AppendEncode(append(b, ",s="...), m.salt)
	b = strconv.AppendInt(append(b, ",i="...), int64(m.iterations), 10)
	for _, hash := range m.listHashes {
		b = append(append(b, ",h="...), hash...)
	}
	for _, version := range m.tlsVersions {
		b = append(append(b, ",t="...), version...)
	}
	return b
}

// parseServerFirst also returns a server-error-value, which some servers already
// send in this message.
func parseServerFirst(msg string) (m serverFirst, serverError string, err error) {
	var memory fewAttributes
	attributes, err := splitAttributes(memory[:0], msg)
	if err != nil {
		return m, "", err
	}
	if serverError, ok := attributes.serverError(); ok {
		return m, serverError, attributes.onlyExtensions()
	}
	if m.nonce, err = attributes.takeNonce(); err != nil {
		return m, "", err
	}
	if m.salt, err = attributes.takeBase64(nil, 's'); err != nil {
		return m, "", err
	}
	if len(m.salt) > maxName {
		return m, "", fault("", "the salt is over 1 KiB")
	}
	count, err := attributes.take('i')
	if err != nil {
		return m, "", err
	}
	if m.iterations, err = parsePositNumber(count); err != nil {
		return m, "", err
	}
	m.listHashes, m.tlsVersions = attributes.values('h'), attributes.values('t')
	return m, "", attributes.onlyExtensions()
}

// clientFinal is the client-final-message.
type clientFinal struct {
	channelBinding []byte // the gs2-header and the channel-binding data
	nonce          string
	proof          []byte
	withoutProof   string // client-final-message-without-proof, as received
}

// appendWithoutProof appends the part of the message that the proof covers.
func (m *clientFinal) appendWithoutProof(b []byte) []byte {
	b = base64.StdEncoding.AppendEncode(append(b, "c="...), m.channelBinding)
	return append(append(b, ",r="...), m.nonce...)
}

// appendProof appends the rest of the message.
func (m *clientFinal) appendProof(withoutProof []byte) []byte {
	return base64.StdEncoding.AppendEncode(append(withoutProof, ",p="...), m.proof)
}

func parseClientFinal(msg string) (m clientFinal, err error) {
	var memory fewAttributes
	attributes, err := splitAttributes(memory[:0], msg)
	if err != nil {
		return m, err
	}
	decoded := make([]byte, 0, base64.StdEncoding.DecodedLen(len(msg)))
	if m.channelBinding, err = attributes.takeBase64(decoded, 'c'); err != nil {
		return m, err
	}
	if m.nonce, err = attributes.takeNonce(); err != nil {
		return m, err
	}
	for len(attributes) > 1 && attributes[0].name != 'p' {
		if err := attributes[:1].onlyExtensions(); err != nil {
			return m, err
		}
		attributes = attributes[1:]
	}
	if len(attributes) == 0 || attributes[0].name != 'p' {
		return m, fault("invalid-proof", "the message has no proof")
	}
	n := len(m.channelBinding)
	if m.proof, err = attributes.takeBase64(decoded[n:n], 'p'); err != nil {
		return m, err
	}
	if len(attributes) > 0 {
		return m, fault("", "the proof is not the last attribute")
	}
	m.withoutProof = msg[:strings.LastIndex(msg, ",p=")]
	return m, nil
}

// serverFinal is the server-final-message: a verifier or a server-error.
type serverFinal struct {
	serverError string
	verifier    []byte // the ServerSignature
}

func (m *serverFinal) append(b []byte) []byte {
	if m.serverError != "" {
		return append(append(b, "e="...), m.serverError...)
	}
	return base64.StdEncoding.AppendEncode(append(b, "v="...), m.verifier)
}

func parseServerFinal(msg string) (m serverFinal, err error) {
	var memory fewAttributes
	attributes, err := splitAttributes(memory[:0], msg)
	if err != nil {
		return m, err
	}
	if serverError, ok := attributes.serverError(); ok {
		return serverFinal{serverError: serverError}, attributes.onlyExtensions()
	}
	if m.verifier, err = attributes.takeBase64(nil, 'v'); err != nil {
		return m, err
	}
	return m, attributes.onlyExtensions()
}

// describeSCRAM renders a message of either side without the proof and the
// verifier: with the rest, which is needed to follow an exchange, each of them
// would let the reader try passwords.
func describeSCRAM(message []byte) string {
	parts := strings.Split(string(message), ",")
	for i, part := range parts {
		switch {
		case i > 0 && strings.HasPrefix(part, "p="), strings.HasPrefix(part, "v="):
			parts[i] = part[:2] + "…"
		case strings.HasPrefix(part, "c="):
			parts[i] = "c=" + describeBindingInput(part[2:])
		}
	}
	return Printable(strings.Join(parts, ","))
}

// describeBindingInput shows the gs2-header that the binding input repeats.
func describeBindingInput(encoded string) string {
	input, _ := base64.StdEncoding.DecodeString(encoded)
	_, data, err := parseGS2Header(string(input))
	if err != nil {
		return "…"
	}
	header := string(input[:len(input)-len(data)])
	if data != "" {
		header += "…"
	}
	return "(" + header + ")"
}

// scramFailure returns the Failure for a server-error-value (RFC 5802 s7). An
// unknown value counts as other-error.
func scramFailure(value string) *Failure {
	f := &Failure{Class: ErrAuthentication, Condition: NotAuthorized, Text: "e=" + value}
	switch value {
	case "channel-bindings-dont-match", "server-does-support-channel-binding",
		"channel-binding-not-supported", "unsupported-channel-binding-type":
		f.Class = ErrSecurity
	case "invalid-encoding", "extensions-not-supported", "invalid-username-encoding":
		f.Class, f.Condition = ErrProtocol, MalformedRequest
	case "no-resources":
		f.Class, f.Condition = ErrTemporary, TemporaryAuthFailure
	}
	return f
}
