/* SPDX-License-Identifier: MIT */
/* What --help says. */
#ifndef TM_TOOLS_TM_REPORT_USAGE_TEXT_H
#define TM_TOOLS_TM_REPORT_USAGE_TEXT_H

#define TM_USAGE_LINES                                                                                                 \
    "usage: tm-report [options] SNAPSHOT              what uses the most memory (top)\n"                               \
    "       tm-report [options] OLD NEW               what changed between two snapshots (diff)\n"                     \
    "       tm-report [options] traceback SNAPSHOT    the biggest tracebacks, frame by frame\n"                        \
    "       tm-report [options] stats SNAPSHOT        totals, domains and sizes of blocks\n"                           \
    "       tm-report [options] export --to FORMAT SNAPSHOT -o FILE    for other programs\n"                           \
    "       tm-report html SNAPSHOT... -o report.html                  a page to look at in a browser\n"

#define TM_USAGE_TEXT                                                                                                  \
    TM_USAGE_LINES                                                                                                     \
    "\n"                                                                                                               \
    "Snapshots are the files tracemalloc.PID.tms of programs run with LD_PRELOAD=libtracemalloc.so; - reads one\n"     \
    "from standard input.  `top` and `diff` may be written before the files.\n"                                        \
    "\n"                                                                                                               \
    "  -g, --group-by KEY        filename, lineno (default) or traceback\n"                                            \
    "  -c, --cumulative          count a trace for every frame of its traceback, once for each KEY\n"                  \
    "      --stdlib-cumulative   the same, once for each frame, as Python's tracemalloc does: recursion counts "       \
    "again\n"                                                                                                          \
    "  -n, --limit N             show N rows (default 10; JSON: all); 0 shows all\n"                                   \
    "  -f, --figure FIGURE       live: what is allocated now (default); peak: what was when traced memory was at "     \
    "its\n"                                                                                                            \
    "                            highest; ever: everything since the start, freed or not\n"                            \
    "\n"                                                                                                               \
    "  -i, --include PATTERN[:LINE]   count only traces whose most recent frame matches; several: any of them\n"       \
    "  -x, --exclude PATTERN[:LINE]   leave out traces whose most recent frame matches\n"                              \
    "  -I, -X PATTERN[:LINE]          the same with any frame of the traceback\n"                                      \
    "                            patterns: * ? [seq] [!seq], matched against the whole file name\n"                    \
    "  -d, --domain LIST         raw, mem, obj, native, mmap; python: the first three; all: the first four.\n"         \
    "                            Default: all in reports for people; python in diffs, JSON and --style=tracemalloc\n"  \
    "\n"                                                                                                               \
    "      --style STYLE         people (default) or tracemalloc: the lines of Python's own module\n"                  \
    "      --format FORMAT       text (default) or json\n"                                                             \
    "      --to FORMAT           of export: json and csv (also of OLD NEW), folded, speedscope, pprof, pickle\n"       \
    "      --no-source           of html: leave the source files out of the page\n"                                    \
    "      --all                 do not fold imports and start-up into one row\n"                                      \
    "      --color WHEN          auto (default), always, never; NO_COLOR is honoured\n"                                \
    "      --fail-if-growth SIZE of a diff: exit code 3 when what is counted grew by more than SIZE (512KiB, 10MiB)\n" \
    "      --per-line            the same for each row by itself\n"                                                    \
    "      --fail-if-live SIZE, --fail-if-peak SIZE   exit code 3 when more is live, or was at the peak\n"             \
    "  -o, --output FILE         write there instead of to standard output (-): whole, or not at all\n"                \
    "  -h, --help                this text\n"                                                                          \
    "  -V, --version             the version\n"                                                                        \
    "\n"                                                                                                               \
    "Exit codes: 0 done, 1 failed, 2 misused, 3 a limit of --fail-if-... is passed.\n"

#endif
