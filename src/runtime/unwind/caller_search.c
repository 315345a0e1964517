/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/caller_search.h"

#include <stddef.h>

#include "runtime/os/stack_window.h"
#include "runtime/unwind/machine_registers.h"

#define OWN_MOST 16U /* frames */

static bool find_rules(const struct tm_loaded_module *object, uintptr_t pc, struct tm_cfi_rules *rules,
                       struct tm_cfi_range *range)
{
    return object->frame_header != NULL &&
           tm_cfi_find(object->frame_header, object->high - (uintptr_t)object->frame_header, pc, rules, range);
}

bool tm_caller_code(const struct tm_loaded_module *object, uintptr_t pc, struct tm_cfi_range *code)
{
    struct tm_cfi_rules rules;
    return pc - object->low < object->high - object->low && find_rules(object, pc, &rules, code);
}

#if defined(__x86_64__)
static bool read_word(void *context, uintptr_t address, uintptr_t *word)
{
    if ((address & (sizeof *word - 1)) != 0 || !tm_stack_window_has(context, address)) {
        return false;
    }
    *word = *(const uintptr_t *)address;
    return true;
}

/* FRAME, whose instruction is *PC, becomes its caller's. */
static bool step(struct tm_thread *thread, const struct tm_loaded_module *object, struct tm_cfi_frame *frame,
                 uintptr_t *pc)
{
    struct tm_cfi_rules rules;
    const uintptr_t sp = frame->registers[TM_CFI_RSP];
    if (!find_rules(object, *pc, &rules, NULL) || rules.is_signal_frame ||
        !tm_cfi_step(&rules, frame, read_word, thread) || frame->registers[TM_CFI_RSP] <= sp) {
        return false;
    }
    *pc = frame->registers[TM_CFI_RETURN] - 1; /* the last byte of the call */
    return true;
}

static bool holds(const struct tm_loaded_module *object, uintptr_t pc)
{
    return pc - object->low < object->high - object->low;
}

__attribute__((noinline)) bool tm_caller_search(struct tm_thread *thread, const struct tm_loaded_module *own,
                                                const struct tm_loaded_module *object, unsigned most,
                                                const struct tm_cfi_range *code)
{
    struct tm_machine_registers start;
    TM_TAKE_REGISTERS(&start);
    struct tm_cfi_frame frame = tm_machine_frame(&start);
    uintptr_t pc = start.pc;
    for (unsigned count = 0; holds(own, pc); count++) {
        if (count == OWN_MOST || !step(thread, own, &frame, &pc)) {
            return false;
        }
    }
    for (unsigned count = 0; count < most && holds(object, pc); count++) {
        if (pc - code->low < code->high - code->low) {
            return true;
        }
        if (!step(thread, object, &frame, &pc)) {
            return false;
        }
    }
    return false;
}
#else
bool tm_caller_search(struct tm_thread *thread, const struct tm_loaded_module *own,
                      const struct tm_loaded_module *object, unsigned most, const struct tm_cfi_range *code)
{
    (void)thread;
    (void)own;
    (void)object;
    (void)most;
    (void)code;
    return false;
}
#endif
