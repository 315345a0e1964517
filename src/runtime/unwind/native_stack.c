/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/native_stack.h"

#include "runtime/os/stack_window.h"
#include "runtime/unwind/cfi_step.h"
#include "runtime/unwind/loaded_module.h"

#define WORD ((uintptr_t)sizeof(uintptr_t))

/* The instruction before a return to 0, as coroutines begin their stacks: nobody's, so that it is a TM_STEP_END. */
#define NO_CALLER UINTPTR_MAX

/* The registers that a function keeps for its caller, where the walk begins. */
struct registers {
    uintptr_t pc, sp, frame, rbx, r12, r13, r14, r15;
};

struct walk {
    struct tm_thread *thread;
    struct tm_step_cache *cache;
    const struct tm_native_skip *skip;
    struct tm_native_frame *frames;
    unsigned limit;
    unsigned count;
    bool is_past_own;
    uintptr_t end;
};

/* One statement: between two the compiler may move what it says of the stack. */
#define TAKE_REGISTERS(to)                                                                                             \
    __asm__ volatile("leaq 0(%%rip), %%rax\n\t"                                                                        \
                     "movq %%rax, 0(%0)\n\t"                                                                           \
                     "movq %%rsp, 8(%0)\n\t"                                                                           \
                     "movq %%rbp, 16(%0)\n\t"                                                                          \
                     "movq %%rbx, 24(%0)\n\t"                                                                          \
                     "movq %%r12, 32(%0)\n\t"                                                                          \
                     "movq %%r13, 40(%0)\n\t"                                                                          \
                     "movq %%r14, 48(%0)\n\t"                                                                          \
                     "movq %%r15, 56(%0)"                                                                              \
                     :                                                                                                 \
                     : "r"(to)                                                                                         \
                     : "rax", "memory")

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

/* False: the limit is reached. */
TM_INLINE bool keep(struct walk *walk, uintptr_t pc, uintptr_t sp)
{
    if (TM_UNLIKELY(!walk->is_past_own)) {
        if (pc - walk->skip->low < walk->skip->high - walk->skip->low) {
            return true;
        }
        walk->is_past_own = true;
    }
    if (walk->count == walk->limit) {
        walk->end = sp;
        return false;
    }
    walk->frames[walk->count++] = (struct tm_native_frame){pc, sp};
    return true;
}

/* False: a step is odd, and all has to be done by the whole rules. */
TM_INLINE bool walk_quickly(struct walk *walk, const struct registers *start)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): it does not see what TAKE_REGISTERS writes */
    uintptr_t pc = start->pc;
    uintptr_t sp = start->sp;
    uintptr_t frame = start->frame;
    while (keep(walk, pc, sp)) {
        uint64_t step = tm_step_find(walk->cache, pc);
        unsigned kind = step & TM_STEP_KIND;
        uintptr_t from = kind == TM_STEP_BY_STACK ? sp : frame;
        uintptr_t cfa = from + (uintptr_t)((int64_t)step >> 32);
        uintptr_t caller;
        if (TM_UNLIKELY(kind > TM_STEP_BY_FRAME)) {
            walk->end = UINTPTR_MAX;
            walk->count -= pc == NO_CALLER;
            return kind != TM_STEP_ODD;
        }
        if (TM_UNLIKELY(cfa <= sp) || !read_word(walk->thread, cfa - WORD, &caller)) {
            break;
        }
        if ((step & TM_STEP_SAVES_FRAME) != 0 &&
            !read_word(walk->thread, cfa + (uintptr_t)(intptr_t)(int16_t)(step >> 16), &frame)) {
            break;
        }
        sp = cfa;
        pc = caller - 1;
    }
    return true;
}

static bool find_rules(uintptr_t pc, struct tm_cfi_rules *rules)
{
    struct tm_loaded_module module;
    return tm_loaded_module_find(pc, &module) && module.frame_header != NULL &&
           tm_cfi_find(module.frame_header, module.high - (uintptr_t)module.frame_header, pc, rules, NULL);
}

static TM_COLD void walk_thoroughly(struct walk *walk, const struct registers *start)
{
    struct tm_cfi_rules rules;
    struct tm_cfi_frame frame = {
        .registers = {[TM_CFI_RBX] = start->rbx,
                      [TM_CFI_RBP] = start->frame,
                      [TM_CFI_RSP] = start->sp,
                      [12] = start->r12,
                      [13] = start->r13,
                      [14] = start->r14,
                      [15] = start->r15,
                      [TM_CFI_RETURN] = start->pc},
        .known = 1U << TM_CFI_RBX | 1U << TM_CFI_RBP | 1U << TM_CFI_RSP | 0xFU << 12 | 1U << TM_CFI_RETURN,
    };
    uintptr_t pc = start->pc;
    walk->count = 0;
    walk->is_past_own = false;
    while (keep(walk, pc, frame.registers[TM_CFI_RSP])) {
        uintptr_t sp = frame.registers[TM_CFI_RSP];
        if (!find_rules(pc, &rules) || !tm_cfi_step(&rules, &frame, read_for_step, walk->thread)) {
            walk->end = UINTPTR_MAX;
            return;
        }
        bool is_called = !rules.is_signal_frame; /* what a signal interrupted may lie on another stack */
        if (frame.registers[TM_CFI_RETURN] == 0 || (is_called && frame.registers[TM_CFI_RSP] <= sp)) {
            walk->end = UINTPTR_MAX;
            return;
        }
        pc = frame.registers[TM_CFI_RETURN] - (is_called ? 1 : 0);
    }
}

__attribute__((noinline)) unsigned tm_native_stack_walk(struct tm_thread *thread, struct tm_step_cache *cache,
                                                        const struct tm_native_skip *skip,
                                                        struct tm_native_frame *frames, unsigned limit, uintptr_t *end)
{
    struct walk walk = {thread, cache, skip, frames, limit, 0, false, UINTPTR_MAX};
#if defined(__x86_64__)
    struct registers start;
    TAKE_REGISTERS(&start);
    if (!walk_quickly(&walk, &start)) {
        walk_thoroughly(&walk, &start);
    }
#endif
    *end = walk.end;
    return walk.count;
}
