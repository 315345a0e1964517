/* SPDX-License-Identifier: MIT */
/* Sampling: which blocks are recorded, decided at the doors by a count of bytes that each thread has for itself.
 *
 * While one in RATE bytes is sampled, doors ask here first and call the tracker for the sampled blocks only; a sampled
 * block counts in its record for as many as it stands for (base/sample_chance.h).  Records of sampled epochs count
 * blocks in units of 1/TM_SAMPLE_ONE; readers undo that.
 *
 * Threads  any.   Signals  safe: a handler's allocation takes from the same count.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TRACK_SAMPLER_H
#define TM_RUNTIME_TRACK_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/sample_chance.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/runtime_state.h"

#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__) && !defined(__SANITIZE_THREAD__) && defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define TM_SAMPLER_IS_ALONE __libc_single_threaded
#endif
#endif

/* From now on one in RATE bytes is sampled; SEED makes the choice.  Records are estimates from the present epoch on, or
 * from a later one: so many epochs LATER, which the caller begins next.  Under the life lock, or before there are
 * events. */
void tm_sampler_begin(uint64_t rate, uint64_t seed, uint32_t later);

/* In a forked child, which is to choose other blocks than its parent and its parent's other children.  May be called
 * more than once. */
void tm_sampler_after_fork(struct tm_thread *thread, uint64_t seed);

/* The count of THREAD ran out at a block of SIZE bytes (or was not begun): begins the next one.  True: sampled. */
bool tm_sampler_decide(struct tm_thread *thread, uint64_t size);

/* Takes SIZE bytes from the count LEFT.  False: it ran out, and is now too small by that. */
TM_INLINE bool tm_sampler_subtract(uint64_t *left, uint64_t size)
{
#if defined(__x86_64__)
    /* One instruction where the compiler makes three. */
    __asm__ goto("subq %1, %0\n\tjb %l[ran_out]" : : "m"(*left), "er"(size) : "cc", "memory" : ran_out);
    return true;
ran_out:
    return false;
#else
    return !__builtin_sub_overflow(*left, size, left);
#endif
}

/* Gives SIZE bytes back to the count LEFT, which ran out by them.  A signal handler's blocks that came in between have
 * all passed: where they were more than was left, the count would stay far above any that is drawn, and nothing be
 * sampled for ever.  Then it is 0, and the point that they passed falls on the next block. */
TM_INLINE void tm_sampler_add_back(uint64_t *left, uint64_t size)
{
    *left += size;
    if (TM_UNLIKELY(*left > TM_SAMPLE_DISTANCE_MAX)) {
        *left = 0;
    }
}

/* The same of THREAD's count. */
TM_INLINE bool tm_sampler_passes(struct tm_thread *thread, uint64_t size)
{
    return tm_sampler_subtract(&thread->sample_left, size);
}

TM_INLINE void tm_sampler_put_back(struct tm_thread *thread, uint64_t size)
{
    tm_sampler_add_back(&thread->sample_left, size);
}

/* The count of mem's and obj's doors where one GIL holds for all of them: one for all threads, so that a door need not
 * look up the thread's.  At rest LEFT is 0, and each thread's own serves (hook/sampled_small_hooks.c).
 *
 * Threads  under the GIL, but for tm_sampler_held_rest.  One without it that asks the raw domain for as many bytes as
 *          passed just now may be taken for that call, which then is counted once more, instead of it. */
struct tm_sampler_held {
    _Alignas(64) uint64_t left; /* bytes to the next sampled block; with the next two in one line of the cache */
    /* The last call that was counted here and went on with the guard down.  CPython's allocator of small blocks always
     * asks the raw domain for a block of more than TM_SMALL_SIZE_MAX bytes, which knows it by its size and sets this to
     * 0, so that it is no later call's.  And it may ask it to move a block that is none of its own. */
    _Atomic uint64_t passed_size;
    _Atomic uint64_t passed_block;
    struct tm_sample_draws draws;
};
extern TM_HIDDEN struct tm_sampler_held tm_sampler_held;

TM_INLINE bool tm_sampler_held_passes(uint64_t size)
{
    return tm_sampler_subtract(&tm_sampler_held.left, size);
}

TM_INLINE void tm_sampler_held_put_back(uint64_t size)
{
    tm_sampler_add_back(&tm_sampler_held.left, size);
}

/* As tm_sampler_decide. */
bool tm_sampler_held_decide(uint64_t size);

TM_INLINE bool tm_sampler_held_takes(uint64_t size)
{
    if (TM_LIKELY(tm_sampler_held_passes(size))) {
        return false;
    }
    tm_sampler_held_put_back(size);
    return tm_sampler_held_decide(size);
}

/* The next block finds it not begun.  By a thread without the GIL this may be lost, until the next sampled block. */
void tm_sampler_held_rest(void);

/* THREAD's sampled block was made and is recorded; RUNS_PYTHON: Python knows the thread, which may allocate under the GIL
 * before the block is freed, also where it does not hold it now.  Not before: the doors behind count its bytes, too, with
 * the guard up. */
TM_INLINE void tm_sampler_note_made(struct tm_thread *thread, bool runs_python)
{
    thread->sample_after = thread->sample_left;
    thread->held_after = runs_python ? tm_sampler_held.left : TM_HELD_NOT;
}

/* THREAD's last sampled block is the last block of all that it allocated; and, where it runs Python, of all that were
 * allocated under the GIL: who did is not known. */
TM_INLINE bool tm_sampler_none_came(const struct tm_thread *thread)
{
    return thread->sample_left == thread->sample_after &&
           (thread->held_after == tm_sampler_held.left || thread->held_after == TM_HELD_NOT);
}

/* Counts THREAD's ticks down; false when they were 0. */
TM_INLINE bool tm_sampler_counts_event(struct tm_thread *thread)
{
#if defined(__x86_64__)
    __asm__ goto("subl $1, %0\n\tjb %l[ran_out]" : : "m"(thread->ticks) : "cc", "memory" : ran_out);
    return true;
ran_out:
    return false;
#else
    return thread->ticks-- != 0;
#endif
}

/* A block of SIZE bytes is about to be allocated.  True: it is to be recorded if it comes. */
TM_INLINE bool tm_sampler_takes(struct tm_thread *thread, uint64_t size)
{
    if (TM_LIKELY(tm_sampler_passes(thread, size))) {
        return false;
    }
    tm_sampler_put_back(thread, size);
    return tm_sampler_decide(thread, size);
}

/* How many known blocks begin in a page of this number, less its higher bits; at the most it stays there.  Few are known,
 * so this is mostly zero: nearly every free looks here only, and not at the block table, whose places lie as far apart
 * as the blocks do. */
#define TM_KNOWN_PAGES     8192U /* a power of two */
#define TM_KNOWN_PAGE_BITS 12
extern TM_HIDDEN _Atomic uint8_t tm_sampler_known[TM_KNOWN_PAGES];

TM_INLINE _Atomic uint8_t *tm_sampler_known_of(uintptr_t address)
{
    return &tm_sampler_known[(address >> TM_KNOWN_PAGE_BITS) % TM_KNOWN_PAGES];
}

/* Puts AFTER into COUNT where it is *BEFORE; else false, and *BEFORE is what it is.  The only thread of a process needs
 * no locked instruction, which would wait for all that the allocator has just written: a signal handler's comes before
 * or after one that is not locked, too. */
TM_INLINE bool tm_sampler_exchange(_Atomic uint8_t *count, uint8_t *before, uint8_t after)
{
#if defined(TM_SAMPLER_IS_ALONE)
    if (TM_LIKELY(TM_SAMPLER_IS_ALONE)) {
        bool was_before;
        __asm__ volatile("cmpxchgb %3, %1"
                         : "=@ccz"(was_before), "+m"(*(uint8_t *)count), "+a"(*before)
                         : "q"(after)
                         : "memory");
        return was_before;
    }
#endif
    return atomic_compare_exchange_weak_explicit(count, before, after, memory_order_relaxed, memory_order_relaxed);
}

/* One more known block begins in the page of ADDRESS, or one less.  A count that is full is not counted any more: nobody
 * knows what it stands for. */
TM_INLINE void tm_sampler_one_more(uintptr_t address)
{
    _Atomic uint8_t *count = tm_sampler_known_of(address);
    uint8_t before = atomic_load_explicit(count, memory_order_relaxed);
    while (TM_LIKELY(before != UINT8_MAX) && TM_UNLIKELY(!tm_sampler_exchange(count, &before, (uint8_t)(before + 1)))) {
    }
}

TM_INLINE void tm_sampler_one_less(uintptr_t address)
{
    _Atomic uint8_t *count = tm_sampler_known_of(address);
    uint8_t before = atomic_load_explicit(count, memory_order_relaxed);
    while (TM_LIKELY(before != UINT8_MAX) && TM_LIKELY(before != 0) &&
           TM_UNLIKELY(!tm_sampler_exchange(count, &before, (uint8_t)(before - 1)))) {
    }
}

/* False: no known block begins in the page of ADDRESS. */
TM_INLINE bool tm_sampler_page_has_known(uintptr_t address)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    return *(const uint8_t *)tm_sampler_known_of(address) != 0; /* compared where it stands */
#else
    return atomic_load_explicit(tm_sampler_known_of(address), memory_order_relaxed) != 0;
#endif
}

/* From now on the pages of the SIZE bytes at LOW pass for ones in which a known block begins. */
void tm_sampler_hold_pages(uintptr_t low, size_t size);

/* A block at ADDRESS entered the table of blocks, before anybody else has it, or left it.  Where only sampled blocks
 * are recorded from the start on; else nothing. */
void tm_sampler_note_known(const struct tm_runtime *runtime, uintptr_t address);
void tm_sampler_note_gone(const struct tm_runtime *runtime, uintptr_t address);

/* False: nothing is known of BLOCK, in whose page a known block begins. */
TM_INLINE bool tm_sampler_page_may_know(const void *block)
{
    const struct tm_block_table *table = &tm_runtime.blocks;
    uintptr_t address = (uintptr_t)block;
    if (TM_UNLIKELY(tm_block_is_odd(table, address))) {
        return true;
    }
    const tm_slot_half *slot = tm_block_slot(table, address);
    return slot != NULL && TM_UNLIKELY(tm_half_load(slot) != 0);
}

/* False: nothing is known of the block at ADDRESS.  The first look at a free, where only sampled blocks are
 * recorded. */
TM_INLINE bool tm_sampler_may_know(const void *block)
{
    return TM_UNLIKELY(tm_sampler_page_has_known((uintptr_t)block)) && tm_sampler_page_may_know(block);
}

/* Its blocks are estimates. */
TM_INLINE bool tm_sampler_made(const struct tm_runtime *runtime, const struct tm_record *record)
{
    return TM_UNLIKELY(record->epoch >= runtime->sampled_epoch);
}

/* Counts a block of WEIGHT in record ID, which sampling made: it was handed out, or IS_FREED.  BY is 1, or -1 as two's
 * complement to take that back. */
void tm_sampler_count(struct tm_runtime *runtime, uint32_t id, const struct tm_sample_weight *weight, bool is_freed,
                      uint64_t by, uint32_t owner);

#endif
