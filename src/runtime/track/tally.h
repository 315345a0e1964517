/* SPDX-License-Identifier: MIT */
/* What a thread counts without the GIL, in words of its own: no atomic addition, no lock, no shared cache line.
 *
 * Begin    a thread takes a tally at its first event without the GIL: a new one, or that of a thread which is gone, as
 *          it is.  Where there are TM_TALLY_MAX threads with one already the others add to shared words.
 * Records  a record belongs to one tally (or to the GIL), so its own words have one writer.  What another thread frees
 *          is added to the record's loose words.
 * Totals   what a thread has not told yet is TM_TALLY_REACH bytes at most, that came or that went; its own is looked at
 *          where it leaves a maximum.
 * Peak     so the heap's, where T tallies were ever taken, is off by T * TM_TALLY_REACH at most, to either side: what
 *          tm_store_peak_bound says.  It is exact where the only tally is that of the thread that left the maximum
 *          without the GIL; and Python's own is, where all of Python's blocks come and go under it.
 *          An event counts at some moment of its call.  The records' figures at the peak are of a moment at which the
 *          heap was as high as that, to within the bound; all together they are off by as much at most, where threads
 *          change the same records just then.  What breaks this: a thread that is put to sleep between noticing a
 *          maximum and moving the mark, or while it saves a record that others change too.  Until the next maximum.
 * Signals  the guard is up round a look into the places.   errno  kept.   Errors  none: NULL, and the shared words. */
#ifndef TM_RUNTIME_TRACK_TALLY_H
#define TM_RUNTIME_TRACK_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "runtime/os/thread_state.h"
#include "runtime/table/trace_cache.h"
#include "runtime/unwind/loose_stack.h"
#include "runtime/track/trace_key.h"
#include "store/store_layout.h"

/* Sets of a cache line each. */
#define TM_TALLY_SET_BITS 7
#define TM_TALLY_WAY_BITS 2

#define TM_TALLY_FRAMELESS (TM_SMALL_SIZE_MAX + 1)

/* A tally number that no record has: of threads without a tally. */
#define TM_OWNER_NONE UINT16_C(0xFFFE)

struct tm_tally {
    _Atomic(struct tm_thread *) owner; /* of this process; others that point here must take one anew */
    _Atomic uint32_t thread_id;        /* in the kernel's words; 0: free */
    uint16_t number;                   /* from 1 */
    uint32_t voids;                    /* of the trace cache, when the places were filled */
    struct tm_tally_line *line;        /* in the store */
    uint32_t next;                     /* the way to overwrite next */
    _Atomic uint32_t walks;            /* the owner's, under way: see loose_walk.h */
    atomic_bool has_walked;            /* so it must be asked */
    struct tm_trace_slot *places;      /* words of records of this tally; NULL until it is taken first */
    uint32_t *frameless;               /* behind them: of small native blocks without a Python frame, by size: the
                                          word of the record's slot; its id for blocks of one granule */
    struct tm_loose_stack *stack;      /* behind these */
} __attribute__((aligned(64)));

/* Whose words an event moves. */
struct tm_account {
    uint32_t owner;             /* of the records that it may add to plainly */
    struct tm_tally_line *line; /* NULL: the totals' own words */
};

/* A tally for THREAD, which has none now; NULL when there is none to be had. */
struct tm_tally *tm_tally_take(struct tm_thread *thread);

/* THREAD will count under the GIL from now on: tells what it has and gives its tally back. */
void tm_tally_give_back(struct tm_thread *thread);

/* In a forked child: none of the threads is there any more but the calling one, which takes one anew. */
void tm_tallies_after_fork(void);

/* A base epoch begins: what was counted so far counts no more. */
void tm_tallies_new_base(void);

/* Bytes of memory of the places. */
size_t tm_tallies_bytes(void);

/* Adds to the totals what LINE has not told. */
void tm_tally_tell(struct tm_totals *totals, struct tm_tally_line *line);

/* Forgets the places, which are of an older generation. */
void tm_tally_forget(struct tm_tally *tally, const struct tm_trace_cache *cache);

/* Remembers that RECORD, which is of this tally, is that of KEY, which was not there. */
void tm_tally_put(struct tm_tally *tally, const struct tm_trace_key *key, uint32_t record);

/* THREAD's tally, or NULL when it has none. */
TM_INLINE struct tm_tally *tm_tally_peek(const struct tm_thread *thread)
{
    struct tm_tally *tally = thread->tally;
    return tally != NULL && TM_LIKELY(atomic_load_explicit(&tally->owner, memory_order_relaxed) == thread) ? tally
                                                                                                           : NULL;
}

/* The same, taken where it has none. */
TM_INLINE struct tm_tally *tm_tally_of(struct tm_thread *thread)
{
    struct tm_tally *tally = tm_tally_peek(thread);
    return TM_LIKELY(tally != NULL) ? tally : tm_tally_take(thread);
}

/* The first way of the set of KEY. */
TM_INLINE struct tm_trace_slot *tm_tally_set(const struct tm_tally *tally, uint64_t key)
{
    return &tally->places[(key * TM_HASH_MULTIPLIER) >> (64 - TM_TALLY_SET_BITS) << TM_TALLY_WAY_BITS];
}

TM_INLINE void tm_tally_refresh(struct tm_tally *tally, const struct tm_trace_cache *cache)
{
    if (TM_UNLIKELY(tally->voids != atomic_load_explicit(&cache->voids, memory_order_relaxed))) {
        tm_tally_forget(tally, cache);
    }
}

/* The word of the record of KEY that belongs to TALLY; 0 when it is not there. */
TM_INLINE uint32_t tm_tally_word(struct tm_tally *tally, const struct tm_trace_cache *cache,
                                 const struct tm_trace_key *key)
{
    tm_tally_refresh(tally, cache);
    const struct tm_trace_slot *ways = tm_tally_set(tally, key->key);
    for (unsigned i = 0; i < 1U << TM_TALLY_WAY_BITS; i++) {
        if (TM_LIKELY(ways[i].key == key->key) && TM_LIKELY(ways[i].check == key->check)) {
            return ways[i].record;
        }
    }
    return 0;
}

/* The same as its id. */
TM_INLINE uint32_t tm_tally_find(struct tm_tally *tally, const struct tm_trace_cache *cache,
                                 const struct tm_trace_key *key)
{
    const uint32_t word = tm_tally_word(tally, cache, key);
    return TM_LIKELY(word != 0) ? tm_slot_record(word) : 0;
}

#endif
