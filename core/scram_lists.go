package sasl

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A server confirms its lists under the protection of SCRAM's signatures (XEP-0474,
// XEP-0515). An attacker who changes a list on the way cannot change the
// confirmation.

// listHash returns the attribute h of XEP-0474:
//
//	h = base64(H(mechanisms [0x1F types]))
//
// The lists are sorted by their octets and joined with 0x1E. The types are nil if
// the server has no list of types (XEP-0440).
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

// versionAttribute returns the attribute t of XEP-0515: the version of TLS with the
// number of the handshake, in four hexadecimal digits; "" without TLS.
func versionAttribute(version uint16) string {
	if version == 0 {
		return ""
	}
	return fmt.Sprintf("%04x", version)
}

// compareLists compares the lists that the server confirms with the lists that the
// client received, before the client sends anything that depends on the password.
func compareLists(name string, h Hash, terms *Terms, first *serverFirst) error {
	srv := &terms.Server
	if !srv.Downgrade {
		return nil
	}
	if len(first.listHashes) == 0 && terms.ListHashRequired {
		return classed(ErrSecurity, "%s: %w", name, errListUnconfirmed)
	}
	if len(first.listHashes) > 0 && (delimited(srv.Mechanisms) || delimited(srv.AdvertisedBindings)) {
		return securityError("%s: a name in the list of mechanisms or channel bindings contains a delimiter: one name could count as two", name)
	}
	want := listHash(h, srv.Mechanisms, srv.AdvertisedBindings)
	for _, got := range first.listHashes {
		if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
			return securityError("%s: the server confirms other mechanisms or channel bindings than the client received: an attacker changed the lists", name)
		}
	}
	for _, got := range first.tlsVersions {
		if srv.TLSVersion == 0 && srv.Secure {
			break // another process ends the TLS, and the caller asserts its security
		}
		if got != versionAttribute(srv.TLSVersion) {
			return securityError("%s: the server has another version of TLS than the client: an attacker is between client and server", name)
		}
	}
	return nil
}

var errListUnconfirmed = errors.New("the server does not confirm its list of channel bindings, which may have been truncated")

// delimited reports whether a name contains a delimiter, and so has the same hash as
// two names.
func delimited(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.ContainsAny(name, "\x1e\x1f") })
}

// confirmedLists returns a server's confirmation of its lists, for compareLists.
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
