# Names cannot move the cursor, change colours or turn the line round; JSON gives them back as Python has them.
tms_from_text x.tms <<'END'
meta program bytes %1B[2Jrm%00-rf
trace obj live=1/1 | %1B[31mred.py:1:f%0Ag
trace obj live=2/1 | %E2%80%AEtxt.py:1
trace obj live=3/1 | tab%09%7F%C2%9B.py:1
trace obj live=4/1 | bad%FF%C3%28%ED%A0%80.py:1
END
tm-report x.tms
tm-report --format json x.tms
# In a table quotes are doubled, wherever they stand.
tms_from_text quotes.tms <<'END'
trace obj live=5/1 | %22a%22%22b.py%22:1:%22
END
tm-report export --to csv quotes.tms
