/* SPDX-License-Identifier: MIT */
/* Domains in words: "raw", "mem", "obj", "native", "mmap".  No state, no allocation; any thread; signal safe. */
#ifndef TM_FORMAT_DOMAIN_NAME_H
#define TM_FORMAT_DOMAIN_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "tracemalloc/snapshot_format.h"

/* Static text; "?" for what is no domain. */
const char *tm_domain_name(enum tm_domain domain);

/* Finds the domain called by the LENGTH bytes at NAME.  False: there is none. */
bool tm_domain_find(const char *name, size_t length, enum tm_domain *domain);

#endif
