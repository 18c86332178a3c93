package sasl

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/saslkit/saslkit/core/internal/stringprep"
)

// Anonymous is the client's ANONYMOUS mechanism (RFC 4505). The trace is a mail
// address or an opaque token of at most 255 characters, with which the server's
// operator may identify the user; empty = no trace.
func Anonymous(trace string) Mechanism { return anonymous(trace) }

type anonymous string

const anonymousName = "ANONYMOUS"

// withoutIdentity reports whether a mechanism leaves the client without an
// identity. The name of RFC 4505 has this meaning in every implementation.
func withoutIdentity(name string, properties *Properties) bool {
	return properties.Anonymous || name == anonymousName
}

func (anonymous) Name() string { return anonymousName }

func (anonymous) Properties() Properties { return anonymousProperties }

// anonymousProperties: the trace information is not secret.
var anonymousProperties = Properties{SingleMessage: true, Repeatable: true, KeepsSecret: true, Anonymous: true}

func (trace anonymous) New(Terms) Exchange { return &anonymousExchange{trace: string(trace)} }

type anonymousExchange struct {
	onlyMessage
	trace string
}

func (x *anonymousExchange) Step(context.Context, []byte) (out []byte, done bool, err error) {
	return x.step(func() ([]byte, error) {
		if err := checkTrace(x.trace); err != nil {
			return nil, configError("the trace information %w", err)
		}
		return []byte(x.trace), nil
	})
}

func (x *anonymousExchange) SentSecrets() []Secret { return nil }

func (x *anonymousExchange) Describe(message []byte) string { return describeTrace(message) }

func describeTrace(message []byte) string { return fmt.Sprintf("trace=%q", message) }

// checkTrace checks trace information (RFC 4505 s2 and s3).
func checkTrace(trace string) error {
	if utf8.RuneCountInString(trace) > 255 {
		return errors.New("is over 255 characters")
	}
	return stringprep.Trace(trace)
}
