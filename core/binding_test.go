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

// declared is a mechanism of another module with properties of its own. Its only
// message contains the binding of its Terms.
type declared struct {
	name       string
	properties sasl.Properties
}

func (m declared) Name() string                { return m.name }
func (m declared) Properties() sasl.Properties { return m.properties }
func (m declared) New(t sasl.Terms) sasl.Exchange {
	name, data := t.GS2Binding()
	return &declaredExchange{message: fmt.Sprintf("%c %s %q %s %q", t.GS2Flag, t.Binding.Type, t.Binding.Data, name, data)}
}

type declaredExchange struct {
	message string
	sent    bool
}

func (*declaredExchange) Identity() sasl.Identity { return sasl.Identity{} }

func (x *declaredExchange) Step(context.Context, []byte) ([]byte, bool, error) {
	if x.sent {
		return nil, false, errors.New("a challenge after the only message")
	}
	x.sent = true
	return []byte(x.message), true, nil
}

// TestBindsAlways shows the binding of a mechanism that binds regardless of its
// name, and the report of this binding in the result and the trace.
func TestBindsAlways(t *testing.T) {
	type list = []string
	both := []sasl.ChannelBinding{exporter, endPoint}
	const end = `p tls-server-end-point "end point data" tls-server-end-point "end point data"`
	const exp = `p tls-exporter "exporter data" tls-exporter "exporter data"`
	const none = `n  ""  ""`
	always := declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsAlways}}
	for name, row := range map[string]struct {
		mechanism sasl.Mechanism
		client    sasl.Client
		srv       sasl.ServerInfo
		want      string // the message; "" = an error
		text      string // of the trace or of the error
	}{
		"a profile that says nothing":       {always, sasl.Client{}, sasl.ServerInfo{Bindings: both}, none, "GSSAPI"},
		"a profile with a type":             {always, sasl.Client{}, sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, end, "GSSAPI bound to tls-server-end-point, which nothing confirms"},
		"a type that the connection lacks":  {always, sasl.Client{}, sasl.ServerInfo{Bindings: both[:1], ProfileBinding: "tls-server-end-point"}, none, "GSSAPI"},
		"no TLS":                            {always, sasl.Client{}, sasl.ServerInfo{ProfileBinding: "tls-server-end-point"}, none, "GSSAPI"},
		"the caller names a type":           {always, sasl.Client{BindingTypes: list{"tls-exporter"}}, sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, exp, "GSSAPI bound to tls-exporter"},
		"and in a profile without one":      {always, sasl.Client{BindingTypes: list{"tls-exporter"}}, sasl.ServerInfo{Bindings: both}, exp, "GSSAPI bound to tls-exporter"},
		"the caller names another":          {always, sasl.Client{BindingTypes: list{"tls-unique"}}, sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, none, "GSSAPI"},
		"disabled":                          {always, sasl.Client{Binding: sasl.DisableBinding}, sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, none, "GSSAPI"},
		"required, and nothing confirms it": {always, sasl.Client{Binding: sasl.RequireBinding}, sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, "", "GSSAPI: nothing confirms its channel binding"},
		"required of a server that enforces": {always, sasl.Client{Binding: sasl.RequireBinding},
			sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point", EnforcesBinding: true}, end, "GSSAPI bound to tls-server-end-point, which nothing confirms"},
		"required in a profile without one": {always, sasl.Client{Binding: sasl.RequireBinding},
			sasl.ServerInfo{Bindings: both, EnforcesBinding: true}, exp, "GSSAPI bound to tls-exporter"},
		"required, and nothing is there": {always, sasl.Client{Binding: sasl.RequireBinding},
			sasl.ServerInfo{EnforcesBinding: true}, "", "GSSAPI: there is nothing to bind to"},
		"required, and the types exclude it": {always, sasl.Client{Binding: sasl.RequireBinding, BindingTypes: list{"tls-unique"}},
			sasl.ServerInfo{Bindings: both, EnforcesBinding: true}, "", "GSSAPI: BindingTypes excludes every channel binding of this connection: tls-exporter tls-server-end-point"},
		"never": {declared{"GSSAPI", sasl.Properties{Binds: sasl.BindsNever}}, sasl.Client{},
			sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, none, "GSSAPI"},
		"by name, and the name does not say so": {declared{"GSSAPI", sasl.Properties{}}, sasl.Client{},
			sasl.ServerInfo{Bindings: both, ProfileBinding: "tls-server-end-point"}, none, "GSSAPI"},
		"by name":                                {declared{"GS2-KRB5-PLUS", sasl.Properties{}}, sasl.Client{}, sasl.ServerInfo{Bindings: both}, exp, "GS2-KRB5-PLUS bound to tls-exporter"},
		"by name, and RequireBinding is content": {declared{"GS2-KRB5-PLUS", sasl.Properties{}}, sasl.Client{Binding: sasl.RequireBinding}, sasl.ServerInfo{Bindings: both}, exp, "GS2-KRB5-PLUS bound to tls-exporter"},
		"in the form of OpenLDAP": {declared{"GS2-KRB5-PLUS", sasl.Properties{}}, sasl.Client{},
			sasl.ServerInfo{Bindings: both[1:], BindingName: "ldap"}, `p tls-server-end-point "end point data" ldap "tls-server-end-point:end point data"`, "bound to tls-server-end-point"},
	} {
		row.client.Mechanisms = []sasl.Mechanism{row.mechanism}
		var trace string
		row.client.Trace = func(e sasl.Event) { trace += e.String() + "\n" }
		row.srv.Mechanisms, row.srv.Secure = []string{row.mechanism.Name()}, true
		if row.want == "" {
			_, err := row.client.Authenticate(t.Context(), sasltest.NewPeer(), row.srv)
			if !errors.Is(err, sasl.ErrPolicy) || !errors.Is(err, sasl.ErrSecurity) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		peer := sasltest.NewPeer(c(row.want), succeed)
		result, err := row.client.Authenticate(t.Context(), peer, row.srv)
		if fault := peer.Fault(); err != nil || fault != nil {
			t.Errorf("%s: %v, %v", name, err, fault)
		}
		bound := strings.Fields(row.want)[1]
		if row.want == none {
			bound = ""
		}
		unconfirmed := bound != "" && !strings.HasSuffix(row.mechanism.Name(), "-PLUS")
		if result.Binding != bound || result.BindingUnconfirmed != unconfirmed || !strings.HasPrefix(trace, "-- "+row.text) && !strings.Contains(trace, row.text) {
			t.Errorf("%s: %+v\n%s", name, result, trace)
		}
		if bound == "" && strings.Contains(trace, "bound to") {
			t.Errorf("%s: %s", name, trace)
		}
	}
}
