/* SPDX-License-Identifier: MIT */
/* What was remembered of an instruction's address is void when its code object dies.  How often code has died about an
 * address says so: the count is part of what the address is remembered by.  Addresses 1 MiB apart share a count, so
 * that the counts stay in the first cache; then more is void than must be. */
#ifndef TM_BASE_PLACE_VERSION_H
#define TM_BASE_PLACE_VERSION_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TM_PLACE_VERSIONS      1024U
#define TM_PLACE_VERSION_SHIFT 10 /* bytes that have a count of their own: 1 KiB */

TM_INLINE size_t tm_place_version_index(uintptr_t place)
{
    return (size_t)(place >> TM_PLACE_VERSION_SHIFT) & (TM_PLACE_VERSIONS - 1);
}

TM_INLINE uint32_t tm_place_version(const _Atomic uint32_t *versions, uintptr_t place)
{
    return atomic_load_explicit(&versions[tm_place_version_index(place)], memory_order_relaxed);
}

#endif
