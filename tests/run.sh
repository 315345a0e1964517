#!/bin/sh
# SPDX-License-Identifier: MIT
# All tests.
#
#   sh tests/run.sh          the quick tier: what CI runs
#   sh tests/run.sh --full   everything: also the tests labelled "full" and each with all its programs and limits, every
#                            build with the tests it can run, clang's checks, other Debian releases with their Pythons
#                            in chroots (needs root); hours on 2 cores
#
# Installs what is missing (tests/setup.sh).  Builds in build/test-*.
# Interpreters: TM_PYTHONS=/path/to/python:/another/python, else those of PATH, of /usr/bin and of pyenv.
# One line is left at the end: N passed, N failed.  Exit code 0 when nothing failed.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/setup.sh

full=
case "${1-}" in
'') ;;
--full) full=1 ;;
*) echo "usage: sh tests/run.sh [--full]" >&2; exit 2 ;;
esac

tm_setup compiler sanitizers static-libc cmake make pkg-config zstd zlib cmocka python3 python-headers readelf tmux
(tm_setup elfutils) || echo "tm-report gives machine frames no names"
(tm_setup jemalloc) || echo "no other allocator is tried beside the library"
(tm_setup valgrind) || echo "no instructions are counted"
if [ -n "$full" ]; then
    # In subshells: where they cannot be had their parts are left out.
    (tm_setup clang clang-tidy) || echo "what needs clang or clang-tidy is left out"
    (tm_setup musl-gcc) || echo "programs linked with musl are not tried"
    (tm_setup debootstrap) || echo "no other Debian release is tried"
    (tm_setup npm chromium) || echo "the page of tm-report html is not tested"
fi

jobs=$(tm_processors)
passed=0
failed=0
failures=
skipped=
report=$(mktemp)
trap 'rm -f "$report" "$report.code"' EXIT
began=$(date +%s)

heading()
{
    printf '\n== %s (%s s)\n' "$1" $(($(date +%s) - began))
}

count()
{
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        failures="$failures
  $2"
    fi
}

# build NAME OPTION...: configures and builds build/test-NAME.
build()
{
    name=$1
    shift
    heading "build $name"
    cmake -S . -B "build/test-$name" "$(tm_generator)" -DTM_WERROR=ON "$@" >"$report" 2>&1 &&
        cmake --build "build/test-$name" -j "$jobs" >"$report" 2>&1
    result=$?
    [ $result -eq 0 ] || grep -v '^\[.*\] \(Building\|Linking\|Built\)' "$report" | tail -n 60
    count $result "build $name"
    return $result
}

# tests NAME OPTION...: runs ctest in build/test-NAME.  Its own summary is added up.
tests()
{
    name=$1
    shift
    heading "test $name"
    { (cd "build/test-$name" && ctest -j "$jobs" --output-on-failure --timeout 600 "$@"); echo $? >"$report.code"; } 2>&1 |
        tee "$report" | grep -v '^ *Start '
    summary=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$report")
    if [ -z "$summary" ]; then
        count 1 "test $name: no test was run"
        return 1
    fi
    # shellcheck disable=SC2086
    set -- $summary
    failed=$((failed + $1))
    passed=$((passed + $2 - $1))
    skipped="$skipped$(sed -n "s/^[[:space:]]*[0-9][0-9]* - \(.*\) (Skipped).*/\n  test $name: \1/p" "$report")"
    if [ "$1" -ne 0 ]; then
        failures="$failures
$(sed -n "/^The following tests FAILED:/,/^Errors while/s/^[[:space:]]*[0-9][0-9]* - \([^ ]*\).*/  test $name: \1/p" "$report")"
    elif [ "$(cat "$report.code")" -ne 0 ]; then
        count 1 "test $name"
    fi
}

# step NAME COMMAND...: 77 is what ctest takes for skipped, too.
step()
{
    name=$1
    shift
    heading "$name"
    "$@"
    result=$?
    if [ "$result" -eq 77 ]; then
        skipped="$skipped
  $name"
        result=0
    fi
    count "$result" "$name"
}

# The leak of the example must be what grew.
quickstart()
{
    sh examples/quickstart.sh >"$report" 2>&1 && grep -Eq '^ *\+[0-9.]+ MiB .*/ast\.py:[0-9]+  parse$' "$report" &&
        grep -q ', in Index.parse$\|, in parse$' "$report" && return
    tail -n 60 "$report"
    return 1
}

heading "interpreters"
python3 -B tests/integration/interpreters.py || count 1 "interpreters"

step "quickstart" quickstart

# Sanitizers bring their own malloc, so the preload library is not in these builds.  ThreadSanitizer has a thread of its
# own, which tests that count threads meet, and it does not bear children made by a raw clone.
asan_tests='-L ^(unit|golden|cli|fuzz)$'
tsan_tests='-L ^unit$ -E test_os_process|test_life'
if [ -z "$full" ]; then
    build gcc && tests gcc -LE '^(bench|full)$'
    # shellcheck disable=SC2086
    build asan -DCMAKE_BUILD_TYPE=Debug -DTM_SANITIZE=address,undefined && tests asan $asan_tests -E stdlib_parity
    # shellcheck disable=SC2086
    build tsan -DCMAKE_BUILD_TYPE=Debug -DTM_SANITIZE=thread && tests tsan $tsan_tests
    if tm_has clang; then
        build clang -DCMAKE_C_COMPILER=clang && tests clang -L '^(unit|lint)$'
    else
        echo "clang is not installed: its build is left out (--full installs it)"
    fi
else
    # The long runs once: they are hours where each build repeats them.
    export TM_FULL=1
    build gcc && tests gcc
    unset TM_FULL
    if tm_has clang; then
        # The recorded instructions are gcc's.
        build clang -DCMAKE_C_COMPILER=clang && tests clang -LE '^(bench|full|guard)$'
        if tm_has clang-tidy; then
            step "clang-tidy" cmake --build build/test-clang --target tidy
        fi
    fi
    # Assertions, at the speed of what users have.  Not -O0: each function that must be inlined has a place of its own on
    # the stack there, which makes 100 KB an event, and threads with a small stack crash.
    build debug -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG='-O2 -g' && tests debug -LE '^(bench|full)$'
    # shellcheck disable=SC2086
    build asan -DCMAKE_BUILD_TYPE=Debug -DTM_SANITIZE=address,undefined && tests asan $asan_tests
    # shellcheck disable=SC2086
    build tsan -DCMAKE_BUILD_TYPE=Debug -DTM_SANITIZE=thread && tests tsan $tsan_tests
    for release in bullseye bookworm trixie sid; do
        step "bare system $release" sh tests/bare_system.sh "$release"
    done
fi

heading "summary"
[ -z "$skipped" ] || printf 'skipped (counted as passed):%s\n' "$skipped"
[ -z "$failures" ] || printf 'failed:%s\n' "$failures"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
