/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_hooks.h"

#include <stdint.h>
#include <string.h>

#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/sampled_raised.h"
#include "runtime/hook/sampled_raw_hooks.h"
#include "runtime/hook/sampled_reserve.h"
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
    return kind == TM_SAMPLED_HELD ? tm_sampler_held_takes(thread, size) : tm_sampler_takes(thread, size);
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

HOOKS(mem, TM_CPYTHON_MEM, TM_SAMPLED_GENERAL)
HOOKS(obj, TM_CPYTHON_OBJ, TM_SAMPLED_GENERAL)
HOOKS(mem_debug, TM_CPYTHON_MEM, TM_SAMPLED_OVER_DEBUG)
HOOKS(obj_debug, TM_CPYTHON_OBJ, TM_SAMPLED_OVER_DEBUG)
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

#define FUNCTIONS(name)                                                                                                \
    {                                                                                                                  \
        NULL, name##_malloc, name##_calloc, name##_realloc, name##_free                                                \
    }
#define QUICK_FUNCTIONS(name, small)                                                                                   \
    {                                                                                                                  \
        NULL, name##_malloc_quickly, small##_calloc_quickly, name##_realloc_quickly, small##_free                      \
    }

static const struct tm_cpython_allocator functions[TM_SAMPLED_KINDS][TM_PYTHON_DOMAINS] = {
    [TM_SAMPLED_GENERAL] = {[TM_CPYTHON_MEM] = FUNCTIONS(mem), [TM_CPYTHON_OBJ] = FUNCTIONS(obj)},
    [TM_SAMPLED_OVER_DEBUG] = {[TM_CPYTHON_MEM] = FUNCTIONS(mem_debug), [TM_CPYTHON_OBJ] = FUNCTIONS(obj_debug)},
    [TM_SAMPLED_OVER_SMALL] = {[TM_CPYTHON_MEM] = QUICK_FUNCTIONS(mem_small, mem_small),
                               [TM_CPYTHON_OBJ] = QUICK_FUNCTIONS(obj_small, obj_small)},
    [TM_SAMPLED_HELD] = {[TM_CPYTHON_MEM] = QUICK_FUNCTIONS(mem_held, mem_small),
                         [TM_CPYTHON_OBJ] = QUICK_FUNCTIONS(obj_held, obj_small)},
};

static struct tm_cpython_allocator functions_of(unsigned domain, enum tm_sampled_kind kind)
{
    return domain == TM_CPYTHON_RAW ? tm_sampled_raw_hooks(kind == TM_SAMPLED_OVER_DEBUG) : functions[kind][domain];
}

struct tm_cpython_allocator tm_sampled_hooks(unsigned domain, bool over_debug, bool is_quick)
{
    return functions_of(domain, over_debug                             ? TM_SAMPLED_OVER_DEBUG
                                : is_quick && tm_sampled_may_be_held() ? TM_SAMPLED_HELD
                                : is_quick                             ? TM_SAMPLED_OVER_SMALL
                                                                       : TM_SAMPLED_GENERAL);
}

bool tm_sampled_hooks_are(const struct tm_cpython_allocator *allocator)
{
    for (unsigned kind = 0; kind < TM_SAMPLED_KINDS; kind++) {
        for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
            if (allocator->malloc == functions_of(domain, (enum tm_sampled_kind)kind).malloc) {
                return true;
            }
        }
    }
    return false;
}
