package saslxmpp

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

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// maxTargets bounds the servers of a domain that Dial tries.
const maxTargets = 8

// target is a server of a domain (RFC 6120 s3.2.1, XEP-0368).
type target struct {
	host, port string
	direct     bool // TLS from the first octet
	priority   uint16
	weight     uint16
}

// resolve finds the servers of a domain in the order in which they are tried. It
// is a part of the step of the dial.
func (l *Login) resolve(ctx context.Context, domain string) (targets []target, err error) {
	if ip, err := netip.ParseAddr(strings.Trim(domain, "[]")); err == nil { // which has no records
		return []target{l.fallback(ip.String())}, nil
	}
	err = transport.Within(ctx, transport.ConnectTimeout(l.StepTimeout), nil, func(ctx context.Context) (err error) {
		targets, err = l.lookup(ctx, domain)
		return err
	})
	if err != nil {
		return nil, &transport.StepError{Step: transport.Dial, Address: domain, Err: err}
	}
	return targets, nil
}

// lookup asks for the records of the services that the option TLS admits. A
// domain without records is its own server (RFC 6120 s3.2.2).
func (l *Login) lookup(ctx context.Context, domain string) ([]target, error) {
	var direct, startTLS []target
	var directErr, startTLSErr error
	var wait sync.WaitGroup
	if l.TLS == AnyTLS || l.TLS == DirectTLS {
		wait.Go(func() { direct, directErr = l.lookupService(ctx, "xmpps-client", domain) })
	}
	if l.TLS != DirectTLS {
		wait.Go(func() { startTLS, startTLSErr = l.lookupService(ctx, "xmpp-client", domain) })
	}
	wait.Wait()
	own := startTLSErr // the service of the fallback
	if l.TLS == DirectTLS {
		own = directErr
	}
	targets := append(direct, startTLS...)
	switch {
	case len(targets) > 0:
		slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(a.priority, b.priority) })
		shuffle(targets)
		return targets[:min(len(targets), maxTargets)], nil
	case notFound(own):
		return []target{l.fallback(domain)}, nil
	case own != nil:
		return nil, own
	}
	return nil, fmt.Errorf("%w: the SRV records of the domain say that it has no such server", sasl.ErrConnection)
}

func notFound(err error) bool {
	var missing *net.DNSError
	return errors.As(err, &missing) && missing.IsNotFound
}

// lookupService asks for the records of a service. The only record "." says that
// the domain does not have the service: then there is neither a target nor an
// error.
func (l *Login) lookupService(ctx context.Context, service, domain string) (targets []target, err error) {
	_, records, err := l.resolver().LookupSRV(ctx, service, "tcp", domain)
	for _, r := range records { // those that are valid, also if others are not
		if host := strings.TrimSuffix(r.Target, "."); host != "" {
			targets = append(targets, target{host, strconv.Itoa(int(r.Port)), service == "xmpps-client", r.Priority, r.Weight})
		}
	}
	if len(records) > 0 {
		err = nil
	}
	return targets, err
}

func (l *Login) resolver() *net.Resolver {
	if l.Resolver == nil {
		return net.DefaultResolver
	}
	return l.Resolver
}

// fallback is the server of a domain without records, at the service's port.
func (l *Login) fallback(host string) target {
	if l.TLS == DirectTLS {
		return target{host: host, port: "5223", direct: true}
	}
	return target{host: host, port: "5222"}
}

// shuffle puts the targets of each priority into a random order by their weights
// (RFC 2782), those of both services together (XEP-0368 s3).
func shuffle(targets []target) {
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
