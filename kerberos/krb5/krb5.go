// Package krb5 starts the security contexts of Kerberos 5 (RFC 4120, RFC 4121) in Go,
// for the mechanisms of package saslkerberos.
//
// The credentials come from a credential cache ([Cache]), a keytab ([Keytab]) or a
// password ([Password]). The package reads krb5.conf, asks the key distribution
// center (KDC) over TCP, and uses AES only (RFC 3962, RFC 8009). The context of the
// login ends every wait.
//
// The classes of errors:
//   - sasl.ErrAuthentication: a wrong password or key, an unknown principal, an
//     expired password, an expired ticket.
//   - sasl.ErrAuthorization: the KDC refuses this principal, for example because it
//     is disabled.
//   - sasl.ErrTemporary: no KDC answers.
//   - sasl.ErrPolicy: the KDC or the server has no key of a type that is allowed here.
//   - sasl.ErrSecurity: an answer does not verify. Somebody in between, or a server
//     without the service's key, has this effect.
//   - sasl.ErrProtocol: an answer is malformed.
//   - sasl.ErrConfig: an unusable file or name, a clock that is wrong, or a service
//     that the KDC does not know.
//   - sasl.ErrConnection: the context ended.
//
// If the KDC refused, errors.As finds a *[KDCError].
package krb5

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	sasl "github.com/saslkit/saslkit/core"
	saslkerberos "github.com/saslkit/saslkit/kerberos"
)

// Options are the options of an Initiator. Nil and the zero value are the default.
type Options struct {
	// Config is the path of krb5.conf; "" = the environment variable KRB5_CONFIG,
	// which may list several paths, or /etc/krb5.conf, which may be missing: the DNS has
	// the KDCs then. The file is read at each login.
	Config string
	// DialContext connects to a KDC; nil = a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Cache returns an Initiator with the tickets of a credential cache, as kinit writes
// it. The path may begin with FILE:, which is the only type of cache that this
// package reads; "" = the environment variable KRB5CCNAME, or /tmp/krb5cc_ and the
// user's number. The file is read at each login, up to 1 MiB, and never written.
//
// A cache that has only a ticket for the service needs neither a KDC nor krb5.conf.
func Cache(path string, options *Options) saslkerberos.Initiator {
	return func(ctx context.Context, request saslkerberos.Request) (saslkerberos.SecurityContext, error) {
		l := newLogin(options, request)
		cache, err := readCache(path)
		if err != nil {
			return nil, err
		}
		l.client = cache.principal
		return l.withCache(ctx, cache)
	}
}

// Keytab returns an Initiator with a principal's key in a keytab. The principal is
// a name with "@" and a realm; without a realm, it is in the default realm of
// krb5.conf. "" = the first principal of the keytab. A path of "" is the environment
// variable KRB5_CLIENT_KTNAME. The file is read at each login, up to 1 MiB.
func Keytab(principal, path string, options *Options) saslkerberos.Initiator {
	return func(ctx context.Context, request saslkerberos.Request) (saslkerberos.SecurityContext, error) {
		l := newLogin(options, request)
		keys, err := readKeytab(path)
		if err != nil {
			return nil, err
		}
		name := keys[0].principal
		if principal != "" {
			if name, err = l.parsePrincipal(principal); err != nil {
				return nil, err
			}
		}
		l.client = name
		return l.withSecret(ctx, keytabSecret{keys.of(name)})
	}
}

// Password returns an Initiator with a password. The username of the credentials is
// the principal: a name with "@" and a realm; without a realm, it is in the default
// realm of krb5.conf. The credentials must not have an authzid, which is an option
// of the mechanism.
func Password(credentials sasl.Credentials, options *Options) saslkerberos.Initiator {
	return func(ctx context.Context, request saslkerberos.Request) (saslkerberos.SecurityContext, error) {
		l := newLogin(options, request)
		if credentials == nil {
			return nil, fmt.Errorf("%w: krb5.Password has no credentials: pass some, for example sasl.Password", sasl.ErrConfig)
		}
		credential, err := credentials(ctx, request.Prompt)
		switch {
		case err != nil:
			return nil, callerError(ctx, err)
		case credential.Authzid != "":
			return nil, fmt.Errorf("%w: the credentials have an authzid: use Options.Authzid of the mechanism instead", sasl.ErrConfig)
		case credential.Password == nil:
			return nil, fmt.Errorf("%w: the credential has no password: set Credential.Password", sasl.ErrConfig)
		}
		if l.client, err = l.parsePrincipal(credential.Username); err != nil {
			return nil, err
		}
		return l.withSecret(ctx, &passwordSecret{ask: credential.Password})
	}
}

// callerError gives an error of the caller's func a class.
func callerError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	case sasl.ClassOf(err) != "":
		return err
	}
	return fmt.Errorf("%w: %w", sasl.ErrConfig, err)
}

// login is one use of an Initiator.
type login struct {
	options Options
	request saslkerberos.Request
	config  *config // nil until it is needed
	client  principal
	service principal
	now     func() time.Time
}

func newLogin(options *Options, request saslkerberos.Request) *login {
	l := &login{request: request, now: time.Now}
	if options != nil {
		l.options = *options
	}
	return l
}

// configuration reads krb5.conf once.
func (l *login) configuration() (*config, error) {
	if l.config != nil {
		return l.config, nil
	}
	var err error
	l.config, err = readConfig(l.options.Config)
	return l.config, err
}

// principal is the name of a user or a service, with its realm.
type principal struct {
	name  []string // the components
	realm string
}

// String returns the name in the form that people write.
func (p principal) String() string { return strings.Join(p.name, "/") + "@" + p.realm }

// is compares the components, because a component can contain a slash.
func (p principal) is(other principal) bool {
	return p.realm == other.realm && slices.Equal(p.name, other.name)
}

// maxPrincipal limits the length of a principal in text, in octets.
const maxPrincipal = 1 << 10

// parsePrincipal reads a name; one without a realm is in the default realm.
func (l *login) parsePrincipal(text string) (principal, error) {
	name, realm, _ := strings.Cut(text, "@")
	p := principal{strings.Split(name, "/"), realm}
	for _, component := range p.name {
		if component == "" || len(text) > maxPrincipal || strings.ContainsAny(text, "\x00\\") || strings.Contains(realm, "@") {
			return p, fmt.Errorf("%w: the principal %q has not the form name@REALM: correct it", sasl.ErrConfig, sasl.Printable(text))
		}
	}
	if realm != "" {
		return p, nil
	}
	config, err := l.configuration()
	if err != nil {
		return p, err
	}
	if p.realm = config.defaultRealm; p.realm == "" {
		return p, fmt.Errorf("%w: the principal %q has no realm, and krb5.conf has no default_realm: append @ and the realm", sasl.ErrConfig, sasl.Printable(text))
	}
	return p, nil
}
