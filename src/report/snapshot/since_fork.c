/* SPDX-License-Identifier: MIT */
#include "report/snapshot/since_fork.h"

#include <stdlib.h>
#include <string.h>

bool tm_snapshot_was_forked(const struct tm_snapshot *snapshot)
{
    return tm_snapshot_meta(snapshot, "forked_from") != NULL;
}

/* Says a fact something of all blocks together? */
static bool is_of_all(struct tm_span key)
{
    static const char *const keys[] = {"python_current", "python_peak", "heap_current", "heap_peak", "peak_bound"};
    static const char prefix[] = "live_";
    for (size_t i = 0; i < TM_COUNT_OF(keys); i++) {
        if (tm_span_is(key, keys[i])) {
            return true;
        }
    }
    return key.length >= sizeof prefix - 1 && memcmp(key.bytes, prefix, sizeof prefix - 1) == 0;
}

static size_t copy_facts(const struct tm_snapshot *snapshot, struct tm_meta_record *to)
{
    size_t count = 0;
    for (size_t i = 0; i < snapshot->meta_count; i++) {
        if (!is_of_all(snapshot->meta[i].key)) {
            to[count++] = snapshot->meta[i];
        }
    }
    return count;
}

/* The loader has checked that PART is no larger in anything. */
static struct tm_counter_record rest_of(const struct tm_counter_record *whole, const struct tm_counter_record *part)
{
    return (struct tm_counter_record){.traceback = whole->traceback,
                                      .domain = whole->domain,
                                      .live_bytes = whole->live_bytes - part->live_bytes,
                                      .live_blocks = whole->live_blocks - part->live_blocks,
                                      .ever_bytes = whole->ever_bytes - part->ever_bytes,
                                      .ever_blocks = whole->ever_blocks - part->ever_blocks,
                                      .temporary_blocks = whole->temporary_blocks - part->temporary_blocks};
}

/* Both ascend. */
static size_t copy_rests(const struct tm_snapshot *snapshot, struct tm_counter_record *to)
{
    static const struct tm_counter_record nothing;
    size_t count = 0, at = 0;
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *whole = &snapshot->counters[i];
        bool has_part = at < snapshot->inherited_count && tm_counter_compare(&snapshot->inherited[at], whole) == 0;
        struct tm_counter_record rest = rest_of(whole, has_part ? &snapshot->inherited[at++] : &nothing);
        if (rest.ever_blocks != 0 || rest.live_blocks != 0) {
            to[count++] = rest;
        }
    }
    return count;
}

bool tm_snapshot_make_since_fork(struct tm_snapshot *snapshot)
{
    struct tm_counter_record *counters = malloc((snapshot->counter_count + 1) * sizeof *counters);
    struct tm_meta_record *facts = malloc((snapshot->meta_count + 1) * sizeof *facts);
    if (counters == NULL || facts == NULL || snapshot->buffer_count + 2 > TM_SNAPSHOT_BUFFERS) {
        free(counters);
        free(facts);
        return false;
    }
    snapshot->buffers[snapshot->buffer_count++] = counters;
    snapshot->buffers[snapshot->buffer_count++] = facts;
    snapshot->counter_count = copy_rests(snapshot, counters);
    snapshot->counters = counters;
    snapshot->meta_count = copy_facts(snapshot, facts);
    snapshot->meta = facts;
    snapshot->inherited_count = 0;
    snapshot->size_count = 0;
    snapshot->block_count = 0;
    snapshot->has_blocks = false; /* of which nobody says whose they are */
    snapshot->is_since_fork = true;
    return true;
}
