/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_hooks.h"

#include "runtime/hook/sampled_raw_hooks.h"
#include "runtime/hook/sampled_small_hooks.h"
#include "runtime/hook/sampled_ways.h"

HOOKS(mem, TM_CPYTHON_MEM, TM_SAMPLED_GENERAL)
HOOKS(obj, TM_CPYTHON_OBJ, TM_SAMPLED_GENERAL)
HOOKS(mem_debug, TM_CPYTHON_MEM, TM_SAMPLED_OVER_DEBUG)
HOOKS(obj_debug, TM_CPYTHON_OBJ, TM_SAMPLED_OVER_DEBUG)

#define FUNCTIONS(name)                                                                                                \
    {                                                                                                                  \
        NULL, name##_malloc, name##_calloc, name##_realloc, name##_free                                                \
    }

static const struct tm_cpython_allocator general[TM_PYTHON_DOMAINS] = {
    [TM_CPYTHON_MEM] = FUNCTIONS(mem), [TM_CPYTHON_OBJ] = FUNCTIONS(obj)};
static const struct tm_cpython_allocator over_debug_hooks[TM_PYTHON_DOMAINS] = {
    [TM_CPYTHON_MEM] = FUNCTIONS(mem_debug), [TM_CPYTHON_OBJ] = FUNCTIONS(obj_debug)};

static const struct tm_cpython_allocator *const functions[TM_SAMPLED_KINDS] = {
    [TM_SAMPLED_GENERAL] = general,
    [TM_SAMPLED_OVER_DEBUG] = over_debug_hooks,
    [TM_SAMPLED_OVER_SMALL] = tm_sampled_small_hooks,
    [TM_SAMPLED_HELD] = tm_sampled_held_hooks,
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
