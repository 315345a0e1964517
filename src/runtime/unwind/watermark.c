/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/watermark.h"

#define RUNNING_WANTED 64U       /* frames, one other than the one before, that ran and held -1 */
#define WAITING_WANTED 16U       /* callers that held a depth */
#define LOOKS_MAX      100000U   /* to see so many */
#define AGREED_WANTED  256U      /* marks that were right before one is believed */
#define DEPTH_MAX      (1 << 20) /* values on a stack: more are none */

bool tm_watermark_begin(struct tm_watermark *watermark, const struct tm_cpython_layout *row)
{
    *watermark = (struct tm_watermark){
        .mark = TM_WATERMARK_NONE,
        .written = TM_WATERMARK_NONE,
        .last = TM_WATERMARK_RUNS,
        .state = row->frame_stacktop != 0 ? TM_WATERMARK_WATCHES : TM_WATERMARK_OFF,
    };
    return watermark->state == TM_WATERMARK_WATCHES;
}

static void give_up(struct tm_watermark *watermark, const char *fault)
{
    watermark->fault = fault;
    watermark->state = TM_WATERMARK_GIVEN_UP;
    watermark->mark = watermark->written = TM_WATERMARK_NONE;
}

/* The cache is for LIMIT frames, and its newest one, NEWEST, stands as it was marked. */
TM_INLINE bool is_marked(const struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                         const struct tm_cpython_layout *row, uintptr_t newest, uint32_t limit)
{
    return newest != 0 && newest == cache->newest->frame && cache->limit == limit &&
           *tm_watermark_field(row, newest) == watermark->written;
}

/* Compares what the mark in NEWEST says with what the stack says. */
static void compare(struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                    const struct tm_cpython_layout *row, uintptr_t newest)
{
    if (!tm_stack_cache_holds(cache, row, (size_t)cache->count - 1)) {
        *tm_watermark_field(row, newest) = TM_WATERMARK_RUNS;
        give_up(watermark, "a frame below a marked one had changed");
    } else if (watermark->state == TM_WATERMARK_TRIES && watermark->agreed >= AGREED_WANTED) {
        watermark->state = TM_WATERMARK_ON;
    }
}

/* What tm_stack_cache_look does where the older frames are unchanged.  False: the newest one does not count. */
TM_INLINE bool move(struct tm_stack_cache *cache, const struct tm_cpython_layout *row, uintptr_t newest)
{
    struct tm_raw_frame now = tm_stack_read(row, newest);
    if (now.place == 0) {
        return false;
    }
    *cache->newest = now;
    cache->notes[(ptrdiff_t)cache->count - 1] = 0;
    return true;
}

static void watch(struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                  const struct tm_cpython_layout *row, uintptr_t newest)
{
    int32_t value = *tm_watermark_field(row, newest);
    int32_t below = cache->count > 1 ? *tm_watermark_field(row, cache->frames[cache->count - 2].frame) : 0;
    if (value < TM_WATERMARK_RUNS || below < TM_WATERMARK_RUNS || value > DEPTH_MAX || below > DEPTH_MAX) {
        give_up(watermark, "what a frame says of its value stack is not what is known of it");
        return;
    }
    if (value == TM_WATERMARK_RUNS && newest != watermark->seen) {
        watermark->running++;
        watermark->seen = newest;
    }
    watermark->waiting += cache->count > 1 && below >= 0;
    watermark->looks++;
    if (watermark->running >= RUNNING_WANTED && watermark->waiting >= WAITING_WANTED) {
        watermark->state = TM_WATERMARK_TRIES;
    } else if (watermark->looks >= LOOKS_MAX) {
        give_up(watermark, "running frames do not hold what is known of them");
    }
}

static void renew(struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                  const struct tm_cpython_layout *row, uintptr_t tstate)
{
    uintptr_t newest = tm_python_frame_newest(row, tstate);
    if (watermark->state == TM_WATERMARK_GIVEN_UP) {
        return;
    }
    if (cache->count == 0 || newest != cache->newest->frame) {
        tm_watermark_lift(watermark);
    } else if (watermark->state == TM_WATERMARK_WATCHES) {
        watch(watermark, cache, row, newest);
    } else if (tm_watermark_is_foreign(watermark, *tm_watermark_field(row, newest))) {
        give_up(watermark, "a frame held a mark that nobody wrote");
    } else {
        tm_watermark_put(watermark, row, tstate, newest);
    }
}

void tm_watermark_look(struct tm_watermark *watermark, struct tm_stack_cache *cache,
                       const struct tm_cpython_layout *row, uintptr_t tstate, uint32_t limit)
{
    uintptr_t newest = tm_python_frame_newest(row, tstate);
    if (is_marked(watermark, cache, row, newest, limit)) {
        bool is_believed = watermark->state == TM_WATERMARK_ON && watermark->agreed++ % TM_WATERMARK_COMPARED_OF != 0;
        if (is_believed && move(cache, row, newest)) {
            return;
        }
        watermark->agreed += watermark->state == TM_WATERMARK_TRIES;
        compare(watermark, cache, row, newest);
    }
    tm_stack_cache_look(cache, row, tstate, limit);
    renew(watermark, cache, row, tstate);
}
