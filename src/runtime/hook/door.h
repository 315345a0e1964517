/* SPDX-License-Identifier: MIT */
/* What all doors share: when they listen, and how the guard goes up.
 *
 * The guard is a depth in two halves: doors count in the upper half, the tracker's own work in the lower.  So a free
 * that comes while only doors are up (a real function is at work) may still take a known block out, whereas one that
 * interrupts our own work must not touch the tables.
 * Threads  the state is written by the constructor and by fork handlers only. */
#ifndef TM_RUNTIME_HOOK_DOOR_H
#define TM_RUNTIME_HOOK_DOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/sampler.h"
#include "runtime/track/tracker.h"

#define TM_DOOR_GUARD      0x10000U
#define TM_DOOR_OWN_GUARDS (TM_DOOR_GUARD - 1)

/* False until the constructor has run, and for ever where nothing may be traced: all doors only forward. */
extern TM_HIDDEN bool tm_doors_are_open;

/* What libc's doors ask: whether they hear every call, or only those that the sampler takes.  Never both. */
extern TM_HIDDEN bool tm_doors_hear_all;
extern TM_HIDDEN bool tm_doors_sample;

/* True while something rare is waited for (the start or end of the interpreter): CPython's doors then look at each
 * call. */
extern TM_HIDDEN bool tm_doors_are_careful;

TM_INLINE bool tm_door_hears(const struct tm_thread *thread)
{
    return TM_LIKELY(thread->guard == 0) && TM_LIKELY(tm_doors_are_open);
}

TM_INLINE bool tm_door_hears_all(const struct tm_thread *thread)
{
    return TM_LIKELY(thread->guard == 0) && TM_LIKELY(tm_doors_hear_all);
}

/* Sampling, at a door whose call would be heard otherwise: a block of SIZE bytes is to be recorded. */
TM_INLINE bool tm_door_takes(struct tm_thread *thread, size_t size)
{
    return TM_LIKELY(tm_doors_sample) && TM_LIKELY(thread->guard == 0) && tm_sampler_takes(thread, size);
}

TM_INLINE void tm_door_guard_up(struct tm_thread *thread)
{
    thread->guard += TM_DOOR_GUARD;
    __asm__ volatile("" ::: "memory");
}

TM_INLINE void tm_door_guard_down(struct tm_thread *thread)
{
    __asm__ volatile("" ::: "memory");
    thread->guard -= TM_DOOR_GUARD;
}

/* The same where the door hears, so that the guard is 0 before and after: stores that wait for no load. */
TM_INLINE void tm_door_guard_first_up(struct tm_thread *thread)
{
    thread->guard = TM_DOOR_GUARD;
    __asm__ volatile("" ::: "memory");
}

TM_INLINE void tm_door_guard_all_down(struct tm_thread *thread)
{
    __asm__ volatile("" ::: "memory");
    thread->guard = 0;
}

/* One comparison, where the compiler would load first. */
TM_INLINE bool tm_door_guard_is_up(const struct tm_thread *thread)
{
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__) && !defined(__SANITIZE_THREAD__)
    bool is_up;
    __asm__("cmpl $0, %1" : "=@ccnz"(is_up) : "m"(thread->guard));
    return is_up;
#else
    return thread->guard != 0;
#endif
}

#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__) && !defined(__SANITIZE_THREAD__)
/* tm_door_guard_first_up where the guard is down; false where it is not.  Looks up the thread's structure for itself,
 * so that its place need not be kept in a register, which would be saved and restored, until the real function has
 * returned. */
TM_INLINE bool tm_door_guard_try_up(void)
{
    _Static_assert(offsetof(struct tm_thread, guard) == 0, "the guard is read where the structure begins");
    uintptr_t offset;
    bool is_down;
    __asm__ volatile("movq tm_thread_state@gottpoff(%%rip), %0\n\tcmpl $0, %%fs:(%0)"
                     : "=&r"(offset), "=@ccz"(is_down)
                     :
                     : "memory");
    if (TM_LIKELY(is_down)) {
        __asm__ volatile("movl %1, %%fs:(%0)" : : "r"(offset), "i"(TM_DOOR_GUARD) : "memory");
    }
    return is_down;
}
#else
TM_INLINE bool tm_door_guard_try_up(void)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_UNLIKELY(thread->guard != 0)) {
        return false;
    }
    tm_door_guard_first_up(thread);
    return true;
}
#endif

/* CPython's own allocator makes a small block for a door that has no guard up: what is heard here is of that event. */
TM_INLINE bool tm_door_small_is_made(const struct tm_thread *thread)
{
    return thread->newborn == TM_NEWBORN_COMING;
}

/* Is about to make it.  Looks up the thread's structure for itself, as the guard does above. */
TM_INLINE void tm_door_small_comes(void)
{
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    uintptr_t offset;
    __asm__ volatile("movq tm_thread_state@gottpoff(%%rip), %0\n\tmovq %1, %%fs:%c2(%0)"
                     : "=&r"(offset)
                     : "i"(TM_NEWBORN_COMING), "i"(offsetof(struct tm_thread, newborn))
                     : "memory");
#else
    tm_thread_self()->newborn = TM_NEWBORN_COMING;
    __asm__ volatile("" ::: "memory");
#endif
}

/* A known block is freed or moved behind a door that is already up: it goes without an event of its own. */
TM_COLD bool tm_door_drop(struct tm_thread *thread, const void *block, struct tm_taken *taken);

#endif
