/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_hooks.h"

#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/track/runtime.h"

/* What lies behind. */
enum kind { GENERAL, OVER_DEBUG, OVER_SMALL, KINDS };

static size_t quick_sizes; /* blocks up to this may go the quick way; 0: none (and those of 0 bytes, never sampled) */

void tm_sampled_hooks_set_quick(bool may_be_quick)
{
    quick_sizes = may_be_quick ? TM_SMALL_SIZE_MAX : 0;
}

/* Whether CPython's allocator of small blocks passes on the free of a block that is too large for it: see the head of
 * sampled_hooks.h. */
static enum { UNTRIED, PROVEN, REFUTED } passing_on;

bool tm_sampled_hooks_hear_raw_only(void)
{
    return passing_on == PROVEN;
}

/* Bytes to ask for a sampled block of SIZE bytes. */
TM_INLINE size_t sampled_size(size_t size, bool is_small)
{
    return is_small && size <= TM_SMALL_SIZE_MAX && passing_on != REFUTED ? TM_SMALL_SIZE_MAX + 1 : size;
}

/* The first sampled block came: from the raw domain, or from an allocator that serves such sizes by itself? */
static TM_COLD void prove(struct tm_thread *thread, const void *block)
{
    passing_on = thread->raw_block == (uintptr_t)block ? PROVEN : REFUTED;
    if (passing_on == PROVEN) {
        tm_python_hooks_leave_frees();
    }
}

TM_INLINE void record(struct tm_thread *thread, unsigned domain, const void *block, size_t size, bool is_small)
{
    if (block == NULL) {
        return;
    }
    tm_tracker_alloc(thread, (enum tm_domain)domain, block, size);
    if (is_small && passing_on == UNTRIED && size <= TM_SMALL_SIZE_MAX) {
        prove(thread, block);
    }
    if (domain != TM_CPYTHON_RAW && tm_runtime_is_watched()) {
        tm_runtime_look(thread);
    }
}

/* Heard and sampled: the guard is down. */
TM_INLINE bool takes(struct tm_thread *thread, const void *ctx, size_t size, unsigned domain, bool over_debug)
{
    return tm_python_hears(thread, ctx, domain, over_debug) && tm_sampler_takes(thread, size);
}

TM_INLINE void *hook_malloc(void *ctx, size_t size, unsigned domain, enum kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == OVER_DEBUG);
    bool is_taken = takes(thread, ctx, size, domain, kind == OVER_DEBUG);
    tm_door_guard_up(thread);
    void *block = real->malloc(real->ctx, TM_UNLIKELY(is_taken) ? sampled_size(size, kind == OVER_SMALL) : size);
    tm_door_guard_down(thread);
    if (domain == TM_CPYTHON_RAW) {
        thread->raw_block = (uintptr_t)block;
    }
    if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, block, size, kind == OVER_SMALL);
    }
    return block;
}

TM_INLINE void *hook_calloc(void *ctx, size_t count, size_t size, unsigned domain, enum kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == OVER_DEBUG);
    size_t bytes;
    bool is_taken =
        !__builtin_mul_overflow(count, size, &bytes) && takes(thread, ctx, bytes, domain, kind == OVER_DEBUG);
    if (TM_UNLIKELY(is_taken)) {
        count = 1;
        size = sampled_size(bytes, kind == OVER_SMALL);
    }
    tm_door_guard_up(thread);
    void *block = real->calloc(real->ctx, count, size);
    tm_door_guard_down(thread);
    if (domain == TM_CPYTHON_RAW) {
        thread->raw_block = (uintptr_t)block;
    }
    if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, block, bytes, kind == OVER_SMALL);
    }
    return block;
}

/* A block that a door behind has recorded is dropped there: the guard is up. */
TM_INLINE void *hook_realloc(void *ctx, void *block, size_t size, unsigned domain, enum kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == OVER_DEBUG);
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, domain, kind == OVER_DEBUG))) {
        return tm_python_realloc_unheard(thread, real, block, size);
    }
    bool was_known = block != NULL && tm_sampler_may_know(block) && tm_tracker_take(thread, block, &taken);
    bool is_taken = tm_sampler_takes(thread, size);
    tm_door_guard_up(thread);
    void *moved =
        real->realloc(real->ctx, block, TM_UNLIKELY(is_taken) ? sampled_size(size, kind == OVER_SMALL) : size);
    tm_door_guard_down(thread);
    if (domain == TM_CPYTHON_RAW) {
        thread->raw_block = (uintptr_t)moved;
    }
    if (TM_UNLIKELY(moved == NULL) && was_known) {
        tm_tracker_put_back(thread, block, &taken);
    } else if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, moved, size, kind == OVER_SMALL);
    }
    return moved;
}

TM_INLINE void hook_free(void *ctx, void *block, enum kind kind)
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == OVER_DEBUG);
    if (TM_LIKELY(!tm_sampler_may_know(block))) {
        real->free(real->ctx, block);
    } else {
        tm_python_free_generally(real, block);
    }
}

#define HOOKS(name, domain, kind)                                                                                      \
    static void *name##_malloc(void *ctx, size_t size)                                                                 \
    {                                                                                                                  \
        return hook_malloc(ctx, size, domain, kind);                                                                   \
    }                                                                                                                  \
    static void *name##_calloc(void *ctx, size_t count, size_t size)                                                   \
    {                                                                                                                  \
        return hook_calloc(ctx, count, size, domain, kind);                                                            \
    }                                                                                                                  \
    static void *name##_realloc(void *ctx, void *block, size_t size)                                                   \
    {                                                                                                                  \
        return hook_realloc(ctx, block, size, domain, kind);                                                           \
    }                                                                                                                  \
    static void name##_free(void *ctx, void *block)                                                                    \
    {                                                                                                                  \
        hook_free(ctx, block, kind);                                                                                   \
    }

HOOKS(raw, TM_CPYTHON_RAW, GENERAL)
HOOKS(mem, TM_CPYTHON_MEM, GENERAL)
HOOKS(obj, TM_CPYTHON_OBJ, GENERAL)
HOOKS(raw_debug, TM_CPYTHON_RAW, OVER_DEBUG)
HOOKS(mem_debug, TM_CPYTHON_MEM, OVER_DEBUG)
HOOKS(obj_debug, TM_CPYTHON_OBJ, OVER_DEBUG)
HOOKS(mem_small, TM_CPYTHON_MEM, OVER_SMALL)
HOOKS(obj_small, TM_CPYTHON_OBJ, OVER_SMALL)

/* The allocator behind was installed with no context, so it looks at none: ours is passed on.
 *
 * One count for all domains: a hook that is called below another of ours (while Python's own tracemalloc runs between
 * them) takes from it once more, and what it would sample then finds the guard up.  No harm: the points that fall on
 * bytes which nobody records are points less for nobody. */
#define QUICK(name)                                                                                                    \
    static __attribute__((noinline)) void *name##_malloc_rarely(void *ctx, size_t size)                                \
    {                                                                                                                  \
        return name##_malloc(ctx, size);                                                                               \
    }                                                                                                                  \
    static void *name##_malloc_quickly(void *ctx, size_t size)                                                         \
    {                                                                                                                  \
        struct tm_thread *thread = tm_thread_self();                                                                   \
        const struct tm_cpython_allocator *real = ctx;                                                                 \
        if (TM_UNLIKELY(size > quick_sizes)) {                                                                         \
            return name##_malloc_rarely(ctx, size);                                                                    \
        }                                                                                                              \
        if (TM_UNLIKELY(!tm_sampler_passes(thread, size))) {                                                           \
            thread->sample_left += size;                                                                               \
            return name##_malloc_rarely(ctx, size);                                                                    \
        }                                                                                                              \
        return real->malloc(ctx, size);                                                                                \
    }

QUICK(mem_small)
QUICK(obj_small)

#define FUNCTIONS(name)                                                                                                \
    {                                                                                                                  \
        NULL, name##_malloc, name##_calloc, name##_realloc, name##_free                                                \
    }
#define QUICK_FUNCTIONS(name)                                                                                          \
    {                                                                                                                  \
        NULL, name##_malloc_quickly, name##_calloc, name##_realloc, name##_free                                        \
    }

static const struct tm_cpython_allocator functions[KINDS][TM_PYTHON_DOMAINS] = {
    [GENERAL] = {FUNCTIONS(raw), FUNCTIONS(mem), FUNCTIONS(obj)},
    [OVER_DEBUG] = {FUNCTIONS(raw_debug), FUNCTIONS(mem_debug), FUNCTIONS(obj_debug)},
    [OVER_SMALL] = {FUNCTIONS(raw), QUICK_FUNCTIONS(mem_small), QUICK_FUNCTIONS(obj_small)},
};

struct tm_cpython_allocator tm_sampled_hooks(unsigned domain, bool over_debug, bool is_quick)
{
    return functions[over_debug ? OVER_DEBUG : is_quick ? OVER_SMALL : GENERAL][domain];
}

bool tm_sampled_hooks_are(const struct tm_cpython_allocator *allocator)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
            if (allocator->malloc == functions[kind][domain].malloc) {
                return true;
            }
        }
    }
    return false;
}
