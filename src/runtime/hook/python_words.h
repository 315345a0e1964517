/* SPDX-License-Identifier: MIT */
/* Where CPython keeps the five words of each domain's allocator: in its data, at addresses that are not exported.  The
 * code that copies them out, PyMem_GetAllocator, has them in its instructions.
 *
 * Threads  under the lock of the installation.
 * Source   Objects/obmalloc.c: three static structures up to 3.11, then part of _PyRuntime. */
#ifndef TM_RUNTIME_HOOK_PYTHON_WORDS_H
#define TM_RUNTIME_HOOK_PYTHON_WORDS_H

#include "runtime/hook/elf_object.h"
#include "runtime/hook/python_doors.h"

extern const uintptr_t tm_python_no_word; /* 0 */
#define TM_PYTHON_NO_WORD (&tm_python_no_word)

/* Sets the words of tm_python_doors to those that hold TOPS, our newest hooks, one per domain; to TM_PYTHON_NO_WORD
 * where there is none.  Nothing is done while all of them do.  HOOKS is the array that all hooks lie in; CODE and DATA
 * are the interpreter's. */
void tm_python_words_find(const struct tm_python_hook *const tops[TM_PYTHON_DOMAINS],
                          const struct tm_python_hook *hooks, const struct tm_elf_range *code,
                          const struct tm_elf_range *data);

#endif
