module github.com/saslkit/saslkit/benchmarks

go 1.26.0

replace github.com/saslkit/saslkit/core => ../core

require (
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6
	github.com/saslkit/saslkit/core v0.0.0
	github.com/wneessen/go-mail v0.8.1
	github.com/xdg-go/scram v1.4.0
	mellium.im/sasl v0.3.2
)

require (
	github.com/xdg-go/stringprep v1.0.4 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
