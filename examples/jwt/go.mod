module github.com/saslkit/saslkit/examples/jwt

go 1.26.0

require (
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/saslkit/saslkit/core v0.0.0
)

require golang.org/x/text v0.43.0 // indirect

replace github.com/saslkit/saslkit/core => ../../core
