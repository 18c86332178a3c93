package saslldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding"
	sasl "github.com/saslkit/saslkit/core"
)

// rootDSE is what the server says of itself (RFC 4512 s5.1).
type rootDSE struct {
	mechanisms []string // nil if it does not say
	openLDAP   bool
}

// ServerInfo returns what is known about the server and the connection, which
// is what SASLBind goes by. If ctx ends the connection is closed.
func (c *Client) ServerInfo(ctx context.Context) (sasl.ServerInfo, error) {
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
	info.ProfileBinding, info.EnforcesBinding = channelbinding.ServerEndPoint, c.options.EnforcesBinding
	form := c.options.Binding
	if form == OpenLDAPBinding || form == AutomaticBinding && root.openLDAP {
		info.Bindings, info.BindingName = openLDAPBindings(info.Bindings), "ldap"
		if c.mux.bound.Load() { // the server has forgotten the channel
			info.Bindings = nil
		}
	}
	return info, nil
}

// openLDAPBindings are those that the server can know, with its default first.
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

// rootDSE reads it with the library, in whatever state the session is.
func (c *Client) rootDSE(ctx context.Context) (rootDSE, error) {
	if ctx.Err() != nil {
		c.mux.Close()
		return rootDSE{}, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	stop := context.AfterFunc(ctx, func() { c.mux.Close() })
	found, err := c.Conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", []string{"supportedSASLMechanisms", "objectClass"}, nil))
	if !stop() {
		return rootDSE{}, fmt.Errorf("%w: %w", sasl.ErrConnection, ctx.Err())
	}
	var refused *ldap.Error
	switch {
	case errors.As(err, &refused) && refused.ResultCode < ldap.ErrorNetwork:
		return rootDSE{}, nil // it does not say
	case err != nil:
		if cause := c.mux.failure(); sasl.ClassOf(cause) != "" {
			err = cause
		}
		if sasl.ClassOf(err) == "" {
			err = fmt.Errorf("%w: %w", sasl.ErrConnection, err)
		}
		c.mux.Close()
		return rootDSE{}, err
	}
	var root rootDSE
	for _, entry := range found.Entries {
		for _, name := range entry.GetEqualFoldAttributeValues("supportedSASLMechanisms") {
			root.mechanisms = append(root.mechanisms, strings.ToUpper(name))
		}
		for _, class := range entry.GetEqualFoldAttributeValues("objectClass") {
			root.openLDAP = root.openLDAP || strings.EqualFold(class, "OpenLDAProotDSE")
		}
	}
	return root, nil
}
