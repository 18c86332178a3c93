package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// writeServer prints the facts about the server before the authentication.
func (r *report) writeServer(w io.Writer) {
	security := "not encrypted"
	switch {
	case r.TLSVersion != "" && r.Verified:
		security = "TLS " + r.TLSVersion + ", verified"
		if _, domain, ok := cutAddress(r.URL); ok && domain != r.Host { // the name of the server that the DNS names
			security += " as " + r.Host
		}
	case r.TLSVersion != "":
		security = "TLS " + r.TLSVersion + ", not verified"
	case r.Verified:
		security = "through a Unix socket"
	}
	offered := strings.Join(r.Offered, " ")
	if offered == "" {
		offered = "nothing"
	}
	fmt.Fprintf(w, "connected to %s, %s\noffered: %s\n", r.URL, security, offered)
}

// writeText prints the outcome of a login that succeeded.
func (r *report) writeText(w io.Writer) {
	as := "" // with the identity as the server names it
	if r.Username != "" {
		as = " as " + r.Username
	}
	switch {
	case r.Identity != "":
		as += " (" + r.Identity + ")"
	case r.Authzid != "":
		as += ", acting as " + r.Authzid + ","
	}
	binding := "not bound to the channel"
	if r.ChannelBinding != "" {
		binding = "bound to " + r.ChannelBinding
		if r.BindingUnconfirmed {
			binding += ", unconfirmed"
		}
	}
	if r.Layer != "" {
		binding += ", with a security layer (" + r.Layer + ")"
	}
	trips := "trips"
	if r.RoundTrips == 1 {
		trips = "trip"
	}
	if r.Entries != nil {
		defer fmt.Fprintf(w, "entries: %d\n", *r.Entries)
	}
	fmt.Fprintf(w, "%s%s with %s, %s, in %d round %s, %.1f ms\n", coloured(os.Stdout, green, "authenticated"), as, r.Mechanism, binding, r.RoundTrips, trips, r.DurationMS)
}
