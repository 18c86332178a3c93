package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
	"github.com/saslkit/saslkit/core/sasltest"
)

// clientMechanisms returns every mechanism of core for a client, most preferred
// first.
func clientMechanisms() []sasl.Mechanism {
	credentials := sasl.Password("user", "pencil")
	list := sasl.PasswordMechanisms(credentials)
	add := func(m sasl.Mechanism) {
		if !slices.ContainsFunc(list, func(o sasl.Mechanism) bool { return o.Name() == m.Name() }) {
			list = append(list, m)
		}
	}
	for h := sasl.SHA1; h <= sasl.SHA3_512; h++ {
		add(sasl.SCRAMPlus(h, credentials))
		add(sasl.SCRAM(h, credentials))
	}
	for _, m := range sasl.BearerMechanisms(sasl.FixedBearerToken("user", "token")) {
		add(m)
	}
	add(sasl.Plain(credentials))
	add(sasl.Login(credentials))
	add(sasl.DigestMD5(credentials))
	add(sasl.CRAMMD5(credentials))
	add(sasl.External(""))
	add(sasl.Anonymous(""))
	return list
}

// offered returns what a server with every mechanism offers on a connection with
// these channel bindings, without tokens and of tokens.
func offered(types ...string) (mechanisms, tokens []string) {
	server := sasltest.AllMechanisms()
	server.Tokens = &sasl.ServerTokens{Store: new(sasl.MemoryTokens)}
	for _, transcript := range sasltest.Transcripts() {
		if name := transcript.MechanismName; !slices.Contains(server.Tokens.Mechanisms, name) {
			server.Tokens.Mechanisms = append(server.Tokens.Mechanisms, name)
		}
	}
	conn := sasl.ConnInfo{Secure: true, Peer: "a client certificate"}
	for _, name := range types {
		conn.Bindings = append(conn.Bindings, sasl.ChannelBinding{Type: name, Data: []byte("data")})
	}
	return server.Offer(conn), server.OfferTokens(conn)
}

var bindingTypes = []string{channelbinding.Exporter, channelbinding.ServerEndPoint, channelbinding.Unique}

// row is a mechanism of the table.
type row struct {
	name           string
	client, server bool
	token          bool
	bindings       []string
}

// rows returns every mechanism that a side has, with its binding types: a
// mechanism binds to a type if a server offers it with the type and does not
// offer it without a binding.
func rows() (list []*row) {
	at := func(name string) *row {
		i := slices.IndexFunc(list, func(r *row) bool { return r.name == name })
		if i < 0 {
			list = append(list, &row{name: name})
			i = len(list) - 1
		}
		return list[i]
	}
	for _, mechanism := range clientMechanisms() {
		at(mechanism.Name()).client = true
	}
	mechanisms, tokens := offered(bindingTypes...)
	for _, name := range mechanisms {
		at(name).server = true
	}
	for _, name := range tokens {
		*at(name) = row{name: name, client: true, server: true, token: true}
	}
	unbound, unboundTokens := offered()
	unbound = append(unbound, unboundTokens...)
	for _, kind := range bindingTypes {
		mechanisms, tokens := offered(kind)
		for _, name := range append(mechanisms, tokens...) {
			if !slices.Contains(unbound, name) {
				at(name).bindings = append(at(name).bindings, kind)
			}
		}
	}
	return list
}

// mechanismTable returns the table of mechanisms, sides, adapters and bindings.
func mechanismTable(root string) (string, error) {
	folders, err := adapterModules(root)
	if err != nil {
		return "", err
	}
	var adapters []adapter
	header, rule := "| mechanism | binds to |", "|---|---|"
	for _, folder := range folders {
		a, err := readAdapter(filepath.Join(root, folder))
		if err != nil {
			return "", err
		}
		adapters = append(adapters, a)
		header += " " + a.name + " |"
		rule += "---|"
	}
	lines := []string{header, rule}
	for _, r := range rows() {
		line := "| " + r.name + " | " + orDash(r.bindings, ", ") + " |"
		for _, a := range adapters {
			line += " " + cell(r, a) + " |"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// cell returns the sides of a mechanism in an adapter.
func cell(r *row, a adapter) string {
	var sides []string
	if r.client && a.client && (!r.token || a.clientTokens) {
		sides = append(sides, "C")
	}
	if r.server && a.server && (!r.token || a.serverTokens) {
		sides = append(sides, "S")
	}
	return orDash(sides, " ")
}

// orDash joins the words of a cell.
func orDash(words []string, between string) string {
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, between)
}
