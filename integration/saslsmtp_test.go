package integration

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netsmtp "net/smtp"
	"net/textproto"
	"strings"
	"testing"

	"github.com/wneessen/go-mail"

	saslsmtp "github.com/saslkit/saslkit/adapters/smtp"
	saslgomail "github.com/saslkit/saslkit/adapters/smtp/gomail"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/integration/internal/harness"
)

// postfixMechanisms is what each of the services offers and core has.
func postfixMechanisms(service string) []sasl.Mechanism {
	list := []sasl.Mechanism{
		sasl.Plain(alice), sasl.Plain(alice.ActingAs("alice")), sasl.Anonymous("sirhc"),
		sasl.SCRAM(sasl.SHA1, alice), sasl.SCRAM(sasl.SHA256, alice), sasl.SCRAM(sasl.SHA256, alice.ActingAs("alice")),
	}
	if strings.HasSuffix(service, "Cyrus") {
		list = append(list, sasl.SCRAM(sasl.SHA224, alice), sasl.SCRAM(sasl.SHA384, alice), sasl.SCRAM(sasl.SHA512, alice))
	}
	return list
}

// TestSASLSMTPEveryMechanism: what the services of Postfix offer, each by
// itself, and what is submitted then arrives.
func TestSASLSMTPEveryMechanism(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Postfix(t)
		var subjects []string
		for service, at := range map[string]harness.Submission{"Dovecot": srv.DovecotSASL, "Cyrus": srv.CyrusSASL} {
			for i, m := range postfixMechanisms(service) {
				client := dial(at, srv.ClientConfig(version))
				result, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: []sasl.Mechanism{m}})
				if err != nil || result.Mechanism != m.Name() || result.Binding != "" {
					t.Errorf("%s, %s: %+v, %v", service, m.Name(), result, err)
					continue
				}
				subject := fmt.Sprintf("%s %s %d", t.Name(), service, i)
				err = client.submit("alice@"+srv.Host, subject)
				// Postfix takes no mail from an anonymous client.
				if anonymous := m.Name() == "ANONYMOUS"; (err != nil) != anonymous {
					t.Errorf("%s, %s, submission: %v", service, m.Name(), err)
				} else if !anonymous {
					subjects = append(subjects, subject)
				}
			}
		}
		checkDelivered(t, srv, subjects...)
	})
}

// TestSASLSMTPAutomatic: the Client of the README takes the strongest. Neither
// service has a -PLUS, and both take "y".
func TestSASLSMTPAutomatic(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Postfix(t)
		for want, at := range map[string]harness.Submission{"SCRAM-SHA-256": srv.DovecotSASL, "SCRAM-SHA-512": srv.CyrusSASL} {
			var events []string
			result, err := dial(at, srv.ClientConfig(version)).authenticate(t.Context(), &sasl.Client{
				Mechanisms: sasl.PasswordMechanisms(alice),
				Trace:      func(e sasl.Event) { events = append(events, e.String()) },
			})
			if err != nil || result != (sasl.Result{Mechanism: want, Username: "alice", RoundTrips: 3}) {
				t.Errorf("%s: %+v, %v", want, result, err)
			}
			if len(events) < 2 || !strings.HasPrefix(events[1], "C: y,,n=alice,") {
				t.Errorf("%s: trace %q", want, events)
			}
		}
	})
}

// TestSASLSMTPDovecot: EXTERNAL and channel binding, which Dovecot's own
// submission service has. It knows that somebody is logged in: to another AUTH
// it says 503, not 535.
func TestSASLSMTPDovecot(t *testing.T) {
	t.Parallel()
	everySMTPWay(t, func(t *testing.T, dial func(harness.Submission, *tls.Config) smtpClient, version uint16) {
		srv := harness.Dovecot(t)
		nobody := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.Plain(sasl.Password("nobody", "secret"))}}
		for _, row := range []struct {
			list []sasl.Mechanism
			want sasl.Result
		}{
			{[]sasl.Mechanism{sasl.External("")}, sasl.Result{Mechanism: "EXTERNAL", RoundTrips: 1}},
			{[]sasl.Mechanism{sasl.External("alice")}, sasl.Result{Mechanism: "EXTERNAL", Authzid: "alice", RoundTrips: 1}},
			{[]sasl.Mechanism{sasl.Plain(alice)}, sasl.Result{Mechanism: "PLAIN", Username: "alice", RoundTrips: 1}},
			{[]sasl.Mechanism{sasl.SCRAMPlus(sasl.SHA1, alice)}, sasl.Result{Mechanism: "SCRAM-SHA-1-PLUS", Binding: dovecotBinding(version), Username: "alice", RoundTrips: 3}},
			{sasl.PasswordMechanisms(alice), sasl.Result{Mechanism: "SCRAM-SHA-256-PLUS", Binding: dovecotBinding(version), Username: "alice", RoundTrips: 3}},
		} {
			config := srv.ClientConfig(version)
			if row.want.Mechanism == "EXTERNAL" {
				config.Certificates = []tls.Certificate{srv.PKI.ClientCert("alice")}
			}
			client := dial(srv.Submission, config)
			result, err := client.authenticate(t.Context(), &sasl.Client{Mechanisms: row.list})
			if err != nil || result != row.want {
				t.Errorf("%s: %+v, %v", row.want.Mechanism, result, err)
				continue
			}
			var reply *saslsmtp.Reply
			if strings.Contains(t.Name(), "/Conn_to_") { // a Conn does not ask the server
				if _, err := client.authenticate(t.Context(), nobody); !errors.Is(err, sasl.ErrConfig) {
					t.Errorf("%s, then: %v", row.want.Mechanism, err)
				}
				continue
			}
			if _, err := client.authenticate(t.Context(), nobody); !errors.Is(err, sasl.ErrProtocol) || !errors.As(err, &reply) || reply.Code != 503 {
				t.Errorf("%s, then: %v", row.want.Mechanism, err)
			}
		}
	})
}

// TestSASLSMTPValues: the Auth of each library, where it connects and
// authenticates by itself.
func TestSASLSMTPValues(t *testing.T) {
	t.Parallel()
	srv := harness.Postfix(t)
	config := srv.ClientConfig(tls.VersionTLS13)
	ways := map[string]func(auth *sasl.Client, subject string) error{
		"net/smtp": func(auth *sasl.Client, subject string) error {
			conn, err := net.Dial("tcp", srv.CyrusSASL.STARTTLS)
			if err != nil {
				return err
			}
			defer conn.Close()
			c, err := netsmtp.NewClient(conn, srv.Host)
			if err != nil {
				return err
			}
			if err := c.StartTLS(config); err != nil {
				return err
			}
			if err := c.Auth(saslsmtp.Auth(t.Context(), srv.Host, auth)); err != nil {
				return err
			}
			return netSubmit(c, "alice@"+srv.Host, subject)
		},
		"go-mail": func(auth *sasl.Client, subject string) error {
			client, err := newGoMail(srv.CyrusSASL, false, config,
				mail.WithSMTPAuthCustom(saslgomail.Auth(t.Context(), srv.Host, auth)))
			if err != nil {
				return err
			}
			message, err := goMailMessage("alice@"+srv.Host, subject)
			if err != nil {
				return err
			}
			return client.DialAndSendWithContext(t.Context(), message)
		},
	}
	for library, send := range ways {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			if err := send(&sasl.Client{Mechanisms: sasl.PasswordMechanisms(alice)}, t.Name()); err != nil {
				t.Fatal(err)
			}
			checkDelivered(t, srv, t.Name())
			wrong := &sasl.Client{Mechanisms: sasl.PasswordMechanisms(sasl.Password("alice", "Secret"))}
			var refused *textproto.Error
			if err := send(wrong, "never"); !errors.As(err, &refused) || refused.Code != 535 {
				t.Errorf("wrong password: %v", err)
			}
		})
	}
}
