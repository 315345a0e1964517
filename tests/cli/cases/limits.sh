cd "$GOLDEN" || exit 1
run()
{
    echo "\$ tm-report $*"
    tm-report "$@" >/dev/null 2>&1
    code=$?
    tm-report "$@" 2>&1 >/dev/null
    echo "exit $code"
}
run --fail-if-growth 1KiB v1-later.tms v1-basic.tms
run --fail-if-growth 1GiB v1-basic.tms v1-later.tms
run --fail-if-growth 0 v1-later.tms v1-later.tms
run --fail-if-growth 10KiB --per-line v1-basic.tms v1-later.tms
run --fail-if-growth 1KiB --per-line -g filename v1-basic.tms v1-later.tms
run --fail-if-growth 1GiB --per-line v1-basic.tms v1-later.tms
run --fail-if-live 1MiB --fail-if-peak 2M v1-basic.tms
run --fail-if-live 1MiB -i '*/nowhere.py' v1-basic.tms
run --fail-if-live 5000000 --domain python v1-basic.tms
run --fail-if-live 1GiB --fail-if-peak 1GiB v1-basic.tms
run --fail-if-live 1TB v1-basic.tms
run --fail-if-growth 1MiB v1-basic.tms
run --per-line v1-basic.tms v1-later.tms
run stats --fail-if-live 1 v1-basic.tms
run --fail-if-live 1MiB missing.tms
