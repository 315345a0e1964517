/* SPDX-License-Identifier: MIT */
/* The text of Python's str objects (2.7: byte strings), read as memory.
 *
 * Threads  any; str objects do not change.
 * Errors   none: an object that says nothing sensible is the empty text. */
#ifndef TM_RUNTIME_UNWIND_PYTHON_TEXT_H
#define TM_RUNTIME_UNWIND_PYTHON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/unwind/cpython_layout.h"

/* Copies the text of a str object (2.7: bytes) to BUFFER as UTF-8; surrogate escapes become the bytes they stand for,
 * other lone surrogates three bytes as in WTF-8.  Returns the full length in bytes, which may exceed CAPACITY: then
 * the first CAPACITY bytes were written.  No terminating zero. */
size_t tm_python_text(const struct tm_cpython_layout *layout, uintptr_t text, char *buffer, size_t capacity);

/* What the text of a plain str object (2.7: bytes) is made of: where all of it is the same the text is. */
struct tm_text_bytes {
    const void *bytes;
    size_t size;
    uint32_t form; /* what BYTES mean: bytes of a character * 2, and 1 for ASCII; 0: as they are */
};

/* False where TEXT is of another type, a subclass too, or keeps its characters elsewhere. */
bool tm_python_text_bytes(const struct tm_cpython_layout *layout, uintptr_t text, struct tm_text_bytes *found);

#endif
