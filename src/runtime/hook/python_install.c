/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "runtime/hook/arena_hooks.h"
#include "runtime/hook/arena_needs.h"
#include "runtime/hook/door.h"
#include "runtime/hook/end_hooks.h"
#include "runtime/hook/moments.h"
#include "runtime/hook/python_doors.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/hook/python_words.h"
#include "runtime/hook/recycle_hooks.h"
#include "runtime/hook/sampled_hooks.h"
#include "runtime/os/os_lock.h"
#include "runtime/os/os_process.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime.h"

#define MOST_HOOKS 96U /* each start of the program's own tracemalloc reuses those of the last */
#define NO_WORD    TM_PYTHON_NO_WORD

static struct tm_python_hook hooks[MOST_HOOKS];
static unsigned hook_count;
static struct tm_lock hooks_lock;
static struct tm_allocator_chain chain;
static struct tm_elf_range code; /* of the interpreter */
static bool is_in_program;       /* the interpreter: linked into it, so that functions there may be either's */
static void *(*first_malloc[TM_PYTHON_DOMAINS])(void *, size_t); /* before the program could set another */
static unsigned reinstalled;
static bool only_end_is_awaited;   /* careful for nothing else */
static bool only_start_is_awaited; /* likewise */
static bool end_hooks_are_tried;   /* while only the end is awaited */

struct tm_python_door tm_python_doors[TM_PYTHON_DOMAINS] = {
    {NULL, NO_WORD, NULL}, {NULL, NO_WORD, NULL}, {NULL, NO_WORD, NULL}};

static const struct tm_python_hook *tops[TM_PYTHON_DOMAINS]; /* our newest hook */
static const void *foreign[TM_PYTHON_DOMAINS];               /* context of somebody else's hook that leads to ours */

/* A hook over the same allocator that was there before serves again: programs may start and stop their own tracing for
 * ever. */
static struct tm_python_hook *make_hook(const struct tm_cpython_allocator *real, enum tm_layer over,
                                        const struct tm_cpython_allocator *inner)
{
    struct tm_python_hook wanted;
    memset(&wanted, 0, sizeof wanted);
    wanted.real = *real;
    wanted.over = over;
    if (over == TM_LAYER_DEBUG) {
        wanted.inner = *inner;
    }
    for (unsigned i = 0; i < hook_count; i++) {
        if (memcmp(&hooks[i], &wanted, offsetof(struct tm_python_hook, usual)) == 0) {
            return &hooks[i];
        }
    }
    if (hook_count == MOST_HOOKS) {
        return NULL;
    }
    hooks[hook_count] = wanted;
    return &hooks[hook_count++];
}

/* CPython's own allocator of small blocks: a function of the interpreter, without a context, that is not the raw
 * domain's (the program may have set another there); and where a program has the interpreter within, the one that was
 * there before it ran. */
static bool serves_small_blocks(unsigned domain, const struct tm_cpython_allocator *top, enum tm_layer layer)
{
    const struct tm_python_hook *raw = tops[TM_CPYTHON_RAW];
    return domain != TM_CPYTHON_RAW && layer == TM_LAYER_PLAIN && raw != NULL && raw->over == TM_LAYER_PLAIN &&
           top->malloc != raw->real.malloc && top->malloc != first_malloc[TM_CPYTHON_RAW] && top->ctx == NULL &&
           tm_elf_range_holds(&code, (uintptr_t)top->malloc) && (!is_in_program || top->malloc == first_malloc[domain]);
}

static void note_first(const struct tm_cpython *python)
{
    struct tm_elf_range program;
    tm_process_program(&program.low, &program.high);
    is_in_program = tm_elf_range_holds(&program, code.low);
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        struct tm_cpython_allocator top;
        const struct tm_cpython_allocator *inner = NULL;
        python->get_allocator((int)domain, &top);
        const enum tm_layer layer = tm_allocator_layer(&chain, &top, &inner);
        first_malloc[domain] = layer == TM_LAYER_DEBUG ? inner->malloc : top.malloc;
    }
}

static bool install(const struct tm_cpython *python, unsigned domain)
{
    struct tm_cpython_allocator top, ours;
    const struct tm_cpython_allocator *inner = NULL;
    python->get_allocator((int)domain, &top);
    enum tm_layer layer = tm_allocator_layer(&chain, &top, &inner);
    if (layer == TM_LAYER_OURS) {
        tops[domain] = top.ctx;
        return false;
    }
    if (foreign[domain] != NULL && top.ctx == foreign[domain]) {
        return false;
    }
    if (layer == TM_LAYER_TRACEMALLOC && tm_doors_sample && domain != TM_CPYTHON_RAW && tops[domain] != NULL) {
        return false; /* ours below it goes on: what one above it took would be freed past us when the module stops */
    }
    struct tm_python_hook *hook = make_hook(&top, layer, inner);
    if (hook == NULL) {
        return false;
    }
    if (layer == TM_LAYER_TRACEMALLOC) {
        tm_runtime_note_stdlib_tracing();
        tm_recycle_hooks_renew();
    }
    bool is_quick = serves_small_blocks(domain, &top, layer);
    ours = tm_python_functions(domain, layer, is_quick);
    ours.ctx = hook;
    if (is_quick && tm_doors_sample && tm_sampled_hooks_hear_raw_only()) {
        ours.free = top.free;
    }
    hook->usual[domain] = ours;
    if (only_end_is_awaited && !tm_doors_are_careful && domain != TM_CPYTHON_RAW) {
        tm_end_hooks_stand_before(&ours, domain);
    }
    python->set_allocator((int)domain, &ours);
    reinstalled += tops[domain] != NULL;
    tops[domain] = hook;
    return true;
}

bool tm_python_is_interpreters(const struct tm_cpython_allocator *allocator)
{
    return tm_elf_range_holds(&code, (uintptr_t)allocator->malloc);
}

static bool is_on_top(unsigned domain)
{
    return tm_python_doors[domain].word != NO_WORD && *tm_python_doors[domain].word == (uintptr_t)tops[domain];
}

static bool is_over_small_blocks(unsigned domain)
{
    return tops[domain] != NULL && serves_small_blocks(domain, &tops[domain]->real, tops[domain]->over);
}

static void decide_quick(bool careful)
{
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        tm_python_doors[domain].top = is_on_top(domain) ? tops[domain] : NULL;
        tm_python_doors[domain].quick = careful ? NULL : tm_python_doors[domain].top;
    }
    bool may_be_quick = is_on_top(TM_CPYTHON_MEM) && is_on_top(TM_CPYTHON_OBJ);
    bool raw_is_ours = is_on_top(TM_CPYTHON_RAW);
    tm_runtime_note_doors(may_be_quick && raw_is_ours && !careful && is_over_small_blocks(TM_CPYTHON_MEM) &&
                          is_over_small_blocks(TM_CPYTHON_OBJ));
    /* The end must be seen before its first free, the start some time. */
    tm_sampled_hooks_set_quick(may_be_quick && raw_is_ours && !careful ? TM_SAMPLED_QUICK_TO_RAW
                               : may_be_quick && !careful              ? TM_SAMPLED_QUICK
                               : may_be_quick && only_start_is_awaited ? TM_SAMPLED_LOOKS_AT_LARGE
                                                                       : TM_SAMPLED_LOOKS);
}

/* Once more when a thread with the GIL has changed its mind meanwhile: one without it may have come in here by the raw
 * domain's door, and would leave what it decided by before. */
static void set_quick(void)
{
    bool careful;
    do {
        careful = __atomic_load_n(&tm_doors_are_careful, __ATOMIC_RELAXED);
        decide_quick(careful);
        atomic_thread_fence(memory_order_seq_cst);
    } while (careful != __atomic_load_n(&tm_doors_are_careful, __ATOMIC_RELAXED));
}

/* The program has put back what it saved before the end hooks came: the next call of mem or obj sets them again. */
static void note_gone_end_hooks(const struct tm_cpython *python)
{
    for (unsigned domain = TM_CPYTHON_MEM; domain < TM_PYTHON_DOMAINS; domain++) {
        struct tm_cpython_allocator top;
        python->get_allocator((int)domain, &top);
        if (top.ctx == tops[domain] && !tm_end_hooks_are(&top)) {
            __atomic_store_n(&tm_doors_are_careful, true, __ATOMIC_RELAXED);
            end_hooks_are_tried = false;
        }
    }
}

void tm_python_hooks_ensure(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    struct tm_thread *thread = tm_thread_self();
    int saved = errno;
    if (chain.is_ours == NULL || !tm_lock_try(&hooks_lock)) {
        return;
    }
    tm_door_guard_up(thread);
    bool changed = false;
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        changed |= install(python, domain);
    }
    tm_arena_hooks_ensure(python);
    if (only_end_is_awaited && !tm_doors_are_careful) {
        note_gone_end_hooks(python);
    }
    if (changed) {
        tm_python_words_find(tops, hooks, &code, &chain.data);
    }
    set_quick();
    tm_door_guard_down(thread);
    tm_lock_release(&hooks_lock);
    errno = saved;
}

/* The functions of ALLOCATOR that others stand before stay theirs: see end_hooks.h. */
static void renew_functions(struct tm_cpython_allocator *allocator, unsigned domain)
{
    struct tm_cpython_allocator *usual = &hooks[tops[domain] - hooks].usual[domain];
    const struct tm_cpython_allocator newer = tm_python_functions(domain, tops[domain]->over, true);
    allocator->malloc = allocator->malloc == usual->malloc ? newer.malloc : allocator->malloc;
    allocator->realloc = allocator->realloc == usual->realloc ? newer.realloc : allocator->realloc;
    usual->malloc = newer.malloc;
    usual->realloc = newer.realloc;
}

void tm_python_hooks_renew_small(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    if (!tm_lock_try(&hooks_lock)) {
        return;
    }
    for (unsigned domain = TM_CPYTHON_MEM; domain < TM_PYTHON_DOMAINS; domain++) {
        struct tm_cpython_allocator top;
        python->get_allocator((int)domain, &top);
        if (top.ctx == tops[domain] && is_over_small_blocks(domain)) {
            top.free = tops[domain]->real.free;
            renew_functions(&top, domain);
            python->set_allocator((int)domain, &top);
        }
    }
    tm_lock_release(&hooks_lock);
}

void tm_python_hooks_set_careful(bool careful)
{
    __atomic_store_n(&tm_doors_are_careful, careful, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_seq_cst);
    only_end_is_awaited = false;
    end_hooks_are_tried = false;
    only_start_is_awaited = false;
    set_quick();
}

/* The domain's functions are ours, all that are called to allocate. */
static bool has_usual_functions(const struct tm_cpython *python, unsigned domain)
{
    struct tm_cpython_allocator top;
    python->get_allocator((int)domain, &top);
    if (tops[domain] == NULL || top.ctx != tops[domain]) {
        return false;
    }
    const struct tm_cpython_allocator *usual = &tops[domain]->usual[domain];
    tm_end_hooks_step_aside(&top, domain);
    return top.malloc == usual->malloc && top.calloc == usual->calloc && top.realloc == usual->realloc;
}

/* With several threads in the interpreter at once no allocator may be set here. */
static bool may_have_end_hooks(const struct tm_cpython *python)
{
    return python->layout != NULL && !python->layout->free_threaded && has_usual_functions(python, TM_CPYTHON_MEM) &&
           has_usual_functions(python, TM_CPYTHON_OBJ);
}

static void set_end_hooks(const struct tm_cpython *python)
{
    for (unsigned domain = TM_CPYTHON_MEM; domain < TM_PYTHON_DOMAINS; domain++) {
        struct tm_cpython_allocator top;
        python->get_allocator((int)domain, &top);
        tm_end_hooks_stand_before(&top, domain);
        python->set_allocator((int)domain, &top);
    }
    __atomic_store_n(&tm_doors_are_careful, false, __ATOMIC_RELAXED);
    set_quick();
}

/* By a call of mem or obj, so with the GIL. */
static void await_end_at_hooks(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    int saved = errno;
    end_hooks_are_tried = true;
    if (python->get_allocator != NULL && may_have_end_hooks(python) && tm_lock_try(&hooks_lock)) {
        set_end_hooks(python);
        tm_lock_release(&hooks_lock);
    }
    errno = saved;
}

void tm_python_hooks_end_is_told(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    if (!only_end_is_awaited) {
        return;
    }
    if (python->get_allocator != NULL && tm_lock_try(&hooks_lock)) {
        for (unsigned domain = TM_CPYTHON_MEM; domain < TM_PYTHON_DOMAINS; domain++) {
            struct tm_cpython_allocator top;
            python->get_allocator((int)domain, &top);
            if (tm_end_hooks_are(&top)) {
                tm_end_hooks_step_aside(&top, domain);
                python->set_allocator((int)domain, &top);
            }
        }
        tm_lock_release(&hooks_lock);
    }
    tm_python_hooks_set_careful(true);
}

void tm_python_hooks_await_end(void)
{
    if (!only_end_is_awaited) {
        only_end_is_awaited = true;
        end_hooks_are_tried = false;
        only_start_is_awaited = false;
        set_quick();
    }
}

void tm_python_hooks_await_start(void)
{
    if (tm_doors_sample && !only_start_is_awaited) {
        only_start_is_awaited = true;
        set_quick();
    }
}

bool tm_python_hooks_lose_raw(void)
{
    if (!tm_sampled_hooks_are_held() || TM_LIKELY(is_on_top(TM_CPYTHON_RAW))) {
        return false;
    }
    set_quick();
    return tm_word_peek(&tm_sampler_held.passed_size) > TM_SMALL_SIZE_MAX;
}

bool tm_python_hooks_begin(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    struct tm_elf_object object;
    if (python->get_allocator == NULL || python->set_allocator == NULL ||
        !tm_elf_object_find((uintptr_t)python->set_allocator, &object)) {
        return false;
    }
    chain.data = object.data;
    code = object.code;
    chain.is_ours = tm_python_is_ours;
    note_first(python);
    tm_arena_needs_begin(code.low);
    tm_python_hooks_ensure();
    return true;
}

void tm_python_hooks_forget(void)
{
    chain.is_ours = NULL;
    tm_arena_needs_forget();
    tm_runtime_note_doors(false);
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        tm_python_doors[domain].quick = NULL;
        tm_python_doors[domain].top = NULL;
        tm_sampled_hooks_set_quick(TM_SAMPLED_LOOKS);
        tm_python_doors[domain].word = NO_WORD;
        tops[domain] = NULL;
        foreign[domain] = NULL;
    }
}

/* The look. */

static uintptr_t context_on_top(unsigned domain)
{
    struct tm_cpython_allocator top;
    if (tm_python_doors[domain].word != NO_WORD) {
        return *tm_python_doors[domain].word;
    }
    tm_runtime_python()->get_allocator((int)domain, &top);
    return (uintptr_t)top.ctx;
}

/* Who put something above our hook, which was called all the same? */
static enum tm_layer layer_on_top(unsigned domain)
{
    struct tm_cpython_allocator top;
    const struct tm_cpython_allocator *inner;
    tm_runtime_python()->get_allocator((int)domain, &top);
    return tm_allocator_layer(&chain, &top, &inner);
}

static bool look_from_below(unsigned domain, uintptr_t top)
{
    bool is_tracemalloc = false;
    if (top == (uintptr_t)foreign[domain]) {
        return true;
    }
    if (top == (uintptr_t)tops[domain]) {
        is_tracemalloc = tops[domain]->over == TM_LAYER_TRACEMALLOC;
    } else {
        switch (layer_on_top(domain)) {
        case TM_LAYER_PLAIN:
            foreign[domain] = (const void *)top;
            set_quick();
            return true;
        case TM_LAYER_TRACEMALLOC:
            is_tracemalloc = true;
            tm_python_hooks_ensure();
            break;
        case TM_LAYER_DEBUG:
            tm_python_hooks_ensure();
            break;
        case TM_LAYER_OURS:
            break;
        }
    }
    /* Raw: the tracemalloc module's own need.  Others: a call that came through the module before it was noticed. */
    return !(is_tracemalloc && domain == TM_CPYTHON_RAW);
}

/* Ours is the top hook, and no moment has come.  While an interpreter starts, and where the end is awaited without end
 * hooks, each event asks: that alone must be cheap. */
static bool is_usual(const void *ctx, unsigned domain)
{
    if (tm_python_doors[domain].top != ctx || *tm_python_doors[domain].word != (uintptr_t)ctx) {
        return false;
    }
    if (only_end_is_awaited) {
        return !tm_cpython_is_finalizing(tm_runtime_python());
    }
    if (!tm_doors_are_open || !tm_moments_are_before_start()) {
        return false;
    }
    if (domain == TM_CPYTHON_OBJ && tm_recycle_tracer_is_awaited) {
        tm_recycle_hooks_look();
    }
    return true;
}

static TM_COLD bool look(struct tm_thread *thread, const void *ctx, unsigned domain)
{
    if (!tm_doors_are_open) {
        return false;
    }
    int saved = errno;
    if (tm_doors_are_careful) {
        tm_moments_look(thread);
        if (domain == TM_CPYTHON_OBJ) {
            tm_recycle_hooks_look();
        }
    }
    uintptr_t top = context_on_top(domain);
    bool heard = true;
    if (top != (uintptr_t)ctx) {
        heard = look_from_below(domain, top);
    } else if (tops[domain] != ctx) {
        tm_python_hooks_ensure(); /* what was above has gone: the module was stopped */
        tm_recycle_hooks_renew();
    } else if (tm_python_doors[domain].top == NULL && is_on_top(domain)) {
        set_quick(); /* so has somebody else's hook, or allocator */
    }
    errno = saved;
    return heard;
}

static __attribute__((noinline)) bool look_closer(struct tm_thread *thread, const void *ctx, unsigned domain)
{
    if (TM_UNLIKELY(only_end_is_awaited) && !end_hooks_are_tried && domain != TM_CPYTHON_RAW) {
        await_end_at_hooks();
    }
    return is_usual(ctx, domain) || look(thread, ctx, domain);
}

bool tm_python_look(struct tm_thread *thread, const void *ctx, unsigned domain)
{
    return TM_LIKELY(tm_python_is_starting(ctx, domain)) || look_closer(thread, ctx, domain);
}

void tm_python_hooks_check(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    unsigned lost = 0;
    if (chain.is_ours == NULL) {
        return;
    }
    for (unsigned domain = 0; domain < TM_PYTHON_DOMAINS; domain++) {
        struct tm_cpython_allocator top;
        python->get_allocator((int)domain, &top);
        bool leads_to_us = foreign[domain] != NULL && top.ctx == foreign[domain];
        lost += !leads_to_us && tm_allocator_chain_ours(&chain, &top) == NULL;
    }
    tm_runtime_note_hooks(reinstalled, lost);
}
