/* SPDX-License-Identifier: MIT */
/* The doors of libc: the malloc family.  Blocks that come in here belong to the native domain, unless an outer door
 * (one of CPython's domains) is up: then it counts them and these only forward. */
#include <errno.h>
#include <stdlib.h>

#include "runtime/hook/boot_pool.h"
#include "runtime/hook/door.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/python_watch.h"
#include "runtime/hook/real_libc.h"
#include "runtime/track/tracker_own.h"
#include "runtime/track/tracker_sampled.h"

/* glibc has no declaration of these any more, or not yet. */
TM_EXPORT void free_sized(void *block, size_t size);
TM_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size);
TM_EXPORT void cfree(void *block);
TM_EXPORT void *memalign(size_t alignment, size_t size);
TM_EXPORT void *pvalloc(size_t size);

/* The real call has answered BLOCK. */
TM_INLINE void *enter(struct tm_thread *thread, void *block, size_t size)
{
    if (TM_LIKELY(block != NULL) && !tm_own_alloc(thread, block, size)) {
        if (TM_UNLIKELY(tm_door_small_is_made(thread))) {
            return block; /* for the arenas of a program that has allocators of its own for them, or for raw */
        }
        tm_tracker_alloc_native(thread, block, size);
    }
    tm_python_watch(thread);
    return block;
}

/* The same of a block that was sampled, the guard being 0. */
TM_INLINE void *enter_sampled(struct tm_thread *thread, void *block, size_t size)
{
    return TM_LIKELY(block != NULL) && TM_LIKELY(!tm_door_small_is_made(thread))
               ? tm_tracker_alloc_sampled(thread, TM_DOMAIN_NATIVE, block, size)
               : block;
}

static TM_COLD void watch_rarely(struct tm_thread *thread)
{
    if (tm_doors_sample && thread->guard == 0) {
        tm_python_watch_tick(thread);
    } else {
        thread->ticks = 0; /* not now: at the next call */
    }
}

/* Every so many calls, as in tm_python_watch. */
TM_INLINE void watch_counting(struct tm_thread *thread)
{
    if (TM_UNLIKELY(!tm_sampler_counts_event(thread))) {
        watch_rarely(thread);
    }
}

/* The count has run out at SIZE bytes.  Sampling, all count down, also behind another door, where nothing is recorded:
 * points that fall on bytes which are not recorded here are points less for nobody. */
static TM_SAMPLED_CODE bool takes_rarely(struct tm_thread *thread, size_t size)
{
    tm_sampler_put_back(thread, size);
    return tm_doors_sample && tm_sampler_takes(thread, size) && thread->guard == 0 && !tm_python_hooks_lose_raw();
}

/* A block of SIZE bytes is to be recorded. */
TM_INLINE bool takes(struct tm_thread *thread, size_t size)
{
    if (TM_LIKELY(tm_doors_hear_all)) {
        return TM_LIKELY(thread->guard == 0);
    }
    watch_counting(thread);
    return TM_UNLIKELY(!tm_sampler_passes(thread, size)) && takes_rarely(thread, size);
}

/* CALL is the real call; SIZE what the application asked for. */
#define RECORD(thread, call, size)                                                                                     \
    tm_door_guard_up(thread);                                                                                          \
    void *block = call;                                                                                                \
    tm_door_guard_down(thread);                                                                                        \
    return enter(thread, block, size)

#define ALLOCATE(call, size)                                                                                           \
    struct tm_thread *thread = tm_thread_self();                                                                       \
    if (TM_UNLIKELY(!takes(thread, size))) {                                                                           \
        return call;                                                                                                   \
    }                                                                                                                  \
    RECORD(thread, call, size)

/* The commonest, while not every call is heard, in parts that save no registers; neither does the exported door
 * itself. */
static TM_SAMPLED_CODE void *malloc_rarely(size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (!takes_rarely(thread, size)) {
        return tm_real.malloc(size);
    }
    tm_door_guard_up(thread);
    void *block = tm_real.malloc(size);
    tm_door_guard_down(thread);
    return enter_sampled(thread, block, size);
}

static __attribute__((noinline)) void *malloc_watched(size_t size)
{
    watch_rarely(tm_thread_self());
    ALLOCATE(tm_real.malloc(size), size);
}

static __attribute__((noinline)) void *malloc_heard(size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_UNLIKELY(thread->guard != 0)) {
        return tm_real.malloc(size);
    }
    RECORD(thread, tm_real.malloc(size), size);
}

TM_EXPORT void *malloc(size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_LIKELY(tm_doors_hear_all)) {
        return malloc_heard(size);
    }
    if (TM_UNLIKELY(!tm_sampler_counts_event(thread))) {
        return malloc_watched(size);
    }
    return TM_LIKELY(tm_sampler_passes(thread, size)) ? tm_real.malloc(size) : malloc_rarely(size);
}

TM_EXPORT void *calloc(size_t count, size_t size)
{
    ALLOCATE(tm_real.calloc(count, size), count * size); /* the product overflows only where the real call fails */
}

TM_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    ALLOCATE(tm_real.aligned_alloc(alignment, size), size);
}

TM_EXPORT void *memalign(size_t alignment, size_t size)
{
    ALLOCATE(tm_real.memalign(alignment, size), size);
}

TM_EXPORT void *valloc(size_t size)
{
    ALLOCATE(tm_real.valloc(size), size);
}

TM_EXPORT void *pvalloc(size_t size)
{
    ALLOCATE(tm_real.pvalloc(size), size);
}

TM_EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_UNLIKELY(!takes(thread, size))) {
        return tm_real.posix_memalign(block, alignment, size);
    }
    tm_door_guard_up(thread);
    int error = tm_real.posix_memalign(block, alignment, size);
    tm_door_guard_down(thread);
    if (error == 0) {
        enter(thread, *block, size);
    }
    return error;
}

static TM_COLD void free_unknown(struct tm_thread *thread, void *block)
{
    struct tm_taken taken;
    if (tm_boot_pool_may_own(block) && tm_boot_pool_owns(block)) {
        return;
    }
    if (thread->guard != 0) {
        (void)tm_door_drop(thread, block, &taken);
    }
    tm_real.free(block);
}

/* Sampling: the block that comes back was recorded and is taken out. */
TM_INLINE bool takes_back_sample(struct tm_thread *thread, void *block, struct tm_taken *taken)
{
    return tm_doors_sample && thread->guard == 0 && TM_UNLIKELY(tm_sampler_may_know(block)) &&
           tm_tracker_take(thread, block, taken);
}

/* Where every call is heard: the block that comes back is taken out, if it is known. */
TM_INLINE bool takes_back_heard(struct tm_thread *thread, void *block, struct tm_taken *taken)
{
    return TM_LIKELY(thread->guard == 0) && tm_tracker_take(thread, block, taken);
}

#define RELEASE(call)                                                                                                  \
    struct tm_thread *thread = tm_thread_self();                                                                       \
    struct tm_taken taken;                                                                                             \
    FINISH_RELEASE(TM_UNLIKELY(!tm_doors_hear_all) ? takes_back_sample(thread, block, &taken)                          \
                                                   : takes_back_heard(thread, block, &taken),                          \
                   call)

/* What is left of a free once the block was taken out, or was not known. */
#define FINISH_RELEASE(was_known, call)                                                                                \
    if (!(was_known)) {                                                                                                \
        if (TM_UNLIKELY(thread->guard != 0) || tm_boot_pool_may_own(block)) {                                          \
            free_unknown(thread, block);                                                                               \
            return;                                                                                                    \
        }                                                                                                              \
        call;                                                                                                          \
        return;                                                                                                        \
    }                                                                                                                  \
    tm_door_guard_up(thread);                                                                                          \
    call;                                                                                                              \
    tm_door_guard_down(thread)

static __attribute__((noinline)) void free_rarely(void *block)
{
    RELEASE(tm_real.free(block));
}

/* The parts of free_heard that are not common are its last acts, so that it saves no register itself. */
static __attribute__((noinline)) void free_generally(void *block)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    if (TM_LIKELY(thread->guard == 0) && tm_tracker_take_held(thread, block)) {
        tm_real.free(block); /* as in free_heard */
        return;
    }
    FINISH_RELEASE(takes_back_heard(thread, block, &taken), tm_real.free(block));
}

static __attribute__((noinline)) void free_unrecorded(void *block)
{
    if (TM_UNLIKELY(tm_boot_pool_may_own(block)) && tm_boot_pool_owns(block)) {
        return;
    }
    tm_real.free(block);
}

static __attribute__((noinline)) void free_telling(void *block)
{
    const struct tm_tally *tally = tm_tally_peek(tm_thread_self());
    if (TM_LIKELY(tally != NULL)) { /* a signal handler may have forked since */
        tm_tally_tell(tm_runtime.totals, tally->line);
    }
    tm_real.free(block);
}

static __attribute__((noinline)) void free_heard(void *block)
{
    /* The guard stays down after the quick way: should the real function come through a door again, the block is not
     * known any more. */
    struct tm_thread *thread = tm_thread_self();
    const enum tm_own_taken taken = TM_LIKELY(thread->guard == 0) ? tm_own_take(thread, block) : TM_OWN_LEFT;
    if (TM_LIKELY(taken == TM_OWN_TAKEN)) {
        tm_real.free(block);
    } else if (taken == TM_OWN_TELLS) {
        free_telling(block);
    } else if (taken == TM_OWN_NONE) {
        free_unrecorded(block);
    } else {
        free_generally(block);
    }
}

/* Sampling: a known block begins in the page of BLOCK, or one of the boot pool. */
static TM_SAMPLED_CODE void free_near_known(void *block)
{
    struct tm_thread *thread = tm_thread_self();
    const bool may_know = tm_sampler_page_may_know(block);
    if (may_know && TM_LIKELY(thread->guard == 0) && TM_LIKELY(tm_tracker_take_sampled(thread, block) != 0)) {
        tm_door_guard_first_up(thread);
        tm_real.free(block);
        tm_door_guard_all_down(thread);
    } else if (TM_UNLIKELY(may_know) || tm_boot_pool_may_own(block)) {
        free_rarely(block);
    } else {
        tm_real.free(block);
    }
}

TM_EXPORT void free(void *block)
{
    if (TM_LIKELY(tm_doors_hear_all)) {
        free_heard(block);
    } else if (TM_UNLIKELY(!tm_doors_sample)) {
        free_rarely(block);
    } else if (TM_UNLIKELY(tm_sampler_page_has_known((uintptr_t)block))) {
        free_near_known(block);
    } else {
        tm_real.free(block);
    }
}

TM_EXPORT void free_sized(void *block, size_t size)
{
    RELEASE(tm_real.free_sized(block, size));
}

TM_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    RELEASE(tm_real.free_aligned_sized(block, alignment, size));
}

TM_EXPORT void cfree(void *block)
{
    RELEASE(tm_real.cfree(block));
}

/* One of the two: reallocarray where COUNT is not 1, so that the real function sees the call that was made. */
TM_INLINE void *real_resize(void *block, size_t count, size_t size, bool is_array)
{
    return is_array ? tm_real.reallocarray(block, count, size) : tm_real.realloc(block, size);
}

static TM_COLD void *resize_boot_block(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return tm_real_libc_move_boot_block(block, bytes);
}

static TM_COLD void *resize_unheard(struct tm_thread *thread, void *block, size_t count, size_t size, bool is_array)
{
    struct tm_taken taken;
    if (tm_boot_pool_may_own(block) && tm_boot_pool_owns(block)) {
        return resize_boot_block(block, count, size);
    }
    bool may_know = !tm_doors_sample || (block != NULL && tm_sampler_may_know(block));
    bool was_known = thread->guard != 0 && may_know && tm_door_drop(thread, block, &taken);
    void *moved = real_resize(block, count, size, is_array);
    if (moved == NULL && was_known && size != 0 && count != 0) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

static __attribute__((noinline)) void *resize_sampled(struct tm_thread *thread, void *block, size_t count, size_t size,
                                                      bool is_array)
{
    struct tm_taken taken;
    bool was_known = block != NULL && takes_back_sample(thread, block, &taken);
    if (!was_known && tm_boot_pool_may_own(block) && tm_boot_pool_owns(block)) {
        return resize_boot_block(block, count, size);
    }
    bool is_taken = takes(thread, count * size);
    tm_door_guard_up(thread);
    void *moved = real_resize(block, count, size, is_array);
    tm_door_guard_down(thread);
    if (moved == NULL && was_known && size != 0 && count != 0) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return is_taken ? enter(thread, moved, count * size) : moved;
}

/* Not every call is heard, or not this one. */
TM_INLINE void *resize_rarely(struct tm_thread *thread, void *block, size_t count, size_t size, bool is_array)
{
    return tm_doors_sample && thread->guard == 0 ? resize_sampled(thread, block, count, size, is_array)
                                                 : resize_unheard(thread, block, count, size, is_array);
}

TM_INLINE void *resize(void *block, size_t count, size_t size, bool is_array)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    if (TM_UNLIKELY(!tm_door_hears_all(thread))) {
        return resize_rarely(thread, block, count, size, is_array);
    }
    bool was_known = block != NULL && tm_tracker_take(thread, block, &taken);
    if (!was_known && tm_boot_pool_may_own(block) && tm_boot_pool_owns(block)) {
        return resize_boot_block(block, count, size);
    }
    tm_door_guard_up(thread);
    void *moved = real_resize(block, count, size, is_array);
    tm_door_guard_down(thread);
    if (TM_UNLIKELY(moved == NULL) && was_known && size != 0 && count != 0) {
        tm_tracker_put_back(thread, block, &taken); /* with size 0 the answer NULL means: freed */
    }
    return enter(thread, moved, count * size);
}

static __attribute__((noinline)) void *realloc_heard(void *block, size_t size)
{
    return resize(block, 1, size, false);
}

TM_EXPORT void *realloc(void *block, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_LIKELY(tm_doors_hear_all)) {
        return realloc_heard(block, size);
    }
    /* Behind another door, where Python's large blocks grow. */
    if (TM_UNLIKELY(thread->guard == 0) || TM_UNLIKELY(!tm_doors_sample) || TM_UNLIKELY(tm_sampler_may_know(block)) ||
        tm_boot_pool_may_own(block)) {
        return resize_rarely(thread, block, 1, size, false);
    }
    return tm_real.realloc(block, size);
}

TM_EXPORT void *reallocarray(void *block, size_t count, size_t size)
{
    return resize(block, count, size, true);
}
