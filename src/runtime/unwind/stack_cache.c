/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/stack_cache.h"

#include "runtime/unwind/python_stack.h"
#include "runtime/unwind/stack_step.h"

#define FRESH_MAX       16U /* frames read one by one before a whole walk is the better way */
#define NEAR            8U  /* remembered frames that one frame is compared with */
#define HIDDEN_AT_FIRST 16U /* frames that a walk reads beyond the limit, as there are */

bool tm_stack_leads_to(const struct tm_cpython_layout *row, uintptr_t above, uintptr_t wanted)
{
    return tm_stack_skip(row, tm_python_word(above, row->frame_previous)) == wanted;
}

uint64_t tm_stack_power(uint32_t count)
{
    uint64_t power = 1;
    uint64_t square = TM_STACK_MULTIPLIER;
    for (; count != 0; count >>= 1) {
        power = (count & 1) != 0 ? tm_stack_multiply_all(power, square) : power;
        square = tm_stack_multiply_all(square, square);
    }
    return power;
}

void tm_stack_cache_init(struct tm_stack_cache *cache, struct tm_raw_frame *frames, uint64_t *hashes, uint32_t *notes)
{
    for (unsigned i = 0; i < TM_STACK_BEFORE; i++) {
        frames[i].frame = TM_STACK_NOWHERE;
    }
    cache->room = (struct tm_stack_room){frames + TM_STACK_BEFORE, hashes + TM_STACK_BEFORE, notes};
    tm_stack_cache_clear(cache);
}

void tm_stack_cache_set_limit(struct tm_stack_cache *cache, uint32_t limit)
{
    tm_stack_cache_clear(cache);
    cache->limit = limit;
    cache->power = tm_stack_power(limit > 0 ? limit - 1 : 0);
}

/* Whoever steps does not look whether the caller counts where it is: that a record is known of the hash says so.  So
 * the hash is another where a place counts in a generator's frame only. */
static uint64_t hash_of(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row, ptrdiff_t at)
{
    const struct tm_raw_frame *frame = &cache->frames[at];
    int32_t offset = TM_LIKELY(tm_stack_counts_anywhere(row, frame)) ? frame->offset : 1;
    return tm_stack_hash(cache->versions, cache->hashes[at - 1], frame->place, offset);
}

/* What was the newest is older now, and gets its hash. */
static void push(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, struct tm_raw_frame frame)
{
    ptrdiff_t at = (ptrdiff_t)cache->count - 1;
    if (at >= 0) {
        cache->hashes[at] = hash_of(cache, row, at);
    }
    if (cache->count == cache->limit) {
        tm_stack_cache_slide(cache, 1);
    }
    cache->newest[1] = frame;
    tm_stack_cache_turn_to(cache, cache->newest + 1);
    cache->notes[cache->count] = 0;
    cache->count++;
}

/* Takes from the last hash what comes from before the window. */
static void find_older(struct tm_stack_cache *cache)
{
    cache->older =
        cache->count < 2 ? 0 : tm_stack_hash_without(cache->hashes[cache->count - 2], cache->hashes[-1], cache->power);
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
        push(cache, row, frames[i]);
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

bool tm_stack_step_counts(const struct tm_stack_cache *cache, const struct tm_cpython_layout *row,
                          const struct tm_stack_step *step)
{
    if (tm_python_frame_place(row, step->newest) == 0) {
        return false;
    }
    if (!step->is_new) {
        return true;
    }
    const struct tm_raw_frame caller = {.frame = cache->frames[step->caller].frame, .place = step->caller_place};
    return tm_python_frame_place(row, caller.frame) != 0 && tm_stack_counts_anywhere(row, &caller);
}

/* Where one step leads to the present stack.  False: nothing has changed. */
static bool follow_step(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t newest)
{
    struct tm_stack_step step;
    if (cache->limit < 2 || !tm_stack_step_find(cache, row, newest, tm_stack_form_of(row, TM_GAP_ENTRY), &step) ||
        !tm_stack_step_counts(cache, row, &step)) {
        return false;
    }
    tm_stack_step_make(cache, &step);
    return true;
}

/* Makes the window wider at its old end, by what is hidden, where FRESH frames after KEPT are fewer than the limit;
 * *KEPT counts those too then.  False: they have changed, are not known, or there is no room for so many. */
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
        tm_stack_cache_slide(cache, -(ptrdiff_t)back);
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
    tm_stack_cache_turn_to(cache, cache->frames + kept - 1);
    while (fresh_count > 0) {
        push(cache, row, fresh[--fresh_count]);
    }
}

void tm_stack_cache_follow(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t tstate)
{
    uintptr_t newest = tm_python_frame_newest(row, tstate);
    bool is_followed = cache->count != 0 && newest != 0 && row->chain != TM_CHAIN_OBJECT && row->code_tlbc == 0 &&
                       follow_step(cache, row, newest);
    if (!is_followed) {
        refresh(cache, row, tstate, newest);
        find_older(cache);
    }
}
