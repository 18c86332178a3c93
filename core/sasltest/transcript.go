// Package sasltest helps to test what speaks SASL: golden transcripts with the
// messages that RFCs and other implementations exchanged, a peer that follows
// a script however hostile, and the conformance kit that every adapter of a
// protocol runs, [TestAdapter].
package sasltest

import (
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

//go:embed testdata/*.txt
var files embed.FS

// Transcript is an exchange with its inputs and its outcome. In its text form
// there are headers, an empty line, and the lines of the exchange:
//
//	source: RFC 4616 section 4
//	mechanism: PLAIN
//	username: "tim"
//	password: "tanstaaftanstaaf"
//	expect: success
//
//	C: "\x00tim\x00tanstaaftanstaaf"
//	S+ -
//
// Inputs and messages are quoted as in Go; a message may be written in several
// pieces, of which repeat("A",1000) is one. A line that begins with # is a
// comment.
type Transcript struct {
	Name          string // of the file, without its ending
	Source        string // where the messages come from
	MechanismName string
	Role          Role   // whose messages are under test
	Level         string // must or strict; empty for a transcript of success
	Expect        sasl.Class

	Username, Password, Authzid, Trace string
	Token                              string // of the HT-* mechanisms
	TokenFor                           string // the mechanism that it was issued for
	ClientNonce, ServerNonce           string
	Salt                               []byte
	Iterations                         int
	Flag                               byte                // the gs2-cbind-flag; 0 if there is none
	Binding                            sasl.ChannelBinding // what the connection can bind to
	Peer                               string              // at a server, what the layer below proved; "" = nothing

	// What a server that confirms its lists (XEP-0474) has offered, and the
	// version of TLS; nil and 0 if it does not.
	Offered, BindingTypes []string
	TLSVersion            uint16

	Lines []Line
}

// Role says which side of a transcript is under test.
type Role string

// The roles of a transcript. In one of Both each side is what the mechanism
// demands.
const (
	Both   Role = ""
	Client Role = "client"
	Server Role = "server"
)

// Success is the Expect of a transcript in which all goes well.
const Success sasl.Class = "success"

// Op is what happens in a line.
type Op string

// The ops, by who acts.
const (
	ClientSends  Op = "C:" // a message; the first is the initial response
	ClientAborts Op = "C*"
	ClientCloses Op = "C/" // the connection
	Challenge    Op = "S:"
	Succeed      Op = "S+" // with or without additional data
	Refuse       Op = "S!" // with a condition
	Cut          Op = "S/" // the server closes the connection
	Stall        Op = "S~" // the server says nothing until the connection is closed
)

// Line is one line of an exchange.
type Line struct {
	Op        Op
	Data      []byte // nil = absent, written as -
	Condition sasl.Condition
}

// Transcripts returns all that come with the package, in the order of their
// names.
func Transcripts() []*Transcript {
	names, err := fs.Glob(files, "testdata/*.txt")
	if err != nil {
		panic(err)
	}
	list := make([]*Transcript, len(names))
	for i, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if list[i], err = Parse(strings.TrimSuffix(path.Base(name), ".txt"), string(text)); err != nil {
			panic(err)
		}
	}
	return list
}

// Parse reads the text form of a transcript.
func Parse(name, text string) (*Transcript, error) {
	t := &Transcript{Name: name}
	inHeader := true
	for number, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		var err error
		switch {
		case strings.HasPrefix(line, "#"):
		case inHeader && line == "":
			inHeader = false
		case inHeader:
			err = t.parseHeader(line)
		default:
			err = t.parseLine(line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number+1, err)
		}
	}
	if t.TokenFor == "" {
		t.TokenFor = t.MechanismName
	}
	if t.MechanismName == "" || t.Expect == "" || t.Source == "" {
		return nil, fmt.Errorf("%s: source, mechanism or expect is missing", name)
	}
	return t, nil
}

func (t *Transcript) parseHeader(line string) (err error) {
	key, value, ok := strings.Cut(line, ": ")
	if !ok {
		return fmt.Errorf("no header: %q", line)
	}
	quoted := map[string]*string{
		"username": &t.Username, "password": &t.Password, "authzid": &t.Authzid, "trace": &t.Trace,
		"client-nonce": &t.ClientNonce, "server-nonce": &t.ServerNonce, "peer": &t.Peer, "token": &t.Token,
	}
	if target := quoted[key]; target != nil {
		*target, err = strconv.Unquote(value)
		return err
	}
	switch key {
	case "source":
		t.Source = value
	case "mechanism":
		t.MechanismName = value
	case "token-for":
		t.TokenFor = value
	case "role":
		t.Role = Role(value)
	case "level":
		t.Level = value
	case "expect":
		t.Expect = sasl.Class(value)
	case "salt":
		t.Salt, err = base64.StdEncoding.DecodeString(value)
	case "iterations":
		t.Iterations, err = strconv.Atoi(value)
	case "offered":
		t.Offered = strings.Fields(value)
	case "binding-types":
		t.BindingTypes = strings.Fields(value)
	case "tls":
		t.TLSVersion, err = tlsVersion(value)
	case "flag":
		if len(value) != 1 {
			return fmt.Errorf("no gs2-cbind-flag: %q", value)
		}
		t.Flag = value[0]
	case "binding":
		var data string
		t.Binding.Type, data, _ = strings.Cut(value, " ")
		t.Binding.Data, err = base64.StdEncoding.DecodeString(data)
	default:
		err = fmt.Errorf("unknown header %q", key)
	}
	return err
}

// tlsVersion reads 1.2 and 1.3, in the numbers of crypto/tls.
func tlsVersion(text string) (uint16, error) {
	version, ok := map[string]uint16{"1.2": 0x0303, "1.3": 0x0304}[text]
	if !ok {
		return 0, fmt.Errorf("no version of TLS: %q", text)
	}
	return version, nil
}

func (t *Transcript) parseLine(text string) (err error) {
	op, rest, _ := strings.Cut(text, " ")
	line := Line{Op: Op(op)}
	switch line.Op {
	case ClientSends, Challenge, Succeed:
		line.Data, err = parseMessage(rest)
	case Refuse:
		line.Condition = sasl.Condition(rest)
	case ClientAborts, ClientCloses, Cut, Stall:
		if rest != "" {
			err = fmt.Errorf("%q takes nothing", op)
		}
	default:
		err = fmt.Errorf("unknown op %q", op)
	}
	t.Lines = append(t.Lines, line)
	return err
}

// parseMessage reads "-" or the pieces of a message.
func parseMessage(text string) ([]byte, error) {
	if text == "-" {
		return nil, nil
	}
	message := []byte{}
	for {
		piece, rest, err := parsePiece(text)
		if err != nil {
			return nil, err
		}
		message = append(message, piece...)
		if rest == "" {
			return message, nil
		}
		text = strings.TrimPrefix(rest, " ")
	}
}

// parsePiece reads a quoted string, or repeat(quoted string,count).
func parsePiece(text string) (piece, rest string, err error) {
	unquoted, repeated := strings.CutPrefix(text, "repeat(")
	quoted, err := strconv.QuotedPrefix(unquoted)
	if err != nil {
		return "", "", fmt.Errorf("no quoted message: %q", text)
	}
	piece, _ = strconv.Unquote(quoted) // it was just recognised
	rest = unquoted[len(quoted):]
	if !repeated {
		return piece, rest, nil
	}
	count, rest, ok := strings.Cut(strings.TrimPrefix(rest, ","), ")")
	times, err := strconv.Atoi(count)
	if err != nil || !ok || times < 0 || times*len(piece) > 16<<20 {
		return "", "", fmt.Errorf("bad repeat: %q", text)
	}
	return strings.Repeat(piece, times), rest, nil
}
