package transport

// PortError is the error of a peer that does not begin in the way that the client
// expects on this port. Get it with errors.As. Another port or another way to start
// TLS is the likely remedy.
type PortError struct {
	// Found is what the peer did.
	Found PortSign
	// Advice is for Go programmers and names functions of the adapter. The text of the
	// error ends with "; " and Advice. It is not empty.
	Advice string
	// Err is the reason; it has the class.
	Err error
}

// PortSign is what a peer did in place of the expected beginning.
type PortSign string

// The signs of a wrong port, and of the wrong way to start TLS.
const (
	// PortTLS: the peer speaks TLS from the first octet, and the client does not.
	PortTLS PortSign = "tls"
	// PortClear: the peer speaks the protocol without TLS, and the client began with
	// TLS.
	PortClear PortSign = "clear"
	// PortForeign: the peer speaks another protocol.
	PortForeign PortSign = "foreign"
	// PortSilent: the peer sent nothing, or closed the connection. It may expect the
	// other way to start TLS.
	PortSilent PortSign = "silent"
)

// Error returns the text of Err, and then the advice.
func (e *PortError) Error() string { return e.Err.Error() + "; " + e.Advice }

// Unwrap returns Err.
func (e *PortError) Unwrap() error { return e.Err }
