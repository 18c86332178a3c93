package sasl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The reasons why a mechanism cannot bind.
var (
	errNoBinding       = errors.New("there is nothing to bind to on this connection")
	errBindDisabled    = errors.New("DisableBinding")
	errBindUnconfirmed = errors.New("nothing confirms its channel binding, and RequireBinding demands a confirmation unless ServerInfo.EnforcesBinding is set")
)

// channel holds the channel bindings that a login can use.
type channel struct {
	srv    *ServerInfo
	policy BindingPolicy
	ours   []ChannelBinding // the bindings that the connection has and BindingTypes allows, best first
	named  bool             // BindingTypes names types
	none   error            // the reason not to use ours, for example because ours is empty; nil = use ours
}

// newChannel reads the bindings of a connection.
func newChannel(c *Client, srv *ServerInfo) (channel, error) {
	if c.Binding == DisableBinding {
		return channel{srv: srv, policy: c.Binding, none: errBindDisabled}, nil
	}
	for _, b := range srv.Bindings {
		if !validBindingType(b.Type) || len(b.Data) == 0 {
			return channel{}, configError("the channel binding %q has no data or an invalid name", b.Type)
		}
	}
	if _, unique := find(srv.Bindings, "tls-unique"); unique && srv.TLSVersion >= versionTLS13 {
		return channel{}, configError("the channel binding tls-unique is undefined for TLS 1.3 (RFC 9266 s1): use tls-exporter")
	}
	if srv.BindingName != "" && !validBindingType(srv.BindingName) {
		return channel{}, configError("an invalid BindingName %q: use letters, digits, dots and hyphens", srv.BindingName)
	}
	ch := channel{srv: srv, policy: c.Binding, ours: srv.Bindings, named: c.BindingTypes != nil}
	if ch.named {
		ch.ours = nil
		for _, name := range c.BindingTypes {
			if b, found := find(srv.Bindings, name); found {
				ch.ours = append(ch.ours, b)
			}
		}
	}
	switch {
	case len(srv.Bindings) == 0:
		ch.none = errNoBinding
	case len(ch.ours) == 0:
		ch.none = fmt.Errorf("BindingTypes excludes every channel binding of this connection: %s", typesOf(srv.Bindings))
	}
	return ch, nil
}

// versionTLS13 is the number of TLS 1.3 in crypto/tls.
const versionTLS13 = 0x0304

// find returns the binding of this type; false = there is no such binding.
func find(bindings []ChannelBinding, name string) (ChannelBinding, bool) {
	for _, b := range bindings {
		if b.Type == name {
			return b, true
		}
	}
	return ChannelBinding{}, false
}

// always returns the binding for a mechanism that binds regardless of its name:
// the type that the caller names, else the type of the profile, else, if a binding
// is required, the best type. The zero value means no binding.
func (ch *channel) always() ChannelBinding {
	profile, found := find(ch.ours, ch.srv.ProfileBinding)
	switch {
	case ch.none != nil:
		return ChannelBinding{}
	case !ch.named && found:
		return profile
	case ch.named || ch.policy == RequireBinding:
		return ch.ours[0]
	}
	return ChannelBinding{}
}

// plusBinding is the decision about mechanisms that bind by name, for one list of
// the server.
type plusBinding struct {
	binding   ChannelBinding // the zero value if there is no binding
	none      error          // the reason why binding is empty; nil if binding is not empty
	y         bool           // the gs2 flag of a mechanism that does not bind
	truncated bool           // a list may be truncated: the server has to confirm the list
}

// byName decides between the rows of the table that binds:
//
//	p  a -PLUS mechanism is used
//	y  the policy allows binding, there is something to bind to, a -PLUS is
//	   among our mechanisms, and the server offers none of ours: if the server has
//	   one, an attacker removed the -PLUS from the list, and the server detects this
//	n  otherwise
//
// have reports that a -PLUS is among our mechanisms; offered reports that the
// server offers one of these mechanisms. A -PLUS that we do not have does not
// count: an attacker who removes ours from the list could insert another -PLUS.
//
// If the server offers -PLUS and lists its types (XEP-0440), but no type is ours,
// an attacker may have removed the other types from the list. The login then
// stops. In a profile with XEP-0474, the login instead goes on with a mechanism in
// which the server can confirm its lists.
func (ch *channel) byName(have, offered bool) (plusBinding, error) {
	switch {
	case ch.none != nil:
		return plusBinding{none: ch.none}, nil
	case !offered:
		return plusBinding{binding: ch.ours[0], y: have}, nil
	case ch.srv.AdvertisedBindings == nil:
		return plusBinding{binding: ch.ours[0]}, nil
	}
	for _, b := range ch.ours {
		if slices.Contains(ch.srv.AdvertisedBindings, b.Type) {
			return plusBinding{binding: b}, nil
		}
	}
	none := fmt.Errorf("the server binds to %s, this connection to %s",
		Printable(strings.Join(ch.srv.AdvertisedBindings, " ")), typesOf(ch.ours))
	truncated := ch.policy == PreferBinding && !ch.endPointUndefined()
	if truncated && !ch.srv.Downgrade {
		err := securityError("the list of channel bindings may have been truncated: %w", none)
		return plusBinding{}, &LoginError{Err: err, Hints: []Hint{HintList}}
	}
	return plusBinding{none: none, truncated: truncated}, nil
}

// endPointUndefined reports whether the only type in the server's list is
// tls-server-end-point and this connection has no such binding. Some certificates
// leave this type undefined (RFC 5929 s4.1), so the list is not truncated.
func (ch *channel) endPointUndefined() bool {
	const endPoint = "tls-server-end-point"
	_, defined := find(ch.srv.Bindings, endPoint)
	return slices.Equal(ch.srv.AdvertisedBindings, []string{endPoint}) && !defined
}

func typesOf(bindings []ChannelBinding) string {
	names := make([]string, len(bindings))
	for i, b := range bindings {
		names[i] = b.Type
	}
	return strings.Join(names, " ")
}
