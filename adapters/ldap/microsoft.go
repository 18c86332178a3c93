package saslldap

import (
	"regexp"
	"strings"

	sasl "github.com/saslkit/saslkit/core"
)

// badBinding is the condition for a channel binding that Active Directory found
// wrong or missing. RFC 6120 has no word for it.
const badBinding sasl.Condition = "bad-channel-binding"

// microsoftText finds the two numbers in Active Directory's text of
// invalidCredentials: "80090308: LdapErr: DSID-0C090400, comment:
// AcceptSecurityContext error, data 533, v1db1". The first is of the security
// package, the second of the account.
var microsoftText = regexp.MustCompile(`(?is)(?:([0-9a-f]{8}):\s*)?LdapErr:.*?,\s*data\s+([0-9a-f]+)\b`)

// microsoftReason returns the reason in a text of that form.
func microsoftReason(text string) (why refusal, ok bool) {
	found := microsoftText.FindStringSubmatch(text)
	if found == nil {
		return refusal{}, false
	}
	const badBindings = "80090346" // SEC_E_BAD_BINDINGS
	if found[1] == badBindings || found[2] == badBindings {
		return refusal{badBinding, sasl.ErrSecurity}, true
	}
	switch strings.ToLower(found[2]) {
	case "532", "773": // expired; must be changed
		return refusal{condition: sasl.CredentialsExpired}, true
	case "52f", "530", "531", "533", "569", "701", "775": // restriction; hours; workstation; disabled; kind of login; expired; locked
		return refusal{condition: sasl.AccountDisabled}, true
	case "51f": // the server reaches no domain controller
		return refusal{condition: sasl.TemporaryAuthFailure}, true
	}
	return refusal{condition: sasl.NotAuthorized}, true
}
