/* SPDX-License-Identifier: MIT */
/* The traced processes of this machine that this user may look into.
 *
 * Memory   malloc'ed, free() gives it back.     Threads  any. */
#ifndef TM_REPORT_PROCESS_TRACED_LIST_H
#define TM_REPORT_PROCESS_TRACED_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "report/process/process_facts.h"

struct tm_traced_process {
    pid_t pid;
    char state;
    uint64_t age_ns;
    uint64_t traced_bytes; /* all domains */
    uint64_t peak_bytes;
    uint64_t tracer_bytes; /* memory that tracing itself takes; 0: not known */
    char command[TM_COMMAND_CAPACITY];
};

/* What is not in the list. */
struct tm_traced_unseen {
    size_t of_others;     /* processes of other users that may not be looked into, traced or not */
    size_t without_store; /* have the library but no store in a file: no Python runs in them, or it is kept in memory */
};

/* Ascending by pid.  NULL without memory. */
TM_CHECKED struct tm_traced_process *tm_traced_list(size_t *count, struct tm_traced_unseen *unseen);

#endif
