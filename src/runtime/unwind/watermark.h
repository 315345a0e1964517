/* SPDX-License-Identifier: MIT */
/* A mark in the newest frame: as long as it stands there, no older frame can have changed since it was written, so they
 * need not be looked at.  This WRITES into the interpreter's memory, so it is for those who ask for it.
 *
 * Why  CPython 3.11 to 3.13 keep in each frame how far its value stack reaches (stacktop of _PyInterpreterFrame), for
 *      the time when it does not run.  While it runs the field holds -1, which nobody reads but to see that it is below
 *      0 (the garbage collector visits so many values) or not 0 (what f_locals copies).  It is written anew whenever
 *      the frame is made, calls Python code in the same loop, returns, yields, is resumed, or a line of it is traced.
 *      What lies below a frame that has run without a break since the mark was written has waited for it all the time.
 * But  a waiting frame can be set to another line (f_lineno), by a trace function only: while one is being told of an
 *      event that allows it (tstate_event), no mark is written; and the setter allocates before it changes anything,
 *      which the cache hears of, as of a frame that is not the marked one.
 * Mark -2 and below, another one each time: one that was left in a frame that the cache has forgotten means nothing.
 *      Any value from 0 on is the interpreter's, which is about to read it: it is never written over.
 * Test What is read here is believed after it has been watched: running frames that held -1, callers that held a depth;
 *      then marks are written, and believed after each was compared with the stack so many times.  Of those that events
 *      meet on the long way one in 64 still is compared, and all are given up for good when one was wrong.
 *
 * Source   Include/internal/pycore_frame.h, Python/ceval.c, Python/bytecodes.c, Python/frame.c, Objects/frameobject.c
 *          and Objects/genobject.c of 3.11.2, 3.12.5, 3.13.0 and 3.13.5; Include/cpython/pystate.h of these and 3.12.1.
 * Threads  the lock of the stack cache beside it (the GIL), but for tm_watermark_lift.
 * Memory   none.   Signals  those of the stack cache.   errno, errors  none. */
#ifndef TM_RUNTIME_UNWIND_WATERMARK_H
#define TM_RUNTIME_UNWIND_WATERMARK_H

#include "runtime/unwind/stack_cache.h"

#define TM_WATERMARK_RUNS (-1)      /* what a frame that runs holds when it is not marked */
#define TM_WATERMARK_NONE INT32_MIN /* what no frame holds */

#define TM_WATERMARK_COMPARED_OF 64U /* one mark of so many is compared also when they are believed */

enum tm_watermark_state {
    TM_WATERMARK_OFF,      /* not asked for, or not to be had: never looked at */
    TM_WATERMARK_WATCHES,  /* reads and writes nothing */
    TM_WATERMARK_TRIES,    /* writes, and believes nothing */
    TM_WATERMARK_ON,       /* believes */
    TM_WATERMARK_GIVEN_UP, /* for ever */
};

struct tm_watermark {
    int32_t mark;    /* in the cache's newest frame, to be believed; or TM_WATERMARK_NONE */
    int32_t written; /* the same, also while it is not believed */
    int32_t last;    /* the lowest one so far, or since they began anew */
    bool has_wrapped;
    enum tm_watermark_state state;
    uint32_t looks;   /* while it watches */
    uint32_t running; /* of those, frames that ran and held -1 */
    uint32_t waiting; /* and callers that held a depth */
    uintptr_t seen;   /* the frame of the last one that ran */
    uint32_t agreed;  /* marks met on the long way: all compared while it tries, then one in so many */
    const char *fault;
};

TM_INLINE int32_t *tm_watermark_field(const struct tm_cpython_layout *row, uintptr_t frame)
{
    return (int32_t *)(frame + row->frame_stacktop);
}

/* A value from below 0 that nobody wrote there. */
TM_INLINE bool tm_watermark_is_foreign(const struct tm_watermark *watermark, int32_t value)
{
    return value < watermark->last && !watermark->has_wrapped;
}

/* Marks NEWEST, the newest frame of TSTATE and of the cache, which has the stack as it is; or notes that it must not be
 * marked now.  Calls no function. */
TM_INLINE void tm_watermark_put(struct tm_watermark *watermark, const struct tm_cpython_layout *row, uintptr_t tstate,
                                uintptr_t newest)
{
    int32_t *field = tm_watermark_field(row, newest);
    const enum tm_watermark_state state = watermark->state;
    const int32_t value = *field;
    if (TM_UNLIKELY(value >= 0) || TM_UNLIKELY(tm_watermark_is_foreign(watermark, value)) ||
        TM_UNLIKELY(tm_python_int(tstate, row->tstate_event) != row->event_none) ||
        (state != TM_WATERMARK_ON && state != TM_WATERMARK_TRIES)) {
        watermark->mark = watermark->written = TM_WATERMARK_NONE;
        return;
    }
    int32_t last = watermark->last;
    if (TM_UNLIKELY(last == TM_WATERMARK_NONE + 1)) {
        last = TM_WATERMARK_RUNS;
        watermark->has_wrapped = true;
    }
    last--;
    watermark->mark = TM_WATERMARK_NONE; /* until it is there */
    watermark->last = watermark->written = last;
    *field = last;
    watermark->mark = state == TM_WATERMARK_ON ? last : TM_WATERMARK_NONE;
}

/* Whoever changes the cache and does not mark its newest frame then, or has let events pass unheard, says so.  Any
 * thread. */
TM_INLINE void tm_watermark_lift(struct tm_watermark *watermark)
{
    __atomic_store_n(&watermark->mark, TM_WATERMARK_NONE, __ATOMIC_RELAXED);
    __atomic_store_n(&watermark->written, TM_WATERMARK_NONE, __ATOMIC_RELAXED);
}

/* tm_stack_cache_try where frames are marked: it changes the mark. */
TM_INLINE bool tm_watermark_try(struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                                const struct tm_cpython_layout *row, uintptr_t tstate, uintptr_t newest,
                                struct tm_stack_form form, uintptr_t *place, uint64_t *older)
{
    const uintptr_t top = cache->top_frame;
    if (!tm_stack_cache_try_top(cache, newest, form, place)) {
        return false;
    }
    /* As it was marked: the cache has all older ones as they are. */
    if (*(const int32_t *)(top + form.mark) != watermark->mark) {
        if (!tm_stack_cache_stands(cache, row, cache->newest, form)) {
            return false;
        }
        tm_watermark_put(watermark, row, tstate, newest);
    }
    *older = tm_stack_cache_older(cache);
    return true;
}

/* tm_stack_cache_stands of the cache's newest frame, which is that of the stack, where frames may be marked.  False also
 * when there is something for tm_watermark_look to do. */
TM_INLINE bool tm_watermark_stands(struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                                   const struct tm_cpython_layout *row, struct tm_stack_form form)
{
    if (TM_LIKELY(watermark->state == TM_WATERMARK_OFF) || watermark->state == TM_WATERMARK_GIVEN_UP) {
        return tm_stack_cache_stands(cache, row, cache->newest, form);
    }
    if (TM_UNLIKELY(watermark->state != TM_WATERMARK_ON) ||
        TM_UNLIKELY(*(const int32_t *)(cache->newest->frame + form.mark) != watermark->mark) ||
        TM_UNLIKELY(watermark->agreed % TM_WATERMARK_COMPARED_OF == 0)) {
        return false;
    }
    watermark->agreed++;
    return true;
}

/* True when a step of the cache to NEWEST does without tm_watermark_look: there is nothing to watch or to try, NEWEST
 * does not hold what nobody wrote, and it is not the cache's newest frame as it was marked, which is compared now and
 * then. */
TM_INLINE bool tm_watermark_may_step(const struct tm_watermark *watermark, const struct tm_stack_cache *cache,
                                     const struct tm_cpython_layout *row, uintptr_t newest)
{
    if (TM_LIKELY(watermark->state == TM_WATERMARK_OFF) || watermark->state == TM_WATERMARK_GIVEN_UP) {
        return true;
    }
    const int32_t value = *tm_watermark_field(row, newest);
    bool is_marked = newest == cache->newest->frame && value == watermark->written;
    return watermark->state == TM_WATERMARK_ON && !is_marked && !tm_watermark_is_foreign(watermark, value);
}

/* Begins to watch frames of ROW: true.  False: this row has no such field. */
TM_CHECKED bool tm_watermark_begin(struct tm_watermark *watermark, const struct tm_cpython_layout *row);

/* tm_stack_cache_look with all that the header of this file says of the test.  After it the state may be another. */
void tm_watermark_look(struct tm_watermark *watermark, struct tm_stack_cache *cache,
                       const struct tm_cpython_layout *row, uintptr_t tstate, uint32_t limit);

#endif
