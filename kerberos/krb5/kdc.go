package krb5

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	sasl "github.com/saslkit/saslkit/core"
)

const (
	kdcPort = "88"
	// kdcTimeout limits the wait for one KDC: for the connection and the answer.
	kdcTimeout = 10 * time.Second
	// maxKDCs limits the KDCs of a realm that are tried.
	maxKDCs = 16
	// maxAnswer limits an answer, in octets. Tickets of Active Directory list the
	// user's groups.
	maxAnswer = 1 << 20
)

// ask sends a request to the KDCs of a realm, one after the other, until one
// answers. A refusal is a *KDCError.
func (l *login) ask(ctx context.Context, realm string, request []byte) ([]byte, error) {
	kdcs, err := l.findKDCs(ctx, realm)
	if err != nil {
		return nil, err
	}
	var failures error
	for _, address := range kdcs {
		answer, err := l.askOne(ctx, address, request)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: waiting for the KDC of %s: %w", sasl.ErrConnection, sasl.Printable(realm), ctx.Err())
		}
		if err == nil {
			err = refusal(answer)
			var refused *KDCError
			if !errors.As(err, &refused) || refused.Code != errorcode.KDC_ERR_SVC_UNAVAILABLE {
				return answer, err
			}
		}
		failure := fmt.Errorf("%s: %w", address, err)
		if failures != nil {
			failure = fmt.Errorf("%w; %w", failures, failure)
		}
		failures = failure
	}
	return nil, fmt.Errorf("%w: no KDC of the realm %s answers over TCP: check the network, and kdc in krb5.conf: %w",
		sasl.ErrTemporary, sasl.Printable(realm), failures)
}

// findKDCs returns the addresses of a realm's KDCs, by krb5.conf or by DNS.
func (l *login) findKDCs(ctx context.Context, realm string) ([]string, error) {
	config, err := l.configuration()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, kdc := range config.kdcs[realm] {
		if address, ok := kdcAddress(kdc); ok {
			found = append(found, address)
		}
	}
	if len(found) == 0 && config.lookupKDC {
		_, records, err := net.DefaultResolver.LookupSRV(ctx, "kerberos", "tcp", realm)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: looking up the KDC of %s: %w", sasl.ErrConnection, sasl.Printable(realm), ctx.Err())
		}
		var dns *net.DNSError
		if errors.As(err, &dns) && !dns.IsNotFound {
			return nil, fmt.Errorf("%w: looking up the KDC of %s: %w", sasl.ErrTemporary, sasl.Printable(realm), err)
		}
		for _, record := range records {
			found = append(found, net.JoinHostPort(strings.TrimSuffix(record.Target, "."), strconv.Itoa(int(record.Port))))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: the realm %s has no KDC in krb5.conf or DNS: add kdc to the realm", sasl.ErrConfig, sasl.Printable(realm))
	}
	return found[:min(len(found), maxKDCs)], nil
}

// kdcAddress returns the address of a kdc setting, whose port may be missing. It
// reports false for a transport other than TCP and UDP.
func kdcAddress(kdc string) (string, bool) {
	if transport, rest, found := strings.Cut(kdc, "/"); found {
		if transport != "tcp" && transport != "udp" {
			return "", false
		}
		kdc = rest
	}
	if host, port, err := net.SplitHostPort(kdc); err == nil {
		return net.JoinHostPort(host, port), true
	}
	return net.JoinHostPort(strings.Trim(kdc, "[]"), kdcPort), kdc != ""
}

// askOne exchanges messages with one KDC over TCP (RFC 4120 s7.2.2).
func (l *login) askOne(ctx context.Context, address string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	dial := l.options.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)); err != nil {
		return nil, err
	}
	size := make([]byte, 4)
	if _, err := io.ReadFull(conn, size); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size)
	if n > maxAnswer {
		return nil, fmt.Errorf("an answer of %d octets is over 1 MiB", n)
	}
	answer := make([]byte, n)
	_, err = io.ReadFull(conn, answer)
	return answer, err
}

// refusal returns the KRB-ERROR in an answer; nil if the answer is not a KRB-ERROR.
func refusal(answer []byte) error {
	const tag = 0x7e // APPLICATION 30 (RFC 4120 s5.9.1)
	if len(answer) == 0 || answer[0] != tag {
		return nil
	}
	var refused messages.KRBError
	if err := guard(func() error { return refused.Unmarshal(answer) }); err != nil {
		return protocolError("the KDC's error is malformed")
	}
	return &KDCError{Code: refused.ErrorCode, Text: refused.EText, data: refused.EData}
}
