# A reader that goes away is no reason for words.
(
    for i in $(seq 3000); do
        echo "trace obj live=$i/1 | a_long_file_name_so_that_the_pipe_is_full_for_sure.py:$i:function"
    done
) | tms_from_text big.tms
{ tm-report -n 0 big.tms; echo "exit code $?" >&2; } | head -3 | tail -1
