/* SPDX-License-Identifier: MIT */
/* How a block goes at CPython's doors of mem and obj, and of raw: as python_allocs.h. */
#ifndef TM_RUNTIME_HOOK_PYTHON_FREES_H
#define TM_RUNTIME_HOOK_PYTHON_FREES_H

#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/track/runtime.h"
#include "runtime/track/take_quick.h"

/* Takes BLOCK and frees it, or answers why not.  At a small DOOR the guard is not asked for, nor the context. */
TM_INLINE enum tm_quick_taken free_at_once(const struct tm_cpython_allocator *real, void *block, enum tm_quick_take how,
                                           enum tm_quick_way way, enum tm_quick_door door)
{
    struct tm_thread *thread = tm_thread_self();
    if (door != TM_DOOR_SMALL && TM_UNLIKELY(tm_door_guard_is_up(thread))) {
        return TM_TAKEN_NOT;
    }
    enum tm_quick_taken taken = tm_quick_take_block(thread, block, how, way, NULL);
    if (TM_LIKELY(taken == TM_TAKEN_NOW)) {
        if (door == TM_DOOR_SMALL) {
            TM_LIKE_ARGUMENTS(real, block);
        }
        real->free(door == TM_DOOR_SMALL ? (void *)(uintptr_t)real : real->ctx, block);
    }
    return taken;
}

/* Where a quick way ends the next one begins, as the last act, so that only the last saves registers: mostly because a
 * maximum is left, and then because the record's peaks are not saved yet. */
#define FREE_RARELY(name, way)                                                                                         \
    static __attribute__((noinline)) void free_leaving_##name(const struct tm_cpython_allocator *real, void *block)    \
    {                                                                                                                  \
        if (free_at_once(real, block, TM_TAKE_ANY, way, TM_DOOR_GUARDED) != TM_TAKEN_NOW) {                            \
            tm_python_free_generally(real, block);                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    static __attribute__((noinline)) void free_saving_##name(const struct tm_cpython_allocator *real, void *block)     \
    {                                                                                                                  \
        if (free_at_once(real, block, TM_TAKE_SAVING, way, TM_DOOR_GUARDED) != TM_TAKEN_NOW) {                         \
            free_leaving_##name(real, block);                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static __attribute__((noinline)) void free_long_##name(const struct tm_cpython_allocator *real, void *block)       \
    {                                                                                                                  \
        struct tm_thread *thread = tm_thread_self();                                                                   \
        if (TM_UNLIKELY(tm_door_guard_is_up(thread)) || TM_UNLIKELY(!tm_quick_take_long(thread, block, way))) {        \
            free_leaving_##name(real, block);                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        real->free(real->ctx, block);                                                                                  \
    }                                                                                                                  \
    TM_INLINE void free_##name##_way(const struct tm_cpython_allocator *real, void *block, enum tm_quick_door door)    \
    {                                                                                                                  \
        enum tm_quick_taken taken = free_at_once(real, block, TM_TAKE_SAVED, way, door);                               \
        if (TM_UNLIKELY(taken == TM_TAKEN_LONG)) {                                                                     \
            free_long_##name(real, block);                                                                             \
        } else if (TM_UNLIKELY(taken == TM_TAKEN_NOT)) {                                                               \
            free_leaving_##name(real, block);                                                                          \
        } else if (TM_UNLIKELY(taken == TM_TAKEN_UNSAVED)) {                                                           \
            free_saving_##name(real, block);                                                                           \
        }                                                                                                              \
    }

FREE_RARELY(any, TM_QUICK_ANY)
FREE_RARELY(shared, TM_QUICK_SHARED)
FREE_RARELY(own, TM_QUICK_OWN)
FREE_RARELY(own_cframe, TM_QUICK_OWN_CFRAME)

/* After the quick way the guard stays down, so that the real call can be the last act: should a door behind hear it,
 * the block is not known any more. */
TM_INLINE void hook_free(void *ctx, void *block, unsigned domain, bool over_debug, enum tm_quick_way way,
                         enum tm_quick_door door)
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, over_debug);
    if (domain == TM_CPYTHON_RAW) {
        tm_python_free_generally(real, block);
        return;
    }
    switch (way) {
    case TM_QUICK_SHARED:
        free_shared_way(real, block, door);
        break;
    case TM_QUICK_OWN:
        free_own_way(real, block, door);
        break;
    case TM_QUICK_OWN_CFRAME:
        free_own_cframe_way(real, block, door);
        break;
    case TM_QUICK_ANY:
        free_any_way(real, block, door);
        break;
    }
}

#endif
