/* SPDX-License-Identifier: MIT */
#include "runtime/hook/python_hooks.h"

#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/door.h"
#include "runtime/hook/end_hooks.h"
#include "runtime/hook/python_allocs.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_frees.h"
#include "runtime/hook/python_reallocs.h"
#include "runtime/hook/sampled_hooks.h"
#include "runtime/track/runtime.h"
#include "runtime/track/take_quick.h"
#include "runtime/track/tracker_quick.h"

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

/* A library with sanitizers is not preloaded, only linked with tests of other functions: there the functions of each way,
 * which take minutes to compile then, are left out. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_WAYS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_WAYS 0
#endif
#endif
#ifndef HAS_WAYS
#define HAS_WAYS 1
#endif

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

#if HAS_WAYS
USUAL_HOOKS(shared, TM_QUICK_SHARED)
USUAL_HOOKS(own, TM_QUICK_OWN)
USUAL_HOOKS(own_cframe, TM_QUICK_OWN_CFRAME)
#endif
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

/* After the ways: the same, but the first, for tracebacks of more than one frame, with marks, and with machine
 * frames. */
#define DEEP_0     (TM_QUICK_WAYS - 1U)
#define MARKED_0   (2U * DEEP_0)
#define NATIVE_0   (3U * DEEP_0)
#define OVER_DEBUG (4U * DEEP_0 + 1U)
#define WATCHED_0  (OVER_DEBUG + 1U)
#define KINDS      (2U * WATCHED_0)

static const struct tm_cpython_allocator functions[KINDS][TM_PYTHON_DOMAINS] = {
    [TM_QUICK_ANY] = {FUNCTIONS(raw), FUNCTIONS(mem), FUNCTIONS(obj)},
#if HAS_WAYS
    [TM_QUICK_SHARED] = USUALS(shared, _),
    [TM_QUICK_OWN] = USUALS(own, _),
    [TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _),
    [DEEP_0 + TM_QUICK_SHARED] = USUALS(shared, _deep_),
    [DEEP_0 + TM_QUICK_OWN] = USUALS(own, _deep_),
    [DEEP_0 + TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _deep_),
    [MARKED_0 + TM_QUICK_SHARED] = USUALS(shared, _marked_),
    [MARKED_0 + TM_QUICK_OWN] = USUALS(own, _marked_),
    [MARKED_0 + TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _marked_),
    [NATIVE_0 + TM_QUICK_SHARED] = USUALS(shared, _native_),
    [NATIVE_0 + TM_QUICK_OWN] = USUALS(own, _native_),
    [NATIVE_0 + TM_QUICK_OWN_CFRAME] = USUALS(own_cframe, _native_),
#endif
    [OVER_DEBUG] = {FUNCTIONS(raw_debug), FUNCTIONS(mem_debug), FUNCTIONS(obj_debug)},
    [WATCHED_0 + TM_QUICK_ANY] = {FUNCTIONS(raw), WATCHED(mem), WATCHED(obj)},
#if HAS_WAYS
    [WATCHED_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _),
    [WATCHED_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _),
    [WATCHED_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _),
    [WATCHED_0 + DEEP_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _deep_),
    [WATCHED_0 + DEEP_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _deep_),
    [WATCHED_0 + DEEP_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _deep_),
    [WATCHED_0 + MARKED_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _marked_),
    [WATCHED_0 + MARKED_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _marked_),
    [WATCHED_0 + MARKED_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _marked_),
    [WATCHED_0 + NATIVE_0 + TM_QUICK_SHARED] = USUALS_WATCHED(shared, _native_),
    [WATCHED_0 + NATIVE_0 + TM_QUICK_OWN] = USUALS_WATCHED(own, _native_),
    [WATCHED_0 + NATIVE_0 + TM_QUICK_OWN_CFRAME] = USUALS_WATCHED(own_cframe, _native_),
#endif
    [WATCHED_0 + OVER_DEBUG] = {FUNCTIONS(raw_debug), WATCHED(mem_debug), WATCHED(obj_debug)},
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
#if HAS_WAYS
    [TM_QUICK_SHARED] = SMALLS(shared, _),
    [TM_QUICK_OWN] = SMALLS(own, _),
    [TM_QUICK_OWN_CFRAME] = SMALLS(own_cframe, _),
    [DEEP_0 + TM_QUICK_SHARED] = SMALLS(shared, _deep_),
    [DEEP_0 + TM_QUICK_OWN] = SMALLS(own, _deep_),
    [DEEP_0 + TM_QUICK_OWN_CFRAME] = SMALLS(own_cframe, _deep_),
    [MARKED_0 + TM_QUICK_SHARED] = SMALLS(shared, _marked_),
    [MARKED_0 + TM_QUICK_OWN] = SMALLS(own, _marked_),
    [MARKED_0 + TM_QUICK_OWN_CFRAME] = SMALLS(own_cframe, _marked_),
#endif
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
    if (tm_sampled_hooks_are(allocator)) { /* the fewest */
        return true;
    }
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            if (allocator->malloc == functions[kind][domain].malloc ||
                (kind <= NATIVE_0 && is_small_kind(allocator, kind, domain))) {
                return true;
            }
        }
    }
    return tm_end_hooks_are(allocator);
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
    enum tm_quick_way way = HAS_WAYS ? tm_quick_way_of(tm_runtime_python(), &tm_runtime.blocks) : TM_QUICK_ANY;
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
