package saslxmpp

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"io"
	"net"

	"mellium.im/xmpp"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// ErrNoTLS is the error of a server that does not do STARTTLS, or of somebody
// who took it away. Its class is ErrSecurity.
var ErrNoTLS = fmt.Errorf("%w: the server does not do STARTTLS, or somebody took it away", sasl.ErrSecurity)

// startTLS is the feature of RFC 6120 s5 as NewSession needs it: the handshake
// is done at once, with the context, and each error has its class. What a peer
// puts behind its answer stays in the reader of the stream that ends here.
func startTLS(config *tls.Config) xmpp.StreamFeature {
	return xmpp.StreamFeature{
		Name:       xml.Name{Space: nsStartTLS, Local: "starttls"},
		Prohibited: xmpp.Secure,
		Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
			_, err := readRest(d, *start)
			return true, nil, err
		},
		Negotiate: func(ctx context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
			if _, offered := s.Feature(nsStartTLS); !offered {
				return 0, nil, ErrNoTLS // the library tries all the same
			}
			reader := s.TokenReader()
			defer reader.Close()
			x := link{reader: reader, conn: s.Conn()} // the step of the negotiation has its bounds
			answer, err := x.roundTrip(tag("starttls xmlns='"+nsStartTLS+"'", ""))
			switch {
			case err != nil:
				return 0, nil, err
			case answer.Name == xml.Name{Space: nsStartTLS, Local: "failure"}:
				return 0, nil, ErrNoTLS
			case answer.Name != xml.Name{Space: nsStartTLS, Local: "proceed"}:
				return 0, nil, unexpected(&answer)
			}
			secured, err := transport.Handshake(ctx, s.Conn(), config.ServerName, "", config)
			if err != nil {
				return 0, nil, transport.StartTLSError(err)
			}
			return xmpp.Secure, secured, nil
		},
	}
}

// overTLS reports whether a connection has TLS, whose handshake it brings to its
// end: a connection may have a ConnectionState that says that there is none.
func overTLS(ctx context.Context, conn net.Conn) (bool, error) {
	if secured, ok := conn.(interface {
		HandshakeContext(context.Context) error
	}); ok {
		stop := context.AfterFunc(ctx, func() { transport.Close(conn) })
		err := secured.HandshakeContext(ctx)
		if !stop() || err != nil {
			return false, transport.Classify(ctx, transport.HandshakeError(err))
		}
	}
	secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && secured.ConnectionState().HandshakeComplete, nil
}

// tlsError gives an error of TLS its class where that is ErrSecurity, also one
// of the handshake that the library's own STARTTLS leaves to the first octets
// that it sends.
func tlsError(err error) error {
	if classed := transport.StartTLSError(err); sasl.ClassOf(classed) == sasl.ErrSecurity {
		return classed
	}
	return err
}
