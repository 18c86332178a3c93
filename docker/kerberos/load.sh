# Loads the directory, with 500 entries of 100 KB below ou=large, and makes the variants of the configuration. They share
# the database.
set -e
mkdir -p /srv/ldap /run/slapd
cd /etc/ldap
variant() { { echo "sasl-secprops $2"; echo "pidfile /run/slapd/$1.pid"; cat slapd.conf; } > "slapd-$1.conf"; }
variant main none
variant confidentiality minssf=56
variant integrity minssf=1,maxssf=1
variant small maxbufsize=100
sed '/^TLS/d' slapd-main.conf > /tmp/load.conf
{
	cat directory.ldif
	awk 'BEGIN {
		text = "0123456789abcdef"
		while (length(text) < 100000) text = text text
		text = substr(text, 1, 100000)
		for (i = 0; i < 500; i++)
			printf "\ndn: cn=%d,ou=large,dc=test\nobjectClass: device\ncn: %d\ndescription: %s\n", i, i, text
	}'
} | slapadd -q -f /tmp/load.conf
rm /tmp/load.conf
