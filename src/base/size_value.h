/* SPDX-License-Identifier: MIT */
/* Sizes as people give them to options. */
#ifndef TM_BASE_SIZE_VALUE_H
#define TM_BASE_SIZE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* "1048576", "1024KiB", "1MiB", "2GiB", "100B": whole numbers of bytes or of powers of 1024; K, M, G and T alone mean
 * the same.  False, *BYTES as it was: anything else, or 2^62 bytes and more.   Signal safe. */
bool tm_size_value(const char *text, uint64_t *bytes);

#endif
