// Package sasltest helps to test what speaks SASL: golden transcripts with the
// messages that RFCs and other implementations exchanged, a peer that follows
// a script however hostile, and the conformance kit that every adapter of a
// protocol runs, [TestAdapter].
package sasltest

import (
	"embed"
	"io/fs"
	"path"
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
