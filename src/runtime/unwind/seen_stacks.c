/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/seen_stacks.h"

#include "runtime/os/os_memory.h"

#define SEEN ((size_t)1 << TM_SEEN_BITS)
#define WORD ((uintptr_t)sizeof(uintptr_t))

bool tm_seen_stacks_begin(struct tm_seen_stacks *seen)
{
    seen->stacks = tm_pages_map_sparse(SEEN * sizeof *seen->stacks);
    return seen->stacks != NULL;
}

static void add(struct tm_seen_stack *stack, uintptr_t at, uintptr_t word)
{
    if (stack->words < TM_SEEN_WORDS) {
        /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
        stack->word[stack->words] = (struct tm_seen_word){(const uintptr_t *)at, word};
    }
    stack->words++;
    stack->highest = at > stack->highest ? at : stack->highest;
}

/* False: they are too many. */
static bool write_words(struct tm_seen_stack *stack, const struct tm_known_stack *known)
{
    stack->words = 0;
    stack->highest = stack->sp;
    for (const struct tm_known_frame *frame = &known->frames[known->count - 1]; frame != known->frames; frame--) {
        const struct tm_known_frame *caller = frame - 1;
        add(stack, caller->sp - WORD, caller->pc + 1);
        if (frame->saved_at != 0) {
            add(stack, frame->saved_at, caller->frame);
        }
    }
    uintptr_t highest = stack->highest;
    while (stack->words % 4 != 0) {
        add(stack, (uintptr_t)&stack->sp, stack->sp); /* always so */
    }
    stack->highest = highest;
    return stack->words <= TM_SEEN_WORDS;
}

static bool is_kept(const struct tm_seen_stack *stack, const struct tm_known_stack *known, uint64_t hash)
{
    const struct tm_known_frame *newest = &known->frames[known->count - 1];
    return stack->pc == newest->pc && stack->sp == newest->sp && stack->hash == hash &&
           stack->generation == known->generation && ((stack->frame ^ newest->frame) & stack->frame_mask) == 0;
}

void tm_seen_stacks_keep(struct tm_seen_stacks *seen, const struct tm_known_stack *known, uint64_t hash)
{
    if (known->count == 0 || known->is_odd) {
        return;
    }
    const struct tm_known_frame *newest = &known->frames[known->count - 1];
    struct tm_seen_stack *stack = tm_seen_stack_at(seen, newest->pc, newest->sp);
    if (is_kept(stack, known, hash)) {
        return;
    }
    stack->pc = 0;
    stack->sp = newest->sp;
    stack->frame = newest->frame;
    stack->frame_mask = newest->needs_frame ? UINTPTR_MAX : 0;
    stack->hash = hash;
    stack->count = known->count;
    stack->generation = known->generation;
    stack->pc = write_words(stack, known) ? newest->pc : 0;
}
