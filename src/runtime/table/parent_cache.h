/* SPDX-License-Identifier: MIT */
/* From the hash of a stack's older frames to their traceback: whose stack is deeper than the limit gets other older
 * frames with each call and return, and comes back to the same ones soon.
 *
 * Two different stacks have the same hash with probability 2^-61, as in the trace cache; what is void there is void
 * here (its `voids`, and the versions of places, which are part of the hash).
 * Threads  the caller's lock (the GIL).   Signals  the guard is up.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TABLE_PARENT_CACHE_H
#define TM_RUNTIME_TABLE_PARENT_CACHE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"

#define TM_PARENT_BITS 10

struct tm_parent {
    uint64_t older; /* the hash */
    uint32_t voids; /* of the trace cache, when it was put here */
    uint32_t traceback;
};

/* All zero is the empty cache. */
struct tm_parent_cache {
    struct tm_parent parents[1 << TM_PARENT_BITS];
};

TM_INLINE struct tm_parent *tm_parent_at(struct tm_parent_cache *cache, uint64_t older)
{
    return &cache->parents[(older * TM_HASH_MULTIPLIER) >> (64 - TM_PARENT_BITS)];
}

/* The traceback of the frames whose hash is OLDER (not 0); 0: it is not here. */
TM_INLINE uint32_t tm_parent_find(struct tm_parent_cache *cache, uint64_t older, uint32_t voids)
{
    const struct tm_parent *parent = tm_parent_at(cache, older);
    return TM_LIKELY(parent->older == older) && TM_LIKELY(parent->voids == voids) ? parent->traceback : 0;
}

TM_INLINE void tm_parent_put(struct tm_parent_cache *cache, uint64_t older, uint32_t voids, uint32_t traceback)
{
    *tm_parent_at(cache, older) = (struct tm_parent){.older = older, .voids = voids, .traceback = traceback};
}

#endif
