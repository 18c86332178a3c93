module github.com/saslkit/saslkit/adapters/smtp/gomail

go 1.26.0

require (
	github.com/saslkit/saslkit/adapters/smtp v0.0.0
	github.com/saslkit/saslkit/core v0.0.0
	github.com/wneessen/go-mail v0.8.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6 // indirect
	github.com/emersion/go-smtp v0.25.1 // indirect
	github.com/saslkit/saslkit/channelbinding v0.0.0 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace (
	github.com/saslkit/saslkit/adapters/smtp => ..
	github.com/saslkit/saslkit/channelbinding => ../../../channelbinding
	github.com/saslkit/saslkit/core => ../../../core
)
