module github.com/saslkit/saslkit/cmd/saslkit

go 1.26.0

require (
	github.com/emersion/go-imap/v2 v2.0.0-beta.8
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6
	github.com/emersion/go-smtp v0.25.1
	github.com/go-ldap/ldap/v3 v3.4.15
	github.com/rogpeppe/go-internal v1.16.0
	github.com/saslkit/saslkit/adapters/imap v0.0.0
	github.com/saslkit/saslkit/adapters/ldap v0.0.0
	github.com/saslkit/saslkit/adapters/smtp v0.0.0
	github.com/saslkit/saslkit/adapters/xmpp v0.0.0
	github.com/saslkit/saslkit/channelbinding v0.0.0
	github.com/saslkit/saslkit/core v0.0.0
	github.com/saslkit/saslkit/kerberos v0.0.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/net v0.61.0
	golang.org/x/term v0.47.0
	mellium.im/xmpp v0.22.0
)

require (
	github.com/Azure/go-ntlmssp v0.1.1 // indirect
	github.com/cpuguy83/go-md2man/v2 v2.0.6 // indirect
	github.com/emersion/go-message v0.18.2 // indirect
	github.com/go-asn1-ber/asn1-ber v1.5.8 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/hashicorp/go-uuid v1.0.3 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jcmturner/aescts/v2 v2.0.0 // indirect
	github.com/jcmturner/dnsutils/v2 v2.0.0 // indirect
	github.com/jcmturner/gofork v1.7.6 // indirect
	github.com/jcmturner/gokrb5/v8 v8.4.4 // indirect
	github.com/jcmturner/rpc/v2 v2.0.3 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	go.yaml.in/yaml/v3 v3.0.4 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	mellium.im/reader v0.1.0 // indirect
	mellium.im/sasl v0.3.2 // indirect
	mellium.im/xmlstream v0.15.4 // indirect
)

replace (
	github.com/saslkit/saslkit/adapters/imap => ../../adapters/imap
	github.com/saslkit/saslkit/adapters/ldap => ../../adapters/ldap
	github.com/saslkit/saslkit/adapters/smtp => ../../adapters/smtp
	github.com/saslkit/saslkit/adapters/xmpp => ../../adapters/xmpp
	github.com/saslkit/saslkit/channelbinding => ../../channelbinding
	github.com/saslkit/saslkit/core => ../../core
	github.com/saslkit/saslkit/kerberos => ../../kerberos
)
