/* SPDX-License-Identifier: MIT */
/* Totals of a snapshot: what its header says, or where it says nothing, the sum over its counters.  Any thread. */
#ifndef TM_REPORT_SNAPSHOT_SNAPSHOT_TOTALS_H
#define TM_REPORT_SNAPSHOT_SNAPSHOT_TOTALS_H

#include <stdint.h>

#include "report/snapshot/snapshot.h"

/* Bytes. */
struct tm_traced {
    uint64_t current;
    uint64_t peak; /* never less than current */
};

struct tm_domain_total {
    uint64_t live_bytes;
    uint64_t live_blocks;
    uint64_t ever_bytes; /* summed, headers do not say */
    uint64_t ever_blocks;
};

/* raw + mem + obj: what Python's tracemalloc.get_traced_memory() speaks of. */
struct tm_traced tm_snapshot_traced_python(const struct tm_snapshot *snapshot);

/* With native. */
struct tm_traced tm_snapshot_traced_heap(const struct tm_snapshot *snapshot);

struct tm_domain_total tm_snapshot_domain_total(const struct tm_snapshot *snapshot, enum tm_domain domain);

#endif
