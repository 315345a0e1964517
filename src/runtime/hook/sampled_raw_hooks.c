/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_raw_hooks.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "runtime/hook/arena_needs.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/sampled_raised.h"
#include "runtime/hook/sampled_reserve.h"
#include "runtime/track/tracker.h"
#include "runtime/track/tracker_sampled.h"

/* The block of a sampled small object from the reserve; NULL: none.  SIZE is what the raw domain is asked for. */
static TM_SAMPLED_CODE void *take_reserved(struct tm_thread *thread, const struct tm_cpython_allocator *real,
                                           size_t size)
{
    const struct tm_python_hook *hook = (const struct tm_python_hook *)real; /* its first member */
    if (size == 0 || hook->over != TM_LAYER_PLAIN || tm_runtime.outer_malloc != NULL ||
        !tm_python_is_interpreters(real)) {
        /* Over tracemalloc: the reserve would be charged to the program's own.  The program's own allocator: what is
         * freed past our hooks is not heard there, and a smaller block at the same address would be taken for one of
         * the reserve. */
        return NULL;
    }
    thread->raised = 0;
    void *block = tm_sampled_reserve_take(real, size);
    thread->raw_block = (uintptr_t)block;
    return block;
}

/* False: BLOCK, which is free now, is not of the reserve.  What is known of it may be stale, had it been freed in a way
 * that nobody heard, and a smaller one may lie there: so malloc is asked. */
static bool give_back(const struct tm_cpython_allocator *real, void *block)
{
    return tm_sampled_reserve_has(real, block) && malloc_usable_size(block) >= TM_RAISED_SIZE &&
           tm_sampled_reserve_give(real, block);
}

/* Sampled, where the call is heard: the guard is down.  The points that fall on what the allocator of small blocks needs
 * for itself are points less for nobody. */
TM_INLINE bool samples(struct tm_thread *thread, size_t size)
{
    return tm_sampler_takes(thread, size) && !tm_arena_needs_raw(thread);
}

/* Heard and sampled. */
TM_INLINE bool takes(struct tm_thread *thread, const void *ctx, size_t size, bool over_debug)
{
    return tm_python_hears(thread, ctx, TM_CPYTHON_RAW, over_debug) && samples(thread, size);
}

TM_INLINE void record(struct tm_thread *thread, void *block, size_t size)
{
    if (block != NULL) {
        (void)tm_tracker_alloc_sampled(thread, TM_DOMAIN_RAW, block, size);
    }
}

TM_INLINE void *hook_malloc(void *ctx, size_t size, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (TM_UNLIKELY(size == thread->raised)) {
        void *reserved = take_reserved(thread, real, size);
        if (reserved != NULL) {
            return reserved;
        }
    }
    if (thread->guard != 0 && TM_LIKELY(tm_sampled_passing != TM_PASSING_UNTRIED)) {
        return real->malloc(real->ctx, size); /* the usual one, a large block of mem or obj: as the last act */
    }
    bool is_taken = takes(thread, ctx, size, over_debug);
    tm_door_guard_up(thread);
    void *block = real->malloc(real->ctx, size);
    tm_door_guard_down(thread);
    thread->raw_block = (uintptr_t)block;
    if (TM_UNLIKELY(is_taken)) {
        record(thread, block, size);
    }
    return block;
}

TM_INLINE void *hook_calloc(void *ctx, size_t count, size_t size, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    size_t bytes;
    if (TM_UNLIKELY(size == thread->raised) && count == 1) {
        void *reserved = take_reserved(thread, real, size);
        if (reserved != NULL) {
            return memset(reserved, 0, size);
        }
    }
    bool is_taken = !__builtin_mul_overflow(count, size, &bytes) && takes(thread, ctx, bytes, over_debug);
    tm_door_guard_up(thread);
    void *block = real->calloc(real->ctx, count, size);
    tm_door_guard_down(thread);
    thread->raw_block = (uintptr_t)block;
    if (TM_UNLIKELY(is_taken)) {
        record(thread, block, bytes);
    }
    return block;
}

/* Realloc of a sampled small object that may lie in the reserve, which keeps the block. */
static TM_COLD void *move_raised(const struct tm_cpython_allocator *real, void *block, size_t size)
{
    if (!tm_sampled_reserve_has(real, block)) {
        return real->realloc(real->ctx, block, size);
    }
    void *moved = real->malloc(real->ctx, size);
    if (moved != NULL) {
        memcpy(moved, block, size < TM_RAISED_SIZE ? size : TM_RAISED_SIZE);
        if (!give_back(real, block)) {
            real->free(real->ctx, block);
        }
    }
    return moved;
}

/* The same for an object that becomes small and is sampled: what it leaves behind is a block as small as the
 * object would have had, so that it stands in the way of none either.  The guard is up. */
static TM_COLD void *move_to_reserve(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                     size_t size)
{
    const size_t bytes = thread->raised_from;
    void *reserved = take_reserved(thread, real, size);
    if (reserved == NULL) {
        return real->realloc(real->ctx, block, size);
    }
    void *shrunk = real->realloc(real->ctx, block, bytes);
    if (shrunk == NULL) {
        (void)tm_sampled_reserve_give(real, reserved);
        return NULL;
    }
    memcpy(reserved, shrunk, bytes);
    real->free(real->ctx, shrunk);
    return reserved;
}

/* Behind another door, or for the tracemalloc module's own sake. */
static void *realloc_unheard(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                             size_t size)
{
    struct tm_taken taken;
    bool was_known = block != NULL && tm_sampler_may_know(block) && tm_door_drop(thread, block, &taken);
    bool was_raised = was_known && tm_sampled_is_raised(taken.record);
    void *moved;
    if (block != NULL && size != 0 && TM_UNLIKELY(size == thread->raised)) {
        moved = was_raised && tm_sampled_reserve_has(real, block) ? block : move_to_reserve(thread, real, block, size);
    } else {
        moved = was_raised ? move_raised(real, block, size) : real->realloc(real->ctx, block, size);
    }
    thread->raw_block = (uintptr_t)moved;
    if (moved == NULL && was_known) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

/* A block that a door behind has recorded is dropped there: the guard is up. */
TM_INLINE void *hook_realloc(void *ctx, void *block, size_t size, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, TM_CPYTHON_RAW, over_debug))) {
        return realloc_unheard(thread, real, block, size);
    }
    bool is_taken = samples(thread, size);
    bool was_known = block != NULL && tm_sampler_may_know(block) && tm_tracker_take(thread, block, &taken);
    tm_door_guard_up(thread);
    void *moved = real->realloc(real->ctx, block, size);
    tm_door_guard_down(thread);
    thread->raw_block = (uintptr_t)moved;
    if (TM_UNLIKELY(is_taken)) {
        record(thread, moved, size);
    }
    if (TM_UNLIKELY(moved == NULL) && was_known) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

/* A block that may be known comes back. */
static TM_SAMPLED_CODE void free_known(const struct tm_cpython_allocator *real, void *block)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken = {.record = thread->guard == 0 ? tm_tracker_take_sampled(thread, block) : 0};
    if (taken.record == 0) {
        (void)(thread->guard != 0 ? tm_door_drop(thread, block, &taken) : tm_tracker_take(thread, block, &taken));
    }
    if (!tm_sampled_is_raised(taken.record) || !give_back(real, block)) {
        tm_door_guard_up(thread);
        real->free(real->ctx, block);
        tm_door_guard_down(thread);
    }
}

TM_INLINE void hook_free(void *ctx, void *block, bool over_debug)
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (TM_LIKELY(!tm_sampler_may_know(block))) {
        real->free(real->ctx, block);
    } else {
        free_known(real, block);
    }
}

#define HOOKS(name, over_debug)                                                                                        \
    static void *name##_calloc(void *ctx, size_t count, size_t size)                                                   \
    {                                                                                                                  \
        return hook_calloc(ctx, count, size, over_debug);                                                              \
    }                                                                                                                  \
    static void name##_free(void *ctx, void *block)                                                                    \
    {                                                                                                                  \
        hook_free(ctx, block, over_debug);                                                                             \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_malloc(void *ctx, size_t size)                                       \
    {                                                                                                                  \
        return hook_malloc(ctx, size, over_debug);                                                                     \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_realloc(void *ctx, void *block, size_t size)                         \
    {                                                                                                                  \
        return hook_realloc(ctx, block, size, over_debug);                                                             \
    }

HOOKS(raw, false)
HOOKS(raw_debug, true)

/* Behind one door of mem or obj, which asks for a block as it is: so nearly all calls come, in parts that save no
 * registers.  Who asks for more than the program did has raised the guard once more. */
TM_INLINE bool is_usual(const struct tm_thread *thread)
{
    return TM_LIKELY(thread->guard == TM_DOOR_GUARD);
}

/* One that was counted, but has no guard up: see struct tm_sampler_held. */
TM_INLINE bool has_passed(const struct tm_thread *thread, size_t size)
{
    return tm_word_peek(&tm_sampler_held.passed_size) == size && size > TM_SMALL_SIZE_MAX && thread->guard == 0;
}

TM_INLINE bool has_passed_to_move(const struct tm_thread *thread, const void *block)
{
    return tm_word_peek(&tm_sampler_held.passed_block) == (uintptr_t)block && block != NULL && thread->guard == 0;
}

static __attribute__((noinline)) void *malloc_passed(void *ctx, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    tm_word_store(&tm_sampler_held.passed_size, 0);
    tm_door_guard_first_up(thread);
    void *block = real->malloc(real->ctx, size);
    tm_door_guard_all_down(thread);
    return block;
}

static __attribute__((noinline)) void *realloc_passed(void *ctx, void *block, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    tm_word_store(&tm_sampler_held.passed_size, 0);
    tm_word_store(&tm_sampler_held.passed_block, 0);
    tm_door_guard_first_up(thread);
    void *moved =
        TM_LIKELY(!tm_sampler_may_know(block)) ? real->realloc(real->ctx, block, size) : raw_realloc(ctx, block, size);
    tm_door_guard_all_down(thread);
    return moved;
}

static void *malloc_shortly(void *ctx, size_t size)
{
    const struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    if (TM_LIKELY(has_passed(thread, size))) {
        return malloc_passed(ctx, size);
    }
    return is_usual(thread) ? real->malloc(real->ctx, size) : raw_malloc(ctx, size);
}

static void *realloc_shortly(void *ctx, void *block, size_t size)
{
    const struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    if (TM_LIKELY(has_passed_to_move(thread, block))) {
        return realloc_passed(ctx, block, size);
    }
    return is_usual(thread) && TM_LIKELY(!tm_sampler_may_know(block)) ? real->realloc(real->ctx, block, size)
                                                                      : raw_realloc(ctx, block, size);
}

struct tm_cpython_allocator tm_sampled_raw_hooks(bool over_debug)
{
    return over_debug ? (struct tm_cpython_allocator){NULL, raw_debug_malloc, raw_debug_calloc, raw_debug_realloc,
                                                      raw_debug_free}
                      : (struct tm_cpython_allocator){NULL, malloc_shortly, raw_calloc, realloc_shortly, raw_free};
}
