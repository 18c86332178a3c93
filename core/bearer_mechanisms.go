package sasl

// BearerMechanisms returns every client mechanism for a token of OAuth 2.0, most
// preferred first: OAuthBearer and XOAuth2. Together with PasswordMechanisms in
// one list, the server's list decides between a token and a password. A login that
// has chosen a token never falls back to a password.
func BearerMechanisms(source BearerSource) []Mechanism {
	return []Mechanism{OAuthBearer(source), XOAuth2(source)}
}
