/* SPDX-License-Identifier: MIT */
/* What an event is called in the trace cache: stack, domain and size in one key and one check word. */
#ifndef TM_RUNTIME_TRACK_TRACE_KEY_H
#define TM_RUNTIME_TRACK_TRACE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "runtime/table/block_table.h"
#include "runtime/table/trace_cache.h"
#include "runtime/unwind/raw_frame.h"
#include "store/store_layout.h"

struct tm_trace_key {
    uint64_t key;
    uint32_t check;
    bool is_exact; /* false: no exact key can be made, take the long way */
};

/* What is in a key of the block: see below. */
TM_INLINE uint64_t tm_trace_key_of_block(uint8_t domain, uint16_t size)
{
    uint64_t code = size == TM_SIZE_VARIES ? TM_SMALL_SIZE_MAX + 1 : size;
    return (code + ((uint64_t)domain << 10)) << TM_ADDRESS_BITS;
}

/* One frame or none: key and check say exactly where and what the event was.
 *
 *   key   bits 0 to 46: place + offset;  47 to 56: size, 513 when it varies;  57 and up: domain
 *
 * The sum and the offset together say the place; the place alone would not tell two instructions of a code object. */
TM_INLINE struct tm_trace_key tm_trace_key_of_top(const struct tm_trace_cache *cache, const struct tm_raw_frame *frames,
                                                  unsigned count, uint8_t domain, uint16_t size)
{
    const uint64_t rest = tm_trace_key_of_block(domain, size);
    if (count == 0) {
        return (struct tm_trace_key){rest, tm_trace_check(cache, 0), true};
    }
    uint64_t place = frames[0].place + (uint64_t)(int64_t)frames[0].offset;
    bool fits = frames[0].offset >= -1 && frames[0].offset <= TM_CHECK_OFFSET_MAX && (place >> TM_ADDRESS_BITS) == 0;
    return (struct tm_trace_key){place | rest, tm_trace_check_of_place(cache, frames[0].place, frames[0].offset), fits};
}

/* More frames, of which FRAME (NULL: none) is the newest one of Python's: OLDER is the fingerprint of all others, which
 * joins the key. */
TM_INLINE struct tm_trace_key tm_trace_key_of_stack(const struct tm_trace_cache *cache,
                                                    const struct tm_raw_frame *frame, uint64_t older, uint8_t domain,
                                                    uint16_t size)
{
    struct tm_trace_key key = tm_trace_key_of_top(cache, frame, frame != NULL ? 1 : 0, domain, size);
    key.key ^= older;
    return key;
}

#endif
