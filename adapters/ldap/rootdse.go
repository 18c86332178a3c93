package saslldap

import (
	"context"
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/saslkit/saslkit/channelbinding"
	"github.com/saslkit/saslkit/channelbinding/transport"
	sasl "github.com/saslkit/saslkit/core"
)

// rootDSE is a server's description of itself (RFC 4512 s5.1).
type rootDSE struct {
	mechanisms []string // nil if the server does not list any
	openLDAP   bool
}

// ServerInfo returns the facts about the server and the connection that SASLBind
// uses. It waits for the end of a bind of another goroutine. If ctx ends during that
// wait, the error is an ErrConnection, and the connection stays open. Errors of the
// request are a *transport.StepError with the class of the reason, and the
// connection is closed.
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

// rootDSE reads the root DSE as a step before the authentication. It closes the
// connection on an error.
func (c *Client) rootDSE(ctx context.Context) (root rootDSE, err error) {
	limit := transport.AnswerTimeout(c.options.StepTimeout)
	err = transport.Run(ctx, transport.Capabilities, limit, c.mux, func(context.Context) (err error) {
		root, err = c.readRootDSE()
		return err
	})
	if err != nil {
		transport.Close(c.mux)
	}
	return root, err
}

// readRootDSE reads the root DSE with the library, in every state of the session.
// It returns when the connection is closed at the latest.
func (c *Client) readRootDSE() (rootDSE, error) {
	found, err := c.Conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false,
		"(objectClass=*)", []string{"supportedSASLMechanisms", "objectClass"}, nil))
	var refused *ldap.Error
	switch {
	case errors.As(err, &refused) && refused.ResultCode < ldap.ErrorNetwork:
		return rootDSE{}, nil // the server does not show it
	case err != nil:
		if cause := c.mux.err(); sasl.ClassOf(cause) != "" {
			err = cause
		}
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
