package sasl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// digestSrv is the server of RFC 2831 s4.
var digestSrv = sasl.ServerInfo{Service: "imap", Host: "elwood.innosoft.com", Secure: true, Mechanisms: []string{"DIGEST-MD5"}}

func digestClient(credentials sasl.Credentials) *sasl.Client {
	client := &sasl.Client{Mechanisms: []sasl.Mechanism{sasl.DigestMD5(credentials)}}
	client.SetNonce("OA6MHXh6VqTrRk")
	return client
}

// TestDigestMD5Realm: which realm a client names, for the realms of a challenge and
// those of the credentials.
func TestDigestMD5Realm(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	const tail = `nonce="OA6MG9tEQGm2hh",algorithm=md5-sess`
	for name, row := range map[string]struct {
		wanted, realms string // of the credentials, and of the challenge
		want           string // a part of the response, or of the error
		class          sasl.Class
	}{
		"the only one":           {"", `realm="a",`, `username="chris",realm="a",nonce=`, ""},
		"the only one is named":  {"a", `realm="a",`, `username="chris",realm="a",nonce=`, ""},
		"another than the only":  {"b", `realm="a",`, "does not have the realm b: name one of these in the credentials: a", sasl.ErrConfig},
		"none":                   {"", ``, `username="chris",nonce=`, ""},
		"none, and one is named": {"b", ``, `username="chris",realm="b",nonce=`, ""},
		"one of two":             {"b", `realm="a",realm="b",`, `username="chris",realm="b",nonce=`, ""},
		"two":                    {"", `realm="a",realm="b",`, "several realms: name one of them in the credentials: a, b", sasl.ErrConfig},
		"the empty one":          {"", `realm="",`, `username="chris",realm="",nonce=`, ""},
		"in another case":        {"A", `realm="a",`, "does not have the realm A", sasl.ErrConfig},
	} {
		session, err := digestClient(sasl.Password("chris", "secret").InRealm(row.wanted)).Begin(t.Context(), digestSrv)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		response, err := session.Respond([]byte(row.realms + tail))
		if got := fmt.Sprint(string(response), err); sasl.ClassOf(err) != row.class || !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestDigestMD5Config: what cannot be sent is an ErrConfig, and the client asks for the
// password only after it has read the challenge.
func TestDigestMD5Config(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	noHost, noService, badHost := digestSrv, digestSrv, digestSrv
	noHost.Host, noService.Service, badHost.Host = "", "", "a\nb"
	const plain, utf8 = `realm="a",nonce="n",algorithm=md5-sess`, `realm="a",nonce="n",algorithm=md5-sess,charset=utf-8`
	for name, row := range map[string]struct {
		credentials sasl.Credentials
		srv         sasl.ServerInfo
		challenge   string // "" = nothing is sent
		text        string
	}{
		"no host":             {sasl.Password("chris", "secret"), noHost, "", "the service and the host"},
		"no service":          {sasl.Password("chris", "secret"), noService, "", "the service and the host"},
		"an invalid host":     {sasl.Password("chris", "secret"), badHost, "", "the service and the host"},
		"no username":         {sasl.Password("", "secret"), digestSrv, "", "username is empty"},
		"control in the name": {sasl.Password("ch\nris", "secret"), digestSrv, "", "control character"},
		"in the authzid":      {sasl.Password("chris", "secret").ActingAs("a\x7f"), digestSrv, "", "control character"},
		"in the realm":        {sasl.Password("chris", "secret").InRealm("a\rb"), digestSrv, "", "control character"},
		"a realm with NUL":    {sasl.Password("chris", "secret").InRealm("a\x00b"), digestSrv, "", "NUL"},
		"no password":         {sasl.Password("chris", ""), digestSrv, plain, "password is empty"},
		"name not in 8859-1":  {sasl.Password("chri\u0161", "secret"), digestSrv, plain, "ISO 8859-1"},
		"password not either": {sasl.Password("chris", "5\u20ac"), digestSrv, plain, "ISO 8859-1"},
		"too long": {sasl.Password(strings.Repeat(`"`, 1024), "secret").ActingAs(strings.Repeat(`\`, 1024)), digestSrv,
			`realm="a",nonce="` + strings.Repeat("n", 1900) + `",algorithm=md5-sess`, "4095 octets"},
		"two hosts' realms": {sasl.Password("chris", "secret"), digestSrv, `realm="b",` + utf8, "several realms"},
	} {
		var lines []sasltest.Line
		if row.challenge != "" {
			lines = []sasltest.Line{noData, s(row.challenge), abort}
		}
		peer := sasltest.NewPeer(lines...)
		_, err := digestClient(row.credentials).Authenticate(t.Context(), peer, row.srv)
		if sasl.ClassOf(err) != sasl.ErrConfig || !strings.Contains(err.Error(), row.text) || peer.Fault() != nil {
			t.Errorf("%s: %v, %v", name, err, peer.Fault())
		}
	}
	asked := 0
	lazy := func(context.Context, sasl.Prompt) (sasl.Credential, error) {
		return sasl.Credential{Username: "chris", Password: func(context.Context) (sasl.Secret, error) {
			asked++
			return sasl.NewSecret("secret"), nil
		}}, nil
	}
	for challenge, class := range map[string]sasl.Class{
		`realm="a",nonce="n",algorithm=md5`:                      sasl.ErrProtocol,
		"realm=\"a\\\xfc\",nonce=\"n\",algorithm=md5-sess":       sasl.ErrProtocol, // CHAR is ASCII
		`realm="a",nonce="n",algorithm=md5-sess,qop="auth-conf"`: sasl.ErrPolicy,
		`realm="a",nonce="n",algorithm=md5-sess,qop="auth-int"`:  sasl.ErrPolicy,
	} {
		peer := sasltest.NewPeer(noData, s(challenge), abort)
		if _, err := digestClient(lazy).Authenticate(t.Context(), peer, digestSrv); sasl.ClassOf(err) != class || asked != 0 || peer.Fault() != nil {
			t.Errorf("%s: %v, asked %d times, %v", challenge, err, asked, peer.Fault())
		}
	}
}

// TestDigestMD5Longest: a challenge has less than 2048 octets (RFC 2831 s2.1.1).
func TestDigestMD5Longest(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	challenge := `realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",algorithm=md5-sess,charset=utf-8,x=`
	const want = `charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth`
	for octets, class := range map[int]sasl.Class{2047: "", 2048: sasl.ErrProtocol} {
		session, err := digestClient(sasl.Password("chris", "secret")).Begin(t.Context(), digestSrv)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		response, err := session.Respond([]byte(challenge + strings.Repeat("a", octets-len(challenge))))
		if sasl.ClassOf(err) != class || err == nil && string(response) != want {
			t.Errorf("%d octets: %s, %v", octets, response, err)
		}
	}
}

// TestDigestMD5LongestProof shows that a response-auth has less than 2048 octets (RFC
// 2831 s2.1.3).
func TestDigestMD5LongestProof(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	for octets, class := range map[int]sasl.Class{2047: "", 2048: sasl.ErrProtocol} {
		session, err := digestClient(sasl.Password("chris", "secret")).Begin(t.Context(), digestSrv)
		if err != nil {
			t.Fatal(err)
		}
		session.Start()
		session.Respond([]byte(`realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`))
		proof := "rspauth=ea40f60335c427b5527b84dbabcdfffd,x="
		if _, err := session.Respond([]byte(proof + strings.Repeat("a", octets-len(proof)))); sasl.ClassOf(err) != class {
			t.Errorf("%d octets: %v", octets, err)
		}
	}
}

// TestDigestMD5RealmsAreScreened: a server that knows the password from an earlier
// attempt cannot show it to a person as the name of a realm.
func TestDigestMD5RealmsAreScreened(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	srv := digestSrv
	srv.Mechanisms = []string{"PLAIN", "DIGEST-MD5"}
	client := plainClient("tanstaaftanstaaf")
	next := digestClient(sasl.Password("chris", "other"))
	client.Retry = func(context.Context, error) *sasl.Client {
		again := next
		next = nil
		return again
	}
	peer := sasltest.NewPeer(c("\x00tim\x00tanstaaftanstaaf"), refuse(sasl.NotAuthorized),
		noData, s(`realm="tanstaaftanstaaf",realm="b",nonce="n",algorithm=md5-sess`), abort)
	_, err := client.Authenticate(t.Context(), peer, srv)
	if !errors.Is(err, sasl.ErrConfig) || peer.Fault() != nil {
		t.Errorf("%v, %v", err, peer.Fault())
	}
	checkSilent(t, "error", fmt.Sprintf("%v %+v", err, err), "tanstaaftanstaaf")
}

// TestDigestMD5Trace: a trace shows the directives, and not the two proofs.
func TestDigestMD5Trace(t *testing.T) {
	if !needsMD5(t, sasl.DigestMD5(nil)) {
		return
	}
	var trace []string
	client := digestClient(sasl.Password("chris", "secret"))
	client.Trace = func(e sasl.Event) { trace = append(trace, e.String()) }
	session, err := client.Begin(t.Context(), digestSrv)
	if err != nil {
		t.Fatal(err)
	}
	session.Start()
	session.Respond([]byte(`realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`))
	session.Respond([]byte("rspauth=ea40f60335c427b5527b84dbabcdfffd"))
	session.Respond([]byte("what is this"))
	want := `-- DIGEST-MD5
C: (none)
S: realm="elwood.innosoft.com" nonce="OA6MG9tEQGm2hh" qop="auth" algorithm="md5-sess" charset="utf-8"
C: charset="utf-8" username="chris" realm="elwood.innosoft.com" nonce="OA6MG9tEQGm2hh" nc="00000001" cnonce="OA6MHXh6VqTrRk" digest-uri="imap/elwood.innosoft.com" response=… qop="auth"
S: rspauth=…
C: (empty)
S: malformed`
	if got := strings.Join(trace, "\n"); got != want {
		t.Errorf("%s", got)
	}
}
