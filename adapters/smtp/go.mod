module github.com/saslkit/saslkit/adapters/smtp

go 1.26.0

require (
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6
	github.com/emersion/go-smtp v0.25.1
	github.com/saslkit/saslkit/channelbinding v0.0.0
	github.com/saslkit/saslkit/core v0.0.0
	go.uber.org/goleak v1.3.0
)

require golang.org/x/text v0.43.0 // indirect

replace (
	github.com/saslkit/saslkit/channelbinding => ../../channelbinding
	github.com/saslkit/saslkit/core => ../../core
)
