/* SPDX-License-Identifier: MIT */
#include "runtime/hook/end_hooks.h"

#include <stdint.h>

#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/track/runtime_state.h"

/* The usual functions look for themselves from now on. */
static TM_COLD void end_comes(void)
{
    if (!tm_doors_are_careful) {
        tm_python_hooks_set_careful(true);
    }
}

TM_INLINE bool end_is_far(void)
{
    const uintptr_t *const word = tm_runtime.python.finalizing_word;
    return TM_LIKELY(word != NULL) && TM_LIKELY(__atomic_load_n(word, __ATOMIC_RELAXED) == 0);
}

/* The same by whatever this interpreter has. */
static TM_COLD const struct tm_cpython_allocator *usual_of(const struct tm_python_hook *hook, unsigned domain)
{
    if (tm_cpython_is_finalizing(&tm_runtime.python)) {
        end_comes();
    }
    return &hook->usual[domain];
}

/* The way that asks needs no register saved while that which calls is another function. */
#define UNTIL_END(name, domain)                                                                                        \
    static __attribute__((noinline)) void *name##_malloc_at_end(void *ctx, size_t size)                                \
    {                                                                                                                  \
        return usual_of(ctx, domain)->malloc(ctx, size);                                                               \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_calloc_at_end(void *ctx, size_t count, size_t size)                  \
    {                                                                                                                  \
        return usual_of(ctx, domain)->calloc(ctx, count, size);                                                        \
    }                                                                                                                  \
    static __attribute__((noinline)) void *name##_realloc_at_end(void *ctx, void *block, size_t size)                  \
    {                                                                                                                  \
        return usual_of(ctx, domain)->realloc(ctx, block, size);                                                       \
    }                                                                                                                  \
    static void *name##_malloc_until_end(void *ctx, size_t size)                                                       \
    {                                                                                                                  \
        const struct tm_python_hook *hook = ctx;                                                                       \
        return end_is_far() ? hook->usual[domain].malloc(ctx, size) : name##_malloc_at_end(ctx, size);                 \
    }                                                                                                                  \
    static void *name##_calloc_until_end(void *ctx, size_t count, size_t size)                                         \
    {                                                                                                                  \
        const struct tm_python_hook *hook = ctx;                                                                       \
        return end_is_far() ? hook->usual[domain].calloc(ctx, count, size) : name##_calloc_at_end(ctx, count, size);   \
    }                                                                                                                  \
    static void *name##_realloc_until_end(void *ctx, void *block, size_t size)                                         \
    {                                                                                                                  \
        const struct tm_python_hook *hook = ctx;                                                                       \
        return end_is_far() ? hook->usual[domain].realloc(ctx, block, size) : name##_realloc_at_end(ctx, block, size); \
    }

UNTIL_END(mem, TM_CPYTHON_MEM)
UNTIL_END(obj, TM_CPYTHON_OBJ)

/* By domain. */
static const struct tm_cpython_allocator until_end[TM_PYTHON_DOMAINS] = {
    [TM_CPYTHON_MEM] = {NULL, mem_malloc_until_end, mem_calloc_until_end, mem_realloc_until_end, NULL},
    [TM_CPYTHON_OBJ] = {NULL, obj_malloc_until_end, obj_calloc_until_end, obj_realloc_until_end, NULL},
};

static void exchange(struct tm_cpython_allocator *allocator, const struct tm_cpython_allocator *old,
                     const struct tm_cpython_allocator *new)
{
    allocator->malloc = allocator->malloc == old->malloc ? new->malloc : allocator->malloc;
    allocator->calloc = allocator->calloc == old->calloc ? new->calloc : allocator->calloc;
    allocator->realloc = allocator->realloc == old->realloc ? new->realloc : allocator->realloc;
}

void tm_end_hooks_stand_before(struct tm_cpython_allocator *allocator, unsigned domain)
{
    const struct tm_python_hook *hook = allocator->ctx;
    exchange(allocator, &hook->usual[domain], &until_end[domain]);
}

void tm_end_hooks_step_aside(struct tm_cpython_allocator *allocator, unsigned domain)
{
    const struct tm_python_hook *hook = allocator->ctx;
    if (hook->usual[domain].malloc != NULL) {
        exchange(allocator, &until_end[domain], &hook->usual[domain]);
    }
}

bool tm_end_hooks_are(const struct tm_cpython_allocator *allocator)
{
    return allocator->malloc == mem_malloc_until_end || allocator->malloc == obj_malloc_until_end;
}
