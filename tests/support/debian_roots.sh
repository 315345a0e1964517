# SPDX-License-Identifier: MIT
# Sourced, not run: Debian systems of other releases in chroots, for scripts that run as root.
#
#   offline                        says so and is true where no mirror can be reached
#   make_root RELEASE PACKAGE...   sets root; what the release does not have is left out
#
# They lie in TM_BARE_FOLDER (default /var/tmp) and are removed when the script ends.  TM_DEBIAN_MIRROR is asked instead
# of deb.debian.org.
mirror=${TM_DEBIAN_MIRROR:-http://deb.debian.org/debian}
made=

leave()
{
    for root in $made; do
        umount "$root/proc" 2>/dev/null
        grep -q " $root/" /proc/mounts || rm -rf --one-file-system "$root"
    done
}
trap leave EXIT

# With wget, which is what debootstrap uses.
offline()
{
    ! wget -q --spider --tries=2 --timeout=20 "$mirror/dists/stable/Release" && echo "$mirror cannot be reached: left out"
}

# A release that debootstrap does not know yet is made like sid.
make_root()
{
    release=$1
    shift
    root=$(mktemp -d "${TM_BARE_FOLDER:-/var/tmp}/tm-$release-XXXXXX")
    made="$made $root"
    script=/usr/share/debootstrap/scripts/$release
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    debootstrap --variant=minbase "$release" "$root" "$mirror" "$script" >"$root.log" 2>&1 ||
        { tail -n 20 "$root.log"; return 1; }
    rm -f "$root.log"
    chmod 755 "$root" # its / : apt's own user gets in
    grep -lisE 'proxy|Acquire::Check' /etc/apt/apt.conf.d/* | while read -r file; do
        cp "$file" "$root/etc/apt/apt.conf.d/"
    done
    mount -t proc proc "$root/proc"
    chroot "$root" apt-get update -q >/dev/null
    for package in "$@"; do
        DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -q -y --no-install-recommends "$package" \
            >/dev/null 2>&1 || true
    done
}
