package main

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// withoutZone removes the zone of an address of IPv6, which no certificate has.
func withoutZone(host string) string {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.WithZone("").String()
	}
	return host
}

// connectAddress completes the value of --connect: HOST, HOST:PORT, or an address of
// IPv6 with or without brackets. Without a port, the port is that of the scheme.
func connectAddress(value, port string) (string, error) {
	host := value
	if inner, ok := strings.CutPrefix(value, "["); ok && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
	}
	_, err := netip.ParseAddr(host)
	switch {
	case err == nil, value != "" && !strings.ContainsAny(value, ":[]"):
		value = net.JoinHostPort(host, port)
	case strings.Count(value, ":") > 1 && value[0] != '[':
		return "", usageError("--connect has an invalid address: %q: write an address of IPv6 in brackets, [2001:db8::1]:PORT", value)
	}
	return value, checkAddress("--connect", value)
}

// bracketed returns a host in the form of a URL.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// checkAddress returns an error for an invalid address.
func checkAddress(what, address string) error {
	host, port, err := net.SplitHostPort(address)
	if number, numberErr := strconv.ParseUint(port, 10, 16); err != nil || numberErr != nil || host == "" || number == 0 {
		return usageError("%s has an invalid address: %q: write HOST or HOST:PORT, with a port from 1 to 65535", what, address)
	}
	return nil
}
