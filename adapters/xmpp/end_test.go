package saslxmpp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	saslxmpp "github.com/saslkit/saslkit/adapters/xmpp"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// TestContextEnds: the end of a context ends a login within 100 ms in every state, if
// the server says nothing, if it drips, and if it does not even read.
func TestContextEnds(t *testing.T) {
	begin := turn{streamEnd, streamHeader + features(offersTLS)}
	list, list2 := turn{streamEnd, streamHeader + features(mechanisms)}, turn{streamEnd, streamHeader + features(sasl2)}
	auth, auth2 := turn{"</auth>", success1}, turn{"</authenticate>", success2(identified) + features(offersBind)}
	for name, row := range map[string]struct {
		turns []turn
		tls   saslxmpp.TLSStart
		early bool // the answer is an error before the context ends
	}{
		"at the first stream":       {nil, saslxmpp.AnyTLS, false},
		"in the header":             {[]turn{{streamEnd, "<stream:stream"}}, saslxmpp.AnyTLS, false},
		"after the header":          {[]turn{{streamEnd, streamHeader}}, saslxmpp.AnyTLS, false},
		"in the features":           {[]turn{{streamEnd, streamHeader + "<stream:features>"}}, saslxmpp.AnyTLS, false},
		"at STARTTLS":               {[]turn{begin}, saslxmpp.AnyTLS, false},
		"at the handshake":          {[]turn{begin, {startTLSRequest, proceed}}, saslxmpp.AnyTLS, false},
		"at the authentication":     {[]turn{list}, saslxmpp.NoTLS, false},
		"in the answer":             {[]turn{list, {"</auth>", "<succ"}}, saslxmpp.NoTLS, false},
		"at the abort":              {[]turn{list, {"</auth>", "<challenge" + ns1 + ">YWJj</challenge>"}}, saslxmpp.NoTLS, true},
		"at the next stream":        {[]turn{list, auth}, saslxmpp.NoTLS, false},
		"at the next features":      {[]turn{list, auth, {streamEnd, streamHeader}}, saslxmpp.NoTLS, false},
		"at the resource":           {[]turn{list, auth, {streamEnd, streamHeader + features(offersBind)}}, saslxmpp.NoTLS, false},
		"with SASL2":                {[]turn{list2}, saslxmpp.NoTLS, false},
		"after success with SASL2":  {[]turn{list2, {"</authenticate>", success2(identified)}}, saslxmpp.NoTLS, false},
		"at the resource of SASL2":  {[]turn{list2, auth2}, saslxmpp.NoTLS, false},
		"in the resource of SASL2":  {[]turn{list2, auth2, {"</iq>", "<iq xmlns='jabber:client'>"}}, saslxmpp.NoTLS, false},
		"in another protocol":       {[]turn{{streamEnd, "220 mail"}}, saslxmpp.AnyTLS, true},
		"in a line without an end":  {[]turn{{streamEnd, "2"}}, saslxmpp.AnyTLS, true},
		"in white space, no stream": {[]turn{{streamEnd, "\n"}}, saslxmpp.AnyTLS, false},
	} {
		for _, drips := range []string{"", " ", "reads nothing"} {
			near, far := net.Pipe() // a write waits for the other side to read
			ctx, cancel := context.WithCancel(t.Context())
			done, ended := make(chan error, 1), make(chan time.Time, 1)
			go func() {
				if play(far, 0, row.turns...) == nil && drips != "reads nothing" {
					go io.Copy(io.Discard, far)
					go drip(far, drips)
				}
				time.Sleep(30 * time.Millisecond)
				ended <- time.Now()
				cancel()
			}()
			login := &saslxmpp.Login{Client: insecure(sasl.Plain(credentials)), TLS: row.tls, Secure: true, StepTimeout: -1}
			go func() {
				_, _, err := login.NewSession(ctx, jid.MustParse(address), near)
				done <- err
			}()
			select {
			case err := <-done:
				if early := len(ended) == 0; early && row.early && errors.Is(err, sasl.ErrProtocol) {
					break
				}
				if late := time.Since(<-ended); !errors.Is(err, context.Canceled) || late > 100*time.Millisecond {
					t.Errorf("%s, %q: %v after %s", name, drips, err, late)
				}
			case <-time.After(5 * time.Second):
				t.Errorf("%s, %q: the login waits", name, drips)
			}
			near.Close()
			far.Close()
		}
	}
}

// drip writes a text again and again.
func drip(w io.Writer, text string) {
	for text != "" {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestAcceptEndsEverywhere: the same at a server.
func TestAcceptEndsEverywhere(t *testing.T) {
	begin := turn{"</stream:features>", "<auth" + ns1 + " mechanism='SCRAM-SHA-1'>biwsbj11c2VyLHI9YWFhYWFhYWE=</auth>"}
	for name, row := range map[string]struct {
		before string
		turns  []turn
	}{
		"at the first stream":       {"", nil},
		"in the header":             {"<stream:stream", nil},
		"at its own header":         {openStream, nil},
		"at the features":           {openStream, []turn{{"</stream:features>", ""}}},
		"in an exchange":            {openStream, []turn{begin, {"</challenge>", ""}}},
		"in a response":             {openStream, []turn{begin, {"</challenge>", "<response"}}},
		"after a refusal":           {openStream, []turn{{"</stream:features>", "<abort" + ns1 + "/>"}, {"</failure>", ""}}},
		"at a refusal":              {openStream, []turn{{"</stream:features>", "<abort" + ns1 + "/>"}}},
		"after success":             {openStream, []turn{{"</stream:features>", "<auth" + ns1 + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>"}, {success1, ""}}},
		"at the resource's success": {openStream, []turn{{"</stream:features>", "<auth" + ns1 + " mechanism='PLAIN'>AHVzZXIAcGVuY2ls</auth>"}, {success1, openStream}, {"</stream:features>", "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"}}},
	} {
		auth := sasltest.AllMechanisms()
		auth.Insecure = []string{"PLAIN", "SCRAM-SHA-1"}
		server := serve(t, auth)
		server.domain.TLSConfig = nil
		near, far := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		done, ended := make(chan error, 1), make(chan time.Time, 1)
		go func() {
			io.WriteString(near, row.before)
			play(near, 0, row.turns...) // then the client does not even read
			time.Sleep(30 * time.Millisecond)
			ended <- time.Now()
			cancel()
		}()
		go func() {
			_, _, err := server.domain.Accept(ctx, far)
			done <- err
		}()
		select {
		case err := <-done:
			if late := time.Since(<-ended); !errors.Is(err, context.Canceled) || late > 100*time.Millisecond {
				t.Errorf("%s: %v after %s", name, err, late)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: the server waits", name)
		}
		near.Close()
		far.Close()
	}
}

// TestAbort: after a challenge that PLAIN does not have, the reason is known. The server
// gets a short time for its acknowledgement, whatever it sends, and the reason stays
// the error.
func TestAbort(t *testing.T) {
	for _, profile := range []struct{ list, end, ns string }{{mechanisms, "</auth>", ns1}, {sasl2, "</authenticate>", ns2}} {
		for name, row := range map[string]struct {
			answer  string // to the abort
			drips   string
			retries int
		}{
			"silence":             {"", "", 0},
			"white space, slowly": {"", " ", 0},
			"an element, slowly":  {"<failure" + profile.ns + ">", "<a/>", 0},
			"success":             {"<success" + profile.ns + "/>", "", 0},
			"a challenge":         {"<challenge" + profile.ns + "/>", "", 0},
			"the end":             {"</stream:stream>", "", 0},
			"another failure":     {"<failure xmlns='urn:a'/>", "", 0},
			"the acknowledgement": {"<failure" + profile.ns + "><aborted" + ns1 + "/></failure>", "", 1},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // most rows take the two seconds of the Client
				near, far := sasltest.Pair(t)
				go func() {
					if play(far, 0, turn{streamEnd, streamHeader + features(profile.list)}, turn{profile.end, "<challenge" + profile.ns + ">YWJj</challenge>"}, turn{"<abort" + profile.ns + "/>", row.answer}) != nil {
						return
					}
					drip(far, row.drips)
				}()
				retries := 0
				client := insecure(sasl.Plain(credentials))
				client.Retry = func(context.Context, error) *sasl.Client {
					retries++
					return nil
				}
				begun := time.Now()
				_, _, err := negotiate(t.Context(), near, &saslxmpp.Login{Client: client, Secure: true}, xmpp.BindResource())
				if took := time.Since(begun); sasl.ClassOf(err) != sasl.ErrProtocol || !strings.Contains(err.Error(), "challenge") || took > 4*time.Second || retries != row.retries {
					t.Errorf("%s: %v after %s, %d retries", name, err, took, retries)
				}
			})
		}
	}
}
