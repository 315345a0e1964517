/* SPDX-License-Identifier: MIT */
/* Counting a block in its record, for one or, where it was sampled, for as many as it stands for.
 *
 * For the tracker.   Threads  any: OWNER says whose words may be moved plainly, see counting.h.   Signals  safe.
 * errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TRACK_BLOCK_COUNT_H
#define TM_RUNTIME_TRACK_BLOCK_COUNT_H

#include "base/sample_chance.h"
#include "runtime/track/counting.h"
#include "runtime/track/sampler.h"

/* tm_record_add, also where the block was sampled.  Answers the bytes that it counts for. */
TM_INLINE uint64_t tm_block_count_in(struct tm_runtime *runtime, uint32_t id, uint64_t size, uint32_t owner)
{
    if (!tm_sampler_made(runtime, &runtime->records.records[id])) {
        tm_record_add(runtime, id, size, owner);
        return size;
    }
    struct tm_sample_weight weight = tm_sample_weight_of(size, runtime->sample_rate);
    tm_sampler_count(runtime, id, &weight, false, 1, owner);
    return weight.bytes;
}

/* tm_record_give_back, also where the block was sampled; BY is its BLOCKS.  Answers what one such block counts for. */
TM_INLINE struct tm_sample_weight tm_block_give_back(struct tm_runtime *runtime, uint32_t id, uint64_t size,
                                                     uint64_t by, uint32_t owner)
{
    struct tm_sample_weight weight = {1, size};
    if (tm_sampler_made(runtime, &runtime->records.records[id])) {
        weight = tm_sample_weight_of(size, runtime->sample_rate);
        tm_sampler_count(runtime, id, &weight, true, by, owner);
    } else {
        tm_record_give_back(runtime, id, size, by, owner);
    }
    return weight;
}

#endif
