package harness

import (
	"crypto/tls"
	"sync"
	"testing"
)

// MailServer is a running server, shared by the tests of a package.
type MailServer struct {
	Named
	IMAP       string     // address, 127.0.0.1:port; STARTTLS
	IMAPS      string     // address; TLS from the first byte
	Submission Submission // it authenticates, but takes no mail
	Issuer     *Issuer    // signs the tokens that DovecotOAuth's server takes
}

// Dovecot returns a server that offers PLAIN, ANONYMOUS, EXTERNAL and SCRAM with SHA-1 and SHA-256, the last two also
// with channel binding, and refuses the gs2 flag "y" for that. Its users are in docker/dovecot/users; each has one
// message, as has EXTERNAL's "alice".
func Dovecot(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecot)
}

// DovecotNoPlus returns a server that differs from [Dovecot]'s in offering no channel binding and accepting "y".
func DovecotNoPlus(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecotNoPlus)
}

// DovecotOAuth returns a server that offers PLAIN, OAUTHBEARER and XOAUTH2, and takes the tokens of its Issuer.
func DovecotOAuth(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecotOAuth)
}

// DovecotIntrospection returns a server that differs from [DovecotOAuth]'s in its tokens: it asks an authorization server,
// introspection.pl, about them.
func DovecotIntrospection(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecotIntrospection)
}

// DovecotHistoric returns a server that offers LOGIN, CRAM-MD5 and DIGEST-MD5 alone.
func DovecotHistoric(tb testing.TB) *MailServer {
	tb.Helper()
	return serverFor(tb, dovecotHistoric)
}

var (
	dovecot              = sync.OnceValues(func() (*MailServer, error) { return startDovecot("dovecot") })
	dovecotNoPlus        = sync.OnceValues(func() (*MailServer, error) { return startDovecot("dovecot-no-plus") })
	dovecotOAuth         = sync.OnceValues(func() (*MailServer, error) { return startDovecot("dovecot-oauth") })
	dovecotHistoric      = sync.OnceValues(func() (*MailServer, error) { return startDovecot("dovecot-historic") })
	dovecotIntrospection = sync.OnceValues(func() (*MailServer, error) {
		return startDovecot("dovecot-introspection", "perl", introspectionPath)
	})
)

// startDovecot runs the image with the configuration of this name. The program in front runs the server, if there is one.
func startDovecot(name string, front ...string) (*MailServer, error) {
	const host = "dovecot.test"
	pki, issuer := NewPKI(), NewIssuer()
	files := pki.serverFiles(host)
	files[issuerKeyPath], files[introspectionPath] = issuer.publicPEM(), introspection
	at, err := server{
		name:  name,
		image: "dovecot",
		cmd:   append(front, "dovecot", "-F", "-c", "/etc/dovecot/"+name+".conf"),
		files: files,
		ports: []string{"143/tcp", "993/tcp", "587/tcp", "465/tcp"},
		ask: askAll(&tls.Config{ServerName: host, RootCAs: pki.Pool},
			imapProbe("143/tcp"), submissionProbe("587/tcp"), submissionsProbe("465/tcp")),
	}.start()
	if err != nil {
		return nil, err
	}
	return &MailServer{
		Named: Named{Host: host, CA: pki.Pool, PKI: pki},
		IMAP:  at["143/tcp"], IMAPS: at["993/tcp"],
		Submission: Submission{STARTTLS: at["587/tcp"], Implicit: at["465/tcp"]},
		Issuer:     issuer,
	}, nil
}
