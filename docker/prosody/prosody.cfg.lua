-- Prosody 13 for the integration tests. The certificates come from the tests, as does the hash of the server's.
pidfile = "/run/prosody/prosody.pid"
log = { info = "*console" }
data_path = "/var/lib/prosody"

modules_enabled = { "disco"; "ping"; "roster"; "saslauth"; "tls"; "sasl2"; "sasl2_bind2"; "sasl2_fast"; "admin_shell" }
modules_disabled = { "s2s"; "offline" }

-- What refuses without TLS must be the client's policy.
c2s_require_encryption = false
allow_unencrypted_plain_auth = true

-- A token that is used is replaced at once, so that tests see it rotate.
sasl2_fast_token_min_ttl = -1

tls_server_end_point_hash = FileLine "/certs/endpoint"
ssl = { key = "/certs/key.pem"; certificate = "/certs/cert.pem"; protocol = "tlsv1_2+" }
local client_certificates = {
	cafile = "/certs/ca.pem";
	capath = false;
	verify = { "peer"; "client_once" };
	verifyext = { lsec_ignore_purpose = false };
}
c2s_ssl = client_certificates
c2s_direct_tls_ssl = client_certificates
c2s_ports = { 5222 }
c2s_direct_tls_ports = { 5223 }

-- Passwords as they are: every hash of SCRAM.
VirtualHost "prosody.test"
	authentication = "internal_plain"
	modules_enabled = { "sasl_ssdp" }

-- Stored records: one hash each.
VirtualHost "sha256.prosody.test"
	authentication = "internal_hashed"
	password_hash = "SHA-256"
	modules_enabled = { "sasl_ssdp" }

-- Without XEP-0474.
VirtualHost "sha1.prosody.test"
	authentication = "internal_hashed"
	password_hash = "SHA-1"

-- RFC 6120's profile alone, with XEP-0474.
VirtualHost "sasl1.prosody.test"
	authentication = "internal_plain"
	modules_enabled = { "sasl_ssdp" }
	modules_disabled = { "sasl2"; "sasl2_bind2"; "sasl2_fast" }

VirtualHost "anonymous.prosody.test"
	authentication = "anonymous"

VirtualHost "certificate.prosody.test"
	authentication = "ccert"
	certificate_match = "xmppaddr"
