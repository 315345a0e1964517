/* SPDX-License-Identifier: MIT */
/* Where the live store of a running process is: the file that it has mapped, opened without trusting any name.
 *
 * The name comes from /proc/PID/maps, which the kernel writes.  It is opened through the process's own root folder,
 * never through a link and never waiting, and must be a regular file with the inode of the mapping.  Nothing is asked
 * of the process: it may be stopped or hang.
 *
 * Memory   the caller's.     Threads  any.     Errors   false and one line in *WHY. */
#ifndef TM_REPORT_PROCESS_STORE_PLACE_H
#define TM_REPORT_PROCESS_STORE_PLACE_H

#include <limits.h>

#include "report/process/process_facts.h"
#include "report/process/why.h"

struct tm_store_place {
    char path[PATH_MAX]; /* as the process has it; for people */
    unsigned major, minor;
    uint64_t inode;
};

/* The store that process FACTS has mapped.  *IS_TRACED tells on false whether the library is in the process at all. */
TM_CHECKED bool tm_store_place_find(const struct tm_process_facts *facts, struct tm_store_place *place, bool *is_traced,
                                    struct tm_why *why);

/* Opens the store of PLACE for reading; the caller closes *DESCRIPTOR. */
TM_CHECKED bool tm_store_place_open(const struct tm_process_facts *facts, const struct tm_store_place *place,
                                    int *descriptor, struct tm_why *why);

/* Finds and opens the store of PID. */
TM_CHECKED bool tm_store_open_process(pid_t pid, struct tm_store_place *place, int *descriptor, struct tm_why *why);

/* Opens a store, of a running process or of a dead one, by its path: a regular file, not through a link. */
TM_CHECKED bool tm_store_open_path(const char *path, int *descriptor, struct tm_why *why);

#endif
