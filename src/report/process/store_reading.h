/* SPDX-License-Identifier: MIT */
/* A store that its process may be writing, to the bytes of a snapshot.
 *
 * The file is read twice.  The totals of the snapshot are those of one moment between the two readings of the counters;
 * the counters are those of the second reading.  What was counted between the two is the most by which their sum can
 * differ from the totals: the snapshot says it, as `skew_bytes`.
 *
 * Memory   malloc'ed, the caller frees it.     Threads  any.     Errors   false and one line in *WHY. */
#ifndef TM_REPORT_PROCESS_STORE_READING_H
#define TM_REPORT_PROCESS_STORE_READING_H

#include <stddef.h>
#include <stdint.h>

#include "report/process/why.h"
#include "store/store_layout.h"

/* NAME is for people.  MOMENT becomes the fact of that name. */
TM_CHECKED bool tm_store_read_snapshot(int descriptor, const char *name, const char *moment, uint8_t **bytes,
                                       size_t *size, struct tm_why *why);

/* The header alone.  HEADER has TM_STORE_HEADER_SIZE bytes, aligned as a struct. */
TM_CHECKED bool tm_store_read_header(int descriptor, const char *name, struct tm_store_header *header,
                                     struct tm_why *why);

/* The process was asked for single blocks (TRACEMALLOC_BLOCKS=1), which no store has. */
bool tm_store_lacks_blocks(const struct tm_store_header *header);

#endif
