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
	errBindUnconfirmed = errors.New("nothing confirms its channel binding, and RequireBinding demands that unless ServerInfo.EnforcesBinding is set")
)

// channel is what a login can bind to.
type channel struct {
	srv    *ServerInfo
	policy BindingPolicy
	ours   []ChannelBinding // what the connection has and BindingTypes allows, best first
	named  bool             // BindingTypes names types
	none   error            // why ours is empty or not to be used; nil if it is
}

// newChannel reads the bindings of a connection.
func newChannel(c *Client, srv *ServerInfo) (channel, error) {
	if c.Binding == DisableBinding {
		return channel{srv: srv, policy: c.Binding, none: errBindDisabled}, nil
	}
	for _, b := range srv.Bindings {
		if !validBindingType(b.Type) || len(b.Data) == 0 {
			return channel{}, configError("the channel binding %q has no data or no valid name", b.Type)
		}
	}
	if _, unique := find(srv.Bindings, "tls-unique"); unique && srv.TLSVersion >= versionTLS13 {
		return channel{}, configError("the channel binding tls-unique is undefined for TLS 1.3 (RFC 9266 s1)")
	}
	if srv.BindingName != "" && !validBindingType(srv.BindingName) {
		return channel{}, configError("the BindingName %q is not a cb-name", srv.BindingName)
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
		ch.none = fmt.Errorf("BindingTypes excludes what this connection can bind to: %s", typesOf(srv.Bindings))
	}
	return ch, nil
}

// versionTLS13 is as in crypto/tls.
const versionTLS13 = 0x0304

// find returns the binding of this type; false if there is none.
func find(bindings []ChannelBinding, name string) (ChannelBinding, bool) {
	for _, b := range bindings {
		if b.Type == name {
			return b, true
		}
	}
	return ChannelBinding{}, false
}

// always returns what a mechanism binds to that binds whatever its name is: the
// type that the caller names, else that of the profile, else, if a binding is
// required, any; the zero value = nothing.
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

// plusBinding is what a login makes of mechanisms that bind by name, for one list of
// the server's.
type plusBinding struct {
	binding ChannelBinding // the zero value if there is none
	refused error          // why binding is empty; nil if it is not
	y       bool           // the gs2 flag of a mechanism that does not bind
	cut     bool           // a list may have been cut: the server has to confirm it
}

// byName decides between the rows of the table that binds:
//
//	p  a -PLUS mechanism is used
//	y  the policy allows binding, there is something to bind to, a -PLUS is
//	   among our mechanisms, and the server offers none of ours: if it does have
//	   one, somebody took it out of the list, and the server will see
//	n  otherwise
//
// have reports that a -PLUS is among our mechanisms, offered that the server
// offers one of them. A -PLUS that we do not have counts for nothing: an
// attacker who takes ours out of the list could put it there.
//
// If the server offers -PLUS and lists its types (XEP-0440), and none of them is
// ours, the list may have been cut by half. The login then stops or, in a
// profile that has XEP-0474, goes on with what lets the server confirm its
// lists.
func (ch *channel) byName(have, offered bool) (plusBinding, error) {
	switch {
	case ch.none != nil:
		return plusBinding{refused: ch.none}, nil
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
	cut := ch.policy == PreferBinding && !ch.endPointUndefined()
	if cut && !ch.srv.Downgrade {
		err := securityError("the list of channel bindings may have been truncated: %w", none)
		return plusBinding{}, &LoginError{Err: err, Hints: []Hint{HintList}}
	}
	return plusBinding{refused: none, cut: cut}, nil
}

// endPointUndefined reports whether the one type that the server lists is
// tls-server-end-point, which a certificate may leave undefined (RFC 5929
// s4.1): then nothing was cut.
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
