/* SPDX-License-Identifier: MIT */
#include "runtime/hook/python_hooks.h"

#include <errno.h>
#include <string.h>

#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/door.h"
#include "runtime/hook/moments.h"
#include "runtime/hook/recycle_hooks.h"
#include "runtime/os/os_lock.h"
#include "runtime/track/runtime.h"
#include "runtime/track/tracker_quick.h"

#define DOMAINS    3U
#define MOST_HOOKS 96U /* each start of the program's own tracemalloc reuses those of the last */
#define NO_WORD    (&no_word)

/* One installation.  Begins with the allocator behind it, as the contexts of the tracemalloc module's hooks do: where
 * another thread sees half of a change of hooks, either function finds what it looks for in either context. */
struct tm_python_hook {
    struct tm_cpython_allocator real;
    struct tm_cpython_allocator inner; /* over debug hooks: what they wrapped when we were installed */
    enum tm_layer over;
};

static struct tm_python_hook hooks[MOST_HOOKS];
static unsigned hook_count;
static struct tm_lock hooks_lock;
static struct tm_allocator_chain chain;
static unsigned reinstalled;
static const uintptr_t no_word;

/* Per domain, read by each event. */
static struct {
    const void *quick;     /* the hook whose calls need no look; NULL: all need one */
    const uintptr_t *word; /* first word of CPython's own record of the domain's allocator: the context on top */
} doors[DOMAINS] = {{NULL, NO_WORD}, {NULL, NO_WORD}, {NULL, NO_WORD}};

static const struct tm_python_hook *tops[DOMAINS]; /* our newest hook */
static const void *foreign[DOMAINS];               /* context of somebody else's hook that leads to ours */

static bool look(struct tm_thread *thread, const void *ctx, unsigned domain);

/* 1. The hooks. */

/* PyMem_SetupDebugHooks, called again by an embedding program while our hook lies over the debug hooks (seen up to
 * 3.11), makes these wrap our hook: calling them would not end.  What they wrapped before is then the allocator behind
 * our hook. */
TM_INLINE bool is_wrapped(const struct tm_python_hook *hook, bool over_debug)
{
    return over_debug && TM_UNLIKELY(tm_allocator_behind_debug(hook->real.ctx)->ctx != hook->inner.ctx);
}

TM_INLINE const struct tm_cpython_allocator *behind(const struct tm_python_hook *hook, bool over_debug)
{
    return is_wrapped(hook, over_debug) ? &hook->inner : &hook->real;
}

TM_INLINE bool hears(struct tm_thread *thread, const void *ctx, unsigned domain, bool over_debug)
{
    if (TM_UNLIKELY(thread->guard != 0)) {
        return false;
    }
    /* What the tracemalloc module allocates for itself comes through raw, so a module that has just started is noticed
     * there at once; the other domains need no such test. */
    bool is_usual = doors[domain].quick == ctx && (domain != TM_CPYTHON_RAW || *doors[domain].word == (uintptr_t)ctx) &&
                    !is_wrapped(ctx, over_debug);
    return TM_LIKELY(is_usual) || look(thread, ctx, domain);
}

TM_INLINE void *hook_malloc(void *ctx, size_t size, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = behind(ctx, over_debug);
    if (TM_UNLIKELY(!hears(thread, ctx, domain, over_debug))) {
        return real->malloc(real->ctx, size);
    }
    tm_door_guard_up(thread);
    void *block = real->malloc(real->ctx, size);
    tm_door_guard_down(thread);
    if (TM_LIKELY(block != NULL) &&
        (domain == TM_CPYTHON_RAW || !tm_quick_alloc(thread, (uint8_t)domain, block, size))) {
        tm_tracker_alloc(thread, (enum tm_domain)domain, block, size);
    }
    return block;
}

TM_INLINE void *hook_calloc(void *ctx, size_t count, size_t size, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    const struct tm_cpython_allocator *real = behind(ctx, over_debug);
    if (TM_UNLIKELY(!hears(thread, ctx, domain, over_debug))) {
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

/* Behind a door that is up, or behind the tracemalloc module for its own sake: nothing new is recorded. */
static TM_COLD void *realloc_unheard(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
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

TM_INLINE void *hook_realloc(void *ctx, void *block, size_t size, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = behind(ctx, over_debug);
    if (TM_UNLIKELY(!hears(thread, ctx, domain, over_debug))) {
        return realloc_unheard(thread, real, block, size);
    }
    bool was_known = block != NULL && tm_tracker_take(thread, block, &taken);
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

TM_INLINE void hook_free(void *ctx, void *block, unsigned domain, bool over_debug)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    const struct tm_cpython_allocator *real = behind(ctx, over_debug);
    if (TM_UNLIKELY(thread->guard != 0)) {
        (void)tm_door_drop(thread, block, &taken);
        real->free(real->ctx, block);
    } else if ((domain != TM_CPYTHON_RAW && TM_LIKELY(tm_quick_take(thread, block))) ||
               tm_tracker_take(thread, block, &taken)) {
        tm_door_guard_up(thread);
        real->free(real->ctx, block);
        tm_door_guard_down(thread);
    } else {
        real->free(real->ctx, block);
    }
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
        hook_free(ctx, block, domain, over_debug);                                                                     \
    }

HOOKS(raw, TM_CPYTHON_RAW, false)
HOOKS(mem, TM_CPYTHON_MEM, false)
HOOKS(obj, TM_CPYTHON_OBJ, false)
HOOKS(raw_debug, TM_CPYTHON_RAW, true)
HOOKS(mem_debug, TM_CPYTHON_MEM, true)
HOOKS(obj_debug, TM_CPYTHON_OBJ, true)

#define FUNCTIONS(name)                                                                                                \
    {                                                                                                                  \
        NULL, name##_malloc, name##_calloc, name##_realloc, name##_free                                                \
    }

static const struct tm_cpython_allocator functions[2][DOMAINS] = {
    {FUNCTIONS(raw), FUNCTIONS(mem), FUNCTIONS(obj)},
    {FUNCTIONS(raw_debug), FUNCTIONS(mem_debug), FUNCTIONS(obj_debug)},
};

static bool is_ours(const struct tm_cpython_allocator *allocator)
{
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        if (allocator->malloc == functions[0][domain].malloc || allocator->malloc == functions[1][domain].malloc) {
            return true;
        }
    }
    return false;
}

/* 2. Installation. */

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
        if (memcmp(&hooks[i], &wanted, sizeof wanted) == 0) {
            return &hooks[i];
        }
    }
    if (hook_count == MOST_HOOKS) {
        return NULL;
    }
    hooks[hook_count] = wanted;
    return &hooks[hook_count++];
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
    struct tm_python_hook *hook = make_hook(&top, layer, inner);
    if (hook == NULL) {
        return false;
    }
    if (layer == TM_LAYER_TRACEMALLOC) {
        tm_runtime_note_stdlib_tracing();
        tm_recycle_hooks_renew();
    }
    ours = functions[layer == TM_LAYER_DEBUG][domain];
    ours.ctx = hook;
    python->set_allocator((int)domain, &ours);
    reinstalled += tops[domain] != NULL;
    tops[domain] = hook;
    return true;
}

/* CPython keeps the five words of each domain's allocator in its data; the address is not exported. */
static void find_words(void)
{
    unsigned missing = DOMAINS;
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        missing -= doors[domain].word != NO_WORD && *doors[domain].word == (uintptr_t)tops[domain];
    }
    if (missing == 0) {
        return;
    }
    const uintptr_t *word = (const uintptr_t *)((chain.data.low + 7) & ~(uintptr_t)7);
    const uintptr_t *end = (const uintptr_t *)(chain.data.high - sizeof(struct tm_cpython_allocator));
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        doors[domain].word = NO_WORD;
    }
    for (; word < end; word++) {
        for (unsigned domain = 0; domain < DOMAINS; domain++) {
            if (*word == (uintptr_t)tops[domain] && *word != 0 &&
                is_ours((const struct tm_cpython_allocator *)(const void *)word)) {
                doors[domain].word = word;
            }
        }
    }
}

static void set_quick(void)
{
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        bool can_be_seen = doors[domain].word != NO_WORD && *doors[domain].word == (uintptr_t)tops[domain];
        doors[domain].quick = tm_doors_are_careful || !can_be_seen ? NULL : tops[domain];
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
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        changed |= install(python, domain);
    }
    if (changed) {
        find_words();
    }
    set_quick();
    tm_door_guard_down(thread);
    tm_lock_release(&hooks_lock);
    errno = saved;
}

void tm_python_hooks_set_careful(bool careful)
{
    tm_doors_are_careful = careful;
    set_quick();
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
    chain.is_ours = is_ours;
    tm_python_hooks_ensure();
    return true;
}

/* 3. The look. */

static uintptr_t context_on_top(unsigned domain)
{
    struct tm_cpython_allocator top;
    if (doors[domain].word != NO_WORD) {
        return *doors[domain].word;
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

/* Whether a call that is not the usual one is to be recorded. */
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
    }
    errno = saved;
    return heard;
}

void tm_python_hooks_check(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    unsigned lost = 0;
    if (chain.is_ours == NULL) {
        return;
    }
    for (unsigned domain = 0; domain < DOMAINS; domain++) {
        struct tm_cpython_allocator top;
        python->get_allocator((int)domain, &top);
        bool leads_to_us = foreign[domain] != NULL && top.ctx == foreign[domain];
        lost += !leads_to_us && tm_allocator_chain_ours(&chain, &top) == NULL;
    }
    tm_runtime_note_hooks(reinstalled, lost);
}
