# tm-run: what is wrong with its own arguments or its own place; nothing is run then.
try() { echo "== $*"; "$@" 2>&1 | sed "s|$PWD|HERE|"; }
{
    try tm-run
    try tm-run --
    try tm-run --nframes 3 echo ran
    try tm-run --memory_limt=64MiB echo ran
    try tm-run --what echo ran
    try tm-run -q echo ran
    try tm-run --nframe
    try tm-run --nframe echo
    for folder in "a b" a:b; do
        mkdir "$folder"
        cp "$(command -v tm-run)" "$folder"
        : > "$folder/libtracemalloc.so"
        try "$folder/tm-run" echo ran
        try "$folder/tm-run" --print-library
    done
    tm-run --version | sed 's/[0-9.]*$/X/'
    tm-run
    echo "exit code $?"
} 2>&1
