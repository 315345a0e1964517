/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/stack_cache.h"

#include "runtime/unwind/python_stack.h"

#define FRESH_MAX 16U /* frames read one by one before a whole walk is the better way */
#define NEAR      8U  /* remembered frames that one frame is compared with */
#define MOVED_MAX 4   /* frames that went on, of a stack that is else the same but for one call or return */

bool tm_stack_leads_to(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted)
{
    return tm_stack_skip(row, tm_python_word(above, row->frame_previous)) == wanted;
}

/* What was the newest is older now, and gets its hash. */
static void push(struct tm_stack_cache *cache, struct tm_raw_frame frame)
{
    ptrdiff_t at = (ptrdiff_t)cache->count - 1;
    if (at >= 0) {
        const struct tm_raw_frame *older = &cache->frames[at];
        cache->hashes[at] = tm_stack_hash(cache->versions, cache->hashes[at - 1], older->place, older->offset);
    }
    cache->frames[cache->count] = frame;
    cache->notes[cache->count] = 0;
    cache->count++;
}

static void walk(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate)
{
    unsigned count = tm_python_stack_walk(row, tstate, cache->frames, cache->limit);
    for (unsigned i = 0; i < count / 2; i++) {
        struct tm_raw_frame newer = cache->frames[i];
        cache->frames[i] = cache->frames[count - 1 - i];
        cache->frames[count - 1 - i] = newer;
    }
    cache->count = 0;
    for (unsigned i = 0; i < count; i++) {
        push(cache, cache->frames[i]);
    }
    uintptr_t rest = count == 0 ? 0 : tm_python_word(cache->frames[0].frame, row->frame_previous);
    cache->is_whole = count < cache->limit || tm_stack_skip(row, rest) == 0;
}

/* The remembered frame that FRAME is, among the newest ones below BELOW; BELOW when there is none. */
static uint32_t find_near(const struct tm_stack_cache *cache, uintptr_t frame, uint32_t below)
{
    uint32_t end = below > NEAR ? below - NEAR : 0;
    for (uint32_t at = below; at-- > end;) {
        if (cache->frames[at].frame == frame) {
            return at;
        }
    }
    return below;
}

/* Reads frames from the newest on until one is where it was: FRESH are those before it, *KEPT what remains of the
 * cache.  False when that does not come soon. */
static bool read_fresh(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t frame,
                       struct tm_raw_frame *fresh, unsigned *fresh_count, uint32_t *kept)
{
    uint32_t below = cache->count;
    *fresh_count = 0;
    while ((frame = tm_stack_skip(row, frame)) != 0) {
        uint32_t at = find_near(cache, frame, below);
        if (at != below) {
            if (tm_stack_is_unchanged(row, &cache->frames[at]) && tm_stack_cache_holds(cache, row, at)) {
                *kept = at + 1;
                return true;
            }
            below = at;
        }
        if (*fresh_count == FRESH_MAX) {
            return false;
        }
        fresh[(*fresh_count)++] = tm_stack_read(row, frame);
        frame = tm_python_word(frame, row->frame_previous);
    }
    return false;
}

TM_INLINE bool leads(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted)
{
    return TM_LIKELY(tm_python_word(above, row->frame_previous) == wanted) ||
           tm_stack_leads_past_entry(row, above, wanted);
}

/* Where NEWEST belongs in the cache when one call or return at most has happened; -1: more has. */
static ptrdiff_t find_newest(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t newest)
{
    const ptrdiff_t top = (ptrdiff_t)cache->count - 1;
    if (cache->frames[top].frame == newest) {
        return top;
    }
    if (!cache->is_whole) {
        return -1; /* the limit would cut at another frame */
    }
    if (cache->frames[top - 1].frame == newest) {
        return top - 1;
    }
    return cache->count < cache->limit && leads(row, newest, cache->frames[top].frame) ? top + 1 : -1;
}

/* Follows where the frames are as before but for one call or return, and some of the newest ones went on.  False:
 * nothing has happened.  The cache is not empty. */
static bool follow_one(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t newest)
{
    struct tm_raw_frame moved[MOVED_MAX];
    int moved_count = 0;
    const ptrdiff_t end = find_newest(cache, row, newest);
    ptrdiff_t at = end;
    uintptr_t frame = newest;
    if (at < 0) {
        return false;
    }
    do {
        uintptr_t place = tm_python_frame_place(row, frame);
        if (place == 0 || moved_count == MOVED_MAX) {
            return false;
        }
        moved[moved_count++] = (struct tm_raw_frame){.frame = frame, .place = place};
        if (--at < 0) {
            break;
        }
        uintptr_t older = cache->frames[at].frame;
        if (!leads(row, frame, older)) {
            return false;
        }
        frame = older;
    } while (tm_python_word(frame, row->frame_instruction) != cache->frames[at].place);
    bool stands = at >= 0 ? tm_stack_cache_stands(cache, row, (size_t)at, TM_GAP_ENTRY)
                          : !cache->is_whole || leads(row, frame, 0);
    if (!stands) {
        return false;
    }
    cache->count = (uint32_t)(at + 1);
    while (moved_count > 0) {
        push(cache, moved[--moved_count]);
    }
    return true;
}

void tm_stack_cache_follow(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate)
{
    struct tm_raw_frame fresh[FRESH_MAX];
    unsigned fresh_count;
    uint32_t kept;
    uintptr_t newest = tm_python_frame_newest(row, tstate);
    if (cache->count != 0 && newest != 0 && row->chain != TM_CHAIN_OBJECT && row->code_tlbc == 0 &&
        follow_one(cache, row, newest)) {
        return;
    }
    if (cache->count == 0 || !read_fresh(cache, row, newest, fresh, &fresh_count, &kept)) {
        walk(cache, row, tstate);
        return;
    }
    uint32_t count = kept + fresh_count;
    if (count > cache->limit || (!cache->is_whole && count != cache->limit)) {
        walk(cache, row, tstate); /* the limit now cuts at another frame */
        return;
    }
    cache->count = kept;
    while (fresh_count > 0) {
        push(cache, fresh[--fresh_count]);
    }
}
