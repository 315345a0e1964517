cat >rss.txt <<'END'
meta pid u64 4711
meta python bytes 3.12.1
meta rss_bytes u64 104857600
meta pss_bytes u64 99614720
meta swap_bytes u64 1048576
meta rss_file u64 6291456
meta rss_file_own u64 1048576
meta rss_stack u64 65536
meta rss_store u64 1048576
meta tracer_bytes u64 10485760
meta tracer_anonymous u64 9437184
meta tracer_block_table u64 3000012
meta arenas u64 40
meta arena_rss u64 41943040
meta live_small_bytes u64 36700160
meta libc_used u64 2097152
meta libc_mapped u64 41943040
meta libc_free u64 1048576
trace obj live=36700160/500000 ever=36700160/500000 | /srv/app.py:1:main
trace mem live=41943040/1 ever=41943040/1 | /srv/app.py:2:main
trace native live=1048576/1 ever=1048576/1 | /srv/app.py:3:main
END
tms_from_text rss.tms <rss.txt
tm-report stats rss.tms
tm-report stats --format json rss.tms | grep '"rss"'
sed 's/^trace mem live=41943040/trace mem live=83886080/; /^meta libc/d' rss.txt >more.txt
tms_from_text more.tms <more.txt
tm-report stats more.tms | sed -n '/^RESIDENT/,$p'
# A table larger than the whole is not believed.
sed 's/^meta tracer_block_table.*/meta tracer_block_table u64 10485761/' rss.txt >odd.txt
tms_from_text odd.tms <odd.txt
tm-report stats odd.tms | tail -n 1
