#!/bin/sh
# SPDX-License-Identifier: MIT
# From nothing to a report: installs what is missing, builds, traces a program with a leak and shows where it is.
#
#   sh examples/quickstart.sh          PYTHON=/path/to/python chooses the interpreter
#
# Everything it writes lies in build/quickstart.
set -eu
cd "$(dirname "$0")/.."
. tests/setup.sh

tm_setup compiler cmake make pkg-config zstd zlib python3
(tm_setup elfutils) || echo "tm-report will give machine frames no names"
# Not a wrapper script of that name: the interpreter itself.
python=$(${PYTHON:-python3} -c 'import sys; print(sys.executable)')

build=$PWD/build/quickstart
echo "building in build/quickstart"
mkdir -p "$build"
{ cmake -S . -B "$build" "$(tm_generator)" -DTM_TESTS=OFF && cmake --build "$build" -j "$(tm_processors)"; } \
    >"$build/quickstart.log" 2>&1 || { tail -n 40 "$build/quickstart.log"; exit 1; }

show()
{
    printf '\n$ %s\n' "$*"
    env "$@"
}

rm -rf "$build/run"
mkdir "$build/run"
cp examples/quickstart_app.py "$build/run/app.py"
cd "$build/run"
PATH=$build/bin:$PATH
library=$build/lib/libtracemalloc.so

printf '\nThe program runs unchanged, with the library loaded before it.  It takes two snapshots of itself;\n'
printf 'a third is left when it ends.\n'
show LD_PRELOAD="$library" TRACEMALLOC_NFRAME=10 "$python" app.py before.tms after.tms
ls -l -- *.tms

printf '\nWhat was in use at the end?\n'
show tm-report --limit 8 tracemalloc.*.tms

printf '\nWhat grew between the two snapshots?\n'
show tm-report --limit 8 before.tms after.tms

printf '\nWho asked for it?\n'
show tm-report traceback --limit 1 after.tms

# A build without npm has no page.
if [ -s "$build/web/page.html" ]; then
    printf '\nThe same to look at in a browser: build/quickstart/run/report.html\n'
    show tm-report html before.tms after.tms tracemalloc.*.tms -o report.html
fi

printf '\nThe files are in build/quickstart/run.  Next: README.md\n'
