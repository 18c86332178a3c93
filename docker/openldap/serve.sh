# Runs slapd with one of the configurations. It makes a table with a row for every file that it might open.
ulimit -n 1024
exec slapd -d stats -f "/etc/ldap/slapd-$1.conf" -h "ldap:/// ldaps:/// ldapi://%2Frun%2Fslapd%2Fldapi"
