package saslsmtp

var (
	AuthKeyword = authKeyword
	ClientName  = clientName
)
