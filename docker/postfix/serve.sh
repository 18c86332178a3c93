# Runs Dovecot with this configuration, and Postfix, until either of them ends.
dovecot -F -c "$1" &
# A process of Postfix that does not find it here is fatal, and the next one comes a minute later.
until [ -S /run/dovecot/auth-postfix ]; do
	kill -0 $! || exit 1
	sleep 0.02
done
postfix start-fg &
wait -n
