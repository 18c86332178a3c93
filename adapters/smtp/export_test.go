package saslsmtp

var AuthKeyword = authKeyword
