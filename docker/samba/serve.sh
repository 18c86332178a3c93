# Runs the domain controller with a value for "ldap server require strong auth". It takes a key that only root can read.
install -d -m 700 /var/lib/samba/private/tls
install -m 600 /certs/ca.pem /certs/cert.pem /certs/key.pem /var/lib/samba/private/tls/
exec samba --foreground --no-process-group --debug-stdout \
	--option="server services=ldap kdc cldap" \
	--option="ldap server require strong auth=$1" \
	--option="tls cafile=tls/ca.pem" --option="tls certfile=tls/cert.pem" --option="tls keyfile=tls/key.pem"
