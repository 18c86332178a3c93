package saslldap_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	saslldap "github.com/saslkit/saslkit/adapters/ldap"
	sasl "github.com/saslkit/saslkit/core"
)

// leaks reports whether a value shows the password in any form.
func leaks(value any) bool {
	encoded, _ := json.Marshal(value)
	all := fmt.Sprintf("%v %+v %#v %s", value, value, value, encoded)
	return strings.Contains(strings.ToLower(all), "hunter2") || strings.Contains(all, "aHVudGVyMi")
}

// TestEchoes: a password that a server repeats in any part of its answer is in no
// error, and not in the library's error inside.
func TestEchoes(t *testing.T) {
	const password = "hunter2-Secret"
	for name, op := range map[string]*ber.Packet{
		"text":       refused(tagBindResponse, 49, "", "no "+password),
		"matched DN": refused(tagBindResponse, 49, "cn="+password, "no"),
		"referral":   refused(tagBindResponse, 10, "", "no", "ldap://x.example/"+password),
		"far behind": refused(tagBindResponse, 49, strings.Repeat("x", 600)+password, "no"),
		"disguised":  refused(tagBindResponse, 49, "cn=hunter2\u202e-Sec\x01ret", "no"),
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			outcome := bind(t.Context(), client, sasl.Plain(sasl.Password("alice", password)))
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, op)
			err := (<-outcome).err
			var own *ldap.Error
			errors.As(err, &own)
			var failure *sasl.Failure
			if !errors.As(err, &failure) || leaks(err) || leaks(failure) || leaks(own) || own != nil && leaks(*own) {
				t.Errorf("%s: %+v", name, err)
			}
			// A later bind has another password, and the server repeats the first.
			outcome = bind(t.Context(), client)
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, op)
			err = (<-outcome).err
			own = nil
			errors.As(err, &own)
			if !errors.As(err, &failure) || failure.Text != "(withheld: it repeats a secret)" || leaks(err) || leaks(failure) || own != nil {
				t.Errorf("%s, later: %+v", name, err)
			}
		})
	}
}

// TestConditionOfEcho: the reason that an echo gives counts, although the text does not
// show.
func TestConditionOfEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, p := newPeer(t)
		outcome := bind(t.Context(), client)
		p.rootDSE(mechanisms("PLAIN"))
		p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "pencil: "+microsoft("533"), nil))
		if got := (<-outcome).err; !errors.Is(got, sasl.ErrAuthorization) || strings.Contains(got.Error(), "pencil") {
			t.Error(got)
		}
	})
}

// TestEchoLater: a password that a server repeats after the bind is in no error: of
// the second search for the list, of the library's requests, of ServerInfo, of a
// later bind that finds no list.
func TestEchoLater(t *testing.T) {
	const password = "hunter2-Secret"
	goodbye := notification("1.3.6.1.4.1.1466.20036", 52, "bye, "+password)
	for name, row := range map[string]struct {
		login func(client *saslldap.Client, p *peer)
		end   func(client *saslldap.Client, p *peer) []error
	}{
		"the second root DSE": {nil, func(client *saslldap.Client, p *peer) []error {
			outcome := bind(p.t.Context(), client, sasl.Plain(sasl.Password("alice", password)))
			p.rootDSE(mechanisms("PLAIN"))
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
			p.next(ldap.ApplicationSearchRequest)
			p.say(0, goodbye)
			return []error{(<-outcome).err}
		}},
		"a search": {loggedIn, func(client *saslldap.Client, p *peer) []error {
			outcome := search(client, "dc=one")
			p.next(ldap.ApplicationSearchRequest)
			p.say(0, goodbye)
			p.conn.Close()
			got := <-outcome
			_, info := client.ServerInfo(p.t.Context())
			return []error{got.err, info, client.GetLastError(), (<-bind(p.t.Context(), client)).err}
		}},
		"no list any more": {loggedIn, func(client *saslldap.Client, p *peer) []error {
			outcome := bind(p.t.Context(), client)
			p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 50, "you are "+password, nil))
			return []error{(<-outcome).err}
		}},
		"no mechanism any more": {loggedIn, func(client *saslldap.Client, p *peer) []error {
			outcome := bind(p.t.Context(), client)
			p.rootDSE(mechanisms("GSSAPI", "HUNTER2-", "SECRET"))
			first := (<-outcome).err
			if first != nil && first.Error() == "policy error: the server offers no mechanism" {
				first = errors.New("withheld")
			}
			return []error{first}
		}},
		"a search after a bind of the library": {func(client *saslldap.Client, p *peer) {
			simple := make(chan error, 1)
			go func() { simple <- client.Bind("cn=alice", password) }()
			p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
			<-simple
		}, func(client *saslldap.Client, p *peer) []error {
			outcome := search(client, "dc=one")
			p.next(ldap.ApplicationSearchRequest)
			p.say(0, goodbye)
			p.conn.Close()
			got := <-outcome
			return []error{got.err}
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			if row.login != nil {
				row.login(client, p)
			}
			for i, err := range row.end(client, p) {
				if leaks(err) || i == 0 && (err == nil || !strings.Contains(err.Error(), "withheld")) {
					t.Errorf("%s, error %d: %v", name, i, err)
				}
			}
		})
	}
}

func loggedIn(client *saslldap.Client, p *peer) {
	outcome := bind(p.t.Context(), client, sasl.Plain(sasl.Password("alice", "hunter2-Secret")))
	p.rootDSE(mechanisms("PLAIN"))
	p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 0, "", nil))
	p.rootDSE(mechanisms("PLAIN"))
	if got := <-outcome; got.err != nil {
		p.t.Fatal(got.err)
	}
}

// TestManySecrets: a connection remembers the secrets of 64 binds. After more it
// shows no text at all.
func TestManySecrets(t *testing.T) {
	for binds, shown := range map[int]bool{64: true, 65: false} {
		synctest.Test(t, func(t *testing.T) {
			client, p := newPeer(t)
			for i := range binds {
				outcome := bind(t.Context(), client, sasl.Plain(sasl.Password("alice", fmt.Sprintf("password-%d", i))))
				p.rootDSE(mechanisms("PLAIN"))
				p.say(p.next(ldap.ApplicationBindRequest).id, result(tagBindResponse, 49, "", nil))
				<-outcome
			}
			outcome := bind(t.Context(), client)
			p.say(p.next(ldap.ApplicationSearchRequest).id, result(tagSearchDone, 50, "not for you", nil))
			if got := (<-outcome).err; got == nil || strings.Contains(got.Error(), "not for you") != shown {
				t.Errorf("%d binds: %v", binds, got)
			}
		})
	}
}
