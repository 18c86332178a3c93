package saslsmtp

import (
	"encoding/base64"

	sasl "github.com/saslkit/saslkit/core"
)

// Existing states the facts about a client made elsewhere that the adapter cannot
// see.
type Existing struct {
	// Host is the name that the server should have.
	Host string
	// Secure asserts that the connection is confidential and its peer the host,
	// although crypto/tls did not verify it: for pinned certificates, DANE and Unix
	// sockets.
	Secure bool
	// EnforcesBinding asserts that the server refuses a login with a wrong channel
	// binding or without one; see sasl.ServerInfo.
	EnforcesBinding bool
}

// complete adds the facts that do not depend on the library.
func (e Existing) complete(info *sasl.ServerInfo, mechanisms []string) {
	info.Service = "smtp"
	info.Mechanisms = mechanisms
	info.Secure = info.Secure || e.Secure
	info.EnforcesBinding = e.EnforcesBinding
	info.MaxMessage = base64.StdEncoding.DecodedLen(maxResponse)
}
