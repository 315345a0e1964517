/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot_totals.h"

#include <stdbool.h>
#include <stdio.h>

#include "format/domain_name.h"

static struct tm_traced traced(const struct tm_snapshot *snapshot, bool native, const char *current_key,
                               const char *peak_key)
{
    struct tm_traced sum = {0, 0};
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *c = &snapshot->counters[i];
        if (c->domain < TM_DOMAIN_NATIVE || (native && c->domain == TM_DOMAIN_NATIVE)) {
            sum.current += c->live_bytes;
            sum.peak += native ? c->peak_heap_bytes : c->peak_python_bytes;
        }
    }
    sum.current = tm_snapshot_number(snapshot, current_key, sum.current);
    sum.peak = tm_snapshot_number(snapshot, peak_key, sum.peak);
    if (sum.peak < sum.current) {
        sum.peak = sum.current;
    }
    return sum;
}

struct tm_traced tm_snapshot_traced_python(const struct tm_snapshot *snapshot)
{
    return traced(snapshot, false, "python_current", "python_peak");
}

struct tm_traced tm_snapshot_traced_heap(const struct tm_snapshot *snapshot)
{
    return traced(snapshot, true, "heap_current", "heap_peak");
}

static uint64_t header_figure(const struct tm_snapshot *snapshot, const char *figure, enum tm_domain domain,
                              uint64_t fallback)
{
    char key[64];
    (void)snprintf(key, sizeof key, "%s_%s", figure, tm_domain_name(domain));
    return tm_snapshot_number(snapshot, key, fallback);
}

struct tm_domain_total tm_snapshot_domain_total(const struct tm_snapshot *snapshot, enum tm_domain domain)
{
    struct tm_domain_total total = {0, 0, 0, 0};
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *c = &snapshot->counters[i];
        if (c->domain == domain) {
            total.live_bytes += c->live_bytes;
            total.live_blocks += c->live_blocks;
            total.ever_bytes += c->ever_bytes;
            total.ever_blocks += c->ever_blocks;
        }
    }
    total.live_bytes = header_figure(snapshot, "live_bytes", domain, total.live_bytes);
    total.live_blocks = header_figure(snapshot, "live_blocks", domain, total.live_blocks);
    return total;
}
