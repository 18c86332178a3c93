package saslldap_test

import (
	"bufio"
	"bytes"
	"net"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
)

// BenchmarkSearch compares a *ldap.Conn on the connection itself with one of a
// Client, both on loopback: small searches one after the other, and one result
// of 50 MB.
func BenchmarkSearch(b *testing.B) {
	for _, size := range []struct {
		name   string
		octets int
	}{{"small", 100}, {"50MB", 50 << 20}} {
		for _, kind := range []string{"bare", "Client"} {
			b.Run(size.name+"/"+kind, func(b *testing.B) {
				conn := benchConn(b, size.octets)
				var client ldap.Client
				if kind == "bare" {
					bare := ldap.NewConn(conn, false)
					bare.Start()
					client = bare
				} else {
					c, err := saslldap.NewConn(b.Context(), conn, host, nil)
					if err != nil {
						b.Fatal(err)
					}
					client = c
				}
				defer client.Close()
				request := ldap.NewSearchRequest("dc=test", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(uid=alice)", []string{"cn"}, nil)
				b.ReportAllocs()
				for b.Loop() {
					found, err := client.Search(request)
					if err != nil || len(found.Entries) != 1 || len(found.Entries[0].Attributes[0].ByteValues[0]) != size.octets {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// benchConn is a connection to a server that answers every search with one
// entry, of one value of so many octets.
func benchConn(b *testing.B, octetsOfValue int) net.Conn {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { far.Close() })
	value := string(bytes.Repeat([]byte("v"), octetsOfValue))
	attributes := ber.NewSequence("")
	attributes.AppendChild(attribute("cn", value))
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchEntry, nil, "")
	entry.AppendChild(octets("dc=test"))
	entry.AppendChild(attributes)
	// The message ID has a fixed length, and is put in where it stands.
	const anyID = 1 << 24
	answer := append(message(anyID, entry), message(anyID, result(tagSearchDone, 0, "", nil))...)
	places := []int{bytes.Index(answer, []byte("\x02\x04\x01\x00\x00\x00")), bytes.LastIndex(answer, []byte("\x02\x04\x01\x00\x00\x00"))}
	go func() {
		reader := bufio.NewReader(far)
		for {
			request, err := ber.ReadPacket(reader)
			if err != nil {
				return
			}
			id := request.Children[0].Value.(int64)
			for _, place := range places {
				copy(answer[place+2:], []byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)})
			}
			if _, err := far.Write(answer); err != nil {
				return
			}
		}
	}()
	return near
}
