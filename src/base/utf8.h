/* SPDX-License-Identifier: MIT */
/* Bytes as Python reads file names: UTF-8 with the error handler surrogateescape (PEP 383).  A byte that is not part
 * of a well-formed sequence stands for the lone surrogate U+DC00 + byte, so that no two byte strings become one text.
 *
 * No state, no allocation; any thread; signal safe. */
#ifndef TM_BASE_UTF8_H
#define TM_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define TM_UTF8_ESCAPE 0xDC00U

/* The code point at *AT, which is before END; moves *AT behind it. */
uint32_t tm_utf8_next(const uint8_t **at, const uint8_t *end);

/* Compares as Python compares two such texts: code point by code point.  Less than, equal to or greater than 0. */
int tm_utf8_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length);

#endif
