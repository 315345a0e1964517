/* SPDX-License-Identifier: MIT */
/* A file that is there whole or not at all: written under a temporary name beside it, synced, renamed, its folder
 * synced.  Mode 0600, never through a link.     Threads  any. */
#ifndef TM_REPORT_PROCESS_NEW_FILE_H
#define TM_REPORT_PROCESS_NEW_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "report/process/why.h"

enum tm_new_file {
    TM_NEW_FILE_DONE,
    TM_NEW_FILE_TAKEN,  /* something is there already and was not to be replaced; nothing in *WHY */
    TM_NEW_FILE_FAILED, /* one line in *WHY; PATH is as it was */
};

/* REPLACE: a regular file at PATH may be replaced.  The file is given to OWNER where this user may do that. */
TM_CHECKED enum tm_new_file tm_new_file_write(const char *path, bool replace, uid_t owner, const void *bytes,
                                              size_t size, struct tm_why *why);

#endif
