/* SPDX-License-Identifier: MIT */
/* TRACEMALLOC_EXACT=1: hears of recycled objects where only the tracemalloc module itself is told of them: 3.8, and 3.9
 * to 3.12 in builds that call _Py_NewReference directly (static or LTO, such as Debian's and Ubuntu's).
 *
 * There every birth asks the module's flag `tracing` and, when it is set, calls the module.  So the module is started
 * once and our allocator hooks are put back on top at once: it gets no allocation to trace, its tables stay empty, but
 * the flag is set and births are reported.  We listen in its place:
 *   - through the library's references to _PyTraceMalloc_NewReference where it has such (3.8 shared), else
 *   - through the lookup function of the module's table of traces, which is asked for the block of each such object
 *     (see traces_table.h).
 * The program is told the truth: around each function of the module the flag has the value that it has for the program;
 * before the program's own start the module is really stopped, after its stop really started again.
 *
 * PyTraceMalloc_Track and PyTraceMalloc_Untrack, which libraries such as numpy call, answer it too.  With -X
 * tracemalloc or PYTHONTRACEMALLOC the module is started by Python and listened to all the same.
 *
 * Source   Modules/_tracemalloc.c, Python/tracemalloc.c and Include/internal/pycore_tracemalloc.h of 3.8 to 3.12;
 * traces_table.h.
 * Threads  begin and end by a thread that holds the GIL, as said. */
#ifndef TM_RUNTIME_HOOK_EXACT_MODE_H
#define TM_RUNTIME_HOOK_EXACT_MODE_H

#include <stdbool.h>
#include <stdint.h>

/* True when this release and build can and need to be listened to in this way. */
bool tm_exact_mode_is_needed(void);

/* To be called inside the initialisation of the interpreter, when it installs its signal handlers: imports work, the
 * program does not run yet.  HEAR is told the block of each object that is born; its allocation may be older.
 * NULL, or a static text that says why it is not possible here; then the interpreter is as it was. */
const char *tm_exact_mode_begin(void (*hear)(uintptr_t block));

/* The interpreter finalizes: the flag gets the program's value for good. */
void tm_exact_mode_end(void);

#endif
