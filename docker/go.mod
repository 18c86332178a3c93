module github.com/saslkit/saslkit/docker

go 1.26.0
