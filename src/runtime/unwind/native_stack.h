/* SPDX-License-Identifier: MIT */
/* Machine frames of the calling thread, found by call frame information: no frame pointers are needed, nothing is
 * allocated, no lock is taken (but see loaded_module.h for old libcs).
 *
 * Why not libunwind here: its static archive is not position independent where distributions build it, so that it
 * cannot become a part of this library; at an instruction that is new it calls dl_iterate_phdr under a lock of its own,
 * which two threads can take in different order; and it asks the kernel to block signals at every step.
 * Threads  each walks its own stack.   Signals  the guard is up.   errno  kept.
 * Errors   none: a stack that cannot be followed ends early.   Other machines than x86-64: no frames. */
#ifndef TM_RUNTIME_UNWIND_NATIVE_STACK_H
#define TM_RUNTIME_UNWIND_NATIVE_STACK_H

#include "runtime/os/thread_state.h"
#include "runtime/unwind/step_cache.h"

struct tm_native_frame {
    uintptr_t pc; /* the instruction that runs: of a caller the last byte of its call */
    uintptr_t sp; /* its stack pointer: what it owns on the stack begins here and ends where its caller's begins */
};

/* Our own code: frames of it at the newest end are left out. */
struct tm_native_skip {
    uintptr_t low;
    uintptr_t high;
};

/* A frame with what is needed to see, without any table, whether its caller is still the next one. */
struct tm_known_frame {
    uintptr_t pc, sp;
    uintptr_t frame;    /* the frame pointer's register */
    uintptr_t saved_at; /* where its caller's lies; 0: the register has it still, or it makes no difference */
    uint64_t hash;      /* of this one's pc and all older ones' */
    bool is_by_frame;   /* its end was found by the frame pointer */
    bool needs_frame;   /* so was its own end, or that of an older one by the same value */
};

#define TM_OWN_CHAINS     16U
#define TM_OWN_FRAMES_MAX 12U

/* Calls within our own code that were seen before: its frames have sizes that do not change, so that where they end is
 * a matter of comparing return addresses. */
struct tm_own_chain {
    uint32_t count;                 /* frames; 0: none */
    uint32_t saved_at;              /* from the stack pointer at the start: the frame pointer; 0: in its register */
    uint32_t at[TM_OWN_FRAMES_MAX]; /* likewise: return addresses */
    uintptr_t to[TM_OWN_FRAMES_MAX - 1]; /* what they were, but for the last */
};

/* The stack of the last event.  Of the next one only what changed is walked: from the newest frame on up to one that is
 * known, with the same stack pointer and registers; the older ones are compared in place.  An address is read only
 * after the frame above it was seen to lead there, as a walk would.
 * All zero is its valid beginning, but for the two arrays of LIMIT and the limit. */
struct tm_known_stack {
    struct tm_known_frame *frames; /* oldest first */
    struct tm_known_frame *fresh;  /* most recent first, while a walk runs */
    unsigned limit;
    unsigned count;
    uintptr_t end;       /* where the oldest ends; UINTPTR_MAX: there is no older one, else they were cut off */
    bool is_odd;         /* a frame needs the whole rules: nothing is known for the next time */
    uint32_t generation; /* of the steps */
    uint32_t last_chain; /* the one that fitted */
    uint32_t next_chain; /* to be overwritten */
    struct tm_own_chain chains[TM_OWN_CHAINS];
};

/* Brings STACK to what the calling thread's is now; a hash of it, 0: there are no frames. */
uint64_t tm_native_stack_look(struct tm_thread *thread, struct tm_step_cache *cache, const struct tm_native_skip *skip,
                              struct tm_known_stack *stack);

/* Nothing of STACK is known any more, nor of the ways out of our own code. */
void tm_native_stack_forget(struct tm_known_stack *stack);

struct tm_seen_stack;
struct tm_seen_stacks;

/* The same, but where the stack is one of SEEN (seen_stacks.h) STACK is left as it is, and *FOUND is that one; else
 * NULL. */
uint64_t tm_native_stack_look_among(struct tm_thread *thread, struct tm_step_cache *cache,
                                    const struct tm_native_skip *skip, struct tm_known_stack *stack,
                                    const struct tm_seen_stacks *seen, const struct tm_seen_stack **found);

/* The frames of STACK, most recent first; FRAMES has room for them. */
void tm_native_stack_list(const struct tm_known_stack *stack, struct tm_native_frame *frames);

#endif
