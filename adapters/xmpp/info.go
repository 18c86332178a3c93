package saslxmpp

import (
	"net"

	"mellium.im/xmpp"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// serverInfo is what is known about the server and the connection, with the
// list of RFC 6120's profile.
func (l *Login) serverInfo(s *xmpp.Session) (sasl.ServerInfo, error) {
	info, err := connectionInfo(s, asciiDomain(s.RemoteAddr().Domainpart()))
	if err != nil {
		return sasl.ServerInfo{}, err
	}
	if l.Secure {
		info.Secure = true
	}
	info.EnforcesBinding = l.EnforcesBinding
	info.Service, info.SuccessData, info.Downgrade = serviceName, true, true
	if remote, ok := s.Conn().RemoteAddr().(*net.TCPAddr); ok {
		info.Port = remote.Port
	}
	mechanisms, _ := s.Feature(nsSASL)
	info.Mechanisms, _ = mechanisms.([]string)
	bindings, _ := s.Feature(nsBindings)
	info.AdvertisedBindings, _ = bindings.([]string)
	return info, nil
}

// connectionInfo is what the connection proves.
func connectionInfo(s *xmpp.Session, host string) (sasl.ServerInfo, error) {
	state := s.ConnectionState()
	switch {
	case state.HandshakeComplete:
		return channelbinding.Client(&state, host)
	case s.Conn().RemoteAddr() == nil: // no net.Conn, but any io.ReadWriter
		return sasl.ServerInfo{Host: host}, nil
	}
	return channelbinding.ClientConn(struct{ net.Conn }{s.Conn()}, host)
}
