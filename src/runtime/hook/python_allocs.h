/* SPDX-License-Identifier: MIT */
/* How a block comes at CPython's doors: templates over constant arguments, for python_hooks.c alone.  Each door's way
 * ends in another, as the last act, so that only the last saves registers. */
#ifndef TM_RUNTIME_HOOK_PYTHON_ALLOCS_H
#define TM_RUNTIME_HOOK_PYTHON_ALLOCS_H

#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/track/runtime.h"
#include "runtime/track/tracker_quick.h"

/* What CPython's own allocator of small blocks asks of the raw domain while it makes one (room for arenas, or for the
 * block where there is none): part of the event of its door. */
static TM_COLD void *raw_malloc_within(struct tm_thread *thread, const struct tm_cpython_allocator *real, size_t size)
{
    tm_door_guard_up(thread);
    void *block = real->malloc(real->ctx, size);
    tm_door_guard_down(thread);
    return block;
}

static TM_COLD void *raw_calloc_within(struct tm_thread *thread, const struct tm_cpython_allocator *real, size_t count,
                                       size_t size)
{
    tm_door_guard_up(thread);
    void *block = real->calloc(real->ctx, count, size);
    tm_door_guard_down(thread);
    return block;
}

TM_INLINE void *hook_malloc(void *ctx, size_t size, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (domain == TM_CPYTHON_RAW && TM_UNLIKELY(tm_door_small_is_made(thread))) {
        return raw_malloc_within(thread, real, size);
    }
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, domain, over_debug))) {
        return real->malloc(real->ctx, size);
    }
    tm_door_guard_first_up(thread);
    void *block = real->malloc(real->ctx, size);
    tm_door_guard_all_down(thread);
    if (TM_UNLIKELY(block == NULL)) {
        return NULL;
    }
    if (domain == TM_CPYTHON_RAW) {
        tm_tracker_alloc(thread, TM_DOMAIN_RAW, block, size);
        return block;
    }
    return tm_quick_alloc_at_door(thread, (uint8_t)domain, block, size, TM_QUICK_ANY, TM_QUICK_TOP, TM_DOOR_GUARDED);
}

/* A call of a starting interpreter may go the usual way, once that is open: before, the general hook is nearer. */
TM_INLINE bool may_start(const void *ctx, unsigned domain, enum tm_quick_depth deep)
{
    return deep != TM_QUICK_NATIVE && tm_word_peek(deep ? &tm_life_page.stack_sizes : &tm_life_page.top_sizes) != 0 &&
           tm_python_is_starting(ctx, domain);
}

/* The usual call of a hook of mem or obj, or one that STARTS.  RARELY is the second of the two, or hook_malloc: what is
 * rare is its own last act, so that hardly a register need be saved here. */
TM_INLINE void *hook_malloc_usually(void *ctx, size_t size, unsigned domain, enum tm_quick_way way,
                                    enum tm_quick_depth deep, bool starts, void *(*rarely)(void *, size_t))
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    bool may = starts ? may_start(ctx, domain, deep) : tm_python_is_usual(ctx, domain, false);
    if (TM_UNLIKELY(!may) || TM_UNLIKELY(!tm_door_guard_try_up())) {
        return rarely(ctx, size);
    }
    void *(*behind)(void *, size_t) = real->malloc;
    TM_OPAQUE(behind); /* or the context's own register would be moved away first */
    void *block = behind(real->ctx, size);
    struct tm_thread *thread = tm_thread_self();
    tm_door_guard_all_down(thread);
    if (TM_UNLIKELY(block == NULL)) {
        return NULL;
    }
    return deep == TM_QUICK_NATIVE
               ? tm_quick_native_at_door(thread, (uint8_t)domain, block, size, way)
               : tm_quick_alloc_at_door(thread, (uint8_t)domain, block, size, way, deep, TM_DOOR_GUARDED);
}

/* The usual call where CPython's own allocator of small blocks is behind: it serves one without a call of another door,
 * but where it needs room, so no guard goes up.  Its functions look at no context.  GUARDED is the one before: for
 * other sizes, and where the call needs a look. */
TM_INLINE void *hook_malloc_small(void *ctx, size_t size, unsigned domain, enum tm_quick_way way,
                                  enum tm_quick_depth deep, void *(*guarded)(void *, size_t))
{
    if (TM_UNLIKELY(size - TM_QUICK_SIZE_MIN >=
                    tm_word_peek(deep ? &tm_life_page.small_stack_sizes : &tm_life_page.small_top_sizes))) {
        return guarded(ctx, size);
    }
    tm_door_small_comes();
    void *block = ((const struct tm_python_hook *)ctx)->real.malloc(ctx, size);
    struct tm_thread *thread = tm_thread_self();
    return tm_quick_alloc_at_door(thread, (uint8_t)domain, block, size, way, deep, TM_DOOR_SMALL);
}

TM_INLINE void *hook_calloc(void *ctx, size_t count, size_t size, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (domain == TM_CPYTHON_RAW && TM_UNLIKELY(tm_door_small_is_made(thread))) {
        return raw_calloc_within(thread, real, count, size);
    }
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, domain, over_debug))) {
        return real->calloc(real->ctx, count, size);
    }
    tm_door_guard_up(thread);
    void *block = real->calloc(real->ctx, count, size);
    tm_door_guard_down(thread);
    if (TM_LIKELY(block != NULL)) {
        tm_tracker_alloc(thread, (enum tm_domain)domain, block, count * size);
    }
    return block;
}

#endif
