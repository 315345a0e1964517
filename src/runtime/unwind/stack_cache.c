/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/stack_cache.h"

#include "runtime/unwind/python_stack.h"

#define FRESH_MAX       16U /* frames read one by one before a whole walk is the better way */
#define NEAR            8U  /* remembered frames that one frame is compared with */
#define HIDDEN_AT_FIRST 16U /* frames that a walk reads beyond the limit, as there are */
#define MOVED_MAX       4   /* frames that went on, of a stack that is else the same but for one call or return */

bool tm_stack_leads_to(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted)
{
    return tm_stack_skip(row, tm_python_word(above, row->frame_previous)) == wanted;
}

/* A and B below the prime. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    tm_stack_product product = (tm_stack_product)a * b;
    uint64_t sum = ((uint64_t)product & TM_STACK_PRIME) + (uint64_t)(product >> 61);
    return sum < TM_STACK_PRIME ? sum : sum - TM_STACK_PRIME;
}

void tm_stack_cache_set_limit(struct tm_stack_cache *cache, uint32_t limit)
{
    uint64_t square = TM_STACK_MULTIPLIER;
    tm_stack_cache_clear(cache);
    cache->limit = limit;
    cache->power = 1;
    for (uint32_t bits = limit > 0 ? limit - 1 : 0; bits != 0; bits >>= 1) {
        cache->power = (bits & 1) != 0 ? multiply(cache->power, square) : cache->power;
        square = multiply(square, square);
    }
}

/* Hides COUNT frames more; below 0: less.  The newest one that is there is the one it was. */
static void slide(struct tm_stack_cache *cache, int count)
{
    cache->frames += count;
    cache->hashes += count;
    cache->notes += count;
    cache->hidden += (uint32_t)count;
    cache->count -= (uint32_t)count;
    cache->is_whole = cache->reaches_end && cache->hidden == 0;
}

/* What was the newest is older now, and gets its hash. */
static void push(struct tm_stack_cache *cache, struct tm_raw_frame frame)
{
    ptrdiff_t at = (ptrdiff_t)cache->count - 1;
    if (at >= 0) {
        const struct tm_raw_frame *older = &cache->frames[at];
        cache->hashes[at] = tm_stack_hash(cache->versions, cache->hashes[at - 1], older->place, older->offset);
    }
    if (cache->count == cache->limit) {
        slide(cache, 1);
    }
    cache->frames[cache->count] = frame;
    cache->notes[cache->count] = 0;
    cache->count++;
}

/* Takes from the last hash what comes from before the window. */
static void find_older(struct tm_stack_cache *cache)
{
    uint64_t before = cache->hidden == 0 ? 0 : multiply(cache->hashes[-1], cache->power);
    uint64_t all = cache->count < 2 ? 0 : cache->hashes[cache->count - 2];
    cache->older = cache->count < 2 ? 0 : all >= before ? all - before : all + TM_STACK_PRIME - before;
}

static void walk(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate)
{
    const unsigned most = cache->limit + HIDDEN_AT_FIRST;
    tm_stack_cache_clear(cache);
    struct tm_raw_frame *frames = cache->frames;
    unsigned count = tm_python_stack_walk(row, tstate, frames, most);
    for (unsigned i = 0; i < count / 2; i++) {
        struct tm_raw_frame newer = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = newer;
    }
    uintptr_t rest = count == 0 ? 0 : tm_python_word(frames[0].frame, row->frame_previous);
    cache->reaches_end = count < most || tm_stack_skip(row, rest) == 0;
    cache->is_whole = cache->reaches_end;
    for (unsigned i = 0; i < count; i++) {
        push(cache, frames[i]);
    }
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

/* Where NEWEST belongs in the cache when one call or return at most has happened; -1: more has, or there is no room. */
static ptrdiff_t find_newest(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t newest)
{
    const ptrdiff_t top = (ptrdiff_t)cache->count - 1;
    if (cache->frames[top].frame == newest) {
        return top;
    }
    if (top > 0 && cache->frames[top - 1].frame == newest) {
        if (cache->hidden != 0) {
            cache->count--;
            slide(cache, -1);
            return top;
        }
        return cache->is_whole ? top - 1 : -1; /* else the limit would cut at a frame that is not known */
    }
    bool has_room = cache->count < cache->limit ? cache->is_whole : cache->hidden < TM_STACK_HIDDEN_MAX;
    return has_room && leads(row, newest, cache->frames[top].frame) ? top + 1 : -1;
}

/* Follows where the frames are as before but for one call or return, and some of the newest ones went on.  False:
 * what is in the cache is as it was, though the window may have moved.  The cache is not empty. */
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

/* Makes the window wider at its old end, by what is hidden, where FRESH frames after KEPT are fewer than the limit; *KEPT
 * counts those too then.  False: they have changed, are not known, or there is no room for so many. */
static bool fit_window(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uint32_t *kept,
                       uint32_t fresh)
{
    const uint32_t count = *kept + fresh;
    if (count >= cache->limit) {
        return (count == cache->limit || cache->hidden + count - cache->limit <= TM_STACK_HIDDEN_MAX);
    }
    const uint32_t missing = cache->limit - count;
    const uint32_t back = missing < cache->hidden ? missing : cache->hidden;
    if (back < missing && !cache->reaches_end) {
        return false;
    }
    if (back != 0) {
        slide(cache, -(int)back);
        *kept += back;
        return tm_stack_cache_holds(cache, row, back);
    }
    return true;
}

static void refresh(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate,
                    uintptr_t newest)
{
    struct tm_raw_frame fresh[FRESH_MAX];
    unsigned fresh_count;
    uint32_t kept;
    if (cache->count == 0 || !read_fresh(cache, row, newest, fresh, &fresh_count, &kept) ||
        !fit_window(cache, row, &kept, fresh_count)) {
        walk(cache, row, tstate);
        return;
    }
    cache->count = kept;
    while (fresh_count > 0) {
        push(cache, fresh[--fresh_count]);
    }
}

void tm_stack_cache_follow(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate)
{
    uintptr_t newest = tm_python_frame_newest(row, tstate);
    bool is_followed = cache->count != 0 && newest != 0 && row->chain != TM_CHAIN_OBJECT && row->code_tlbc == 0 &&
                       follow_one(cache, row, newest);
    if (!is_followed) {
        refresh(cache, row, tstate, newest);
    }
    find_older(cache);
}
