/* SPDX-License-Identifier: MIT */
/* One step from a frame to its caller by the rules of call frame information, with all registers.
 *
 * Memory is read through the caller's READ, which says no where nothing may be read.
 * Threads  all functions; no state.   Signals  safe.   errno  kept.   Errors  false. */
#ifndef TM_RUNTIME_UNWIND_CFI_STEP_H
#define TM_RUNTIME_UNWIND_CFI_STEP_H

#include "runtime/unwind/cfi_rules.h"

struct tm_cfi_frame {
    uintptr_t registers[TM_CFI_REGISTERS]; /* by DWARF number; [TM_CFI_RETURN] is the instruction pointer */
    uint32_t known;                        /* bit by number */
};

/* The word at ADDRESS. */
typedef bool tm_cfi_read(void *context, uintptr_t address, uintptr_t *word);

/* FRAME becomes its caller's.  False: it has none, or what would have to be known is not. */
TM_CHECKED bool tm_cfi_step(const struct tm_cfi_rules *rules, struct tm_cfi_frame *frame, tm_cfi_read *read,
                            void *context);

#endif
