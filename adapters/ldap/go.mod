module github.com/saslkit/saslkit/adapters/ldap

go 1.26.0

require (
	github.com/go-asn1-ber/asn1-ber v1.5.8
	github.com/go-ldap/ldap/v3 v3.4.15
	github.com/saslkit/saslkit/channelbinding v0.0.0
	github.com/saslkit/saslkit/core v0.0.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/Azure/go-ntlmssp v0.1.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/saslkit/saslkit/channelbinding => ../../channelbinding
	github.com/saslkit/saslkit/core => ../../core
)
