package sasl

import (
	"errors"
	"strings"
)

// XOAUTH2, which Google published
// (https://developers.google.com/gmail/imap/xoauth2-protocol):
//
//	C: "user=" user ^A "auth=Bearer " token ^A ^A
//
// An empty response answers the error challenge.

// XOAuth2 is the client's XOAUTH2 mechanism, the form that was there before
// RFC 7628. Some servers have nothing else.
func XOAuth2(source BearerSource) Mechanism { return bearer{&xoauth2, source} }

// XOAuth2Server is the server's XOAUTH2 mechanism. The message has neither host
// nor port.
func XOAuth2Server(verify BearerVerifier) ServerMechanism { return bearerServer{&xoauth2, verify} }

var xoauth2 = bearerFormat{
	name:   "XOAUTH2",
	format: formatXOAuth2,
	parse:  parseXOAuth2,
	challenge: func(e *BearerError) []byte {
		return bearerChallenge{Status: httpStatus(e.Status), Schemes: orElse(e.Schemes, "bearer"), Scope: e.Scope}.format()
	},
	dummy:     []byte{},
	needsName: true,
}

func formatXOAuth2(m bearerMessage) []byte {
	b := append([]byte("user="+m.name+kvsep+"auth="+bearerScheme+" "), m.token...)
	return append(b, kvsep+kvsep...)
}

var errXOAuth2 = errors.New("the message is not user= user ^A auth=Bearer token ^A ^A")

func parseXOAuth2(message string) (m bearerMessage, err error) {
	fields := strings.Split(message, kvsep)
	if len(fields) != 4 || fields[2] != "" || fields[3] != "" {
		return m, errXOAuth2
	}
	name, ok1 := strings.CutPrefix(fields[0], "user=")
	credentials, ok2 := strings.CutPrefix(fields[1], "auth=")
	if !ok1 || !ok2 || name == "" {
		return m, errXOAuth2
	}
	m.name = name
	if m.token, ok1 = parseCredentials(credentials); !ok1 {
		return m, errCredentials
	}
	return m, nil
}

// httpStatus is the number of HTTP for an error code of RFC 6750 s3.1, which is
// what this mechanism has as the status.
func httpStatus(status string) string {
	switch status {
	case "invalid_request":
		return "400"
	case "", statusInvalidToken:
		return "401"
	case "insufficient_scope":
		return "403"
	}
	return status
}
