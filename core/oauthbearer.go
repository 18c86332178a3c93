package sasl

import (
	"errors"
	"strconv"
	"strings"
)

// OAUTHBEARER (RFC 7628 s3.1):
//
//	client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
//	kvpair      = key "=" value kvsep
//	key         = 1*(ALPHA)
//	value       = *(VCHAR / SP / HTAB / CR / LF)
//
// The second form answers the error challenge.

// OAuthBearer is the client's OAUTHBEARER mechanism (RFC 7628). The message has
// the host and the port of the ServerInfo, as far as they are known; a host that
// is not ASCII is left out, because the grammar has no place for it.
func OAuthBearer(source BearerSource) Mechanism { return bearer{&oauthBearer, source} }

// OAuthBearerServer is the server's OAUTHBEARER mechanism (RFC 7628). The client's
// gs2-header may have the flag y, although there is nothing to bind to.
func OAuthBearerServer(verify BearerVerifier) ServerMechanism {
	return bearerServer{&oauthBearer, verify}
}

var oauthBearer = bearerFormat{
	name:   "OAUTHBEARER",
	format: formatOAuthBearer,
	parse:  parseOAuthBearer,
	challenge: func(e *BearerError) []byte {
		c := bearerChallenge{Status: orElse(e.Status, statusInvalidToken), Scope: e.Scope, OpenIDConfiguration: e.OpenIDConfiguration}
		return c.format()
	},
	dummy: []byte(kvsep),
}

func formatOAuthBearer(m bearerMessage) []byte {
	b := gs2Header{flag: 'n', authzid: m.name}.append(nil)
	b = append(b, kvsep...)
	if m.host != "" && isKVValue(m.host) {
		b = append(b, "host="+m.host+kvsep...)
	}
	if m.port != 0 {
		b = append(b, "port="+strconv.Itoa(m.port)+kvsep...)
	}
	b = append(append(b, "auth="+bearerScheme+" "...), m.token...)
	return append(b, kvsep+kvsep...)
}

var (
	errBearerFlag  = errors.New("the gs2-header has the flag p, and the mechanism has no channel binding")
	errNoKVSep     = errors.New("the message is not gs2-header kvsep *kvpair kvsep")
	errKVPair      = errors.New("a key or a value has a character that the grammar forbids")
	errKVTwice     = errors.New("a key occurs twice")
	errKVPort      = errors.New("the port is no decimal number from 1 to 65535")
	errCredentials = errors.New("the message has no bearer token (RFC 6750 section 2.1)")
)

func parseOAuthBearer(message string) (m bearerMessage, err error) {
	header, rest, err := parseGS2Header(message)
	switch {
	case err != nil:
		return m, err
	case header.flag == 'p':
		return m, errBearerFlag
	}
	m.name = header.authzid
	rest, ok := strings.CutPrefix(rest, kvsep)
	if !ok {
		return m, errNoKVSep
	}
	pairs := map[string]string{} // of the keys that matter
	for rest != kvsep {
		pair, after, _ := strings.Cut(rest, kvsep)
		key, value, isPair := strings.Cut(pair, "=")
		if !isPair { // also if the last kvsep is missing
			return m, errNoKVSep
		}
		if !isKVKey(key) || !isKVValue(value) {
			return m, errKVPair
		}
		rest = after
		if key != "host" && key != "port" && key != "auth" { // to be ignored (RFC 7628 s3.1)
			continue
		}
		if _, twice := pairs[key]; twice {
			return m, errKVTwice
		}
		pairs[key] = value
	}
	return m, m.read(pairs)
}

func (m *bearerMessage) read(pairs map[string]string) error {
	m.host = pairs["host"]
	if port, stated := pairs["port"]; stated {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || strconv.FormatUint(number, 10) != port {
			return errKVPort
		}
		m.port = int(number)
	}
	var ok bool
	if m.token, ok = parseCredentials(pairs["auth"]); !ok {
		return errCredentials
	}
	return nil
}

func isKVKey(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

func isKVValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}
