package sasl

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What a server says of the lists that it has sent, under the protection of
// SCRAM's signatures: somebody who changes a list on the way cannot change that
// (XEP-0474, XEP-0515).

// listHash is the attribute h of XEP-0474:
//
//	h = base64(H(mechanisms [0x1F types]))
//
// of lists that are sorted by their octets and joined with 0x1E. The types are
// nil where the server does not list them (XEP-0440).
func listHash(h Hash, mechanisms, bindingTypes []string) string {
	input := joinSorted(mechanisms)
	if bindingTypes != nil {
		input += "\x1f" + joinSorted(bindingTypes)
	}
	return base64.StdEncoding.EncodeToString(hashOf(h, []byte(input)))
}

func joinSorted(list []string) string {
	return strings.Join(slices.Sorted(slices.Values(list)), "\x1e")
}

// versionAttribute is the attribute t of XEP-0515: the version of TLS as its
// handshake has it, in four hexadecimal digits; "" without TLS.
func versionAttribute(version uint16) string {
	if version == 0 {
		return ""
	}
	return fmt.Sprintf("%04x", version)
}

// checkLists compares what the server says with what this client was sent,
// before anything is answered that depends on the password.
func checkLists(name string, h Hash, terms *Terms, first *serverFirst) error {
	srv := &terms.Server
	if !srv.Downgrade {
		return nil
	}
	if len(first.listHashes) == 0 && terms.ListHashRequired {
		return classed(ErrSecurity, "%s: %w", name, errListUnconfirmed)
	}
	if len(first.listHashes) > 0 && (delimited(srv.Mechanisms) || delimited(srv.AdvertisedBindings)) {
		return securityError("%s: a mechanism or a channel binding of the list passes for two", name)
	}
	want := listHash(h, srv.Mechanisms, srv.AdvertisedBindings)
	for _, got := range first.listHashes {
		if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
			return securityError("%s: the server offers other mechanisms or channel bindings than have arrived here: somebody changed the lists", name)
		}
	}
	for _, got := range first.tlsVersions {
		if srv.TLSVersion == 0 && srv.Secure {
			break // somebody else ends the TLS, and the caller vouches for it
		}
		if got != versionAttribute(srv.TLSVersion) {
			return securityError("%s: the server has another version of TLS than this client: somebody is in between", name)
		}
	}
	return nil
}

var errListUnconfirmed = errors.New("the server does not confirm its list of channel bindings, which may have been truncated")

// delimited reports whether one name hashes as two.
func delimited(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.ContainsAny(name, "\x1e\x1f") })
}

// confirmedLists is what a server says about its lists, for checkLists.
func confirmedLists(h Hash, terms *ServerTerms) (listHashes, tlsVersions []string) {
	var types []string
	for _, b := range terms.Conn.Bindings {
		types = append(types, b.Type)
	}
	listHashes = []string{listHash(h, terms.Offered, types)}
	if version := versionAttribute(terms.Conn.TLSVersion); version != "" {
		tlsVersions = []string{version}
	}
	return listHashes, tlsVersions
}
