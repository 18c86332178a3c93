package harness

import (
	"context"
	"crypto/tls"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"
)

// XMPPServer is a running Prosody, shared by the tests of a package. Its domains and users are in docker/prosody: alice in
// each domain with passwords, carol in SHA256, whose account is disabled.
type XMPPServer struct {
	Named
	STARTTLS string // address, 127.0.0.1:port
	Direct   string // address; TLS from the first byte
}

// The domains besides that of the server's name, which has passwords as they are, every hash and XEP-0474.
const (
	XMPPSHA256      = "sha256.prosody.test" // stored records; XEP-0474
	XMPPSHA1        = "sha1.prosody.test"   // stored records; no XEP-0474
	XMPPSASL1       = "sasl1.prosody.test"  // no SASL2; passwords as they are; XEP-0474
	XMPPAnonymous   = "anonymous.prosody.test"
	XMPPCertificate = "certificate.prosody.test"
)

// Prosody returns a server that offers SASL and SASL2 with PLAIN, ANONYMOUS, EXTERNAL and SCRAM with SHA-1 and SHA-256,
// these also with channel binding, and tokens (XEP-0484), each of which it replaces when it is used. The domains with stored
// records offer OAUTHBEARER too. It also does all of that without TLS.
func Prosody(tb testing.TB) *XMPPServer {
	tb.Helper()
	return serverFor(tb, prosody)
}

var prosody = sync.OnceValues(startProsody)

func startProsody() (*XMPPServer, error) {
	const host = "prosody.test"
	pki := NewPKI()
	trust := &tls.Config{ServerName: host, RootCAs: pki.Pool}
	at, err := server{
		name:  "prosody",
		image: "prosody",
		cmd:   []string{"prosody", "-F"},
		files: pki.serverFiles(host, XMPPSHA256, XMPPSHA1, XMPPSASL1, XMPPAnonymous, XMPPCertificate),
		ports: []string{"5222/tcp", "5223/tcp"},
		ask: func(ctx context.Context, at addresses) error {
			if err := askXMPP(ctx, at["5222/tcp"], false, trust); err != nil {
				return err
			}
			return askXMPP(ctx, at["5223/tcp"], true, trust)
		},
	}.start()
	if err != nil {
		return nil, err
	}
	return &XMPPServer{Named: Named{Host: host, CA: pki.Pool, PKI: pki}, STARTTLS: at["5222/tcp"], Direct: at["5223/tcp"]}, nil
}

// BearerToken has Prosody issue a token for OAUTHBEARER to a user of a domain, alice@sha256.prosody.test for example. It is
// good for so long, and has expired already if that is negative.
func (s *XMPPServer) BearerToken(tb testing.TB, address, domain string, valid time.Duration) string {
	tb.Helper()
	script := fmt.Sprintf(">local tokens = prosody.hosts[%[2]q].modules.tokenauth "+
		"local grant = assert(tokens.create_grant(%[1]q, %[1]q, 3600)) "+
		"return (tokens.create_token(%[1]q, grant, %[3]q, %[4]d, %[5]q))", address, domain, "prosody:member", int(valid.Seconds()), "oauth2")
	_, output, err := execIn(tb.Context(), "prosody", nil, []string{"prosodyctl", "shell", script})
	token := regexp.MustCompile(`secret-token:[A-Za-z0-9+/=]+`).FindString(output)
	if err != nil || token == "" {
		tb.Fatalf("no token: %q, %v", output, err)
	}
	return token
}
