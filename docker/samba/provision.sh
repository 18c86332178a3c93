# Makes the domain ad.test with its controller dc.ad.test. No container needs more rights for it than any other: the
# attributes of files that Windows has are in a database instead of the file system.
set -e
samba-tool domain provision --realm=AD.TEST --domain=ADT --adminpass=Admin-secret-1 \
	--server-role=dc --dns-backend=NONE --host-name=dc \
	--option="vfs objects=dfs_samba4 acl_xattr xattr_tdb" \
	--option="xattr_tdb:file=/var/lib/samba/private/xattr.tdb"
samba-tool domain passwordsettings set --complexity=off --min-pwd-length=1 --min-pwd-age=0
for user in alice:secret bob:hunter2 carol:disabled dora:expired; do
	samba-tool user create "${user%%:*}" "${user#*:}"
done
samba-tool user disable carol
# Her password has to be changed before the first login.
samba-tool user setpassword dora --newpassword=expired --must-change-at-next-login
# The controller would add it in the background, some time after its start.
samba-tool spn add ldap/dc.ad.test 'DC$'
