package harness

import (
	"context"
	"crypto/tls"
	"sync"
	"testing"
)

// SambaServer is a running domain controller of Samba for the domain ad.test, shared by the tests of a package. Its
// users are in docker/samba/provision.sh.
type SambaServer struct {
	Named
	KDC   string // address, 127.0.0.1:port; TCP
	LDAP  string // StartTLS
	LDAPS string // TLS from the first byte
	realm string
}

// Samba returns a domain controller with its default policy, which is that of Windows: under TLS it demands a channel
// binding, and without TLS a security layer.
func Samba(tb testing.TB) *SambaServer {
	tb.Helper()
	return serverFor(tb, samba)
}

var samba = sync.OnceValues(func() (*SambaServer, error) { return startSamba("samba", "yes") })

// startSamba runs the image with a value for "ldap server require strong auth".
func startSamba(name, strongAuth string) (*SambaServer, error) {
	const host = "dc.ad.test"
	pki := NewPKI()
	at, err := server{
		name:  name,
		image: "samba",
		cmd:   []string{"bash", "/srv/serve.sh", strongAuth},
		files: pki.serverFiles(host),
		ports: []string{"88/tcp", "389/tcp", "636/tcp"},
		ask: func(ctx context.Context, at addresses) error {
			dialer := &tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: pki.Pool}}
			conn, err := dialer.DialContext(ctx, "tcp", at["636/tcp"])
			if err != nil {
				return err
			}
			conn.Close()
			return askKDC(ctx, at["88/tcp"])
		},
	}.start()
	if err != nil {
		return nil, err
	}
	return &SambaServer{
		Named: Named{Host: host, CA: pki.Pool, PKI: pki},
		KDC:   at["88/tcp"], LDAP: at["389/tcp"], LDAPS: at["636/tcp"], realm: "AD.TEST",
	}, nil
}

// Config writes a krb5.conf for the domain, with further lines in libdefaults, and returns its path.
func (s *SambaServer) Config(tb testing.TB, libdefaults ...string) string {
	tb.Helper()
	return writeKerberosConfig(tb, s.realm, s.KDC, libdefaults)
}
