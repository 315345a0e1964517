/* SPDX-License-Identifier: MIT */
/* Where libtracemalloc.so is, and the variable that loads it. */
#ifndef TM_TOOLS_TM_RUN_PRELOAD_PATH_H
#define TM_TOOLS_TM_RUN_PRELOAD_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/* The absolute path of the library: beside this tool, in the lib folder of the same tree, or where it was to be
 * installed.  False and one line on stderr when it is nowhere, or where ld.so cannot be told of it. */
TM_CHECKED bool tm_preload_find(char *path, size_t capacity);

/* Puts PATH before what LD_PRELOAD has.  False and one line on stderr without memory. */
TM_CHECKED bool tm_preload_set(const char *path);

#endif
