/* SPDX-License-Identifier: MIT */
/* Python frames of the calling thread, read as memory: no call into CPython, no allocation, no lock.
 *
 * Threads  only the thread that owns TSTATE may call; its frames change by its own running only, so this needs
 *          no GIL.
 * Signals  a handler that interrupts the interpreter between two stores may see a stack one frame short; never an
 *          unmapped address.
 * Errors   none: a chain that cannot be followed ends early. */
#ifndef TM_RUNTIME_UNWIND_PYTHON_STACK_H
#define TM_RUNTIME_UNWIND_PYTHON_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/raw_frame.h"

/* What one frame says in Python's words.  The pointers are CPython objects, alive as long as the frame runs. */
struct tm_frame_names {
    uintptr_t code;      /* the code object */
    uintptr_t filename;  /* str (2.7: bytes) object */
    uintptr_t function;  /* qualified name where the release has one in the code object (3.11+), else the name */
    uint32_t line;       /* 1 or more; 0 where CPython says None */
};

/* Writes at most LIMIT frames of the thread that TSTATE belongs to into FRAMES, most recent first; returns their
 * number.  LAYOUT is the row of this interpreter.  TSTATE may be 0 (no frames). */
unsigned tm_python_stack_walk(const struct tm_cpython_layout *layout, uintptr_t tstate, struct tm_raw_frame *frames,
                              unsigned limit);

/* Resolves a frame that is still running.  False when what is found there is not a code object after all. */
bool tm_python_frame_names(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame,
                           struct tm_frame_names *names);

/* Copies the text of a str object (2.7: bytes) to BUFFER as UTF-8; surrogate escapes become the bytes they stand for,
 * other lone surrogates three bytes as in WTF-8.  Returns the full length in bytes, which may exceed CAPACITY: then
 * the first CAPACITY bytes were written.  No terminating zero. */
size_t tm_python_text(const struct tm_cpython_layout *layout, uintptr_t text, char *buffer, size_t capacity);

#endif
