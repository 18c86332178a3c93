// Package sasltest contains tools for tests of SASL: golden transcripts with the
// messages of RFCs and of other implementations, a [Peer] that follows any script,
// also a hostile script, and two conformance kits. [TestAdapter] tests the adapter
// of a protocol, and [TestMechanism] tests a mechanism.
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

// Transcript is an exchange with its inputs and its outcome. The text form has
// headers, an empty line, and the lines of the exchange:
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
// Inputs and messages are quoted as in Go. A message may consist of several pieces,
// for example repeat("A",1000). A line that begins with # is a comment.
type Transcript struct {
	Name          string     // of the file, without its ending
	Source        string     // the origin of the messages
	MechanismName string     // the mechanism of the exchange
	Role          Role       // the side under test
	Level         string     // must or strict; empty for a transcript of success
	Expect        sasl.Class // of the error of the side under test, or Success

	// The inputs of the exchange, of both sides.
	Username, Password, Authzid, Trace string
	Token                              string // of the HT-* mechanisms
	TokenFor                           string // the mechanism for which the server issued the token
	Bearer                             string // the token of OAUTHBEARER and XOAUTH2
	Realm                              string // of DIGEST-MD5
	Service, Host                      string // as in sasl.ServerInfo
	Port                               int    // as in sasl.ServerInfo
	ClientNonce, ServerNonce           string
	Salt                               []byte
	Iterations                         int
	Flag                               byte                // the gs2-cbind-flag; 0 if there is none
	Binding                            sasl.ChannelBinding // the channel binding of the connection
	Peer                               string              // at a server, the identity that the layer below proved; "" = none

	// The lists and the version of TLS that a server confirms (XEP-0474); nil and
	// 0 if the server does not confirm its lists.
	Offered, BindingTypes []string
	TLSVersion            uint16

	Lines []Line // in the order in which they go over the connection
}

// Role states the side of a transcript that is under test.
type Role string

// The roles of a transcript. In a transcript with the role Both, each side sends the
// messages that the mechanism demands.
const (
	Both   Role = ""
	Client Role = "client"
	Server Role = "server"
)

// Success is the Expect of a transcript without an error.
const Success sasl.Class = "success"

// Op is the action of a line.
type Op string

// The ops: first the client's actions, then the server's actions.
const (
	ClientSends  Op = "C:" // a message; the first is the initial response
	ClientAborts Op = "C*"
	ClientCloses Op = "C/" // the connection
	Challenge    Op = "S:"
	Succeed      Op = "S+" // with or without additional data
	Refuse       Op = "S!" // with a condition
	Cut          Op = "S/" // the server closes the connection
	Stall        Op = "S~" // the server sends nothing until the connection is closed
)

// Line is one line of an exchange.
type Line struct {
	Op        Op             // what happens
	Data      []byte         // nil = absent, written as -
	Condition sasl.Condition // of a refusal
}

// Transcripts returns all transcripts of this package, in the order of their names.
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
