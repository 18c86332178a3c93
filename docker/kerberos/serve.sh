# Runs the KDC, makes the credential caches of the tests, and runs the servers until one of them ends.
ulimit -n 1024
export KRB5_KTNAME=/etc/krb5.keytab
krb5kdc -n &

ticket() { echo "$2" | kinit -c "/srv/$1.ccache" "${@:3}"; }
until ticket alice secret alice; do
	kill -0 $! || exit 1
	sleep 0.05
done
ticket service secret -S ldap/kerberos.test alice
# One second would be valid: every program allows for clocks that differ by five minutes.
sed 's/:88/:89/' /etc/krb5.conf > /tmp/past.conf
faketime -f -2h krb5kdc -n -p 89 -P /tmp/past.pid &
until echo secret | KRB5_CONFIG=/tmp/past.conf faketime -f -2h kinit -l 5m -c /srv/expired.ccache alice; do
	kill -0 $! || exit 1
	sleep 0.05
done
kill $!
wait $!
chmod 644 /srv/*.ccache

mkdir -p /srv/mail && chown vmail:vmail /srv/mail
slapd -d stats -f /etc/ldap/slapd-main.conf -h "ldap:/// ldaps:///" &
faketime -f +20m slapd -d stats -f /etc/ldap/slapd-main.conf -h ldap://:1389/ &
slapd -d stats -f /etc/ldap/slapd-confidentiality.conf -h ldap://:2389/ &
slapd -d stats -f /etc/ldap/slapd-integrity.conf -h ldap://:3389/ &
slapd -d stats -f /etc/ldap/slapd-small.conf -h ldap://:4389/ &
dovecot -F &
postfix start-fg &
wait -n -p ended
echo "process $ended ended"
