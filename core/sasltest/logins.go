package sasltest

import (
	"crypto/fips140"
	"crypto/tls"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// Login is one way to log in to the server of AllMechanisms.
type Login struct {
	Client  *sasl.Client // with one mechanism and one type of binding
	Version uint16       // of TLS
	Want    sasl.Result  // at the client
	User    string       // the username at the server
}

// String returns the version of TLS, the mechanism and the binding.
func (l *Login) String() string {
	return strings.Join([]string{tls.VersionName(l.Version), l.Want.Mechanism, l.Want.Binding}, " ")
}

// AllLogins returns all Logins, with every type of binding of each version of TLS.
// EXTERNAL needs a certificate for "user". The numbers of round trips apply to a
// protocol that carries initial responses and, if successData is set, data with
// success. The authzid is the name beside a bearer token; "" = the username. A
// profile may demand another form of this name, as XMPP does (RFC 6120 s6.3.8).
func AllLogins(successData bool, authzid string) (logins []Login) {
	scram := 3
	if successData {
		scram = 2
	}
	credentials := sasl.Password("user", "pencil")
	for version, types := range map[uint16][]string{
		tls.VersionTLS12: {"tls-exporter", "tls-server-end-point", "tls-unique"},
		tls.VersionTLS13: {"tls-exporter", "tls-server-end-point"},
	} {
		add := func(m sasl.Mechanism, binding, username, user string, roundTrips int) {
			logins = append(logins, Login{
				Client:  &sasl.Client{Mechanisms: []sasl.Mechanism{m}, BindingTypes: []string{binding}},
				Version: version,
				Want:    sasl.Result{Mechanism: m.Name(), Binding: binding, Username: username, RoundTrips: roundTrips},
				User:    user,
			})
		}
		add(sasl.Anonymous("sirhc"), "", "", "guest", 1)
		add(sasl.External(""), "", "", "user", 1)
		add(sasl.Plain(credentials), "", "user", "user", 1)
		for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("user", bearerToken).ActingAs(authzid)) {
			add(m, "", "user", "user", 1)
			logins[len(logins)-1].Want.Authzid = authzid
		}
		add(sasl.Login(credentials), "", "user", "user", 3)
		if !fips140.Enforced() {
			add(sasl.CRAMMD5(credentials), "", "user", "user", 2)
			add(sasl.DigestMD5(credentials), "", "user", "user", scram)
		}
		for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
			add(sasl.SCRAM(h, credentials), "", "user", "user", scram)
			for _, binding := range types {
				add(sasl.SCRAMPlus(h, credentials), binding, "user", "user", scram)
			}
		}
	}
	return logins
}
