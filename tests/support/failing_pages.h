/* SPDX-License-Identifier: MIT */
/* The pages of os_memory.h with failures on order.  To be included once, by a test's main file: it stands in the place
 * of the real os_memory.c, whose code it takes in. */
#ifndef TM_TESTS_FAILING_PAGES_H
#define TM_TESTS_FAILING_PAGES_H

#define tm_pages_map           real_pages_map
#define tm_pages_map_populated real_pages_map_populated
#define tm_pages_map_sparse    real_pages_map_sparse
#define tm_pages_reserve       real_pages_reserve
#define tm_pages_map_at        real_pages_map_at
#define tm_pages_map_sparse_at real_pages_map_sparse_at
#define tm_pages_move          real_pages_move
#define tm_pages_grow          real_pages_grow
#include "runtime/os/os_memory.c" /* NOLINT(bugprone-suspicious-include) */
#undef tm_pages_map
#undef tm_pages_map_populated
#undef tm_pages_map_sparse
#undef tm_pages_reserve
#undef tm_pages_map_at
#undef tm_pages_map_sparse_at
#undef tm_pages_move
#undef tm_pages_grow

static unsigned pages_calls;   /* that could have failed */
static unsigned pages_fail_at; /* the call that fails, from 1; 0: none */
static bool pages_fail_after;  /* and all later ones */

static bool pages_fail(void)
{
    pages_calls++;
    return pages_fail_at != 0 && (pages_calls == pages_fail_at || (pages_fail_after && pages_calls > pages_fail_at));
}

#define FAILING(result, name, parameters, arguments, failure)                                                          \
    result tm_pages_##name parameters;                                                                                 \
    result tm_pages_##name parameters                                                                                  \
    {                                                                                                                  \
        return pages_fail() ? (failure) : real_pages_##name arguments;                                                 \
    }

FAILING(void *, map, (size_t size), (size), NULL)
FAILING(void *, map_populated, (size_t size), (size), NULL)
FAILING(void *, map_sparse, (size_t size), (size), NULL)
FAILING(void *, reserve, (size_t size), (size), NULL)
FAILING(bool, map_at, (void *at, size_t size), (at, size), false)
FAILING(bool, map_sparse_at, (void *at, size_t size), (at, size), false)
FAILING(bool, move, (void *from, size_t size, void *to), (from, size, to), false)
FAILING(void *, grow, (void *from, size_t old_size, size_t new_size), (from, old_size, new_size), NULL)

#endif
