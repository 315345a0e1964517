for what in on "declined:%20tracebacks%20have%20one%20frame"; do
    cat > marked.txt <<END
meta pid u64 4711
meta watermark bytes $what
trace obj live=1024/2 ever=4096/8 | app.py:3:main
END
    tms_from_text marked.tms < marked.txt
    tm-report marked.tms
done
