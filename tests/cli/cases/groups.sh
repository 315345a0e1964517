# By function, module and domain; in every order; without what is small; of some functions only.
cd "$GOLDEN" || exit 1
show() { echo "== $*"; tm-report "$@"; }
show -g function v1-basic.tms
show -g function -c -n 2 v1-basic.tms
show -g module v1-basic.tms
show -g module -c v1-basic.tms v1-later.tms
show -g domain v1-basic.tms
show --style=tracemalloc -g function v1-basic.tms
show --style=tracemalloc -g module v1-basic.tms v1-later.tms
show --style=tracemalloc -g domain -d all v1-basic.tms
show export --to csv -g function v1-basic.tms
show export --to csv -g module v1-basic.tms v1-later.tms
show export --to csv -g domain v1-basic.tms
show export --to json -g module v1-basic.tms | tail -n 5
show export --to json -g function v1-basic.tms | tail -n 6
for column in size count average location; do
    show --sort $column v1-basic.tms | sed 1,3d
done
for column in size count average location diff count-diff; do
    show --sort $column --style=tracemalloc v1-basic.tms v1-later.tms
done
show --min-size 50KiB v1-basic.tms
show --min-count 1 --min-size 1KiB v1-basic.tms v1-later.tms
show --style=tracemalloc --function 'load_*' v1-basic.tms
show --style=tracemalloc --function 'load_*' --function '*key' -x '*:12' v1-basic.tms
show -c -g domain v1-basic.tms
show -s diff v1-basic.tms
show --min-size many v1-basic.tms
show --min-count=-1 v1-basic.tms
show export --to folded -s count v1-basic.tms
show -g module --no-symbols v1-native.tms
exit 0
