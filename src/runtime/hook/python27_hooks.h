/* SPDX-License-Identifier: MIT */
/* Python 2.7, which has no hooks on its allocators: PyObject_Malloc, PyObject_Realloc and PyObject_Free of a shared
 * library are caught by pointing the references to them at us; nothing is exported for it.
 *
 * Blocks of these are of the domain obj.  PyMem_Malloc and its macros are plain malloc there: native.
 * Not caught: static and LTO builds, which call them directly, and objects that 2.7 takes from free lists (int,
 * float). */
#ifndef TM_RUNTIME_HOOK_PYTHON27_HOOKS_H
#define TM_RUNTIME_HOOK_PYTHON27_HOOKS_H

#include "runtime/hook/elf_object.h"

/* Once the interpreter is known; OBJECT is its ELF object. */
void tm_python27_hooks_begin(const struct tm_elf_object *object);

#endif
