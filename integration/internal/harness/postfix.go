package harness

import (
	"crypto/tls"
	"sync"
	"testing"
)

// PostfixServer is a running Postfix, shared by the tests of a package, with two services to submit mail to, and a
// Dovecot that serves this mail. Every authenticated user may submit; alice@ and bob@ the server's name receive.
type PostfixServer struct {
	Named
	DovecotSASL Submission // the users are Dovecot's: docker/postfix/users, of whom carol is denied
	CyrusSASL   Submission // the users are Cyrus SASL's: alice and bob
	Footer      Submission // as DovecotSASL, with refusals in three lines; STARTTLS alone
	// CyrusHistoric is as CyrusSASL, with the mechanisms LOGIN, CRAM-MD5 and DIGEST-MD5.
	CyrusHistoric Submission
	IMAP          string  // address, 127.0.0.1:port; STARTTLS. For Dovecot's users
	Issuer        *Issuer // signs the tokens that PostfixOAuth's server takes
}

// Submission has the addresses of one service, 127.0.0.1:port.
type Submission struct {
	STARTTLS string
	Implicit string // TLS from the first byte
}

// Postfix returns a server that offers PLAIN, ANONYMOUS and SCRAM: with Dovecot for SHA-1 and SHA-256, with Cyrus SASL
// for SHA-1 to SHA-512. Channel binding is not offered, and the gs2 flag "y" is accepted.
func Postfix(tb testing.TB) *PostfixServer {
	tb.Helper()
	return serverFor(tb, postfix)
}

// PostfixPlus returns a server that differs from [Postfix]'s in its Dovecot, which has channel binding; Postfix
// still does not offer it. So a client that says "y" is right, and is refused.
func PostfixPlus(tb testing.TB) *PostfixServer {
	tb.Helper()
	return serverFor(tb, postfixPlus)
}

// PostfixOAuth returns a server that differs from [Postfix]'s in its Dovecot, which offers PLAIN, OAUTHBEARER and XOAUTH2 and
// takes the tokens of the Issuer.
func PostfixOAuth(tb testing.TB) *PostfixServer {
	tb.Helper()
	return serverFor(tb, postfixOAuth)
}

// PostfixHistoric returns a server that differs from [Postfix]'s in its Dovecot, which offers LOGIN, CRAM-MD5 and DIGEST-MD5.
func PostfixHistoric(tb testing.TB) *PostfixServer {
	tb.Helper()
	return serverFor(tb, postfixHistoric)
}

var (
	postfix         = sync.OnceValues(func() (*PostfixServer, error) { return startPostfix("postfix", "dovecot") })
	postfixPlus     = sync.OnceValues(func() (*PostfixServer, error) { return startPostfix("postfix-plus", "dovecot-plus") })
	postfixOAuth    = sync.OnceValues(func() (*PostfixServer, error) { return startPostfix("postfix-oauth", "dovecot-oauth") })
	postfixHistoric = sync.OnceValues(func() (*PostfixServer, error) { return startPostfix("postfix-historic", "dovecot-historic") })
)

// startPostfix runs the image with the configuration of Dovecot of this name.
func startPostfix(name, dovecot string) (*PostfixServer, error) {
	const host = "postfix.test"
	pki, issuer := NewPKI(), NewIssuer()
	files := pki.serverFiles(host)
	files[issuerKeyPath] = issuer.publicPEM()
	at, err := server{
		name:  name,
		image: "postfix",
		cmd:   []string{"bash", "/etc/postfix/serve.sh", "/etc/dovecot/" + dovecot + ".conf"},
		files: files,
		ports: []string{"143/tcp", "587/tcp", "465/tcp", "1587/tcp", "1465/tcp", "2587/tcp", "3587/tcp", "3465/tcp"},
		ask: askAll(&tls.Config{ServerName: host, RootCAs: pki.Pool},
			submissionProbe("587/tcp"), submissionsProbe("465/tcp"),
			submissionProbe("1587/tcp"), submissionsProbe("1465/tcp"), submissionProbe("2587/tcp"),
			submissionProbe("3587/tcp"), submissionsProbe("3465/tcp"), imapProbe("143/tcp")),
	}.start()
	if err != nil {
		return nil, err
	}
	return &PostfixServer{
		Named:         Named{Host: host, CA: pki.Pool, PKI: pki},
		DovecotSASL:   Submission{STARTTLS: at["587/tcp"], Implicit: at["465/tcp"]},
		CyrusSASL:     Submission{STARTTLS: at["1587/tcp"], Implicit: at["1465/tcp"]},
		Footer:        Submission{STARTTLS: at["2587/tcp"]},
		CyrusHistoric: Submission{STARTTLS: at["3587/tcp"], Implicit: at["3465/tcp"]},
		IMAP:          at["143/tcp"],
		Issuer:        issuer,
	}, nil
}
