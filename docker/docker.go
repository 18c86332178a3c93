// Package docker holds the servers that the integration tests build and run: one folder per image, and base.sh, which
// names the image they all start from. They are embedded so that the go command's test cache sees a change in them.
package docker

import "embed"

// Files holds base.sh and the folder of every server.
//
//go:embed base.sh dovecot kerberos openldap postfix prosody samba
var Files embed.FS
