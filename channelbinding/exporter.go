package channelbinding

import (
	"crypto/tls"
	"os"
	"runtime/debug"
	"strings"
)

// exporter is RFC 9266 s4.2; nil if it cannot be had.
func exporter(state *tls.ConnectionState) (data []byte) {
	if state.Version < tls.VersionTLS13 && unsafeExporter() {
		return nil
	}
	// A state that was not taken from a connection has no exporter, and calling
	// it panics.
	defer func() {
		if recover() != nil {
			data = nil
		}
	}()
	// The context is empty and present: on TLS 1.2 an absent one, which is what
	// nil means here, gives other bytes.
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
	if err != nil {
		return nil
	}
	return data
}

// unsafeExporter reports whether GODEBUG makes the exporter work without the
// extended master secret, of which it is then no sign any more.
func unsafeExporter() bool {
	settings := os.Getenv("GODEBUG")
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "DefaultGODEBUG" { // the environment comes after it
				settings = s.Value + "," + settings
			}
		}
	}
	value := ""
	for setting := range strings.SplitSeq(settings, ",") {
		if v, ok := strings.CutPrefix(setting, "tlsunsafeekm="); ok {
			value, _, _ = strings.Cut(v, "#") // the last one counts
		}
	}
	return value == "1"
}
