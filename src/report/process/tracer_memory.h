/* SPDX-License-Identifier: MIT */
/* What the tracer costs a running process. */
#ifndef TM_REPORT_PROCESS_TRACER_MEMORY_H
#define TM_REPORT_PROCESS_TRACER_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "store/store_layout.h"

/* Bytes of memory: the store, of which STORE_BYTES are in its file, and the tables beside it, whose pages the kernel is
 * asked for (/proc/PID/pagemap).  HEADER is a copy and is not trusted.  0 when the library did not say. */
uint64_t tm_tracer_memory(pid_t pid, const struct tm_store_header *header, uint64_t store_bytes);

#endif
