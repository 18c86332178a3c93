package sasl

// onlyMessage is the common part of the Exchanges of a client whose mechanism is a
// single message. In such a mechanism the server proves nothing.
type onlyMessage struct {
	sent     bool
	err      error
	identity Identity
}

func (x *onlyMessage) step(message func() ([]byte, error)) (out []byte, done bool, err error) {
	if x.err == nil && x.sent {
		x.err = protocolError("a challenge after the client's only message")
	}
	if x.err != nil {
		return nil, false, x.err
	}
	x.sent = true
	out, x.err = message()
	return out, x.err == nil, x.err
}

func (x *onlyMessage) Identity() Identity { return x.identity }

// serverOnlyMessage is the counterpart of onlyMessage at a server.
type serverOnlyMessage struct {
	received bool
	err      error
	identity Identity
}

// step passes the message to verify. If the message did not come as the initial
// response, step first asks for the message with an empty challenge.
func (x *serverOnlyMessage) step(in []byte, verify func(message string) error) (out []byte, done bool, err error) {
	if x.err == nil && x.received {
		x.err = protocolError("a second message of a mechanism with a single message")
	}
	if x.err != nil {
		return nil, false, x.err
	}
	if in == nil {
		return []byte{}, false, nil
	}
	x.received = true
	x.err = verify(string(in))
	return nil, x.err == nil, x.err
}

func (x *serverOnlyMessage) Identity() Identity { return x.identity }
