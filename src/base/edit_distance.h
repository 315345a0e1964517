/* SPDX-License-Identifier: MIT */
/* How many letters two words differ by (Levenshtein): letters to put in, take out or change to make one of the other.
 * No allocation, any thread. */
#ifndef TM_BASE_EDIT_DISTANCE_H
#define TM_BASE_EDIT_DISTANCE_H

#include <stddef.h>

#define TM_WORD_MAX 64U

/* Bytes count as letters.  TM_WORD_MAX when one of them is longer than that. */
unsigned tm_edit_distance(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
