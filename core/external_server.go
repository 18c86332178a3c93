package sasl

import "context"

// ExternalServer is the server's EXTERNAL mechanism (RFC 4422 appendix A).
// Identify gets ConnInfo.Peer, the identity that the layer below proved. Identify
// returns the username of this peer, or ErrAuthentication if no user has this
// peer. If ConnInfo.Peer is nil, the mechanism refuses the client without a call.
// An error without a Class counts as ErrTemporary.
func ExternalServer(identify func(ctx context.Context, peer any) (username string, err error)) ServerMechanism {
	return externalServer{identify}
}

type externalServer struct {
	identify func(context.Context, any) (string, error)
}

func (externalServer) Name() string { return externalName }

func (m externalServer) Properties() Properties {
	return externalProperties.withCallback(m.identify != nil)
}

func (m externalServer) New(t ServerTerms) Exchange {
	return &externalServerExchange{externalServer: m, terms: t}
}

type externalServerExchange struct {
	externalServer
	terms ServerTerms
	serverOnlyMessage
}

func (x *externalServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	return x.step(in, func(authzid string) error {
		if err := checkName(authzid); err != nil {
			return protocolError("the authzid %w", err)
		}
		if x.terms.Conn.Peer == nil {
			return classed(ErrAuthentication, "%s: the layer below proved no identity", externalName)
		}
		username, err := x.identify(ctx, x.terms.Conn.Peer)
		if err != nil {
			return withClass(err, ErrTemporary)
		}
		if x.identity, err = x.terms.Identity(username, authzid); err != nil {
			return err
		}
		return x.terms.Authorize(ctx, x.identity)
	})
}
