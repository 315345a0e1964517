/* SPDX-License-Identifier: MIT */
/* Where the variable lies that a getter function returns, read from the function's instructions.
 *
 * The hooks ask for the current thread state at every event.  In shared builds from 3.12 on the getter goes through
 * __tls_get_addr, which costs more than all the rest of reading the newest frame.  The whole function must be one of
 * the forms that gcc and clang make of `return variable;` (x86-64), otherwise nothing is said and the function is
 * called instead.
 *
 * Source   x86-64 psABI; "ELF Handling For Thread-Local Storage" (global, local dynamic, initial, local exec). */
#ifndef TM_RUNTIME_UNWIND_GETTER_CODE_H
#define TM_RUNTIME_UNWIND_GETTER_CODE_H

#include <stdint.h>

#include "runtime/unwind/cpython_runtime.h"
#include "runtime/unwind/loaded_symbol.h"

/* Fills GETTER, a getter in the library that SEARCH found, whose word and tls_offset are 0.  A thread-local variable is
 * accepted only when it lies in static storage, at the same distance from every thread's pointer.  The answer is
 * compared with what the function returns in the calling thread. */
void tm_getter_resolve(struct tm_cpython_getter *getter, uintptr_t (*function)(void),
                       const struct tm_loaded_search *search);

/* Where the plain int lies that FUNCTION returns, or NULL: FUNCTION is NULL or of no form known.  FUNCTION is called
 * once, and what it returns must be what is found there. */
int *tm_getter_int(int (*function)(void));

/* Where the word lies of which FUNCTION returns whether it is not 0, or NULL: as above. */
const uintptr_t *tm_getter_truth(int (*function)(void));

#endif
