package saslldap

import (
	"bufio"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// BenchmarkSearch compares searches through a Client with searches through a
// connection of the library alone. The two take turns, because the load of the
// machine varies by more than the difference: "%more" is the cost of the Client.
func BenchmarkSearch(b *testing.B) {
	for _, kind := range []struct {
		name               string
		entries, size, run int
	}{
		{"small", 1, 20, 100},
		{"50 MB", 50_000, 1000, 1},
	} {
		b.Run(kind.name, func(b *testing.B) {
			answer := searchAnswer(kind.entries, kind.size)
			bare := ldap.NewConn(searched(b, answer), false)
			bare.Start()
			defer bare.Close()
			client, err := NewConn(b.Context(), searched(b, answer), "localhost", nil)
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			var took [2]time.Duration
			for i := 0; b.Loop(); i++ {
				for turn := range 2 {
					which := (i + turn) % 2
					start := time.Now()
					for range kind.run {
						searchOnce(b, []ldap.Client{bare, client}[which], kind.entries)
					}
					took[which] += time.Since(start)
				}
			}
			searches := float64(b.N * kind.run)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[0].Seconds()*1e6/searches, "µs/bare")
			b.ReportMetric(took[1].Seconds()*1e6/searches, "µs/client")
			b.ReportMetric(100*(took[1].Seconds()/took[0].Seconds()-1), "%more")
		})
	}
}

func searchOnce(b *testing.B, client ldap.Client, entries int) {
	r, err := client.Search(ldap.NewSearchRequest("dc=test", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(uid=alice)", []string{"cn"}, nil))
	if err != nil || len(r.Entries) != entries {
		b.Fatal(err)
	}
}

// searchAnswer is the answer of a server to a search. The offsets are the places of
// the message IDs, four octets each, which are filled in later.
func searchAnswer(entries, size int) (answer searchReply) {
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	entry.AppendChild(octets("uid=alice,ou=people,dc=test"))
	attribute, set := ber.NewSequence(""), ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	set.AppendChild(octets(strings.Repeat("x", size)))
	attribute.AppendChild(octets("cn"))
	attribute.AppendChild(set)
	list := ber.NewSequence("")
	list.AppendChild(attribute)
	entry.AppendChild(list)
	for range entries {
		answer.add(entry)
	}
	done := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultDone, nil, "")
	done.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, 0, ""))
	done.AppendChild(octets(""))
	done.AppendChild(octets(""))
	answer.add(done)
	return answer
}

type searchReply struct {
	bytes []byte
	ids   []int
}

func (r *searchReply) add(operation *ber.Packet) {
	message := encodeMessage(1<<30, operation)
	h, _, _ := parseHeader(message)
	r.ids = append(r.ids, len(r.bytes)+h.size-1-4)
	r.bytes = append(r.bytes, message...)
}

// searched returns a connection to a server that gives this answer to every
// request.
func searched(b *testing.B, answer searchReply) net.Conn {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		defer listener.Close()
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		reader, reply := bufio.NewReader(conn), append([]byte{}, answer.bytes...)
		for {
			h, err := peekHeader(reader)
			if err != nil || h.op != searchRequest {
				return
			}
			reader.Discard(h.total)
			for _, at := range answer.ids {
				binary.BigEndian.PutUint32(reply[at:], uint32(h.id))
			}
			if _, err := conn.Write(reply); err != nil {
				return
			}
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	return conn
}
