#!/bin/sh
# SPDX-License-Identifier: MIT
# Tries both scripts on a system on which nothing is installed: a minimal Debian in a chroot.  Needs root and debootstrap;
# exit code 77: they are not there, or no mirror can be reached.
#
#   sh tests/bare_system.sh [RELEASE]       bookworm when none is given; bullseye, trixie, sid, ...
#
# TM_BARE_FOLDER (default /var/tmp) takes the chroot, which is removed at the end, and the plain base system
# (tm-bare-RELEASE.tar), which is kept for the next time.  TM_BARE_KEEP=1 keeps the chroot.  TM_DEBIAN_MIRROR is asked
# instead of deb.debian.org.
set -eu
cd "$(dirname "$0")/.."
release=${1:-bookworm}
folder=${TM_BARE_FOLDER:-/var/tmp}
base=$folder/tm-bare-$release.tar
mirror=${TM_DEBIAN_MIRROR:-http://deb.debian.org/debian}
[ "$(id -u)" = 0 ] || { echo "not root: left out"; exit 77; }
command -v debootstrap >/dev/null || { echo "no debootstrap: left out"; exit 77; }
wget -q --spider --tries=2 --timeout=20 "$mirror/dists/$release/Release" ||
    { echo "$mirror cannot be reached: left out"; exit 77; }
root=$(mktemp -d "$folder/tm-bare-$release-XXXXXX")

leave()
{
    code=$?
    trap - EXIT INT TERM
    for mounted in proc dev/pts dev; do
        umount "$root/$mounted" 2>/dev/null || true
    done
    if [ -z "${TM_BARE_KEEP-}" ] && ! grep -q " $root/" /proc/mounts; then
        rm -rf --one-file-system "$root"
    else
        echo "kept: $root"
    fi
    exit $code
}
trap leave EXIT
trap 'exit 1' INT TERM

if [ ! -e "$base" ]; then
    debootstrap --variant=minbase "$release" "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
    rm -f "$root.log" "$root"/var/cache/apt/archives/*.deb
    tar -C "$root" -cf "$base.new" . && mv "$base.new" "$base"
else
    tar -C "$root" -xf "$base"
fi

chmod 755 "$root" # its / : other users get in

# The chroot reaches the packages the way its host does.
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -d /etc/apt/apt.conf.d ] || grep -lisE 'proxy|Acquire::Check' /etc/apt/apt.conf.d/* | while read -r file; do
    cp "$file" "$root/etc/apt/apt.conf.d/"
done

# The tree as it is, without what was built.
mkdir "$root/libtracemalloc"
tar --exclude=./build --exclude='./build-*' --exclude=./.git --exclude=__pycache__ -cf - . | tar -C "$root/libtracemalloc" -xf -

run()
{
    printf '\n-- %s: %s\n' "$release" "$*"
    chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" no_proxy="${no_proxy-}" TM_FULL= \
        sh -c "cd /libtracemalloc && $*"
}

run sh examples/quickstart.sh
run sh tests/run.sh

# Where ld.so searches, the verbatim command needs no more than the installation.
run 'cmake --install build/quickstart && mkdir /empty && cd /empty && echo "print(sum(range(10)))" > app.py &&
     ln -s "$(command -v python3)" /usr/local/bin/python && LD_PRELOAD=libtracemalloc.so python app.py && ls &&
     tm-report --limit 3 tracemalloc.*.tms'
