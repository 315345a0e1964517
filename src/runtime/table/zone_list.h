/* SPDX-License-Identifier: MIT */
/* Which slots of the trace cache were made for places of a zone (addresses that share a version, base/place_version.h),
 * so that they can be emptied when code dies there.
 *
 * A slot is named by the low 32 bits of its key's place (tm_trace_place), which a mask makes into that in a cache of
 * any size.  One may be in several lists, for it has been others' before: who empties it then empties too much, which
 * is found again.
 * Threads  the caller's lock (the GIL).   errno  kept.   Errors  false: the lists are as they were.
 * Memory   private, 8 bytes for each time that a slot is made. */
#ifndef TM_RUNTIME_TABLE_ZONE_LIST_H
#define TM_RUNTIME_TABLE_ZONE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/place_version.h"

struct tm_zone_node {
    uint32_t slot; /* the name of one */
    uint32_t next; /* of its zone, or of the free ones; 0 ends */
};

struct tm_zone_lists {
    uint32_t heads[TM_PLACE_VERSIONS];
    struct tm_zone_node *nodes; /* from 1 */
    uint32_t count, capacity, free;
};

/* LISTS is all zero.  False: there is no memory. */
TM_CHECKED bool tm_zone_lists_init(struct tm_zone_lists *lists);

TM_INLINE bool tm_zone_lists_are_full(const struct tm_zone_lists *lists)
{
    return lists->free == 0 && lists->count == lists->capacity;
}

/* Makes room for twice the nodes, at most MOST (a power of two, 512 or more) for all zones together.  False: there are
 * so many, or there is no memory.  A fork in the middle of it would leave a child without nodes. */
TM_CHECKED bool tm_zone_lists_grow(struct tm_zone_lists *lists, uint32_t most);

/* Adds SLOT to the list of ZONE.  False: the lists are full. */
TM_CHECKED TM_INLINE bool tm_zone_lists_add(struct tm_zone_lists *lists, size_t zone, uint32_t slot)
{
    const uint32_t head = lists->heads[zone];
    uint32_t node = lists->free;
    if (node != 0) {
        lists->free = lists->nodes[node].next;
    } else if (TM_LIKELY(lists->count != lists->capacity)) {
        node = lists->count++;
    } else {
        return false;
    }
    lists->nodes[node] = (struct tm_zone_node){.slot = slot, .next = head};
    lists->heads[zone] = node;
    return true;
}

/* Empties the list of ZONE, after VISIT with DATA for each of it. */
void tm_zone_lists_forget(struct tm_zone_lists *lists, size_t zone, void (*visit)(uint32_t slot, void *data),
                          void *data);

/* Empties all. */
void tm_zone_lists_clear(struct tm_zone_lists *lists);

size_t tm_zone_lists_bytes(const struct tm_zone_lists *lists);

#endif
