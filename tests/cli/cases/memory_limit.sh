cat > limit.txt <<END
meta pid u64 4711
meta memory_limit_step bytes one%20block%20in%20512%20KiB%20is%20recorded
meta merged_events u64 12
meta sample_rate u64 524288
trace obj live=1048576/10000 ever=1048576/10000 | app.py:3:main
trace obj live=1024/2 ever=4096/8 | (merged):0
END
tms_from_text limit.tms < limit.txt
tm-report limit.tms
