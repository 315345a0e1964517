/* SPDX-License-Identifier: MIT */
/* What a call of mem or obj does while sampling, whatever lies behind the hook: templates over its domain and kind.
 * Included by the files that make hooks of them, sampled_hooks.c and sampled_small_hooks.c, and by nobody else.
 *
 * Threads  mem and obj: under a GIL, but in free-threaded builds.   Signals  safe.   errno  as the real functions leave
 * it. */
#ifndef TM_RUNTIME_HOOK_SAMPLED_WAYS_H
#define TM_RUNTIME_HOOK_SAMPLED_WAYS_H

#include <stdint.h>
#include <string.h>

#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/sampled_raised.h"
#include "runtime/track/runtime.h"
#include "runtime/track/tracker.h"
#include "runtime/track/tracker_sampled.h"

/* Bytes to ask for a sampled block of SIZE bytes.  Where they are more the guard goes up once more, by which raw's hook
 * knows the request and may take it from the reserve. */
TM_INLINE size_t sampled_size(struct tm_thread *thread, size_t size, bool is_small)
{
    if (!is_small || size > TM_SMALL_SIZE_MAX || tm_sampled_passing == TM_PASSING_REFUTED) {
        return size;
    }
    tm_door_guard_up(thread);
    thread->raw_block = 0;
    thread->raised = tm_sampled_all_are_raised() ? TM_RAISED_SIZE : 0;
    thread->raised_from = size;
    return TM_RAISED_SIZE;
}

/* The guard was down when BLOCK was asked for, by sampled_size. */
TM_INLINE void record(struct tm_thread *thread, unsigned domain, void *block, size_t size, bool is_small)
{
    thread->raised = 0;
    tm_door_guard_all_down(thread);
    if (block == NULL) {
        return;
    }
    (void)tm_tracker_alloc_sampled(thread, (uint8_t)domain, block, size);
    if (size <= TM_SMALL_SIZE_MAX) {
        tm_sampled_some_are_small = tm_sampled_some_are_small || !is_small;
        if (is_small && tm_sampled_passing == TM_PASSING_UNTRIED) {
            tm_sampled_prove(thread, block);
        }
    }
    if (tm_runtime_is_watched()) {
        tm_runtime_look(thread);
    }
}

/* By the count of the hooks of KIND. */
TM_INLINE bool counts_out(struct tm_thread *thread, size_t size, enum tm_sampled_kind kind)
{
    if (kind != TM_SAMPLED_HELD) {
        return tm_sampler_takes(thread, size);
    }
    const bool is_taken = tm_sampler_held_takes(size);
    if (TM_UNLIKELY(is_taken)) {
        (void)tm_python_hooks_lose_raw();
    }
    return is_taken;
}

/* Heard and sampled: the guard is down. */
TM_INLINE bool takes(struct tm_thread *thread, const void *ctx, size_t size, unsigned domain, enum tm_sampled_kind kind)
{
    return tm_python_hears(thread, ctx, domain, kind == TM_SAMPLED_OVER_DEBUG) && counts_out(thread, size, kind);
}

TM_INLINE void *hook_malloc(void *ctx, size_t size, unsigned domain, enum tm_sampled_kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == TM_SAMPLED_OVER_DEBUG);
    bool is_taken = takes(thread, ctx, size, domain, kind);
    tm_door_guard_up(thread);
    void *block = real->malloc(
        real->ctx, TM_UNLIKELY(is_taken) ? sampled_size(thread, size, tm_sampled_is_over_small(kind)) : size);
    tm_door_guard_down(thread);
    if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, block, size, tm_sampled_is_over_small(kind));
    }
    return block;
}

TM_INLINE void *hook_calloc(void *ctx, size_t count, size_t size, unsigned domain, enum tm_sampled_kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == TM_SAMPLED_OVER_DEBUG);
    size_t bytes;
    bool is_taken = !__builtin_mul_overflow(count, size, &bytes) && takes(thread, ctx, bytes, domain, kind);
    if (TM_UNLIKELY(is_taken)) {
        count = 1;
        size = sampled_size(thread, bytes, tm_sampled_is_over_small(kind));
    }
    tm_door_guard_up(thread);
    void *block = real->calloc(real->ctx, count, size);
    tm_door_guard_down(thread);
    if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, block, bytes, tm_sampled_is_over_small(kind));
    }
    return block;
}

/* BLOCK is known and was asked for with TM_RAISED_SIZE bytes.  Where nobody takes out what is freed (a child that is not
 * followed) the table tells of blocks that are gone: it is not asked. */
static bool knows_raised(const void *block)
{
    struct tm_block known;
    return tm_sampler_may_know(block) && tm_life_now() >= TM_LIFE_STOPPED &&
           tm_block_table_find(&tm_runtime.blocks, (uintptr_t)block, &known) &&
           tm_sampled_is_raised(known.word & TM_SLOT_RECORD);
}

/* A sampled small object stays small and is not sampled again: it goes where it would have been.  The raw domain's hook
 * takes its old block out.  All of SIZE is copied: a block that is no small one has TM_RAISED_SIZE bytes at least, also
 * where what is known of it is stale. */
static TM_COLD void *move_to_small(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                   size_t size)
{
    tm_door_guard_up(thread);
    void *moved = real->malloc(real->ctx, size);
    if (moved != NULL) {
        memcpy(moved, block, size);
        real->free(real->ctx, block);
    }
    tm_door_guard_down(thread);
    return moved;
}

/* A block that a door behind has recorded is dropped there: the guard is up. */
TM_INLINE void *hook_realloc(void *ctx, void *block, size_t size, unsigned domain, enum tm_sampled_kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == TM_SAMPLED_OVER_DEBUG);
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, domain, kind == TM_SAMPLED_OVER_DEBUG))) {
        return tm_python_realloc_unheard(thread, real, block, size);
    }
    bool raw_looks = tm_sampled_is_over_small(kind) && tm_sampled_all_are_raised();
    bool is_taken = counts_out(thread, size, kind);
    if (raw_looks && block != NULL && !is_taken && size <= TM_SMALL_SIZE_MAX && knows_raised(block)) {
        return move_to_small(thread, real, block, size);
    }
    bool was_known =
        block != NULL && !raw_looks && tm_sampler_may_know(block) && tm_tracker_take(thread, block, &taken);
    tm_door_guard_up(thread);
    void *moved = real->realloc(
        real->ctx, block, TM_UNLIKELY(is_taken) ? sampled_size(thread, size, tm_sampled_is_over_small(kind)) : size);
    tm_door_guard_down(thread);
    if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, moved, size, tm_sampled_is_over_small(kind));
    }
    if (TM_UNLIKELY(moved == NULL) && was_known) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

TM_INLINE void hook_free(void *ctx, void *block, enum tm_sampled_kind kind)
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == TM_SAMPLED_OVER_DEBUG);
    if (TM_LIKELY(!tm_sampler_may_know(block))) {
        real->free(real->ctx, block);
    } else {
        tm_python_free_generally(real, block);
    }
}

#define RESIZING_HOOKS(name, domain, kind)                                                                             \
    static void *name##_malloc(void *ctx, size_t size)                                                                 \
    {                                                                                                                  \
        return hook_malloc(ctx, size, domain, kind);                                                                   \
    }                                                                                                                  \
    static void *name##_realloc(void *ctx, void *block, size_t size)                                                   \
    {                                                                                                                  \
        return hook_realloc(ctx, block, size, domain, kind);                                                           \
    }

#define HOOKS(name, domain, kind)                                                                                      \
    RESIZING_HOOKS(name, domain, kind)                                                                                 \
    static void *name##_calloc(void *ctx, size_t count, size_t size)                                                   \
    {                                                                                                                  \
        return hook_calloc(ctx, count, size, domain, kind);                                                            \
    }                                                                                                                  \
    static void name##_free(void *ctx, void *block)                                                                    \
    {                                                                                                                  \
        hook_free(ctx, block, kind);                                                                                   \
    }

#endif
