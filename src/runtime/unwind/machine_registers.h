/* SPDX-License-Identifier: MIT */
/* The registers that a function keeps for its caller: where a walk over machine frames begins.
 *
 * Threads  each its own.   Signals  safe.   Other machines than x86-64: there is no TM_TAKE_REGISTERS. */
#ifndef TM_RUNTIME_UNWIND_MACHINE_REGISTERS_H
#define TM_RUNTIME_UNWIND_MACHINE_REGISTERS_H

#include <stdint.h>

#include "base/compiler.h"
#include "runtime/unwind/cfi_step.h"

struct tm_machine_registers {
    uintptr_t pc, sp, frame, rbx, r12, r13, r14, r15;
};

#if defined(__x86_64__)
/* Those of the function that this stands in.  One statement: between two the compiler may move what it says of the
 * stack. */
#define TM_TAKE_REGISTERS(to)                                                                                          \
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
#endif

/* The same for a walk by the whole rules. */
TM_INLINE struct tm_cfi_frame tm_machine_frame(const struct tm_machine_registers *start)
{
    return (struct tm_cfi_frame){
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
}

#endif
