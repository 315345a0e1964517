/* SPDX-License-Identifier: MIT */
/* Whether a function is running further up the stack, where all that lies in between is of two objects: asked where it
 * matters who calls, and seldom.
 *
 * Reads the call frame information of these objects as they were found, and asks the loader nothing: no lock, as
 * loaded_module.h may need, and nothing is kept.  Some microseconds.
 * Threads  each looks at its own stack.   Signals  the guard is up.   errno  kept.   Errors  false, also where a frame
 * cannot be followed, and on other machines than x86-64. */
#ifndef TM_RUNTIME_UNWIND_CALLER_SEARCH_H
#define TM_RUNTIME_UNWIND_CALLER_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"
#include "runtime/unwind/cfi_rules.h"
#include "runtime/unwind/loaded_module.h"

/* The code around PC in OBJECT: mostly a function, or a part of it.  False: nothing is said of it. */
TM_CHECKED bool tm_caller_code(const struct tm_loaded_module *object, uintptr_t pc, struct tm_cfi_range *code);

/* CODE is among the frames that called this, OWN's and then the MOST newest ones of OBJECT. */
TM_CHECKED bool tm_caller_search(struct tm_thread *thread, const struct tm_loaded_module *own,
                                 const struct tm_loaded_module *object, unsigned most, const struct tm_cfi_range *code);

#endif
