/* SPDX-License-Identifier: MIT */
#include "runtime/hook/arena_hooks.h"

#include "runtime/hook/arena_needs.h"
#include "runtime/hook/door.h"
#include "runtime/hook/sampled_hooks.h"
#include "runtime/track/runtime.h"

#define MOST_HOOKS 8U /* Py_Finalize forgets ours from 3.12 on, Py_Initialize makes it new: the same one again */

static struct tm_cpython_arena_allocator behind[MOST_HOOKS];
static unsigned hook_count;

static void *hook_alloc(void *ctx, size_t size)
{
    const struct tm_cpython_arena_allocator *real = ctx;
    struct tm_thread *thread = tm_thread_self();
    tm_arena_needs_learn((uintptr_t)__builtin_return_address(0), size);
    tm_door_guard_up(thread); /* sampling, it may be down here: an arena is no mapping of the program's own */
    void *arena = real->alloc(real->ctx, size);
    tm_door_guard_down(thread);
    if (arena != NULL) {
        tm_runtime_note_arena(arena, size, TM_ARENA_NEW);
    }
    return arena;
}

static void hook_free(void *ctx, void *arena, size_t size)
{
    const struct tm_cpython_arena_allocator *real = ctx;
    tm_runtime_note_arena(arena, size, tm_sampled_hooks_spare_arenas() ? TM_ARENA_UNTRACED : TM_ARENA_LEFT);
    real->free(real->ctx, arena, size);
}

static struct tm_cpython_arena_allocator *hook_over(const struct tm_cpython_arena_allocator *real)
{
    for (unsigned i = 0; i < hook_count; i++) {
        if (behind[i].ctx == real->ctx && behind[i].alloc == real->alloc && behind[i].free == real->free) {
            return &behind[i];
        }
    }
    if (hook_count == MOST_HOOKS) {
        return NULL;
    }
    behind[hook_count] = *real;
    return &behind[hook_count++];
}

void tm_arena_hooks_ensure(const struct tm_cpython *python)
{
    struct tm_cpython_arena_allocator top;
    if (python->get_arena_allocator == NULL || python->set_arena_allocator == NULL) {
        return;
    }
    python->get_arena_allocator(&top);
    if (top.alloc == hook_alloc) {
        return;
    }
    struct tm_cpython_arena_allocator *real = hook_over(&top);
    if (real != NULL) {
        struct tm_cpython_arena_allocator ours = {real, hook_alloc, hook_free};
        python->set_arena_allocator(&ours);
    }
}
