package saslxmpp

import (
	"context"
	"encoding/xml"
	"io"

	"mellium.im/xmpp"

	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// startTLS is the feature of RFC 6120 s5 as NewSession needs it: the handshake
// obeys the context, and each error has its class. The data that a peer puts behind
// its answer stays in the reader of the stream, which ends with the answer.
func startTLS(dialer transport.Dialer, domain string, tap *tap) xmpp.StreamFeature {
	return xmpp.StreamFeature{
		Name:       xml.Name{Space: nsStartTLS, Local: "starttls"},
		Prohibited: xmpp.Secure,
		Parse: func(_ context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
			_, err := readRest(d, *start)
			return true, nil, err
		},
		Negotiate: func(ctx context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
			if _, offered := s.Feature(nsStartTLS); !offered {
				return 0, nil, transport.NoStartTLS("", nil) // the library tries it nevertheless
			}
			reader := s.TokenReader()
			defer reader.Close()
			x := link{reader: reader, conn: s.Conn()} // the limits are those of the step
			answer, err := x.roundTrip(tag("starttls xmlns='"+nsStartTLS+"'", ""))
			switch {
			case err != nil:
				return 0, nil, err
			case answer.Name == xml.Name{Space: nsStartTLS, Local: "failure"}:
				return 0, nil, transport.NoStartTLS("", nil) // an element without words
			case answer.Name != xml.Name{Space: nsStartTLS, Local: "proceed"}:
				return 0, nil, unexpected(&answer)
			}
			tap.off = true
			secured, err := dialer.Secure(ctx, s.Conn(), domain, "", true)
			if err != nil {
				return 0, nil, err
			}
			return xmpp.Secure, transport.Observe(secured, tap.observe), nil
		},
	}
}

// tlsError returns an error of TLS with its class if that is ErrSecurity, also an
// error of the handshake that the library's own STARTTLS leaves to the first octets
// that it sends.
func tlsError(err error) error {
	if classed := transport.StartTLSError(err); sasl.ClassOf(classed) == sasl.ErrSecurity {
		return classed
	}
	return err
}
