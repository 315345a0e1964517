/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_small_hooks.h"

#include "runtime/hook/sampled_reserve.h"
#include "runtime/hook/sampled_ways.h"

HOOKS(mem_small, TM_CPYTHON_MEM, TM_SAMPLED_OVER_SMALL)
HOOKS(obj_small, TM_CPYTHON_OBJ, TM_SAMPLED_OVER_SMALL)
RESIZING_HOOKS(mem_held, TM_CPYTHON_MEM, TM_SAMPLED_HELD)
RESIZING_HOOKS(obj_held, TM_CPYTHON_OBJ, TM_SAMPLED_HELD)

/* The quick way.  The allocator behind was installed with no context, so it looks at none: ours is passed on.  RARELY
 * is the general hook, the last act where this way ends.
 *
 * One count for all domains: a hook that is called below another of ours (while Python's own tracemalloc runs between
 * them) takes from it once more, and what it would sample then finds the guard up.  No harm: the points that fall on
 * bytes which nobody records are points less for nobody. */
TM_INLINE bool passes_quickly(size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_LIKELY(tm_sampler_passes(thread, size))) {
        return true;
    }
    tm_sampler_put_back(thread, size);
    return false;
}

TM_INLINE void *malloc_quickly(void *ctx, size_t size, void *(*large)(void *, size_t), void *(*rarely)(void *, size_t))
{
    const struct tm_cpython_allocator *real = ctx;
    if (TM_UNLIKELY(size > tm_sampled_quick_sizes)) {
        return large(ctx, size);
    }
    return TM_LIKELY(passes_quickly(size)) ? real->malloc(ctx, size) : rarely(ctx, size);
}

TM_INLINE void *calloc_quickly(void *ctx, size_t count, size_t size, void *(*large)(void *, size_t, size_t),
                               void *(*rarely)(void *, size_t, size_t))
{
    const struct tm_cpython_allocator *real = ctx;
    size_t bytes;
    if (TM_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)) || TM_UNLIKELY(bytes > tm_sampled_quick_sizes)) {
        return large(ctx, count, size);
    }
    return TM_LIKELY(passes_quickly(bytes)) ? real->calloc(ctx, count, size) : rarely(ctx, count, size);
}

/* Large blocks, which that allocator passes on to the raw domain: with the guard up. */
TM_INLINE bool passes_large(const struct tm_thread *thread, size_t size)
{
    return TM_LIKELY(size < tm_sampled_quick_large) && TM_LIKELY(thread->guard == 0) && TM_LIKELY(passes_quickly(size));
}

TM_INLINE void *malloc_large(void *ctx, size_t size, void *(*rarely)(void *, size_t))
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = ctx;
    if (TM_UNLIKELY(!passes_large(thread, size))) {
        return rarely(ctx, size);
    }
    tm_door_guard_first_up(thread);
    void *block = real->malloc(ctx, size);
    tm_door_guard_all_down(thread);
    return block;
}

TM_INLINE void *calloc_large(void *ctx, size_t count, size_t size, void *(*rarely)(void *, size_t, size_t))
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = ctx;
    size_t bytes;
    if (TM_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)) || TM_UNLIKELY(!passes_large(thread, bytes))) {
        return rarely(ctx, count, size);
    }
    tm_door_guard_first_up(thread);
    void *block = real->calloc(ctx, count, size);
    tm_door_guard_all_down(thread);
    return block;
}

/* With the guard up, since a large block that becomes a small one is passed on to the raw domain; a known one is taken
 * out there. */
TM_INLINE void *realloc_quickly(void *ctx, void *block, size_t size, void *(*rarely)(void *, void *, size_t))
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = ctx;
    if (TM_UNLIKELY(size >= tm_sampled_quick_large) || TM_UNLIKELY(thread->guard != 0) ||
        (TM_UNLIKELY(tm_sampled_reserve_may_have(block)) && TM_UNLIKELY(tm_sampler_may_know(block))) ||
        TM_UNLIKELY(!passes_quickly(size))) {
        return rarely(ctx, block, size);
    }
    tm_door_guard_first_up(thread);
    void *moved = real->realloc(ctx, block, size);
    tm_door_guard_all_down(thread);
    return moved;
}

#define QUICK(name)                                                                                                    \
    static __attribute__((noinline)) void *name##_malloc_rarely(void *ctx, size_t size)                                \
    {                                                                                                                  \
        return name##_malloc(ctx, size);                                                                               \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_calloc_rarely(void *ctx, size_t count, size_t size)                  \
    {                                                                                                                  \
        return name##_calloc(ctx, count, size);                                                                        \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_realloc_rarely(void *ctx, void *block, size_t size)                  \
    {                                                                                                                  \
        return name##_realloc(ctx, block, size);                                                                       \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_malloc_large(void *ctx, size_t size)                                 \
    {                                                                                                                  \
        return malloc_large(ctx, size, name##_malloc_rarely);                                                          \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_calloc_large(void *ctx, size_t count, size_t size)                   \
    {                                                                                                                  \
        return calloc_large(ctx, count, size, name##_calloc_rarely);                                                   \
    }                                                                                                                  \
    static void *name##_malloc_quickly(void *ctx, size_t size)                                                         \
    {                                                                                                                  \
        return malloc_quickly(ctx, size, name##_malloc_large, name##_malloc_rarely);                                   \
    }                                                                                                                  \
    static void *name##_calloc_quickly(void *ctx, size_t count, size_t size)                                           \
    {                                                                                                                  \
        return calloc_quickly(ctx, count, size, name##_calloc_large, name##_calloc_rarely);                            \
    }                                                                                                                  \
    static void *name##_realloc_quickly(void *ctx, void *block, size_t size)                                           \
    {                                                                                                                  \
        return realloc_quickly(ctx, block, size, name##_realloc_rarely);                                               \
    }

QUICK(mem_small)
QUICK(obj_small)

/* The quickest way, where one GIL holds for all: one count, no look at the size, and no guard.  Where the raw domain is
 * asked for a block or to move it, it knows the call by what is left here.
 *
 * NAME is that of the hooks that count so, SMALL of those that serve while they may not. */
TM_INLINE bool passes_held(size_t size)
{
    if (TM_LIKELY(tm_sampler_held_passes(size))) {
        return true;
    }
    tm_sampler_held_put_back(size);
    return false;
}

TM_INLINE void *malloc_held(void *ctx, size_t size, void *(*rarely)(void *, size_t))
{
    const struct tm_cpython_allocator *real = ctx;
    if (TM_UNLIKELY(!passes_held(size))) {
        return rarely(ctx, size);
    }
    tm_word_store(&tm_sampler_held.passed_size, size);
    return real->malloc(ctx, size);
}

TM_INLINE void *realloc_held(void *ctx, void *block, size_t size, void *(*rarely)(void *, void *, size_t))
{
    const struct tm_cpython_allocator *real = ctx;
    if ((TM_UNLIKELY(tm_sampled_reserve_may_have(block)) && TM_UNLIKELY(tm_sampler_may_know(block))) ||
        TM_UNLIKELY(!passes_held(size))) {
        return rarely(ctx, block, size);
    }
    tm_word_store(&tm_sampler_held.passed_size, size);
    tm_word_store(&tm_sampler_held.passed_block, (uintptr_t)block);
    return real->realloc(ctx, block, size);
}

#define HELD(name, small)                                                                                              \
    static __attribute__((noinline)) void *name##_malloc_rarely(void *ctx, size_t size)                                \
    {                                                                                                                  \
        return tm_sampled_are_held ? name##_malloc(ctx, size) : small##_malloc_quickly(ctx, size);                     \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_realloc_rarely(void *ctx, void *block, size_t size)                  \
    {                                                                                                                  \
        return tm_sampled_are_held ? name##_realloc(ctx, block, size) : small##_realloc_quickly(ctx, block, size);     \
    }                                                                                                                  \
    static void *name##_malloc_quickly(void *ctx, size_t size)                                                         \
    {                                                                                                                  \
        return malloc_held(ctx, size, name##_malloc_rarely);                                                           \
    }                                                                                                                  \
    static void *name##_realloc_quickly(void *ctx, void *block, size_t size)                                           \
    {                                                                                                                  \
        return realloc_held(ctx, block, size, name##_realloc_rarely);                                                  \
    }

HELD(mem_held, mem_small)
HELD(obj_held, obj_small)

#define FUNCTIONS(name, small)                                                                                         \
    {                                                                                                                  \
        NULL, name##_malloc_quickly, small##_calloc_quickly, name##_realloc_quickly, small##_free                      \
    }

const struct tm_cpython_allocator tm_sampled_small_hooks[TM_PYTHON_DOMAINS] = {
    [TM_CPYTHON_MEM] = FUNCTIONS(mem_small, mem_small), [TM_CPYTHON_OBJ] = FUNCTIONS(obj_small, obj_small)};

const struct tm_cpython_allocator tm_sampled_held_hooks[TM_PYTHON_DOMAINS] = {
    [TM_CPYTHON_MEM] = FUNCTIONS(mem_held, mem_small), [TM_CPYTHON_OBJ] = FUNCTIONS(obj_held, obj_small)};
