# Makes the realm KERBEROS.TEST with its users and services. It gives the services' keys to everyone in the container,
# because every server runs as another user.
set -e
cp /etc/krb5kdc/krb5.conf /etc/krb5.conf
kdb5_util create -s -r KERBEROS.TEST -P master-secret
admin() { kadmin.local -q "$*"; }
admin addprinc -pw secret alice
admin addprinc -pw hunter2 bob
# Her keys keep the salt of the name that she had.
admin addprinc -pw secret karol
admin renprinc -force karol carol
admin addprinc -pw secret -expire yesterday dora
admin addprinc -pw secret -pwexpire yesterday erin
admin addprinc -pw secret -allow_tix frank
# Without preauthentication, only the client notices a wrong password.
admin addprinc -pw secret -requires_preauth grace
# He has no key of SHA-1.
admin addprinc -e aes256-cts-hmac-sha384-192:normal -pw secret henry
for service in ldap imap smtp; do
	admin addprinc -randkey -requires_preauth "$service/kerberos.test"
	admin ktadd -k /etc/krb5.keytab "$service/kerberos.test"
done
# The KDC knows it, and no server has its key.
admin addprinc -randkey ldap/elsewhere.test
admin ktadd -norandkey -k /srv/alice.keytab alice
admin ktadd -norandkey -k /srv/bob.keytab bob
chmod 644 /etc/krb5.keytab /srv/*.keytab
