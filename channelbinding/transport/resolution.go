package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	sasl "github.com/saslkit/saslkit/core"
)

// maxTargets bounds the servers of a domain that are tried.
const maxTargets = 8

// ErrNoServer is the error of a domain for which the DNS names no server: it has no
// SRV records of the protocol, or they say that it does not offer the protocol. Its
// class is ErrConnection.
var ErrNoServer = fmt.Errorf("%w: the DNS names no server of the domain for this protocol", sasl.ErrConnection)

// Services are the SRV records of a protocol (RFC 2782). The names have no
// underscore.
type Services struct {
	Direct   string // of servers with TLS from the first octet; "" = not looked up
	StartTLS string // of servers with STARTTLS; "" = not looked up
	// Fallback is the port of a domain without records, which then is its own
	// server; "" = a domain without records has no server.
	Fallback string
	// Mixed orders the servers of one priority by weight (XEP-0368 s3). Otherwise
	// those with TLS from the first octet come first (RFC 8314 s3).
	Mixed bool
	// Below accepts a certificate for the name of a server below the domain (RFC 6186
	// s6). Otherwise AcceptHost of the Dialer decides about it.
	Below bool
}

// Target is a server of a domain.
type Target struct {
	Service string // of the SRV record, without the underscore; "" = the domain has no record
	Host    string // without a final dot
	Port    string // a number
	Direct  bool   // TLS from the first octet

	priority, weight uint16
}

// Address returns the address of the server in the form host:port.
func (t Target) Address() string { return net.JoinHostPort(t.Host, t.Port) }

// targets returns the servers of a domain in the order in which they are tried. It
// is a part of the step of the dial.
func (d Dialer) targets(ctx context.Context, domain string, services Services) (targets []Target, err error) {
	if ip, err := netip.ParseAddr(strings.Trim(domain, "[]")); err == nil { // an address has no records
		if services.Fallback == "" {
			return nil, &StepError{Dial, domain, fmt.Errorf("%w: an IP address has no SRV records", ErrNoServer)}
		}
		return []Target{services.fallback(ip.String())}, nil
	}
	if !isDomain(domain) {
		return nil, fmt.Errorf("%w: %q is not a domain: write it in ASCII and without a port", sasl.ErrConfig, sasl.Printable(domain))
	}
	err = Within(ctx, ConnectTimeout(d.StepTimeout), nil, func(ctx context.Context) (err error) {
		targets, err = d.lookup(ctx, domain, services)
		return err
	})
	if err != nil {
		return nil, &StepError{Dial, domain, err}
	}
	return targets, nil
}

// isDomain reports whether the DNS may have the name. Only ASCII counts, because the
// DNS and certificates have the other names in that form.
func isDomain(name string) bool {
	return !slices.Contains(strings.Split(strings.TrimSuffix(name, "."), "."), "") && strings.IndexFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._", r))
	}) < 0
}

// lookup asks for the records of both services at the same time.
func (d Dialer) lookup(ctx context.Context, domain string, services Services) ([]Target, error) {
	var direct, startTLS []Target
	var directErr, startTLSErr error
	var wait sync.WaitGroup
	if services.Direct != "" {
		wait.Go(func() { direct, directErr = d.lookupService(ctx, services.Direct, domain, true) })
	}
	if services.StartTLS != "" {
		wait.Go(func() { startTLS, startTLSErr = d.lookupService(ctx, services.StartTLS, domain, false) })
	}
	wait.Wait()
	targets := append(direct, startTLS...)
	if len(targets) > 0 {
		slices.SortStableFunc(targets, func(a, b Target) int { return cmp.Compare(a.priority, b.priority) })
		if services.Mixed {
			shuffle(targets)
		}
		return targets[:min(len(targets), maxTargets)], nil
	}
	own, other := startTLSErr, directErr // own is that of the fallback's service
	if services.StartTLS == "" {
		own, other = directErr, nil
	}
	switch {
	case own != nil && !notFound(own):
		return nil, own
	case own != nil && services.Fallback != "":
		return []Target{services.fallback(domain)}, nil
	case other != nil && !notFound(other):
		return nil, other
	case own == nil:
		return nil, fmt.Errorf("%w: its SRV records say that there is none", ErrNoServer)
	}
	return nil, fmt.Errorf("%w: it has no SRV record %s", ErrNoServer, services.names())
}

// names returns the names of the records, for people.
func (s Services) names() string {
	names := slices.DeleteFunc([]string{s.Direct, s.StartTLS}, func(name string) bool { return name == "" })
	return "_" + strings.Join(names, "._tcp or _") + "._tcp"
}

func notFound(err error) bool {
	var missing *net.DNSError
	return errors.As(err, &missing) && missing.IsNotFound
}

// lookupService asks for the records of a service. The only record "." says that
// the domain does not have the service: then there is neither a target nor an
// error. The final dot of the domain keeps the search list of the system out.
func (d Dialer) lookupService(ctx context.Context, service, domain string, direct bool) (targets []Target, err error) {
	resolver := d.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	_, records, err := resolver.LookupSRV(ctx, service, "tcp", strings.TrimSuffix(domain, ".")+".")
	for _, r := range records { // those that are valid, also with an error about others
		if host := strings.TrimSuffix(r.Target, "."); host != "" {
			targets = append(targets, Target{service, host, strconv.Itoa(int(r.Port)), direct, r.Priority, r.Weight})
		}
	}
	return targets, err
}

// fallback returns the server of a domain without records (RFC 2782, RFC 6120
// s3.2.2).
func (s Services) fallback(host string) Target {
	return Target{Host: strings.TrimSuffix(host, "."), Port: s.Fallback, Direct: s.StartTLS == ""}
}

// shuffle puts the targets of each priority into a random order by their weights
// (RFC 2782).
func shuffle(targets []Target) {
	for len(targets) > 0 {
		same := 0 // targets of the first priority, and the sum of their weights
		sum := 0
		for same < len(targets) && targets[same].priority == targets[0].priority {
			sum += int(targets[same].weight)
			same++
		}
		for rest := targets[:same]; sum > 0; rest = rest[1:] {
			at, n := 0, rand.IntN(sum)
			for n -= int(rest[0].weight); n >= 0; n -= int(rest[at].weight) {
				at++
			}
			sum -= int(rest[at].weight)
			chosen := rest[at]
			copy(rest[1:at+1], rest[:at])
			rest[0] = chosen
		}
		targets = targets[same:]
	}
}
