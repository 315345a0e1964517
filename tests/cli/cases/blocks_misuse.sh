# One clear line each, and the right exit code.
cp "$GOLDEN/v1-basic.tms" "$GOLDEN/v1-blocks.tms" .
run() {
    echo "--- tm-report blocks $*"
    tm-report blocks "$@" 2>&1
    echo "  exit code $?"
}
run v1-basic.tms
run --block 0x1000 v1-basic.tms
printf '%s\n' 'meta moment bytes tm-snap' | tms_from_text outside.tms
run outside.tms
tm-report merge -o merged.tms v1-blocks.tms v1-basic.tms
run merged.tms
run --block 0x7f3a100000f0 v1-blocks.tms
run --block 1 v1-blocks.tms
run --block 0x7f3a10000020 -d mem v1-blocks.tms
run --block 7f3a10000020 v1-blocks.tms
run --block 0x v1-blocks.tms
run --block -1 v1-blocks.tms
run --block 0x10000000000000000 v1-blocks.tms
run --block 18446744073709551616 v1-blocks.tms
run --block 1 -n 3 v1-blocks.tms
run --block 1 --largest 3 v1-blocks.tms
run --largest -1 v1-blocks.tms
run --largest some v1-blocks.tms
run -i '*/cache.pi' v1-blocks.tms
run v1-blocks.tms v1-blocks.tms
run
run --sort size v1-blocks.tms
run --since-fork v1-blocks.tms
