package sasltest

import (
	"context"
	"encoding/binary"
	"net"
	"strings"
	"testing"
)

// Types and codes of the DNS (RFC 1035 s3.2.2, s4.1.1; RFC 2782).
const (
	typeA, typeSRV                = 1, 33
	rcodeServerFailure, rcodeName = 2, 3
)

// Resolver returns a resolver that asks a DNS server in this process. The zone has
// the SRV records by their names, such as "_imaps._tcp.example.org". The server
// fails for a name with a nil list, and says that every other name of an SRV record
// does not exist. Every host has the address 127.0.0.1, except those below invalid (RFC
// 6761 s6.4).
func Resolver(tb testing.TB, zone map[string][]*net.SRV) *net.Resolver {
	tb.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			if reply := answer(buffer[:n], zone); reply != nil {
				server.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// answer returns the answer to a query with one question (RFC 1035 s4.1); nil = an
// invalid query.
func answer(query []byte, zone map[string][]*net.SRV) []byte {
	const header = 12
	var labels []string
	at := header
	for at < len(query) && query[at] != 0 {
		end := at + 1 + int(query[at])
		if end > len(query) {
			return nil
		}
		labels = append(labels, string(query[at+1:end]))
		at = end
	}
	if at+5 > len(query) {
		return nil
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	var data [][]byte
	code := byte(0)
	name := strings.ToLower(strings.Join(labels, "."))
	switch records, ok := zone[name]; {
	case strings.HasSuffix(name, ".invalid"):
		code = rcodeName
	case kind == typeA:
		data = [][]byte{{127, 0, 0, 1}}
	case kind == typeSRV && !ok:
		code = rcodeName
	case kind == typeSRV && records == nil:
		code = rcodeServerFailure
	case kind == typeSRV:
		for _, r := range records {
			data = append(data, srvData(r))
		}
	}
	reply := append([]byte(nil), query[:at+5]...)
	// A final answer to a recursive query, with one question and these answers.
	copy(reply[2:header], []byte{0x85, 0x80 | code, 0, 1, 0, byte(len(data)), 0, 0, 0, 0})
	for _, d := range data {
		reply = append(reply, 0xc0, header) // the name of the question
		reply = binary.BigEndian.AppendUint16(reply, kind)
		reply = append(reply, 0, 1, 0, 0, 0, 0) // class IN, no time to live
		reply = binary.BigEndian.AppendUint16(reply, uint16(len(d)))
		reply = append(reply, d...)
	}
	return reply
}

// srvData returns the data of a record (RFC 2782).
func srvData(r *net.SRV) []byte {
	data := binary.BigEndian.AppendUint16(nil, r.Priority)
	data = binary.BigEndian.AppendUint16(data, r.Weight)
	data = binary.BigEndian.AppendUint16(data, r.Port)
	if name := strings.TrimSuffix(r.Target, "."); name != "" {
		for label := range strings.SplitSeq(name, ".") {
			data = append(append(data, byte(len(label))), label...)
		}
	}
	return append(data, 0)
}
