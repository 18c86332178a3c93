module github.com/saslkit/saslkit/oauth2

go 1.26.0

require (
	github.com/saslkit/saslkit/core v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/oauth2 v0.38.0
)

require golang.org/x/text v0.43.0 // indirect

replace github.com/saslkit/saslkit/core => ../core
