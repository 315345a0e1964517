/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot_identity.h"

static bool agree(const struct tm_snapshot *a, const struct tm_snapshot *b, const char *key)
{
    uint64_t x = tm_snapshot_number(a, key, 0), y = tm_snapshot_number(b, key, 0);
    return x == 0 || y == 0 || x == y;
}

bool tm_snapshot_is_same_process(const struct tm_snapshot *a, const struct tm_snapshot *b)
{
    return agree(a, b, "pid") && agree(a, b, "start_time_ns");
}

unsigned tm_snapshot_count_processes(const struct tm_snapshot *const *snapshots, unsigned count)
{
    unsigned processes = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned before = 0;
        while (before < i && !tm_snapshot_is_same_process(snapshots[before], snapshots[i])) {
            before++;
        }
        processes += before == i;
    }
    return processes;
}

uint64_t tm_snapshot_time_ns(const struct tm_snapshot *snapshot)
{
    return tm_snapshot_number(snapshot, "time_ns", 0);
}
