package saslxmpp

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	sasl "github.com/saslkit/saslkit/core"
)

// uuid is the form of the id of a user agent (XEP-0388 s2.4).
var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// TokenMechanisms returns the server's list of mechanisms for tokens (XEP-0484
// s3.1).
func (x *sasl2) TokenMechanisms() []string { return x.offered.tokenMechanisms() }

// RequestTokens is called by sasl.Client with the contents of <authenticate/> about
// tokens (XEP-0484 s3.2, s3.4).
func (x *sasl2) RequestTokens(request sasl.TokenRequest) { x.request, x.issued = request, nil }

// IssuedToken returns the token that came with <success/> (XEP-0484 s3.3).
func (x *sasl2) IssuedToken() *sasl.IssuedToken { return x.issued }

// writeTokens writes the Client's elements about tokens.
func (x *sasl2) writeTokens(b *strings.Builder) {
	if x.request.Count > 0 {
		attrs := fmt.Sprintf(" count='%d'", x.request.Count)
		if x.request.Invalidate {
			attrs += " invalidate='true'"
		}
		b.WriteString(tag("fast xmlns='"+nsFAST+"'"+attrs, ""))
	}
	if x.request.Mechanism != "" {
		b.WriteString(tag("request-token xmlns='"+nsFAST+"' mechanism='"+x.request.Mechanism+"'", ""))
	}
}

// tokenMechanisms returns the list of mechanisms for tokens (XEP-0484 s3.1).
func (o *offer) tokenMechanisms() []string {
	for i := range o.inline {
		if e := &o.inline[i]; e.Name.Space == nsFAST && e.Name.Local == "fast" {
			return mechanismNames(e, nsFAST)
		}
	}
	return nil
}

// issuedToken reads <token/>, whose expiry is a DateTime of XEP-0082.
func issuedToken(e *Element) *sasl.IssuedToken {
	issued := &sasl.IssuedToken{Token: sasl.NewSecret(e.attr("token"))}
	if expiry, err := time.Parse(time.RFC3339, e.attr("expiry")); err == nil {
		issued.Expiry = expiry.UTC() // the same in every time zone
	}
	return issued
}
