/* SPDX-License-Identifier: MIT */
/* The options of the traced process: one table, read once in the constructor.
 *
 * Each row is TRACEMALLOC_<NAME>.  The table is data (config_options.h), so that a tool can print the same list, and
 * check values before it runs the program.
 * Threads  read-only after tm_config_read.
 * Errors   a wrong value or an unknown TRACEMALLOC_ name: false, one line in MESSAGE. */
#ifndef TM_BASE_CONFIG_H
#define TM_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum tm_start {
    TM_START_NOW,    /* from the first allocation of the process */
    TM_START_PYTHON, /* from where `-X tracemalloc` starts */
    TM_START_OFF,    /* from tracemalloc_start() */
};

#define TM_TRACEBACK_LIMIT_MAX 65535U
#define TM_KEEP_MAX            9999U
#define TM_SIGNAL_FIRST        34U /* by number: real-time signals, of which libc takes the first two */
#define TM_SIGNAL_LAST         64U
#define TM_THRESHOLD_MIN       65536U /* bytes */
/* Whose blocks have machine frames in their tracebacks. */
enum tm_native_frames {
    TM_NATIVE_OFF,
    TM_NATIVE_ALL,
    TM_NATIVE_LIBC, /* of libc's doors (malloc, mmap): not CPython's */
};

#define TM_TRACEBACK_LIMIT_MAX 65535U

struct tm_config {
    uint32_t traceback_limit; /* frames kept per traceback, 1 to TM_TRACEBACK_LIMIT_MAX */
    enum tm_start start;
    uint64_t interval_s; /* seconds between two snapshots; 0: none */
    uint32_t keep;       /* snapshots of the interval that stay; 0: all */
    uint64_t threshold;  /* bytes of traced memory from one snapshot to the next; 0: none */
    int signal;          /* that asks for a snapshot; 0: none */
    enum tm_native_frames native;
    bool follow_fork;             /* forked children are traced */
    bool follow_exec;             /* and programs that any of these processes runs by exec */
    bool exact;                   /* borrow the stdlib's tracer where nothing else sees recycled objects */
    uint64_t sample_rate;         /* bytes between two sampled blocks on average; 0: all blocks are recorded */
    uint64_t memory_limit;        /* bytes that the tracer may use for itself; 0: no limit */
    bool blocks;                  /* snapshots list single blocks */
    bool watermark;               /* write marks into running frames, see runtime/unwind/watermark.h */
    bool slow;                    /* no quick way, no cache of stacks: for comparing */
    bool verbose;                 /* say on stderr what was written */
    const char *output;           /* pattern of the exit snapshot, from the environment; never NULL */
    bool output_is_set;           /* the user chose it */
    bool output_is_fixed;         /* likewise, and nothing in it changes from process to process */
    const char *temporary_folder; /* $TMPDIR, or NULL */
    const char *store;            /* folder of the live store, "none", or NULL for the folder of the output */
};

/* Reads ENVIRONMENT ("NAME=value" strings, NULL at the end) into *CONFIG, which is all defaults where nothing is
 * set.  Strings are kept by reference.  On false MESSAGE (CAPACITY bytes) holds one line without newline. */
TM_CHECKED bool tm_config_read(struct tm_config *config, char *const *environment, char *message, size_t capacity);

#endif
