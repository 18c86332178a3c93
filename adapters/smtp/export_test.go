package saslsmtp

var (
	AuthKeyword = authKeyword
	ClientName  = clientName
)

// BoundedBuffer is the DebugWriter during EHLO.
type BoundedBuffer = boundedBuffer
