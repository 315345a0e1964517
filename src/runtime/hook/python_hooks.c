/* SPDX-License-Identifier: MIT */
#include "runtime/hook/python_hooks.h"

#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/sampled_hooks.h"
#include "runtime/track/runtime.h"
#include "runtime/track/take_quick.h"
#include "runtime/track/tracker_quick.h"

/* What CPython's own allocator of small blocks asks of the raw domain while it makes one (room for arenas, or for the block
 * where there is none): part of the event of its door. */
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

static TM_COLD void *raw_realloc_within(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                        size_t size)
{
    tm_door_guard_up(thread);
    void *moved = tm_python_realloc_unheard(thread, real, block, size);
    tm_door_guard_down(thread);
    return moved;
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

/* The usual call of a hook of mem or obj, or one that STARTS.  RARELY is the second of the two, or hook_malloc: what is rare
 * is its own last act, so that hardly a register need be saved here. */
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

/* The usual call where CPython's own allocator of small blocks is behind: it serves one without a call of another door, but where it
 * needs room, so no guard goes up.  Its functions look at no context.  GUARDED is the one before: for other sizes, and where
 * the call needs a look. */
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

TM_COLD void *tm_python_realloc_unheard(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                        size_t size)
{
    struct tm_taken taken;
    bool was_known = tm_door_drop(thread, block, &taken);
    void *moved = real->realloc(real->ctx, block, size);
    if (moved == NULL && was_known) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

/* A look at the quick way first; one that hardly ever fails, so it saves too. */
TM_INLINE bool take(struct tm_thread *thread, const void *block, unsigned domain, struct tm_taken *taken)
{
    return (domain != TM_CPYTHON_RAW &&
            tm_quick_take_block(thread, block, TM_TAKE_ANY, TM_QUICK_ANY, taken) == TM_TAKEN_NOW) ||
           tm_tracker_take(thread, block, taken);
}

/* The usual call of a hook of mem or obj of a known BLOCK, where no maximum is left and its record's peaks are saved: RARELY
 * is one of the two that follow, as the last act. */
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

__attribute__((noinline)) void tm_python_free_generally(const struct tm_cpython_allocator *real, void *block)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    if (TM_UNLIKELY(thread->guard != 0)) {
        (void)tm_door_drop(thread, block, &taken);
        real->free(real->ctx, block);
    } else if (tm_tracker_take(thread, block, &taken)) {
        tm_door_guard_up(thread);
        real->free(real->ctx, block);
        tm_door_guard_down(thread);
    } else {
        real->free(real->ctx, block);
    }
}

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
    TM_INLINE void free_##name##_way(const struct tm_cpython_allocator *real, void *block, enum tm_quick_door door)    \
    {                                                                                                                  \
        enum tm_quick_taken taken = free_at_once(real, block, TM_TAKE_SAVED, way, door);                               \
        if (TM_UNLIKELY(taken == TM_TAKEN_NOT)) {                                                                      \
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

/* In a process whose options ask for snapshots while it runs the hooks of mem and obj look whether one is due: these
 * are functions of their own, so that no other process pays for it. */
TM_INLINE void *look(void *block, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_UNLIKELY(thread->looks-- == 0) || TM_UNLIKELY(size >= TM_SIZE_TO_LOOK)) {
        tm_runtime_look(thread);
    }
    return block;
}

#define WATCHED_HOOKS(name)                                                                                            \
    static void *name##_watched_malloc(void *ctx, size_t size)                                                         \
    {                                                                                                                  \
        return look(name##_malloc(ctx, size), size);                                                                   \
    }                                                                                                                  \
    static void *name##_watched_calloc(void *ctx, size_t count, size_t size)                                           \
    {                                                                                                                  \
        return look(name##_calloc(ctx, count, size), count * size);                                                    \
    }                                                                                                                  \
    static void *name##_watched_realloc(void *ctx, void *block, size_t size)                                           \
    {                                                                                                                  \
        return look(name##_realloc(ctx, block, size), size);                                                           \
    }

#define HOOKS(name, domain, over_debug)                                                                                \
    static void *name##_malloc(void *ctx, size_t size)                                                                 \
    {                                                                                                                  \
        return hook_malloc(ctx, size, domain, over_debug);                                                             \
    }                                                                                                                  \
    static void *name##_calloc(void *ctx, size_t count, size_t size)                                                   \
    {                                                                                                                  \
        return hook_calloc(ctx, count, size, domain, over_debug);                                                      \
    }                                                                                                                  \
    static void *name##_realloc(void *ctx, void *block, size_t size)                                                   \
    {                                                                                                                  \
        return hook_realloc(ctx, block, size, domain, over_debug);                                                     \
    }                                                                                                                  \
    static void name##_free(void *ctx, void *block)                                                                    \
    {                                                                                                                  \
        hook_free(ctx, block, domain, over_debug, TM_QUICK_ANY, TM_DOOR_GUARDED);                                      \
    }

HOOKS(raw, TM_CPYTHON_RAW, false)
HOOKS(mem, TM_CPYTHON_MEM, false)
HOOKS(obj, TM_CPYTHON_OBJ, false)
HOOKS(raw_debug, TM_CPYTHON_RAW, true)
HOOKS(mem_debug, TM_CPYTHON_MEM, true)
HOOKS(obj_debug, TM_CPYTHON_OBJ, true)

/* Those of one way; calloc is the general one. */
#define USUAL_MALLOC(name, general, domain, way, deep)                                                                 \
    static __attribute__((noinline)) void *name##_starting_malloc(void *ctx, size_t size)                              \
    {                                                                                                                  \
        return hook_malloc_usually(ctx, size, domain, way, deep, true, general##_malloc);                              \
    }                                                                                                                  \
    static void *name##_malloc(void *ctx, size_t size)                                                                 \
    {                                                                                                                  \
        return hook_malloc_usually(ctx, size, domain, way, deep, false, name##_starting_malloc);                       \
    }                                                                                                                  \
    static void *name##_watched_malloc(void *ctx, size_t size)                                                         \
    {                                                                                                                  \
        return look(name##_malloc(ctx, size), size);                                                                   \
    }

/* Those over CPython's own allocator of small blocks. */
#define SMALL_MALLOC(name, domain, way, deep)                                                                          \
    static void *name##_small_malloc(void *ctx, size_t size)                                                           \
    {                                                                                                                  \
        return hook_malloc_small(ctx, size, domain, way, deep, name##_malloc);                                         \
    }                                                                                                                  \
    static void *name##_small_watched_malloc(void *ctx, size_t size)                                                   \
    {                                                                                                                  \
        return look(name##_small_malloc(ctx, size), size);                                                             \
    }

#define USUAL_REALLOC(name, general, domain, way, deep)                                                                \
    static __attribute__((noinline)) void *name##_rest_realloc(void *ctx, void *block, size_t size)                    \
    {                                                                                                                  \
        return hook_realloc_usually(ctx, block, size, domain, way, deep, general##_realloc);                           \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_first_realloc(void *ctx, void *block, size_t size)                   \
    {                                                                                                                  \
        return hook_realloc_first(ctx, block, size, domain, way, deep, name##_rest_realloc);                           \
    }                                                                                                                  \
    static void *name##_realloc(void *ctx, void *block, size_t size)                                                   \
    {                                                                                                                  \
        return hook_realloc_quickly(ctx, block, size, domain, way, deep, name##_first_realloc);                        \
    }                                                                                                                  \
    static void *name##_watched_realloc(void *ctx, void *block, size_t size)                                           \
    {                                                                                                                  \
        return look(name##_realloc(ctx, block, size), size);                                                           \
    }

#define USUAL_ALLOC(name, general, domain, way, deep)                                                                  \
    USUAL_MALLOC(name, general, domain, way, deep)                                                                     \
    USUAL_REALLOC(name, general, domain, way, deep)

/* A free is the same in both domains. */
#define USUAL_HOOKS(name, way)                                                                                         \
    USUAL_ALLOC(mem_##name, mem, TM_CPYTHON_MEM, way, TM_QUICK_TOP)                                                    \
    USUAL_ALLOC(obj_##name, obj, TM_CPYTHON_OBJ, way, TM_QUICK_TOP)                                                    \
    USUAL_ALLOC(mem_##name##_deep, mem, TM_CPYTHON_MEM, way, TM_QUICK_DEEP)                                            \
    USUAL_ALLOC(obj_##name##_deep, obj, TM_CPYTHON_OBJ, way, TM_QUICK_DEEP)                                            \
    USUAL_ALLOC(mem_##name##_marked, mem, TM_CPYTHON_MEM, way, TM_QUICK_MARKED)                                        \
    USUAL_ALLOC(obj_##name##_marked, obj, TM_CPYTHON_OBJ, way, TM_QUICK_MARKED)                                        \
    USUAL_ALLOC(mem_##name##_native, mem, TM_CPYTHON_MEM, way, TM_QUICK_NATIVE)                                        \
    USUAL_ALLOC(obj_##name##_native, obj, TM_CPYTHON_OBJ, way, TM_QUICK_NATIVE)                                        \
    static void free_##name(void *ctx, void *block)                                                                    \
    {                                                                                                                  \
        hook_free(ctx, block, TM_CPYTHON_OBJ, false, way, TM_DOOR_GUARDED);                                            \
    }                                                                                                                  \
    static void small_free_##name(void *ctx, void *block)                                                              \
    {                                                                                                                  \
        hook_free(ctx, block, TM_CPYTHON_OBJ, false, way, TM_DOOR_SMALL);                                              \
    }                                                                                                                  \
    SMALL_MALLOC(mem_##name, TM_CPYTHON_MEM, way, TM_QUICK_TOP)                                                        \
    SMALL_MALLOC(obj_##name, TM_CPYTHON_OBJ, way, TM_QUICK_TOP)                                                        \
    SMALL_MALLOC(mem_##name##_deep, TM_CPYTHON_MEM, way, TM_QUICK_DEEP)                                                \
    SMALL_MALLOC(obj_##name##_deep, TM_CPYTHON_OBJ, way, TM_QUICK_DEEP)                                                \
    SMALL_MALLOC(mem_##name##_marked, TM_CPYTHON_MEM, way, TM_QUICK_MARKED)                                            \
    SMALL_MALLOC(obj_##name##_marked, TM_CPYTHON_OBJ, way, TM_QUICK_MARKED)

USUAL_HOOKS(shared, TM_QUICK_SHARED)
USUAL_HOOKS(own, TM_QUICK_OWN)
USUAL_HOOKS(own_cframe, TM_QUICK_OWN_CFRAME)
WATCHED_HOOKS(mem)
WATCHED_HOOKS(obj)
WATCHED_HOOKS(mem_debug)
WATCHED_HOOKS(obj_debug)

#define FUNCTIONS(name)                                                                                                \
    {                                                                                                                  \
        NULL, name##_malloc, name##_calloc, name##_realloc, name##_free                                                \
    }
#define WATCHED(name)                                                                                                  \
    {                                                                                                                  \
        NULL, name##_watched_malloc, name##_watched_calloc, name##_watched_realloc, name##_free                        \
    }

#define USUAL(general, name, kind)                                                                                     \
    {                                                                                                                  \
        NULL, general##_##name##kind##malloc, general##_calloc, general##_##name##kind##realloc, free_##name           \
    }
#define USUAL_WATCHED(general, name, kind)                                                                             \
    {                                                                                                                  \
        NULL, general##_##name##kind##watched_malloc, general##_watched_calloc,                                        \
            general##_##name##kind##watched_realloc, free_##name                                                       \
    }
#define USUALS(name, kind)                                                                                             \
    {                                                                                                                  \
        FUNCTIONS(raw), USUAL(mem, name, kind), USUAL(obj, name, kind)                                                 \
    }
#define USUALS_WATCHED(name, kind)                                                                                     \
    {                                                                                                                  \
        FUNCTIONS(raw), USUAL_WATCHED(mem, name, kind), USUAL_WATCHED(obj, name, kind)                                 \
    }

/* After the ways: the same, but the first, for tracebacks of more than one frame, with marks, and with machine frames. */
#define DEEP_0     (TM_QUICK_WAYS - 1U)
#define MARKED_0   (2U * DEEP_0)
#define NATIVE_0   (3U * DEEP_0)
#define OVER_DEBUG (4U * DEEP_0 + 1U)
#define WATCHED_0  (OVER_DEBUG + 1U)
#define KINDS      (2U * WATCHED_0)

static const struct tm_cpython_allocator functions[KINDS][TM_PYTHON_DOMAINS] = {
    [TM_QUICK_ANY] = {FUNCTIONS(raw), FUNCTIONS(mem), FUNCTIONS(obj)},
    [TM_QUICK_SHARED] = USUALS(shared, _),
    [TM_QUICK_OWN] = USUALS(own, _),
    [TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _),
    [DEEP_0 + TM_QUICK_SHARED] = USUALS(shared, _deep_),
    [DEEP_0 + TM_QUICK_OWN] = USUALS(own, _deep_),
    [DEEP_0 + TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _deep_),
    [MARKED_0 + TM_QUICK_SHARED] = USUALS(shared, _marked_),
    [MARKED_0 + TM_QUICK_OWN] = USUALS(own, _marked_),
    [MARKED_0 + TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _marked_),
    [OVER_DEBUG] = {FUNCTIONS(raw_debug), FUNCTIONS(mem_debug), FUNCTIONS(obj_debug)},
    [NATIVE_0 + TM_QUICK_SHARED] = USUALS(shared, _native_),
    [NATIVE_0 + TM_QUICK_OWN] = USUALS(own, _native_),
    [NATIVE_0 + TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _native_),
    [WATCHED_0 + TM_QUICK_ANY] = {FUNCTIONS(raw), WATCHED(mem), WATCHED(obj)},
    [WATCHED_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _),
    [WATCHED_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _),
    [WATCHED_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _),
    [WATCHED_0 + DEEP_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _deep_),
    [WATCHED_0 + DEEP_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _deep_),
    [WATCHED_0 + DEEP_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _deep_),
    [WATCHED_0 + MARKED_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _marked_),
    [WATCHED_0 + MARKED_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _marked_),
    [WATCHED_0 + MARKED_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _marked_),
    [WATCHED_0 + OVER_DEBUG] = {FUNCTIONS(raw_debug), WATCHED(mem_debug), WATCHED(obj_debug)},
    [WATCHED_0 + NATIVE_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _native_),
    [WATCHED_0 + NATIVE_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _native_),
    [WATCHED_0 + NATIVE_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _native_),
};

/* What is another over CPython's own allocator of small blocks, of the kinds up to those with machine frames. */
struct small_functions {
    void *(*malloc[2][2])(void *, size_t); /* by whether watched, and mem and obj */
    void (*free)(void *, void *);
};

#define SMALLS(name, kind)                                                                                             \
    {                                                                                                                  \
        {{mem_##name##kind##small_malloc, obj_##name##kind##small_malloc},                                             \
         {mem_##name##kind##small_watched_malloc, obj_##name##kind##small_watched_malloc}},                            \
            small_free_##name                                                                                          \
    }

static const struct small_functions small_functions[NATIVE_0 + 1U] = {
    [TM_QUICK_SHARED] = SMALLS(shared, _),
    [TM_QUICK_OWN] = SMALLS(own, _),
    [TM_QUICK_OWN_CFRAME] = SMALLS(own_cframe, _),
    [DEEP_0 + TM_QUICK_SHARED] = SMALLS(shared, _deep_),
    [DEEP_0 + TM_QUICK_OWN] = SMALLS(own, _deep_),
    [DEEP_0 + TM_QUICK_OWN_CFRAME] = SMALLS(own_cframe, _deep_),
    [MARKED_0 + TM_QUICK_SHARED] = SMALLS(shared, _marked_),
    [MARKED_0 + TM_QUICK_OWN] = SMALLS(own, _marked_),
    [MARKED_0 + TM_QUICK_OWN_CFRAME] = SMALLS(own_cframe, _marked_),
};

static bool is_small_kind(const struct tm_cpython_allocator *allocator, unsigned kind, unsigned domain)
{
    const struct small_functions *small = &small_functions[kind];
    return domain != TM_CPYTHON_RAW && allocator->malloc != NULL &&
           (allocator->malloc == small->malloc[0][domain - TM_CPYTHON_MEM] ||
            allocator->malloc == small->malloc[1][domain - TM_CPYTHON_MEM]);
}

bool tm_python_is_ours(const struct tm_cpython_allocator *allocator)
{
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            if (allocator->malloc == functions[kind][domain].malloc ||
                (kind <= NATIVE_0 && is_small_kind(allocator, kind, domain))) {
                return true;
            }
        }
    }
    return tm_sampled_hooks_are(allocator);
}

/* Frames are marked where a door makes use of it. */
static bool marks_frames(enum tm_quick_way way)
{
    if (!tm_runtime_marks_frames()) {
        return false;
    }
    if (way == TM_QUICK_ANY) {
        tm_runtime_decline_watermark("this Python's thread state can only be had by a call");
    } else if (tm_runtime_has_native_of_python()) {
        tm_runtime_decline_watermark("tracebacks have machine frames");
    } else if (tm_runtime.traceback_limit == 1) {
        tm_runtime_decline_watermark("tracebacks have one frame");
    }
    return tm_runtime_marks_frames();
}

/* What the limit is now matters to the cost only. */
static unsigned usual_kind(void)
{
    enum tm_quick_way way = tm_quick_way_of(tm_runtime_python(), &tm_runtime.blocks);
    unsigned depth = marks_frames(way)                   ? MARKED_0
                     : tm_runtime_has_native_of_python() ? NATIVE_0
                     : tm_runtime.traceback_limit > 1    ? DEEP_0
                                                         : 0;
    return (unsigned)way + (way != TM_QUICK_ANY ? depth : 0);
}

struct tm_cpython_allocator tm_python_functions(unsigned domain, enum tm_layer over, bool is_quick)
{
    bool over_debug = over == TM_LAYER_DEBUG;
    if (tm_doors_sample) {
        return tm_sampled_hooks(domain, over_debug, is_quick);
    }
    if (over_debug) {
        tm_runtime_decline_watermark("not with Python's debug hooks on memory");
    }
    unsigned kind = over_debug ? OVER_DEBUG : usual_kind();
    const bool is_watched = tm_runtime_is_watched();
    struct tm_cpython_allocator ours = functions[is_watched ? WATCHED_0 + kind : kind][domain];
    if (is_quick && kind <= NATIVE_0 && small_functions[kind].free != NULL) {
        ours.malloc = small_functions[kind].malloc[is_watched][domain - TM_CPYTHON_MEM];
        ours.free = small_functions[kind].free;
    }
    return ours;
}
