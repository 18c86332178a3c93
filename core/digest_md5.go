package sasl

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
)

// DIGEST-MD5 (RFC 2831 s2.1):
//
//	S: digest-challenge
//	C: digest-response
//	S: response-auth, as a challenge or with success

// DigestMD5 is the client's DIGEST-MD5 mechanism (RFC 2831). The mechanism is historic
// (RFC 6331): an eavesdropper or an impostor can test guesses of the password. Use it
// only for a server that offers nothing better. The server proves that it knows the
// password. The username and the password are used without preparation.
//
// The account is in the server's only realm, unless the credentials name a realm
// (Credentials.InRealm). If the server has several realms and the credentials name
// none of them, the error is an ErrConfig.
//
// There is no security layer, so a server that demands one is an ErrPolicy. The client
// knows this only from the challenge, but has not sent anything except the name of the
// mechanism. There is no subsequent authentication. The mechanism needs
// ServerInfo.Service and ServerInfo.Host.
//
// PasswordMechanisms does not return DIGEST-MD5, and the mechanism is unavailable if
// FIPS 140 is enforced.
func DigestMD5(credentials Credentials) Mechanism { return digestMD5{credentials} }

type digestMD5 struct{ credentials Credentials }

const digestMD5Name = "DIGEST-MD5"

func (digestMD5) Name() string           { return digestMD5Name }
func (digestMD5) Properties() Properties { return historicProperties(true) }

func (m digestMD5) New(t Terms) Exchange { return &digestMD5Exchange{digestMD5: m, terms: t} }

type digestMD5Exchange struct {
	digestMD5
	terms Terms
	step  int
	err   error

	credential       Credential
	password, digest Secret // the digest as sent
	rspauth          Secret // the server's proof
}

func (x *digestMD5Exchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	if x.err != nil {
		return nil, false, x.err
	}
	switch x.step {
	case 0:
		x.err = x.ask(ctx)
	case 1:
		out, x.err = x.response(ctx, string(in))
	case 2:
		out, done, x.err = []byte{}, true, x.checkProof(string(in))
	default:
		x.err = protocolError("%s: a challenge after the server's proof", digestMD5Name)
	}
	x.step++
	if x.err != nil {
		return nil, false, x.err
	}
	return out, done, nil
}

// ask gets the credential, but not yet the password.
func (x *digestMD5Exchange) ask(ctx context.Context) error {
	c, err := x.credentials.credential(ctx, digestMD5Name, &x.terms.Server)
	if err != nil {
		return err
	}
	if err := c.checkNames(); err != nil {
		return err
	}
	if err := checkName(c.Realm); err != nil {
		return configError("the realm %w", err)
	}
	if hasControl(c.Username + c.Authzid + c.Realm) {
		return configError("the username, the authzid or the realm has a control character")
	}
	if x.terms.Server.Service == "" || x.terms.Server.Host == "" || hasControl(x.terms.Server.Host) {
		return configError("%s needs the name of the service and the host: set both in the description of the server", digestMD5Name)
	}
	x.credential = c
	return nil
}

// response answers the digest-challenge.
func (x *digestMD5Exchange) response(ctx context.Context, message string) ([]byte, error) {
	challenge, err := parseDigestChallenge(message)
	if err != nil {
		return nil, x.invalid(err)
	}
	r := digestResponse{
		utf8: challenge.utf8, username: x.credential.Username, authzid: x.credential.Authzid,
		nonce: challenge.nonce, cnonce: x.terms.newNonce(), uri: x.terms.Server.Service + "/" + x.terms.Server.Host,
	}
	if r.realm, r.hasRealm, err = chooseRealm(challenge.realms, x.credential.Realm); err != nil {
		return nil, err
	}
	password, err := x.credential.unpreparedPassword(ctx)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"username": r.username, "realm": r.realm, "password": string(password)} {
		if _, ok := toLatin1(text); !ok && !r.utf8 {
			return nil, configError("the %s has a character that ISO 8859-1 does not have, and the server does not accept UTF-8: use another mechanism", name)
		}
	}
	digest, rspauth := r.digestValues(password)
	r.digest = digest
	x.password, x.digest, x.rspauth = NewSecret(password), NewSecret(digest), NewSecret(rspauth)
	out := r.format()
	if len(out) >= maxDigestResponse {
		return nil, configError("the response has more than 4095 octets: use shorter names")
	}
	return []byte(out), nil
}

// chooseRealm returns the realm of the account, and whether the response has a realm.
// The error shows realms of the server, so it is not an ownError.
func chooseRealm(offered []string, wanted string) (realm string, has bool, err error) {
	switch {
	case wanted == "" && len(offered) == 0:
		return "", false, nil
	case wanted == "" && len(offered) == 1:
		return offered[0], true, nil
	case wanted == "":
		err = fmt.Errorf("%w: the server has several realms: name one of them in the credentials: %s", ErrConfig, Printable(strings.Join(offered, ", ")))
	case len(offered) > 0 && !slices.Contains(offered, wanted):
		err = fmt.Errorf("%w: the server does not have the realm %s: name one of these in the credentials: %s", ErrConfig, Printable(wanted), Printable(strings.Join(offered, ", ")))
	}
	return wanted, true, err
}

// checkProof compares the response-auth of RFC 2831 s2.1.3.
func (x *digestMD5Exchange) checkProof(message string) error {
	list, err := parseDirectives(message)
	if err != nil {
		return x.invalid(err)
	}
	rspauth, found, err := list.one("rspauth")
	if err != nil || !found || len(message) >= maxDigestChallenge {
		return x.invalid(orElseError(err, "the second challenge is not a response-auth (RFC 2831 section 2.1.3)"))
	}
	if _, found, err := list.one("stale"); err != nil || found {
		return x.invalid(orElseError(err, "the directive stale is not in a response-auth"))
	}
	if subtle.ConstantTimeCompare([]byte(rspauth), x.rspauth.Bytes()) != 1 {
		return securityError("%s: the server's proof is wrong: the server does not know the password", digestMD5Name)
	}
	return nil
}

// invalid gives an error about a message of the server its class.
func (*digestMD5Exchange) invalid(err error) error {
	if ClassOf(err) != "" {
		return err
	}
	return protocolError("%s: %w", digestMD5Name, err)
}

func (x *digestMD5Exchange) Identity() Identity {
	return Identity{Username: x.credential.Username, Authzid: x.credential.Authzid}
}

// SentSecrets also returns the password: the server stores the password or its equal,
// and can repeat it.
func (x *digestMD5Exchange) SentSecrets() []Secret { return []Secret{x.digest, x.password} }

// Describe shows every directive except the proofs.
func (x *digestMD5Exchange) Describe(message []byte) string {
	list, err := parseDirectives(string(message))
	if err != nil {
		return "malformed"
	}
	texts := make([]string, len(list))
	for i, d := range list {
		texts[i] = fmt.Sprintf("%s=%q", d.name, d.value)
		if d.name == "response" || d.name == "rspauth" {
			texts[i] = d.name + "=…"
		}
	}
	return strings.Join(texts, " ")
}
