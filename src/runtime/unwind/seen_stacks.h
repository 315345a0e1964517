/* SPDX-License-Identifier: MIT */
/* Machine stacks that were seen before, by their newest frame: whether one stands as it was then is a comparison of
 * words in place, four instructions each, without a step of any walk.
 *
 * Where a frame ends follows from its instruction and stack pointer, and for some from the frame pointer.  So when the
 * newest frame is the same in these, each older one is, as long as return addresses and saved frame pointers are: the
 * words of the list, newest first.  A word is read only after those above it were seen to lead there, and only in the
 * part of the calling thread's stack that is known to be readable.
 *
 * Threads  the caller's lock (the GIL).  Nothing says whose stack it was: those of other threads lie elsewhere.
 * Memory   2 KiB for each of 128, pages as they are touched.   Signals  the guard is up.   errno  kept.
 * Errors   none: a stack that is not here is walked. */
#ifndef TM_RUNTIME_UNWIND_SEEN_STACKS_H
#define TM_RUNTIME_UNWIND_SEEN_STACKS_H

#include "runtime/unwind/native_stack.h"

#define TM_SEEN_BITS  7
#define TM_SEEN_WORDS 124U /* with what is before them 2 KiB */

struct tm_seen_word {
    const uintptr_t *at;
    uintptr_t word;
};

struct tm_seen_stack {
    uintptr_t pc, sp; /* of the newest frame; pc 0: none is here */
    uintptr_t frame;  /* its frame pointer, in the bits of the mask: all, or none where it makes no difference */
    uintptr_t frame_mask;
    uintptr_t highest; /* address that is read */
    uint64_t hash;     /* as tm_native_stack_look says it */
    uint32_t count;    /* of frames */
    uint32_t words;    /* a multiple of four */
    uint32_t generation;
    uint32_t reserved;
    struct tm_seen_word word[TM_SEEN_WORDS];
};

struct tm_seen_stacks {
    struct tm_seen_stack *stacks; /* NULL: there is no memory, none is seen */
};

TM_CHECKED bool tm_seen_stacks_begin(struct tm_seen_stacks *seen);

/* Keeps KNOWN, whose hash is HASH, unless it is there. */
void tm_seen_stacks_keep(struct tm_seen_stacks *seen, const struct tm_known_stack *known, uint64_t hash);

TM_INLINE struct tm_seen_stack *tm_seen_stack_at(const struct tm_seen_stacks *seen, uintptr_t pc, uintptr_t sp)
{
    return &seen->stacks[((pc ^ sp << 20) * TM_HASH_MULTIPLIER) >> (64 - TM_SEEN_BITS)];
}

TM_INLINE bool tm_seen_words_stand(const struct tm_seen_stack *stack)
{
    const struct tm_seen_word *end = stack->word + stack->words;
    for (const struct tm_seen_word *word = stack->word; word != end; word += 4) {
        if (TM_UNLIKELY(*word[0].at != word[0].word) || TM_UNLIKELY(*word[1].at != word[1].word) ||
            TM_UNLIKELY(*word[2].at != word[2].word) || TM_UNLIKELY(*word[3].at != word[3].word)) {
            return false;
        }
    }
    return true;
}

/* The stack of THREAD, the calling one, whose newest frame is at PC with the stack pointer SP and the frame pointer
 * FRAME; NULL: it was not seen before, or something changed.  Calls no function. */
TM_INLINE const struct tm_seen_stack *tm_seen_stack_find(const struct tm_seen_stacks *seen,
                                                         const struct tm_thread *thread, uint32_t generation,
                                                         uintptr_t pc, uintptr_t sp, uintptr_t frame)
{
    struct tm_seen_stack *stack = tm_seen_stack_at(seen, pc, sp);
    if (TM_UNLIKELY(stack->pc != pc) || TM_UNLIKELY(stack->sp != sp) ||
        TM_UNLIKELY(((stack->frame ^ frame) & stack->frame_mask) != 0) ||
        TM_UNLIKELY(stack->generation != generation) || TM_UNLIKELY(sp < thread->stack_low) ||
        TM_UNLIKELY(stack->highest - thread->stack_low >= thread->stack_size)) {
        return NULL;
    }
    if (TM_UNLIKELY(!tm_seen_words_stand(stack))) {
        stack->pc = 0; /* to be kept anew, also where only the sizes of frames changed, which is not in the hash */
        return NULL;
    }
    return stack;
}

#endif
