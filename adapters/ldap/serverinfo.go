package saslldap

import (
	"context"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// ServerInfo returns the facts about the server and the connection that SASLBind
// uses. It waits for the end of a bind of another goroutine. If ctx ends during that
// wait, the error is an ErrConnection, and the connection stays open. Errors of the
// request are a *transport.StepError with the class of the reason, and the
// connection is closed. A server that is busy or unavailable is an ErrTemporary.
func (c *Client) ServerInfo(ctx context.Context) (sasl.ServerInfo, error) {
	if err := c.mux.takeTurn(ctx); err != nil {
		return sasl.ServerInfo{}, err
	}
	defer c.mux.endTurn()
	root, err := c.rootDSE(ctx)
	if err != nil {
		return sasl.ServerInfo{}, err
	}
	return c.serverInfo(root)
}

func (c *Client) serverInfo(root rootDSE) (sasl.ServerInfo, error) {
	info, err := channelbinding.ClientConn(c.base, c.host)
	if err != nil {
		return info, err
	}
	info.Service = "ldap"
	info.Mechanisms = root.mechanisms
	if info.Mechanisms == nil {
		info.Mechanisms = c.options.Mechanisms
	}
	info.Secure = info.Secure || c.options.Secure
	info.SuccessData = true
	info.CarriesLayer, info.Layer = true, c.options.Layer
	info.ProfileBinding, info.EnforcesBinding = channelbinding.ServerEndPoint, c.options.EnforcesBinding
	form := c.options.Binding
	if form == OpenLDAPBinding || form == AutomaticBinding && root.openLDAP {
		info.Bindings, info.BindingName = openLDAPBindings(info.Bindings), "ldap"
		if c.mux.authenticated.Load() { // the server has no binding any more
			info.Bindings = nil
		}
	}
	return info, nil
}

// openLDAPBindings returns the bindings of the types that OpenLDAP has, its default
// first.
func openLDAPBindings(bindings []sasl.ChannelBinding) (list []sasl.ChannelBinding) {
	for _, name := range []string{channelbinding.ServerEndPoint, channelbinding.Unique} {
		for _, b := range bindings {
			if b.Type == name {
				list = append(list, b)
			}
		}
	}
	return list
}
