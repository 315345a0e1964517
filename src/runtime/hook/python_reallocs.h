/* SPDX-License-Identifier: MIT */
/* How a block moves at CPython's doors: as python_allocs.h. */
#ifndef TM_RUNTIME_HOOK_PYTHON_REALLOCS_H
#define TM_RUNTIME_HOOK_PYTHON_REALLOCS_H

#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/track/runtime.h"
#include "runtime/track/take_quick.h"
#include "runtime/track/tracker_quick.h"

static TM_COLD void *raw_realloc_within(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                        size_t size)
{
    tm_door_guard_up(thread);
    void *moved = tm_python_realloc_unheard(thread, real, block, size);
    tm_door_guard_down(thread);
    return moved;
}

/* A look at the quick way first; one that hardly ever fails, so it saves too. */
TM_INLINE bool take(struct tm_thread *thread, const void *block, unsigned domain, struct tm_taken *taken)
{
    return (domain != TM_CPYTHON_RAW &&
            tm_quick_take_block(thread, block, TM_TAKE_ANY, TM_QUICK_ANY, taken) == TM_TAKEN_NOW) ||
           tm_tracker_take(thread, block, taken);
}

/* The usual call of a hook of mem or obj of a known BLOCK, where no maximum is left and its record's peaks are saved:
 * RARELY is one of the two that follow, as the last act. */
TM_INLINE void *hook_realloc_quickly(void *ctx, void *block, size_t size, unsigned domain, enum tm_quick_way way,
                                     enum tm_quick_depth deep, void *(*rarely)(void *, void *, size_t))
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    struct tm_record *record;
    if (block == NULL || deep == TM_QUICK_NATIVE || TM_UNLIKELY(!tm_python_is_usual(ctx, domain, false)) ||
        TM_UNLIKELY(tm_door_guard_is_up(thread)) || TM_UNLIKELY((record = tm_quick_take_to_move(block, way)) == NULL)) {
        return rarely(ctx, block, size);
    }
    tm_door_guard_first_up(thread);
    void *moved = real->realloc(real->ctx, block, size);
    tm_door_guard_all_down(thread);
    if (TM_UNLIKELY(moved == NULL)) {
        tm_quick_put_back(thread, record, block); /* CPython's realloc to 0 bytes answers a block, so this failed */
        return NULL;
    }
    tm_quick_count_moved(thread, record, block);
    return tm_quick_alloc_at_door(thread, (uint8_t)domain, moved, size, way, deep, TM_DOOR_GUARDED);
}

/* The same of a block that begins so, as lists' do; RARELY is the next. */
TM_INLINE void *hook_realloc_first(void *ctx, void *block, size_t size, unsigned domain, enum tm_quick_way way,
                                   enum tm_quick_depth deep, void *(*rarely)(void *, void *, size_t))
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    if (block != NULL || deep == TM_QUICK_NATIVE || TM_UNLIKELY(!tm_python_is_usual(ctx, domain, false)) ||
        TM_UNLIKELY(!tm_door_guard_try_up())) {
        return rarely(ctx, block, size);
    }
    void *moved = real->realloc(real->ctx, NULL, size);
    struct tm_thread *thread = tm_thread_self();
    tm_door_guard_all_down(thread);
    return TM_LIKELY(moved != NULL)
               ? tm_quick_alloc_at_door(thread, (uint8_t)domain, moved, size, way, deep, TM_DOOR_GUARDED)
               : NULL;
}

/* The usual call with what is rare about a block; NULL is none that is known.  RARELY is hook_realloc. */
TM_INLINE void *hook_realloc_usually(void *ctx, void *block, size_t size, unsigned domain, enum tm_quick_way way,
                                     enum tm_quick_depth deep, void *(*rarely)(void *, void *, size_t))
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    struct tm_taken taken;
    if (deep == TM_QUICK_NATIVE || TM_UNLIKELY(thread->guard != 0) ||
        TM_UNLIKELY(!tm_python_is_usual(ctx, domain, false)) ||
        TM_UNLIKELY(tm_quick_take_block(thread, block, TM_TAKE_ANY, way, &taken) != TM_TAKEN_NOW)) {
        return rarely(ctx, block, size);
    }
    tm_door_guard_first_up(thread);
    void *moved = real->realloc(real->ctx, block, size);
    tm_door_guard_all_down(thread);
    if (TM_LIKELY(moved != NULL)) {
        return tm_quick_alloc_at_door(thread, (uint8_t)domain, moved, size, way, deep, TM_DOOR_GUARDED);
    }
    tm_tracker_put_back(thread, block, &taken); /* CPython's realloc to 0 bytes answers a block, so this failed */
    return NULL;
}

TM_INLINE void *hook_realloc(void *ctx, void *block, size_t size, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (domain == TM_CPYTHON_RAW && TM_UNLIKELY(tm_door_small_is_made(thread))) {
        return raw_realloc_within(thread, real, block, size);
    }
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, domain, over_debug))) {
        return tm_python_realloc_unheard(thread, real, block, size);
    }
    bool was_known = block != NULL && take(thread, block, domain, &taken);
    uint32_t guard = was_known || block == NULL ? TM_DOOR_GUARD : 0; /* unknown: let the doors behind hear it */
    thread->guard += guard;
    void *moved = real->realloc(real->ctx, block, size);
    thread->guard -= guard;
    if (TM_LIKELY(moved != NULL)) {
        tm_tracker_alloc(thread, (enum tm_domain)domain, moved, size);
    } else if (was_known) {
        tm_tracker_put_back(thread, block, &taken); /* CPython's realloc to 0 bytes answers a block, so this failed */
    }
    return moved;
}

#endif
