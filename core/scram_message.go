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

// clientFirst is the client-first-message.
type clientFirst struct {
	gs2      gs2Header
	header   string // the gs2-header as received
	bare     string // client-first-message-bare as received
	username string // unescaped
	nonce    string
}

func (m *clientFirst) format() string {
	header := string(m.gs2.append(nil))
	bare := appendSaslname([]byte("n="), m.username)
	return header + string(bare) + ",r=" + m.nonce
}

func parseClientFirst(msg string) (*clientFirst, error) {
	if len(msg) > maxSCRAMMessage {
		return nil, fault("", "the message is over 8 KiB")
	}
	gs2, bare, err := parseGS2Header(msg)
	if err != nil {
		return nil, nameFault(err)
	}
	m := &clientFirst{gs2: gs2, header: strings.TrimSuffix(msg, bare), bare: bare}
	// The name has a server-error-value of its own, so it is looked at before the
	// message as a whole.
	if name, _, _ := strings.Cut(bare, ","); strings.HasPrefix(name, "n=") && !utf8.ValidString(name) {
		return nil, nameFault(errSaslname)
	}
	attributes, err := splitAttributes(bare)
	if err != nil {
		return nil, err
	}
	name, err := attributes.take('n')
	if err != nil {
		return nil, err
	}
	if m.username, err = parseSaslname(name); err != nil {
		return nil, nameFault(err)
	}
	if m.nonce, err = attributes.takeNonce(); err != nil {
		return nil, err
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

func (m *serverFirst) format() string {
	text := "r=" + m.nonce + ",s=" + base64.StdEncoding.EncodeToString(m.salt) + ",i=" + strconv.Itoa(m.iterations)
	for _, hash := range m.listHashes {
		text += ",h=" + hash
	}
	for _, version := range m.tlsVersions {
		text += ",t=" + version
	}
	return text
}

// parseServerFirst also returns a server-error-value, which some servers already
// send in this message.
func parseServerFirst(msg string) (m *serverFirst, serverError string, err error) {
	attributes, err := splitAttributes(msg)
	if err != nil {
		return nil, "", err
	}
	if serverError, ok := attributes.serverError(); ok {
		return nil, serverError, attributes.onlyExtensions()
	}
	m = new(serverFirst)
	if m.nonce, err = attributes.takeNonce(); err != nil {
		return nil, "", err
	}
	if m.salt, err = attributes.takeBase64('s'); err != nil {
		return nil, "", err
	}
	if len(m.salt) > maxName {
		return nil, "", fault("", "the salt is over 1 KiB")
	}
	count, err := attributes.take('i')
	if err != nil {
		return nil, "", err
	}
	if m.iterations, err = parsePositNumber(count); err != nil {
		return nil, "", err
	}
	m.listHashes, m.tlsVersions = attributes.values('h'), attributes.values('t')
	return m, "", attributes.onlyExtensions()
}

// clientFinal is the client-final-message.
type clientFinal struct {
	channelBinding []byte // the gs2-header and the channel-binding data
	nonce          string
	proof          []byte
	withoutProof   string // client-final-message-without-proof, as received or as formatted
}

// formatWithoutProof is the part of the message that the proof covers.
func (m *clientFinal) formatWithoutProof() string {
	return "c=" + base64.StdEncoding.EncodeToString(m.channelBinding) + ",r=" + m.nonce
}

func (m *clientFinal) format() string {
	return m.withoutProof + ",p=" + base64.StdEncoding.EncodeToString(m.proof)
}

func parseClientFinal(msg string) (*clientFinal, error) {
	attributes, err := splitAttributes(msg)
	if err != nil {
		return nil, err
	}
	m := new(clientFinal)
	if m.channelBinding, err = attributes.takeBase64('c'); err != nil {
		return nil, err
	}
	if m.nonce, err = attributes.takeNonce(); err != nil {
		return nil, err
	}
	for len(attributes) > 1 && attributes[0].name != 'p' {
		if err := attributes[:1].onlyExtensions(); err != nil {
			return nil, err
		}
		attributes = attributes[1:]
	}
	if len(attributes) == 0 || attributes[0].name != 'p' {
		return nil, fault("invalid-proof", "the message has no proof")
	}
	if m.proof, err = attributes.takeBase64('p'); err != nil {
		return nil, err
	}
	if len(attributes) > 0 {
		return nil, fault("", "the proof is not the last attribute")
	}
	m.withoutProof = msg[:strings.LastIndex(msg, ",p=")]
	return m, nil
}

// serverFinal is the server-final-message: a verifier or a server-error.
type serverFinal struct {
	serverError string
	verifier    []byte // the ServerSignature
}

func (m *serverFinal) format() string {
	if m.serverError != "" {
		return "e=" + m.serverError
	}
	return "v=" + base64.StdEncoding.EncodeToString(m.verifier)
}

func parseServerFinal(msg string) (m serverFinal, err error) {
	attributes, err := splitAttributes(msg)
	if err != nil {
		return m, err
	}
	if serverError, ok := attributes.serverError(); ok {
		return serverFinal{serverError: serverError}, attributes.onlyExtensions()
	}
	if m.verifier, err = attributes.takeBase64('v'); err != nil {
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
