/* SPDX-License-Identifier: MIT */
/* What the resident memory (RSS) of a process consists of, as far as its snapshot tells.
 *
 * Each part is counted once and all parts together are the RSS; what no part explains is a part of its own, so nothing
 * is hidden.  It is below zero when live blocks have pages that were never touched, or were given back or swapped out.
 * Pure functions. */
#ifndef TM_REPORT_STAT_MEMORY_ACCOUNT_H
#define TM_REPORT_STAT_MEMORY_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "report/snapshot/snapshot.h"

enum tm_memory_part {
    TM_MEMORY_PYTHON,      /* traced, live: raw + mem + obj */
    TM_MEMORY_NATIVE,      /* traced, live: native */
    TM_MEMORY_MAPS,        /* traced, live: private maps of the program's own, as far as they were touched */
    TM_MEMORY_ARENAS,      /* CPython's arenas less what is live in them: rounding, free blocks, free pools */
    TM_MEMORY_LIBC_USED,   /* libc's heaps: headers and rounding, and blocks from before tracing */
    TM_MEMORY_LIBC_FREE,   /* free in libc's heaps */
    TM_MEMORY_FILES,       /* mapped files as on disk */
    TM_MEMORY_FILES_OWN,   /* mapped files, changed pages */
    TM_MEMORY_SHARED,      /* shared memory */
    TM_MEMORY_STACK,       /* of the main thread */
    TM_MEMORY_TRACER,      /* our own tables and store */
    TM_MEMORY_UNEXPLAINED, /* the rest */
    TM_MEMORY_PARTS
};

struct tm_memory_account {
    uint64_t rss; /* bytes */
    uint64_t pss; /* shared pages divided by those who share them; 0: not known */
    uint64_t swap;
    int64_t parts[TM_MEMORY_PARTS]; /* bytes; their sum is rss */
};

/* False: the snapshot does not tell (made by an older release, or /proc could not be read). */
bool tm_memory_account_make(const struct tm_snapshot *snapshot, struct tm_memory_account *account);

/* A word for JSON, like `python`, and a line for people. */
const char *tm_memory_part_name(enum tm_memory_part part);
const char *tm_memory_part_title(enum tm_memory_part part);

#endif
