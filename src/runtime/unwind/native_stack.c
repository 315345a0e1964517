/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/native_stack.h"

#include "runtime/os/stack_window.h"
#include "runtime/unwind/cfi_step.h"
#include "runtime/unwind/loaded_module.h"
#include "runtime/unwind/machine_registers.h"
#include "runtime/unwind/seen_stacks.h"

#define WORD ((uintptr_t)sizeof(uintptr_t))

struct walk {
    struct tm_thread *thread;
    struct tm_step_cache *cache;
    const struct tm_native_skip *skip;
    struct tm_known_stack *stack;
    unsigned count;  /* of fresh frames */
    unsigned kept;   /* of the known ones, from the oldest on */
    unsigned cursor; /* of the known ones, those from here on are newer than where the walk is */
    uintptr_t end;
};

/* Where a walk is. */
struct position {
    uintptr_t pc, sp, frame;
};

enum stepped { STEPPED, STEPPED_OUT /* there is no caller */, STEPPED_ODDLY };

TM_INLINE bool read_word(struct tm_thread *thread, uintptr_t address, uintptr_t *word)
{
    if (TM_UNLIKELY((address & (WORD - 1)) != 0) || !tm_stack_window_has(thread, address)) {
        return false;
    }
    *word = *(const uintptr_t *)address;
    return true;
}

static bool read_for_step(void *context, uintptr_t address, uintptr_t *word)
{
    return read_word(context, address, word);
}

TM_INLINE uint64_t hash_of(uint64_t older, uintptr_t pc)
{
    uint64_t hash = (older ^ pc) * TM_HASH_MULTIPLIER;
    return hash ^ (hash >> 31);
}

TM_INLINE bool is_own(const struct walk *walk, uintptr_t pc)
{
    return pc - walk->skip->low < walk->skip->high - walk->skip->low;
}

/* AT becomes its caller.  How is written to LEFT: where the frame pointer was found, whether it was used. */
TM_INLINE enum stepped step_out(struct walk *walk, struct position *at, struct tm_known_frame *left)
{
    uint64_t step = tm_step_find(walk->cache, at->pc);
    unsigned kind = step & TM_STEP_KIND;
    uintptr_t cfa = (kind == TM_STEP_BY_STACK ? at->sp : at->frame) + (uintptr_t)((int64_t)step >> 32);
    uintptr_t caller;
    left->saved_at = 0;
    left->is_by_frame = kind == TM_STEP_BY_FRAME;
    if (TM_UNLIKELY(kind > TM_STEP_BY_FRAME)) {
        return kind == TM_STEP_ODD ? STEPPED_ODDLY : STEPPED_OUT;
    }
    if (TM_UNLIKELY(cfa <= at->sp) || !read_word(walk->thread, cfa - WORD, &caller) || TM_UNLIKELY(caller == 0)) {
        return STEPPED_OUT; /* coroutines begin their stacks with a return to 0 */
    }
    if ((step & TM_STEP_SAVES_FRAME) != 0) {
        left->saved_at = cfa + (uintptr_t)(intptr_t)(int16_t)(step >> 16);
        if (!read_word(walk->thread, left->saved_at, &at->frame)) {
            return STEPPED_OUT;
        }
        if (TM_UNLIKELY(left->saved_at < at->sp) || TM_UNLIKELY(left->saved_at >= cfa)) {
            walk->stack->is_odd = true; /* not in its own frame: cannot be looked at by itself */
        }
    }
    at->sp = cfa;
    at->pc = caller - 1;
    return STEPPED;
}

/* AT becomes the first frame that is not ours, when CHAIN is how we came here.  Our own frames can always be read. */
TM_INLINE bool follow_chain(const struct walk *walk, const struct tm_own_chain *chain, struct position *at)
{
    const uint8_t *start = (const uint8_t *)at->sp; /* NOLINT(performance-no-int-to-ptr) */
    unsigned last = chain->count - 1;
    if (chain->count == 0) {
        return false;
    }
    for (unsigned i = 0; i < last; i++) {
        if (*(const uintptr_t *)(const void *)(start + chain->at[i]) != chain->to[i]) {
            return false;
        }
    }
    uintptr_t caller = *(const uintptr_t *)(const void *)(start + chain->at[last]);
    if (caller == 0 || is_own(walk, caller - 1)) {
        return false;
    }
    if (chain->saved_at != 0) {
        at->frame = *(const uintptr_t *)(const void *)(start + chain->saved_at);
    }
    at->pc = caller - 1;
    at->sp += chain->at[last] + WORD;
    return true;
}

/* The long way out of our own code; what is found is kept. */
static enum stepped leave_own_code(struct walk *walk, struct position *at)
{
    struct tm_own_chain chain = {.count = 0};
    const uintptr_t start = at->sp;
    bool fits = true;
    while (is_own(walk, at->pc)) {
        struct tm_known_frame left;
        enum stepped stepped = step_out(walk, at, &left);
        if (stepped != STEPPED) {
            return stepped;
        }
        fits &= !left.is_by_frame && chain.count < TM_OWN_FRAMES_MAX && at->sp - start <= UINT32_MAX;
        if (fits) {
            chain.at[chain.count++] = (uint32_t)(at->sp - WORD - start);
            chain.saved_at = left.saved_at != 0 ? (uint32_t)(left.saved_at - start) : chain.saved_at;
            if (chain.count < TM_OWN_FRAMES_MAX) {
                chain.to[chain.count - 1] = at->pc + 1;
            }
        }
    }
    if (fits && chain.count > 0) {
        walk->stack->last_chain = walk->stack->next_chain++ % TM_OWN_CHAINS;
        walk->stack->chains[walk->stack->last_chain] = chain;
    }
    return STEPPED;
}

TM_INLINE enum stepped pass_own_code(struct walk *walk, struct position *at)
{
    struct tm_known_stack *stack = walk->stack;
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): nor does it see it here */
    if (!is_own(walk, at->pc)) {
        return STEPPED;
    }
    for (unsigned i = 0; i < TM_OWN_CHAINS; i++) {
        const unsigned number = (stack->last_chain + i) % TM_OWN_CHAINS;
        if (follow_chain(walk, &stack->chains[number], at)) {
            stack->last_chain = number;
            return STEPPED;
        }
    }
    return leave_own_code(walk, at);
}

/* Frame number I of those known is there: is each older one, too?  If not, *CURSOR becomes the first that is not. */
TM_INLINE bool stands(const struct tm_known_stack *stack, unsigned i, unsigned *cursor)
{
    const struct tm_known_frame *known = &stack->frames[i];
    for (; known != stack->frames; known--) {
        const struct tm_known_frame *caller = known - 1;
        if (TM_UNLIKELY(*(const uintptr_t *)(caller->sp - WORD) != caller->pc + 1) ||
            (known->saved_at != 0 && TM_UNLIKELY(*(const uintptr_t *)known->saved_at != caller->frame))) {
            *cursor = (unsigned)(caller - stack->frames);
            return false;
        }
    }
    return true;
}

/* AT is a frame that is known, and so are all that called it. */
TM_INLINE bool is_known(struct walk *walk, const struct position *at)
{
    const struct tm_known_stack *stack = walk->stack;
    while (walk->cursor > 0 && stack->frames[walk->cursor - 1].sp < at->sp) {
        walk->cursor--;
    }
    if (walk->cursor == 0) {
        return false;
    }
    const unsigned i = walk->cursor - 1;
    const struct tm_known_frame *known = &stack->frames[i];
    uintptr_t oldest = stack->frames[0].sp - WORD;
    if (known->sp != at->sp || known->pc != at->pc || (known->needs_frame && known->frame != at->frame) ||
        (i != 0 &&
         (at->sp < walk->thread->stack_low || oldest - walk->thread->stack_low >= walk->thread->stack_size))) {
        return false;
    }
    return stands(stack, i, &walk->cursor);
}

TM_INLINE void keep(struct walk *walk, const struct position *at)
{
    walk->stack->fresh[walk->count++] = (struct tm_known_frame){.pc = at->pc, .sp = at->sp, .frame = at->frame};
}

/* The frames from AT on, until one is known.  False: a step is odd, and all has to be done by the whole rules. */
TM_INLINE bool walk_quickly(struct walk *walk, struct position at, enum stepped stepped)
{
    while (stepped == STEPPED && !is_known(walk, &at)) {
        if (walk->count == walk->stack->limit) {
            walk->end = at.sp;
            return true;
        }
        keep(walk, &at);
        stepped = step_out(walk, &at, &walk->stack->fresh[walk->count - 1]);
    }
    walk->kept = stepped == STEPPED ? walk->cursor : 0;
    return stepped != STEPPED_ODDLY;
}

/* What was kept and what is fresh together are the stack: no frame is missing at its oldest end, none is too many. */
static bool fits(const struct walk *walk)
{
    const struct tm_known_stack *stack = walk->stack;
    unsigned count = walk->kept + walk->count;
    return walk->kept == 0 || (count <= stack->limit && (stack->end == UINTPTR_MAX || count == stack->limit));
}

/* The value of the frame pointer changes from call to call where it is a register like others: it is looked at only
 * where a frame's end depends on it. */
TM_INLINE void say_what_is_needed(struct tm_known_frame *known, bool caller_needs_frame)
{
    bool hands_on = known->saved_at == 0 && caller_needs_frame;
    known->needs_frame = known->is_by_frame || hands_on;
    known->saved_at = caller_needs_frame ? known->saved_at : 0;
}

/* Puts what is fresh upon what was kept. */
TM_INLINE uint64_t join(const struct walk *walk)
{
    struct tm_known_stack *stack = walk->stack;
    struct tm_known_frame *to = stack->frames + walk->kept;
    uint64_t hash = walk->kept == 0 ? 1 : to[-1].hash;
    bool caller_needs_frame = walk->kept != 0 && to[-1].needs_frame;
    for (unsigned i = walk->count; i-- > 0; to++) {
        *to = stack->fresh[i];
        say_what_is_needed(to, caller_needs_frame);
        caller_needs_frame = to->needs_frame;
        hash = hash_of(hash, to->pc);
        to->hash = hash;
    }
    stack->count = walk->kept + walk->count;
    if (walk->kept == 0) {
        stack->end = walk->end;
    }
    return stack->count == 0 ? 0 : hash;
}

static bool find_rules(uintptr_t pc, struct tm_cfi_rules *rules)
{
    struct tm_loaded_module module;
    return tm_loaded_module_find(pc, &module) && module.frame_header != NULL &&
           tm_cfi_find(module.frame_header, module.high - (uintptr_t)module.frame_header, pc, rules, NULL);
}

static TM_COLD void walk_thoroughly(struct walk *walk, const struct tm_machine_registers *start)
{
    struct tm_cfi_rules rules;
    struct tm_cfi_frame frame = tm_machine_frame(start);
    uintptr_t pc = start->pc;
    for (;;) {
        uintptr_t sp = frame.registers[TM_CFI_RSP];
        if (walk->count != 0 || !is_own(walk, pc)) {
            if (walk->count == walk->stack->limit) {
                walk->end = sp;
                return;
            }
            keep(walk, &(struct position){pc, sp, 0});
        }
        if (!find_rules(pc, &rules) || !tm_cfi_step(&rules, &frame, read_for_step, walk->thread)) {
            return;
        }
        bool is_called = !rules.is_signal_frame; /* what a signal interrupted may lie on another stack */
        if (frame.registers[TM_CFI_RETURN] == 0 || (is_called && frame.registers[TM_CFI_RSP] <= sp)) {
            return;
        }
        pc = frame.registers[TM_CFI_RETURN] - (is_called ? 1 : 0);
    }
}

static void begin(struct walk *walk)
{
    walk->count = walk->kept = 0;
    walk->cursor = walk->stack->count;
    walk->end = UINTPTR_MAX;
}

/* Nothing that is known is taken for true. */
static void begin_anew(struct walk *walk)
{
    walk->stack->count = 0;
    walk->stack->is_odd = false;
    begin(walk);
}

TM_COLD void tm_native_stack_forget(struct tm_known_stack *stack)
{
    for (unsigned i = 0; i < TM_OWN_CHAINS; i++) {
        stack->chains[i].count = 0;
    }
    stack->count = 0;
}

/* SEEN is NULL where only the walk is wanted. */
TM_INLINE uint64_t look(struct tm_thread *thread, struct tm_step_cache *cache, const struct tm_native_skip *skip,
                        struct tm_known_stack *stack, const struct tm_seen_stacks *seen,
                        const struct tm_seen_stack **found)
{
    struct walk walk = {.thread = thread, .cache = cache, .skip = skip, .stack = stack};
    uint32_t generation = tm_step_cache_generation(cache);
    if (TM_UNLIKELY(stack->generation != generation)) {
        stack->generation = generation;
        tm_native_stack_forget(stack);
    }
#if defined(__x86_64__)
    struct tm_machine_registers start;
    TM_TAKE_REGISTERS(&start);
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): it does not see what TM_TAKE_REGISTERS writes */
    struct position first = {start.pc, start.sp, start.frame};
    enum stepped stepped = pass_own_code(&walk, &first);
    if (seen != NULL && TM_LIKELY(stepped == STEPPED)) {
        *found = tm_seen_stack_find(seen, thread, generation, first.pc, first.sp, first.frame);
        if (TM_LIKELY(*found != NULL)) {
            return (*found)->hash;
        }
    }
    if (TM_UNLIKELY(stack->is_odd)) {
        begin_anew(&walk);
    } else {
        begin(&walk);
    }
    bool is_quick = walk_quickly(&walk, first, stepped);
    if (is_quick && !fits(&walk)) {
        begin_anew(&walk);
        is_quick = walk_quickly(&walk, first, stepped);
    }
    if (!is_quick) {
        begin_anew(&walk);
        stack->is_odd = true;
        walk_thoroughly(&walk, &start);
    }
#else
    begin_anew(&walk);
#endif
    return join(&walk);
}

__attribute__((noinline)) uint64_t tm_native_stack_look(struct tm_thread *thread, struct tm_step_cache *cache,
                                                        const struct tm_native_skip *skip, struct tm_known_stack *stack)
{
    return look(thread, cache, skip, stack, NULL, NULL);
}

__attribute__((noinline)) uint64_t tm_native_stack_look_among(struct tm_thread *thread, struct tm_step_cache *cache,
                                                              const struct tm_native_skip *skip,
                                                              struct tm_known_stack *stack,
                                                              const struct tm_seen_stacks *seen,
                                                              const struct tm_seen_stack **found)
{
    *found = NULL;
    return look(thread, cache, skip, stack, seen, found);
}

void tm_native_stack_list(const struct tm_known_stack *stack, struct tm_native_frame *frames)
{
    for (unsigned i = 0; i < stack->count; i++) {
        const struct tm_known_frame *known = &stack->frames[stack->count - 1 - i];
        frames[i] = (struct tm_native_frame){known->pc, known->sp};
    }
}
