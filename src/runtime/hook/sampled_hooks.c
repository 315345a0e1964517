/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_hooks.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/sampled_reserve.h"
#include "runtime/track/runtime.h"
#include "runtime/track/runtime_state.h"

/* What lies behind. */
enum kind { GENERAL, OVER_DEBUG, OVER_SMALL, KINDS };

/* Bytes to ask for a sampled small block where CPython's allocator of small blocks is behind. */
#define RAISED_SIZE (TM_SMALL_SIZE_MAX + 1U)

static size_t quick_sizes;  /* blocks up to this may go the quick way; 0: none (and those of 0 bytes, never sampled) */
static size_t quick_resize; /* what a block becomes by realloc: less than this, also 0 bytes */
static enum tm_sampled_quick quickness;

/* Whether CPython's allocator of small blocks passes on the free of a block that is too large for it: see the head of
 * sampled_hooks.h. */
static enum { UNTRIED, PROVEN, REFUTED } passing_on;

/* A small block was sampled that was asked for as it is. */
static bool some_are_small;

static void decide_quick(void)
{
    quick_sizes = quickness != TM_SAMPLED_LOOKS ? TM_SMALL_SIZE_MAX : 0;
    quick_resize = passing_on != PROVEN || quick_sizes == 0 ? 0
                   : quickness == TM_SAMPLED_QUICK          ? SIZE_MAX
                                                            : quick_sizes + 1;
}

void tm_sampled_hooks_set_quick(enum tm_sampled_quick now)
{
    quickness = now;
    decide_quick();
}

bool tm_sampled_hooks_hear_raw_only(void)
{
    return passing_on == PROVEN;
}

/* Every small block of mem and obj that is known came from the raw domain, by RAISED_SIZE bytes. */
TM_INLINE bool all_are_raised(void)
{
    return passing_on == PROVEN && !some_are_small;
}

bool tm_sampled_hooks_spare_arenas(void)
{
    return all_are_raised();
}

/* Bytes to ask for a sampled block of SIZE bytes.  The raw domain's hook may take it from the reserve. */
TM_INLINE size_t sampled_size(struct tm_thread *thread, size_t size, bool is_small)
{
    if (!is_small || size > TM_SMALL_SIZE_MAX || passing_on == REFUTED) {
        return size;
    }
    thread->raised = all_are_raised() ? RAISED_SIZE : 0;
    thread->raised_from = size;
    return RAISED_SIZE;
}

/* The first sampled block came: from the raw domain, or from an allocator that serves such sizes by itself? */
static TM_COLD void prove(struct tm_thread *thread, const void *block)
{
    passing_on = thread->raw_block == (uintptr_t)block ? PROVEN : REFUTED;
    if (passing_on == PROVEN) {
        tm_python_hooks_leave_frees();
    }
    decide_quick();
}

TM_INLINE void record(struct tm_thread *thread, unsigned domain, const void *block, size_t size, bool is_small)
{
    thread->raised = 0;
    if (block == NULL) {
        return;
    }
    tm_block_slot_prefetch(&tm_runtime.blocks, (uintptr_t)block); /* its slot was mostly used long ago */
    tm_tracker_alloc(thread, (enum tm_domain)domain, block, size);
    if (domain != TM_CPYTHON_RAW && size <= TM_SMALL_SIZE_MAX) {
        some_are_small = some_are_small || !is_small;
        if (is_small && passing_on == UNTRIED) {
            prove(thread, block);
        }
    }
    if (domain != TM_CPYTHON_RAW && tm_runtime_is_watched()) {
        tm_runtime_look(thread);
    }
}

/* The block of a sampled small object from the reserve; NULL: none.  SIZE is what the raw domain is asked for. */
static TM_COLD void *take_reserved(struct tm_thread *thread, const struct tm_cpython_allocator *real, size_t size)
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
    return tm_sampled_reserve_has(real, block) && malloc_usable_size(block) >= RAISED_SIZE &&
           tm_sampled_reserve_give(real, block);
}

/* Blocks of record ID were asked for with RAISED_SIZE bytes. */
static bool is_raised(uint32_t id)
{
    const struct tm_record *record = &tm_runtime.records.records[id];
    return all_are_raised() && id != 0 && record->size <= TM_SMALL_SIZE_MAX &&
           (record->domain == TM_DOMAIN_MEM || record->domain == TM_DOMAIN_OBJ);
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
    if (domain == TM_CPYTHON_RAW && TM_UNLIKELY(size == thread->raised)) {
        void *reserved = take_reserved(thread, real, size);
        if (reserved != NULL) {
            return reserved;
        }
    }
    if (domain == TM_CPYTHON_RAW && thread->guard != 0 && TM_LIKELY(passing_on != UNTRIED)) {
        return real->malloc(real->ctx, size); /* the usual one, a large block of mem or obj: as the last act */
    }
    bool is_taken = takes(thread, ctx, size, domain, kind == OVER_DEBUG);
    tm_door_guard_up(thread);
    void *block =
        real->malloc(real->ctx, TM_UNLIKELY(is_taken) ? sampled_size(thread, size, kind == OVER_SMALL) : size);
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
    if (domain == TM_CPYTHON_RAW && TM_UNLIKELY(size == thread->raised) && count == 1) {
        void *reserved = take_reserved(thread, real, size);
        if (reserved != NULL) {
            return memset(reserved, 0, size);
        }
    }
    bool is_taken =
        !__builtin_mul_overflow(count, size, &bytes) && takes(thread, ctx, bytes, domain, kind == OVER_DEBUG);
    if (TM_UNLIKELY(is_taken)) {
        count = 1;
        size = sampled_size(thread, bytes, kind == OVER_SMALL);
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

/* The raw domain's realloc of a sampled small object that may lie in the reserve, which keeps the block. */
static TM_COLD void *move_raised(const struct tm_cpython_allocator *real, void *block, size_t size)
{
    if (!tm_sampled_reserve_has(real, block)) {
        return real->realloc(real->ctx, block, size);
    }
    void *moved = real->malloc(real->ctx, size);
    if (moved != NULL) {
        memcpy(moved, block, size < RAISED_SIZE ? size : RAISED_SIZE);
        if (!give_back(real, block)) {
            real->free(real->ctx, block);
        }
    }
    return moved;
}

/* The raw domain's for an object that becomes small and is sampled: what it leaves behind is a block as small as the
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

/* The raw domain's, behind another door or for the tracemalloc module's own sake. */
static void *raw_realloc_unheard(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                 size_t size)
{
    struct tm_taken taken;
    bool was_known = block != NULL && tm_sampler_may_know(block) && tm_door_drop(thread, block, &taken);
    bool was_raised = was_known && is_raised(taken.record);
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

/* BLOCK is known and was asked for with RAISED_SIZE bytes.  Where nobody takes out what is freed (a child that is not
 * followed) the table tells of blocks that are gone: it is not asked. */
static bool knows_raised(const void *block)
{
    struct tm_block known;
    return tm_sampler_may_know(block) && tm_life_now() >= TM_LIFE_STOPPED &&
           tm_block_table_find(&tm_runtime.blocks, (uintptr_t)block, &known) && is_raised(known.word & TM_SLOT_RECORD);
}

/* A sampled small object stays small and is not sampled again: it goes where it would have been.  The raw domain's hook
 * takes its old block out.  All of SIZE is copied: a block that is no small one has RAISED_SIZE bytes at least, also
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
TM_INLINE void *hook_realloc(void *ctx, void *block, size_t size, unsigned domain, enum kind kind)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == OVER_DEBUG);
    if (TM_UNLIKELY(!tm_python_hears(thread, ctx, domain, kind == OVER_DEBUG))) {
        return domain == TM_CPYTHON_RAW ? raw_realloc_unheard(thread, real, block, size)
                                        : tm_python_realloc_unheard(thread, real, block, size);
    }
    bool raw_looks = kind == OVER_SMALL && all_are_raised();
    bool is_taken = tm_sampler_takes(thread, size);
    if (raw_looks && block != NULL && !is_taken && size <= TM_SMALL_SIZE_MAX && knows_raised(block)) {
        return move_to_small(thread, real, block, size);
    }
    bool was_known =
        block != NULL && !raw_looks && tm_sampler_may_know(block) && tm_tracker_take(thread, block, &taken);
    tm_door_guard_up(thread);
    void *moved =
        real->realloc(real->ctx, block, TM_UNLIKELY(is_taken) ? sampled_size(thread, size, kind == OVER_SMALL) : size);
    tm_door_guard_down(thread);
    if (domain == TM_CPYTHON_RAW) {
        thread->raw_block = (uintptr_t)moved;
    }
    if (TM_UNLIKELY(is_taken)) {
        record(thread, domain, moved, size, kind == OVER_SMALL);
    }
    if (TM_UNLIKELY(moved == NULL) && was_known) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

/* A block that may be known comes back to the raw domain. */
static TM_COLD void raw_free_known(const struct tm_cpython_allocator *real, void *block)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    bool was_known = thread->guard != 0 ? tm_door_drop(thread, block, &taken) : tm_tracker_take(thread, block, &taken);
    if (!was_known || !is_raised(taken.record) || !give_back(real, block)) {
        tm_door_guard_up(thread);
        real->free(real->ctx, block);
        tm_door_guard_down(thread);
    }
}

TM_INLINE void hook_free(void *ctx, void *block, unsigned domain, enum kind kind)
{
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, kind == OVER_DEBUG);
    if (TM_LIKELY(!tm_sampler_may_know(block))) {
        real->free(real->ctx, block);
    } else if (domain == TM_CPYTHON_RAW) {
        raw_free_known(real, block);
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
        hook_free(ctx, block, domain, kind);                                                                           \
    }

HOOKS(raw, TM_CPYTHON_RAW, GENERAL)
HOOKS(mem, TM_CPYTHON_MEM, GENERAL)
HOOKS(obj, TM_CPYTHON_OBJ, GENERAL)
HOOKS(raw_debug, TM_CPYTHON_RAW, OVER_DEBUG)
HOOKS(mem_debug, TM_CPYTHON_MEM, OVER_DEBUG)
HOOKS(obj_debug, TM_CPYTHON_OBJ, OVER_DEBUG)
HOOKS(mem_small, TM_CPYTHON_MEM, OVER_SMALL)
HOOKS(obj_small, TM_CPYTHON_OBJ, OVER_SMALL)

/* Raw's, behind another door, which is where nearly all calls of them come from: in parts that save no registers. */
static __attribute__((noinline)) void *raw_malloc_rarely(void *ctx, size_t size)
{
    return raw_malloc(ctx, size);
}

static __attribute__((noinline)) void *raw_realloc_rarely(void *ctx, void *block, size_t size)
{
    return raw_realloc(ctx, block, size);
}

static void *raw_malloc_shortly(void *ctx, size_t size)
{
    const struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    if (TM_UNLIKELY(thread->guard == 0) || TM_UNLIKELY(size == thread->raised) || TM_UNLIKELY(passing_on == UNTRIED)) {
        return raw_malloc_rarely(ctx, size);
    }
    return real->malloc(real->ctx, size);
}

static void *raw_realloc_shortly(void *ctx, void *block, size_t size)
{
    const struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = tm_python_behind(ctx, false);
    if (TM_UNLIKELY(thread->guard == 0) || TM_UNLIKELY(size == thread->raised) ||
        TM_UNLIKELY(tm_sampler_may_know(block)) || TM_UNLIKELY(passing_on == UNTRIED)) {
        return raw_realloc_rarely(ctx, block, size);
    }
    return real->realloc(real->ctx, block, size);
}

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
    thread->sample_left += size;
    return false;
}

TM_INLINE void *malloc_quickly(void *ctx, size_t size, void *(*rarely)(void *, size_t))
{
    const struct tm_cpython_allocator *real = ctx;
    if (TM_UNLIKELY(size > quick_sizes) || TM_UNLIKELY(!passes_quickly(size))) {
        return rarely(ctx, size);
    }
    return real->malloc(ctx, size);
}

TM_INLINE void *calloc_quickly(void *ctx, size_t count, size_t size, void *(*rarely)(void *, size_t, size_t))
{
    const struct tm_cpython_allocator *real = ctx;
    size_t bytes;
    if (TM_UNLIKELY(__builtin_mul_overflow(count, size, &bytes)) || TM_UNLIKELY(bytes > quick_sizes) ||
        TM_UNLIKELY(!passes_quickly(bytes))) {
        return rarely(ctx, count, size);
    }
    return real->calloc(ctx, count, size);
}

/* With the guard up, since a large block that becomes a small one is passed on to the raw domain; a known one is taken
 * out there. */
TM_INLINE void *realloc_quickly(void *ctx, void *block, size_t size, void *(*rarely)(void *, void *, size_t))
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = ctx;
    if (TM_UNLIKELY(size >= quick_resize) || TM_UNLIKELY(thread->guard != 0) ||
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
    static void *name##_malloc_quickly(void *ctx, size_t size)                                                         \
    {                                                                                                                  \
        return malloc_quickly(ctx, size, name##_malloc_rarely);                                                        \
    }                                                                                                                  \
    static void *name##_calloc_quickly(void *ctx, size_t count, size_t size)                                           \
    {                                                                                                                  \
        return calloc_quickly(ctx, count, size, name##_calloc_rarely);                                                 \
    }                                                                                                                  \
    static void *name##_realloc_quickly(void *ctx, void *block, size_t size)                                           \
    {                                                                                                                  \
        return realloc_quickly(ctx, block, size, name##_realloc_rarely);                                               \
    }

QUICK(mem_small)
QUICK(obj_small)

#define FUNCTIONS(name)                                                                                                \
    {                                                                                                                  \
        NULL, name##_malloc, name##_calloc, name##_realloc, name##_free                                                \
    }
#define RAW_FUNCTIONS                                                                                                  \
    {                                                                                                                  \
        NULL, raw_malloc_shortly, raw_calloc, raw_realloc_shortly, raw_free                                            \
    }
#define QUICK_FUNCTIONS(name)                                                                                          \
    {                                                                                                                  \
        NULL, name##_malloc_quickly, name##_calloc_quickly, name##_realloc_quickly, name##_free                        \
    }

static const struct tm_cpython_allocator functions[KINDS][TM_PYTHON_DOMAINS] = {
    [GENERAL] = {RAW_FUNCTIONS, FUNCTIONS(mem), FUNCTIONS(obj)},
    [OVER_DEBUG] = {FUNCTIONS(raw_debug), FUNCTIONS(mem_debug), FUNCTIONS(obj_debug)},
    [OVER_SMALL] = {RAW_FUNCTIONS, QUICK_FUNCTIONS(mem_small), QUICK_FUNCTIONS(obj_small)},
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
