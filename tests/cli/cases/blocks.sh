# Single blocks: in order of address, the largest, those that pass filters, and the one that an address lies in.
cp "$GOLDEN/v1-blocks.tms" .
run() {
    echo "--- $*"
    tm-report blocks "$@" v1-blocks.tms
}
run
run --largest 3
run --largest 0 --limit -2 -d obj
run --limit -2 --largest 2 -d obj
run -n 2
run -n -1
run -i '*/cache.py:12' -d all,mmap -P 1
run -d mmap
COLUMNS=60 run -n 1 -d native
run --block 0x7f3a100000c0
run --block 0x7f3a100000ff --most-recent-first
run --block 139887354314736 -d mmap
run --block 0X561C2D000010
run -n 2 --format json
run --block 0x7f3a10000041 --format json | grep -v '^{"snapshot"'
# No frame of the file is there, whatever its name; what the snapshot itself says goes with it.
echo "--- sampled, moving, full"
printf '%s\n' 'meta sample_rate u64 524288' 'meta blocks_skew u64 12' 'meta blocks_left_out u64 1' 'block obj 10 1 | a%1b.py:1:f%0A' \
    | tms_from_text many.tms
tm-report blocks many.tms
echo "--- none"
echo blocks | tms_from_text none.tms
tm-report blocks none.tms
tm-report blocks --format json none.tms | tail -n 4
