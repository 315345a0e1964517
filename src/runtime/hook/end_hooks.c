/* SPDX-License-Identifier: MIT */
#include "runtime/hook/end_hooks.h"

#include "runtime/hook/door.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/track/runtime.h"

/* The usual functions look for themselves from now on. */
static TM_COLD void end_comes(void)
{
    if (!tm_doors_are_careful) {
        tm_python_hooks_set_careful(true);
    }
}

TM_INLINE const struct tm_cpython_allocator *usual_of(const struct tm_python_hook *hook, unsigned domain)
{
    if (TM_UNLIKELY(tm_cpython_is_finalizing(tm_runtime_python()))) {
        end_comes();
    }
    return &hook->usual[domain];
}

#define UNTIL_END(name, domain)                                                                                        \
    static void *name##_malloc_until_end(void *ctx, size_t size)                                                       \
    {                                                                                                                  \
        return usual_of(ctx, domain)->malloc(ctx, size);                                                               \
    }                                                                                                                  \
    static void *name##_calloc_until_end(void *ctx, size_t count, size_t size)                                         \
    {                                                                                                                  \
        return usual_of(ctx, domain)->calloc(ctx, count, size);                                                        \
    }                                                                                                                  \
    static void *name##_realloc_until_end(void *ctx, void *block, size_t size)                                         \
    {                                                                                                                  \
        return usual_of(ctx, domain)->realloc(ctx, block, size);                                                       \
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
