package main

import (
	"crypto/tls"
	"net"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// demoServer has two servers of each protocol in this process: a server with TLS
// from the first octet, and a server with STARTTLS.
type demoServer struct {
	pki       *demoPKI
	addresses map[string]string // by scheme
	closers   []func()
}

// target returns the target that saslkit auth would make for the server.
func (s *demoServer) target(scheme string) *target {
	return &target{
		scheme: scheme, user: demoUser, host: demoHost, address: s.addresses[scheme],
		tls: &tls.Config{ServerName: demoHost, RootCAs: s.pki.pool, Certificates: []tls.Certificate{s.pki.client}},
	}
}

func (s *demoServer) close() {
	for _, c := range s.closers {
		c()
	}
}

// startDemo starts the servers. A hasty server announces success after the first
// message of the client.
func startDemo(pki *demoPKI, auth *sasl.Server, hasty bool) (*demoServer, error) {
	s := &demoServer{pki: pki, addresses: map[string]string{}}
	config := &tls.Config{
		Certificates: []tls.Certificate{pki.server},
		ClientAuth:   tls.VerifyClientCertIfGiven,
		ClientCAs:    pki.pool,
	}
	imap, err := demoIMAP(auth, config, hasty)
	if err != nil {
		return nil, err
	}
	smtp := demoSMTP(auth, config, hasty)
	xmpp := newDemoXMPP(auth, config, hasty)
	s.closers = append(s.closers, func() { imap.Close() }, func() { smtp.Close() })
	for scheme, serve := range map[string]func(net.Listener) error{
		"imap": imap.Serve, "imaps": imap.Serve, "smtp": smtp.Serve, "smtps": smtp.Serve, "xmpp": xmpp.serve, "xmpps": xmpp.serve,
	} {
		if err := s.listen(scheme, config, serve); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *demoServer) listen(scheme string, config *tls.Config, serve func(net.Listener) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.addresses[scheme] = listener.Addr().String()
	s.closers = append(s.closers, func() { listener.Close() })
	if strings.HasSuffix(scheme, "s") {
		listener = tls.NewListener(listener, config)
	}
	go serve(listener)
	return nil
}

// hastyExchange announces success after the first message of the client. The
// interface is that of go-imap and go-smtp for the mechanism of a server.
type hastyExchange struct{}

func (hastyExchange) Next([]byte) (challenge []byte, done bool, err error) { return nil, true, nil }
