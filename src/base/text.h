/* SPDX-License-Identifier: MIT */
/* Text into a caller's buffer: no allocation, no stdio, no locale.
 *
 * A text never overflows: what does not fit is left out and TRUNCATED tells.  It always ends in a zero byte.
 * Signal safe; no state. */
#ifndef TM_BASE_TEXT_H
#define TM_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tm_text {
    char *bytes;     /* the caller's */
    size_t length;   /* without the zero byte */
    size_t capacity; /* with the zero byte; at least 1 */
    bool truncated;
};

void tm_text_init(struct tm_text *text, char *buffer, size_t capacity);
void tm_text_add(struct tm_text *text, const char *string);
void tm_text_add_bytes(struct tm_text *text, const char *bytes, size_t length);
void tm_text_add_char(struct tm_text *text, char c);
void tm_text_add_unsigned(struct tm_text *text, uint64_t value);
/* At least WIDTH digits, zeros in front. */
void tm_text_add_padded(struct tm_text *text, uint64_t value, unsigned width);

/* Parses decimal digits from STRING up to its end.  False when it is empty, has other characters or exceeds MAX. */
bool tm_text_to_unsigned(const char *string, uint64_t max, uint64_t *value);

#endif
