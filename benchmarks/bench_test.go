// Package benchmarks compares the time, the memory and the allocations of a login with
// other libraries, all in one run:
//
//	cd benchmarks
//	GOWORK=off go test -run '^$' -bench . -count 6 | tee /tmp/new.txt
//	benchstat -col /impl /tmp/new.txt
//
// The name impl=floor is the work that no implementation can avoid: crypto/pbkdf2
// alone or, with cache=on, the bare HMACs.
package benchmarks

import (
	"testing"

	sasl "github.com/saslkit/saslkit/core"
)

// implementation is one of the compared libraries; a nil login means that the
// library does not have the mechanism.
type implementation struct {
	name  string
	login login
}

// BenchmarkClient is a client's whole login, from the choice of the mechanism to the
// verified success, against a peer whose only work is one HMAC.
func BenchmarkClient(b *testing.B) {
	for _, f := range families(b) {
		run(b, "mech="+f.mechanism+"/cache=off", []implementation{
			{"floor", floor(f, false)}, {"saslkit", saslkitClient(f, nil)}, {"xdg", xdgClient(f, false)},
			{"mellium", melliumClient(f)}, {"gomail", gomailClient(f)},
		})
		run(b, "mech="+f.mechanism+"/cache=on", []implementation{
			{"floor", floor(f, true)}, {"saslkit", saslkitClient(f, new(sasl.MemoryKeys))}, {"xdg", xdgClient(f, true)},
		})
	}
	run(b, "mech=PLAIN/cache=off", plainClients())
	run(b, "mech=OAUTHBEARER/cache=off", bearerClients())
}

// BenchmarkPair is the login of a client and a server of one library, from the choice
// of the mechanism to the end on both sides. The server looks up the account.
func BenchmarkPair(b *testing.B) {
	for _, f := range families(b) {
		run(b, "mech="+f.mechanism+"/cache=off", []implementation{
			{"floor", floor(f, false)}, {"saslkit", saslkitPair(f, nil)}, {"xdg", xdgPair(f, false)}, {"mellium", melliumPair(f)},
		})
		run(b, "mech="+f.mechanism+"/cache=on", []implementation{
			{"floor", floor(f, true)}, {"saslkit", saslkitPair(f, new(sasl.MemoryKeys))}, {"xdg", xdgPair(f, true)},
		})
	}
}

func run(b *testing.B, name string, implementations []implementation) {
	for _, i := range implementations {
		if i.login == nil {
			continue
		}
		b.Run(name+"/impl="+i.name, func(b *testing.B) {
			b.ReportAllocs()
			if err := i.login(); err != nil { // the keys of cache=on are known from here on
				b.Fatal(err)
			}
			for b.Loop() {
				if err := i.login(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLogins runs every login of the benchmarks once.
func TestLogins(t *testing.T) {
	for _, f := range families(t) {
		for name, login := range map[string]login{
			"saslkit": saslkitClient(f, nil), "xdg": xdgClient(f, false), "mellium": melliumClient(f), "gomail": gomailClient(f),
			"saslkit pair": saslkitPair(f, nil), "xdg pair": xdgPair(f, true), "mellium pair": melliumPair(f),
		} {
			if login == nil {
				continue
			}
			if err := login(); err != nil {
				t.Errorf("%s, %s: %v", f.mechanism, name, err)
			}
		}
	}
	for _, i := range append(plainClients(), bearerClients()...) {
		if err := i.login(); err != nil {
			t.Errorf("%s: %v", i.name, err)
		}
	}
}
