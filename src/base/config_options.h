/* SPDX-License-Identifier: MIT */
/* The table of options: name, what its value is, default, help.  One row is one variable TRACEMALLOC_<NAME> and one
 * flag of tm-run.
 *
 *   X(NAME, parser, default, values, help) */
#ifndef TM_BASE_CONFIG_OPTIONS_H
#define TM_BASE_CONFIG_OPTIONS_H

/* The default of OUTPUT. */
#define TM_OUTPUT_DEFAULT "tracemalloc.%p.tms"

/* The values of an option that is on or off. */
#define TM_OPTION_SWITCH "0 or 1"

#define TM_OPTION_MAP(X)                                                                                               \
    X(NFRAME, parse_nframe, "1", "1 to 65535", "frames kept per traceback")                                            \
    X(OUTPUT, parse_output, TM_OUTPUT_DEFAULT,                                                                         \
      "a path; %p pid, %n number, %t time, %h host, %e program, %% a percent sign", "the exit snapshot")               \
    X(STORE, parse_store, "the folder of OUTPUT", "a folder, or none", "where the live store lies")                    \
    X(START, parse_start, "now", "now, python or off", "when tracing begins")                                          \
    X(INTERVAL, parse_interval, "none", "a time: 30s, 5min, 2h", "a snapshot each time this has passed")               \
    X(KEEP, parse_keep, "all", "1 to 9999, or all", "snapshots of INTERVAL that stay: older ones are removed")         \
    X(THRESHOLD, parse_threshold, "none", "a size from 64KiB on: 500MiB, 2GiB",                                        \
      "a snapshot when traced memory has grown past this, and past each further multiple")                             \
    X(SIGNAL, parse_signal, "none", "USR1, USR2, HUP, PROF, WINCH, 34 to 64, or none",                                 \
      "a snapshot whenever the process gets this signal, unless the program handles it itself")                        \
    X(FOLLOW, parse_follow, "fork,exec", "fork, exec, fork,exec or none",                                              \
      "which children are traced as well: forked ones, programs that Python runs by exec")                             \
    X(EXACT, parse_exact, "0", TM_OPTION_SWITCH,                                                                       \
      "see recycled objects where it takes the stdlib's tracer (3.8, static 3.9 to 3.12)")                             \
    X(NATIVE, parse_native, "0", "0, 1 or native",                                                                     \
      "machine frames too, up to 64: 1 of all blocks, native of those that did not come through CPython")              \
    X(BLOCKS, parse_blocks, "0", TM_OPTION_SWITCH,                                                                     \
      "each snapshot lists every live block too: address, size, traceback")                                            \
    X(SAMPLE, parse_sample, "0", "0 (record all) or a size from 1KiB to 1GiB",                                         \
      "record one block in so many bytes, and estimate the rest")                                                      \
    X(MEMORY_LIMIT, parse_memory_limit, "none", "a size of 8MiB or more, or none",                                     \
      "memory of the tracer itself: near it tracebacks get shorter, then new traces are one, then it samples")         \
    X(WATERMARK, parse_watermark, "0", TM_OPTION_SWITCH,                                                               \
      "with NFRAME > 1 on 3.11 to 3.13: mark the running frame, by a write into it, to know the stack by")             \
    X(SLOW, parse_slow, "0", TM_OPTION_SWITCH, "for tests: take every event the long way, remember no stack")          \
    X(VERBOSE, parse_verbose, "0", TM_OPTION_SWITCH, "say on stderr what was written")

#endif
