#!/usr/bin/env bash
# Prints the name of a Debian trixie image that the servers can be built from; everything else goes to stderr.
#
# In this order: $SASLKIT_BASE_IMAGE, Debian's official image if it is here, the one made by an earlier run, the official
# one from a registry, and where no registry answers, one made from the packages of this host's own Debian mirror.
set -euo pipefail

release=trixie
official=debian:$release-slim
# Not the official name: the image is not the official one, and under that name it would hide it for ever.
made=saslkit-base:$release
pull_seconds=120

say() { printf 'base.sh: %s\n' "$*" >&2; }

give_up() {
	say "$1"
	say "either make $official available (docker pull, docker load), or name another Debian $release image in SASLKIT_BASE_IMAGE,"
	say "or run this as root on a Debian host whose apt sources work, so that the image can be made from packages"
	exit 69
}

here() { docker image inspect "$1" >/dev/null 2>&1; }

# The daemon's own attempt is the only true test of a registry: it alone knows its mirrors and proxies.
pull() {
	say "pulling $official"
	if command -v timeout >/dev/null; then
		timeout "$pull_seconds" docker pull -q "$official" >&2
	else
		docker pull -q "$official" >&2
	fi
}

# apt with the host's sources and keys, but with lists and cache of its own: nothing on the host changes.
apt() {
	apt-get -q -o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
		-o APT::Sandbox::User=root -o Acquire::http::Timeout=30 "$@"
}

# A host may have sources that are not Debian's, so that the first address in /etc/apt can be the wrong one; apt knows whose is whose.
debian_mirror() {
	# shellcheck disable=SC2016 # $(REPO_URI) is apt's to expand
	apt indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1
}

# Unpacks a package for the host's architecture into $tmp/root without installing it.
unpack() {
	mkdir -p "$tmp/debs" "$tmp/root" &&
		(cd "$tmp/debs" && apt download "$1" >&2) &&
		dpkg -x "$tmp/debs/$1"_*.deb "$tmp/root"
}

tar_by_mmdebstrap() {
	unpack mmdebstrap &&
		perl "$tmp/root/usr/bin/mmdebstrap" --quiet --variant=minbase --include=ca-certificates \
			"$release" "$tmp/image.tar" "$1" >&2
}

tar_by_debootstrap() {
	unpack debootstrap &&
		DEBOOTSTRAP_DIR="$tmp/root/usr/share/debootstrap" sh "$tmp/root/usr/sbin/debootstrap" \
			--variant=minbase --include=ca-certificates "$release" "$tmp/tree" "$1" >&2 &&
		rm -rf "$tmp/tree/var/cache/apt/archives"/*.deb "$tmp/tree/var/lib/apt/lists"/* &&
		tar -C "$tmp/tree" --numeric-owner -cf "$tmp/image.tar" .
}

# The tarball is a file and imported last: docker makes an image of 0 bytes from the pipe of a command that failed.
make_image() {
	local mirror
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial"
	say "making $made from packages"
	# One unreachable source of the host must not end this; whether Debian's own is among the reachable ones is seen below.
	apt update >&2 || true
	mirror=$(debian_mirror) || mirror=
	[ -n "$mirror" ] || give_up "apt reaches no Debian mirror"
	tar_by_mmdebstrap "$mirror" || tar_by_debootstrap "$mirror" || give_up "neither mmdebstrap nor debootstrap made a Debian $release"
	docker import --change 'CMD ["bash"]' "$tmp/image.tar" "$made" >&2
}

make_once() {
	[ "$(id -u)" = 0 ] || give_up "only root can make an image from packages"
	for tool in apt-get dpkg flock perl; do
		command -v "$tool" >/dev/null || give_up "$tool is missing on this host"
	done
	exec 9>"${TMPDIR:-/tmp}/saslkit-base.lock"
	flock 9
	# Another call may have made it while this one waited.
	here "$made" || make_image
}

if [ -n "${SASLKIT_BASE_IMAGE:-}" ]; then
	printf '%s\n' "$SASLKIT_BASE_IMAGE"
	exit
fi
docker version >/dev/null || exit 69
if here "$official"; then
	printf '%s\n' "$official"
elif here "$made"; then
	printf '%s\n' "$made"
elif pull; then
	printf '%s\n' "$official"
else
	make_once
	printf '%s\n' "$made"
fi
