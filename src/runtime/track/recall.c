/* SPDX-License-Identifier: MIT */
#include "runtime/track/recall.h"

/* The hash of the COUNT oldest frames of the window, less than all: what tm_stack_cache_older would say of a stack of
 * these and one more. */
static uint64_t hash_of_oldest(const struct tm_stack_cache *stack, uint32_t count)
{
    uint64_t all = stack->hashes[(ptrdiff_t)count - 1];
    return stack->hidden == 0 ? all : tm_stack_hash_without(all, stack->hashes[-1], tm_stack_power(count));
}

/* True when one of the notes FROM up to below TO says something: what is known of fewer frames is of no use then. */
static bool any_note(const uint32_t *notes, uint32_t from, uint32_t to)
{
    while (to > from && notes[to - 1] == 0) {
        to--;
    }
    return to > from;
}

void tm_recall_begin(struct tm_runtime *runtime, struct tm_recall *recall)
{
    const struct tm_stack_cache *stack = &runtime->held_stack;
    const uint32_t older = stack->count - 1;
    uint32_t looked = older;
    recall->count = 0;
    recall->voids = atomic_load_explicit(&runtime->cache.voids, memory_order_relaxed);
    for (uint32_t less = 0; less < older && recall->count < TM_RECALL_STOPS; less = less == 0 ? 2 : less * 2) {
        const uint32_t frames = older - less;
        if (any_note(stack->notes, frames - 1, looked)) {
            return;
        }
        looked = frames - 1;
        const uint64_t hash = less == 0 ? tm_stack_cache_older(stack) : hash_of_oldest(stack, frames);
        stack->notes[looked] = tm_parent_find(&runtime->parents, hash, recall->voids);
        if (stack->notes[looked] != 0) {
            return;
        }
        recall->hashes[recall->count] = hash;
        recall->frames[recall->count++] = frames;
    }
}

void tm_recall_end(struct tm_runtime *runtime, const struct tm_recall *recall)
{
    const uint32_t *notes = runtime->held_stack.notes;
    for (unsigned i = 0; i < recall->count; i++) {
        uint32_t traceback = notes[recall->frames[i] - 1];
        if (traceback != 0) {
            tm_parent_put(&runtime->parents, recall->hashes[i], recall->voids, traceback);
        }
    }
}
