package integration

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"testing"

	"mellium.im/xmpp/jid"

	saslimap "github.com/saslkit/saslkit/adapters/imap"
	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
	"github.com/saslkit/saslkit/integration/internal/harness"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
	"github.com/saslkit/saslkit/kerberos/krb5"
)

// records answers for two services of a domain. The first one's server is preferred.
func records(t *testing.T, domain, host string, services [2]string, servers [2]string) *net.Resolver {
	t.Helper()
	zone := map[string][]*net.SRV{}
	for i, address := range servers {
		_, text, err := net.SplitHostPort(address)
		port, err2 := strconv.ParseUint(text, 10, 16)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		zone["_"+services[i]+"._tcp."+domain] = []*net.SRV{{Priority: uint16(i), Port: uint16(port), Target: host + "."}}
	}
	return sasltest.Resolver(t, zone)
}

// domainLogin dials the domain of an address and logs in.
type domainLogin func(ctx context.Context, domain string, resolver *net.Resolver, config *tls.Config, accept func(context.Context, string, string) bool) (sasl.Result, error)

func domainIMAP(ctx context.Context, domain string, resolver *net.Resolver, config *tls.Config, accept func(context.Context, string, string) bool) (sasl.Result, error) {
	conn, err := saslimap.DialDomain(ctx, domain, &saslimap.Options{TLSConfig: config, Resolver: resolver, AcceptHost: accept})
	if err != nil {
		return sasl.Result{}, err
	}
	defer conn.Close()
	return conn.Authenticate(ctx, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
}

func domainSMTP(ctx context.Context, domain string, resolver *net.Resolver, config *tls.Config, accept func(context.Context, string, string) bool) (sasl.Result, error) {
	conn, err := saslsmtp.DialDomain(ctx, domain, &saslsmtp.Options{TLSConfig: config, Resolver: resolver, AcceptHost: accept})
	if err != nil {
		return sasl.Result{}, err
	}
	defer conn.Close()
	return conn.Authenticate(ctx, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
}

func domainLDAP(ctx context.Context, domain string, resolver *net.Resolver, config *tls.Config, accept func(context.Context, string, string) bool) (sasl.Result, error) {
	client, err := saslldap.DialDomain(ctx, domain, &saslldap.Options{TLSConfig: config, Resolver: resolver, AcceptHost: accept})
	if err != nil {
		return sasl.Result{}, err
	}
	defer client.Close()
	return client.SASLBind(ctx, &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)})
}

func domainXMPP(ctx context.Context, domain string, resolver *net.Resolver, config *tls.Config, _ func(context.Context, string, string) bool) (sasl.Result, error) {
	login := &saslxmpp.Login{Client: &sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, TLSConfig: config, Resolver: resolver}
	session, outcome, err := login.Dial(ctx, jid.MustParse("alice@"+domain))
	if err == nil {
		session.Conn().Close()
	}
	return outcome.Result, err
}

// TestDomain finds each real server by SRV records, over both kinds of TLS. A server of
// another domain is not accepted, except by the caller; in XMPP by nobody.
func TestDomain(t *testing.T) {
	t.Parallel()
	mail, submission, directory, chat := harness.Dovecot(t), harness.Postfix(t), harness.OpenLDAP(t), harness.Prosody(t)
	for name, row := range map[string]struct {
		login    domainLogin
		server   harness.Named
		services [2]string
		servers  [2]string
		below    bool // a certificate for a server below the domain is enough
		asks     bool // AcceptHost decides about a server elsewhere
	}{
		"imap": {domainIMAP, mail.Named, [2]string{"imaps", "imap"}, [2]string{mail.IMAPS, mail.IMAP}, true, true},
		"smtp": {domainSMTP, submission.Named, [2]string{"submissions", "submission"}, [2]string{submission.DovecotSASL.Implicit, submission.DovecotSASL.STARTTLS}, true, true},
		"ldap": {domainLDAP, directory.Named, [2]string{"ldaps", "ldap"}, [2]string{directory.LDAPS, directory.LDAP}, false, true},
		"xmpp": {domainXMPP, chat.Named, [2]string{"xmpps-client", "xmpp-client"}, [2]string{chat.Direct, chat.STARTTLS}, false, false},
	} {
		for kind, servers := range map[string][2]string{"direct": row.servers, "STARTTLS": {"127.0.0.1:1", row.servers[1]}} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				config := &tls.Config{RootCAs: row.server.CA}
				login := func(domain string, accept bool) error {
					resolver := records(t, domain, row.server.Host, row.services, servers)
					result, err := row.login(t.Context(), domain, resolver, config, func(_ context.Context, _, host string) bool { return accept && host == row.server.Host })
					if err == nil && result.Username != "alice" {
						t.Errorf("%s: %+v", domain, result)
					}
					return err
				}
				if err := login(row.server.Host, false); err != nil {
					t.Errorf("its own domain: %v", err)
				}
				if err := login("test", false); (err == nil) != row.below || errors.As(err, new(*transport.HostError)) != (row.asks && !row.below) {
					t.Errorf("below the domain: %v", err)
				}
				// With STARTTLS Prosody says before TLS that it does not serve the domain.
				if err := login("example.org", false); err == nil || errors.As(err, new(*transport.HostError)) != row.asks {
					t.Errorf("elsewhere: %v", err)
				}
				if err := login("example.org", true); (err == nil) != row.asks {
					t.Errorf("elsewhere, accepted: %v", err)
				}
			})
		}
	}
}

// TestDomainOfActiveDirectory finds a domain controller by the SRV records of its
// domain. Its certificate and its service principal have its own name, which counts only
// if AcceptHost accepts it.
func TestDomainOfActiveDirectory(t *testing.T) {
	t.Parallel()
	srv := harness.Samba(t)
	initiator := krb5.Password(sasl.Password("alice@AD.TEST", "secret"), &krb5.Options{Config: srv.Config(t)})
	resolver := records(t, "ad.test", srv.Host, [2]string{"ldaps", "ldap"}, [2]string{"127.0.0.1:1", srv.LDAP})
	options := &saslldap.Options{TLSConfig: &tls.Config{RootCAs: srv.CA}, Resolver: resolver}
	if _, err := saslldap.DialDomain(t.Context(), "ad.test", options); !errors.As(err, new(*transport.HostError)) {
		t.Errorf("not accepted: %v", err)
	}
	options.AcceptHost = func(_ context.Context, domain, host string) bool { return domain == "ad.test" && host == srv.Host }
	client, err := saslldap.DialDomain(t.Context(), "ad.test", options)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.SASLBind(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{saslkerberos.GSSAPI(initiator, nil)}}); err != nil {
		t.Fatal(err)
	}
	checkWhoAmI(t, client, `u:ADT\alice`)
}
