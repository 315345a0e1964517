/* SPDX-License-Identifier: MIT */
/* Objects that CPython takes out of its free lists: born anew without a call of any allocator.
 *
 * Since 3.8 the tracemalloc module moves such a block to the line that takes it.  The births are heard
 *   3.13 and later       through PyRefTracer_SetTracer ("tracer"),
 *   3.9 to 3.12          through _Py_NewReference where the library calls it by a relocation ("symbol"): builds with
 *                        semantic interposition, such as pyenv's; Debian's are not,
 *   3.8, other 3.9-3.12  with TRACEMALLOC_EXACT=1 only, see exact_mode.h ("exact").
 * 3.6 and 3.7 know no such thing.
 * Threads  as said.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_RECYCLE_HOOKS_H
#define TM_RUNTIME_HOOK_RECYCLE_HOOKS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "runtime/hook/elf_object.h"

/* Once the interpreter is known; OBJECT is the interpreter's ELF object. */
void tm_recycle_hooks_begin(const struct tm_elf_object *object);

/* The library was unloaded before any hook was called. */
void tm_recycle_hooks_forget(void);

/* Inside the interpreter's initialisation, see tm_exact_mode_begin; and as it finalizes.  Where TRACEMALLOC_EXACT=1 is
 * needed and cannot be had, the first says so on stderr, once. */
void tm_recycle_hooks_initializing(void);
void tm_recycle_hooks_end(void);

/* The tracemalloc module has started or stopped and with it replaced the tracer: ours is to be set again. */
void tm_recycle_hooks_renew(void);

/* From a hook of the domain obj, whose caller is attached to the interpreter: sets what can be set by now. */
void tm_recycle_hooks_look(void);

/* While it is still to be set: the next call of tm_recycle_hooks_look may do it. */
extern TM_HIDDEN bool tm_recycle_tracer_is_awaited;

/* At a snapshot: notes when the births are no longer heard. */
void tm_recycle_hooks_check(void);

#endif
