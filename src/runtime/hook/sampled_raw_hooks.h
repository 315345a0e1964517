/* SPDX-License-Identifier: MIT */
/* The raw domain's doors while sampling.  Behind those of mem and obj they count nothing, but sampled small blocks of
 * these come through here, by TM_RAISED_SIZE bytes: they are served from the reserve and go back there.
 *
 * Threads  any.   Signals  safe.   errno  as the real functions leave it. */
#ifndef TM_RUNTIME_HOOK_SAMPLED_RAW_HOOKS_H
#define TM_RUNTIME_HOOK_SAMPLED_RAW_HOOKS_H

#include <stdbool.h>

#include "runtime/unwind/cpython_runtime.h"

/* The functions; the context (a struct tm_python_hook) is for the caller to fill in. */
struct tm_cpython_allocator tm_sampled_raw_hooks(bool over_debug);

#endif
