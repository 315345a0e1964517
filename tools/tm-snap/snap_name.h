/* SPDX-License-Identifier: MIT */
/* Names of the files that tm-snap writes.  Pure functions of their arguments. */
#ifndef TM_TOOLS_TM_SNAP_SNAP_NAME_H
#define TM_TOOLS_TM_SNAP_SNAP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TM_SNAP_NAME_DEFAULT "tracemalloc.%p.%n.tms"

/* Only %p, %n and %% are known. */
bool tm_snap_name_is_pattern(const char *pattern);
bool tm_snap_name_has_number(const char *pattern);

/* PATTERN for PID with NUMBER for %n, in four digits or more.  INSERT: one without %n has .NUMBER before its last dot.
 * A pattern that ends in a slash is a folder.  False when the result does not fit. */
TM_CHECKED bool tm_snap_name_make(const char *pattern, uint32_t pid, bool insert, unsigned number, char *name,
                                  size_t capacity);

#endif
