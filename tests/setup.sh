# SPDX-License-Identifier: MIT
# Sourced, not run: installs what a script of this project needs and the system lacks, and nothing else.
#
#   tm_setup NEED...   NEED is one of the words of tm_has below.  Exits with 1 when something is still missing.
#
# Knows apt and dnf.  On other systems it names what is missing in one line.

tm_compiler=${CC:-}
if [ -z "$tm_compiler" ]; then
    for tm_word in cc gcc clang; do
        if command -v "$tm_word" >/dev/null 2>&1; then
            tm_compiler=$tm_word
            break
        fi
    done
fi

# tm_compiles TEXT [FLAG...]: TEXT compiles and links.
tm_compiles()
{
    [ -n "$tm_compiler" ] || return 1
    tm_folder=$(mktemp -d) || return 1
    printf '%s\n' "$1" >"$tm_folder/try.c"
    shift
    $tm_compiler -o "$tm_folder/try" "$tm_folder/try.c" "$@" >/dev/null 2>&1
    tm_result=$?
    rm -rf "$tm_folder"
    return $tm_result
}

tm_cmake_is_new_enough()
{
    tm_release=$(cmake --version 2>/dev/null | sed -n 's/^cmake version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ -n "$tm_release" ] || return 1
    # shellcheck disable=SC2086
    set -- $tm_release
    [ "$1" -gt 3 ] || { [ "$1" -eq 3 ] && [ "$2" -ge 18 ]; }
}

# tm_has NEED: it is there and works.
tm_has()
{
    case $1 in
    compiler) tm_compiles '#include <stdio.h>
int main(void) { return puts("") < 0; }' ;;
    sanitizers) tm_compiles 'int main(void) { return 0; }' -fsanitize=address,undefined &&
        tm_compiles 'int main(void) { return 0; }' -fsanitize=thread ;;
    static-libc) tm_compiles '#include <stdio.h>
int main(void) { return puts("") < 0; }' -static ;;
    cmake) tm_cmake_is_new_enough ;;
    make) command -v ninja >/dev/null 2>&1 || command -v make >/dev/null 2>&1 ;;
    pkg-config) command -v pkg-config >/dev/null 2>&1 ;;
    zstd) pkg-config --exists libzstd 2>/dev/null && tm_compiles '#include <zstd.h>
int main(void) { return (int)ZSTD_versionNumber() == 0; }' -l:libzstd.a ;;
    elfutils) pkg-config --exists libdw 2>/dev/null && tm_compiles '#include <elfutils/libdwfl.h>
int main(void) { return dwfl_errmsg(0) != 0; }' -ldw ;;
    zlib) tm_compiles '#include <zlib.h>
int main(void) { return zlibVersion()[0] == 0; }' -lz ;;
    cmocka) tm_compiles '#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
int main(void) { fail(); return 0; }' -lcmocka ;;
    python3) python3 -c 'import sys, ctypes, json, sqlite3, ssl, unittest; sys.exit(sys.version_info < (3, 6))' \
        >/dev/null 2>&1 ;;
    python-headers) python3 -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' >/dev/null 2>&1 ;;
    readelf) command -v readelf >/dev/null 2>&1 ;;
    jemalloc) ls /usr/lib/*/libjemalloc.so.* /usr/lib*/libjemalloc.so.* 2>/dev/null | grep -q . ;;
    clang | clang-format | clang-tidy | musl-gcc | debootstrap | tmux | npm | chromium | valgrind) command -v "$1" >/dev/null 2>&1 ;;
    *) echo "tm_setup: no such need: $1" >&2; exit 2 ;;
    esac
}

# tm_packages MANAGER NEED: the packages that bring it.
tm_packages()
{
    case $1:$2 in
    apt:compiler | apt:static-libc) echo gcc libc6-dev ;;
    apt:sanitizers) echo gcc ;;
    apt:make | dnf:make) echo ninja-build ;;
    apt:zstd) echo libzstd-dev ;;
    apt:elfutils) echo libdw-dev ;;
    dnf:elfutils) echo elfutils-devel ;;
    apt:zlib) echo zlib1g-dev ;;
    dnf:zlib) echo zlib-devel ;;
    apt:npm | dnf:npm) echo nodejs npm ;;
    apt:cmocka) echo libcmocka-dev ;;
    apt:python-headers) echo python3-dev ;;
    dnf:python-headers) echo python3-devel ;;
    apt:readelf | dnf:readelf) echo binutils ;;
    apt:jemalloc) echo libjemalloc2 ;;
    apt:musl-gcc) echo musl-tools ;;
    dnf:compiler) echo gcc glibc-devel ;;
    dnf:static-libc) echo gcc glibc-static ;;
    dnf:sanitizers) echo gcc libasan libubsan libtsan ;;
    dnf:pkg-config) echo pkgconf-pkg-config ;;
    dnf:zstd) echo libzstd-devel libzstd-static ;;
    dnf:cmocka) echo libcmocka-devel ;;
    dnf:clang-format | dnf:clang-tidy) echo clang-tools-extra ;;
    *) echo "$2" ;;
    esac
}

tm_missing_of()
{
    for tm_need in "$@"; do
        tm_has "$tm_need" || echo "$tm_need"
    done
}

tm_install()
{
    tm_manager=$1
    shift
    tm_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || return 1
        tm_root=sudo
    fi
    echo "installing: $*"
    case $tm_manager in
    apt) $tm_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        $tm_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ;;
    dnf) $tm_root dnf install -y -q "$@" ;;
    esac
}

tm_setup()
{
    tm_missing=$(tm_missing_of "$@")
    [ -n "$tm_missing" ] || return 0
    tm_known=
    for tm_word in apt dnf; do
        command -v "$tm_word-get" >/dev/null 2>&1 && tm_known=$tm_word && break
        command -v "$tm_word" >/dev/null 2>&1 && tm_known=$tm_word && break
    done
    tm_wanted=$(for tm_need in $tm_missing; do tm_packages "${tm_known:-none}" "$tm_need"; done | tr ' ' '\n' | sort -u)
    # shellcheck disable=SC2086
    [ -n "$tm_known" ] && tm_install "$tm_known" $tm_wanted
    [ -n "$tm_compiler" ] || tm_compiler=$(command -v cc || command -v gcc || true)
    tm_missing=$(tm_missing_of $tm_missing)
    [ -n "$tm_missing" ] || return 0
    echo "please install, then run this again:" $tm_wanted "(missing: $(echo $tm_missing))" >&2
    exit 1
}

# tm_generator: -G and its argument, for cmake.
tm_generator()
{
    command -v ninja >/dev/null 2>&1 && echo -GNinja || echo "-GUnix Makefiles"
}

tm_processors()
{
    getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}
