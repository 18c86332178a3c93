package sasl

import "context"

// AnonymousServer is the server's ANONYMOUS mechanism (RFC 4505). Accept gets the
// client's trace information, which is empty if the client sent none. Accept
// returns the name of the account to use. An error without a Class counts as
// ErrTemporary.
func AnonymousServer(accept func(ctx context.Context, trace string) (username string, err error)) ServerMechanism {
	return anonymousServer{accept}
}

type anonymousServer struct {
	accept func(context.Context, string) (string, error)
}

func (anonymousServer) Name() string { return anonymousName }

func (m anonymousServer) Properties() Properties {
	return anonymousProperties.withCallback(m.accept != nil)
}

func (m anonymousServer) New(t ServerTerms) Exchange {
	return &anonymousServerExchange{anonymousServer: m, terms: t}
}

type anonymousServerExchange struct {
	anonymousServer
	terms ServerTerms
	serverOnlyMessage
}

func (x *anonymousServerExchange) Step(ctx context.Context, in []byte) (out []byte, done bool, err error) {
	return x.step(in, func(trace string) (err error) {
		if err := checkTrace(trace); err != nil {
			return protocolError("the trace information %w", err)
		}
		if x.identity.Username, err = x.accept(ctx, trace); err != nil {
			return withClass(err, ErrTemporary)
		}
		return x.terms.Authorize(ctx, x.identity)
	})
}
