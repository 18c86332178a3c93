package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// The values of --trace.
const (
	traceSteps = "steps"
	traceWire  = "wire"
)

// tracef prints lines of the trace about the connection. The lines of the login
// itself are those of sasl.Event.
func (f *authFlags) tracef(format string, args ...any) {
	if f.trace == "" {
		return
	}
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(os.Stderr, "-- "+sasl.Printable(line))
	}
}

// observe lets the report and the trace see the connection before the login.
func (f *authFlags) observe(t *target, report *report) {
	t.connected = func(address string) {
		report.Address = address
		f.tracef("connected to %s", address)
	}
	if f.trace != "" {
		f.wire = newWire(t.scheme, f.trace == traceWire)
		t.observe = f.wire.observe
	}
	t.tls.VerifyConnection = func(state tls.ConnectionState) error {
		if f.wire != nil {
			f.wire.startTLS()
		}
		report.secured(state)
		protocol := ""
		if state.NegotiatedProtocol != "" {
			protocol = ", ALPN " + state.NegotiatedProtocol
		}
		f.tracef("%s, %s%s\n%s", tls.VersionName(state.Version), report.TLSCipher, protocol, report.Certificate)
		return nil
	}
}

// traceBindings prints the channel bindings of the connection, and the hash of the
// certificate in them.
func (f *authFlags) traceBindings(info sasl.ServerInfo, report *report) {
	var types []string
	for _, binding := range info.Bindings {
		types = append(types, binding.Type)
	}
	if len(types) == 0 {
		return
	}
	f.tracef("channel bindings: %s", strings.Join(types, " "))
	if report.Certificate != nil && report.Certificate.EndPoint != "" {
		f.tracef("tls-server-end-point: %s", report.Certificate.EndPoint)
	}
}
