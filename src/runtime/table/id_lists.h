/* SPDX-License-Identifier: MIT */
/* From (owner, tag) to the ids that have it, where most owners have few: the index beside an array whose items each
 * belong to an earlier item, as records do to a traceback and tracebacks to their parent.
 *
 * A list per owner, the newest id first.  Ids come in sequence and an owner's mostly soon after each other, so that a
 * new one touches memory that was touched a moment ago; in a hash map each would be somewhere else.  With one more than
 * TM_LIST_MAX all ids of an owner move into a hash map, for good.
 *
 * Tag      32 bits; the caller compares the keys, if they have more.
 * Memory   private, grown by a quarter.
 * Threads  the caller's lock.   errno  kept.   Errors  add: false without memory, all else unchanged. */
#ifndef TM_RUNTIME_TABLE_ID_LISTS_H
#define TM_RUNTIME_TABLE_ID_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "runtime/table/id_map.h"

#define TM_LIST_MAX    16U
#define TM_LIST_IN_MAP UINT32_MAX /* in the place of a first id */

struct tm_list_link {
    uint32_t next; /* 0 ends */
    uint32_t tag;
};

/* All zero: empty. */
struct tm_id_lists {
    uint32_t *heads;            /* by owner: its first id, or TM_LIST_IN_MAP */
    struct tm_list_link *links; /* by id */
    uint32_t head_capacity, link_capacity;
    struct tm_id_map map;
    bool is_small; /* set while all is empty: few ids are to be expected */
};

/* A look for one key; it ends where one more id would be added. */
struct tm_list_look {
    uint32_t owner;
    uint32_t tag;
    uint32_t next;   /* id, or TM_LIST_IN_MAP */
    uint32_t passed; /* of the list */
    size_t cursor;   /* of the map */
};

TM_INLINE struct tm_list_look tm_id_lists_look(const struct tm_id_lists *lists, uint32_t owner, uint32_t tag)
{
    uint32_t head = TM_LIKELY(owner < lists->head_capacity) ? lists->heads[owner] : 0;
    return (struct tm_list_look){owner, tag, head, 0, SIZE_MAX};
}

/* In the map. */
TM_INLINE uint32_t tm_list_hash(uint32_t owner, uint32_t tag)
{
    return (uint32_t)tm_hash_word(((uint64_t)owner << 32) | tag);
}

/* The next id of the look's owner and tag; 0: there are no more. */
TM_INLINE uint32_t tm_id_lists_next(const struct tm_id_lists *lists, struct tm_list_look *look)
{
    if (TM_UNLIKELY(look->next == TM_LIST_IN_MAP)) {
        return tm_id_map_next(&lists->map, tm_list_hash(look->owner, look->tag), &look->cursor);
    }
    const struct tm_list_link *links = lists->links;
    uint32_t id = look->next;
    uint32_t passed = look->passed;
    while (id != 0 && links[id].tag != look->tag) {
        id = links[id].next;
        passed++;
    }
    look->passed = passed;
    if (id != 0) {
        look->passed++;
        look->next = links[id].next;
    } else {
        look->next = 0;
    }
    return id;
}

/* tm_id_lists_add to a full list or to the map, or where an array has to grow. */
bool tm_id_lists_add_beyond(struct tm_id_lists *lists, const struct tm_list_look *look, uint32_t id);

/* Adds ID, which is in no list, at LOOK, which has ended; nothing was added or removed since. */
TM_CHECKED TM_INLINE bool tm_id_lists_add(struct tm_id_lists *lists, const struct tm_list_look *look, uint32_t id)
{
    if (TM_UNLIKELY(look->passed == TM_LIST_MAX) || TM_UNLIKELY(look->next == TM_LIST_IN_MAP) ||
        TM_UNLIKELY(id >= lists->link_capacity) || TM_UNLIKELY(look->owner >= lists->head_capacity)) {
        const struct tm_list_look copy = *look; /* so that LOOK itself needs no memory */
        return tm_id_lists_add_beyond(lists, &copy, id);
    }
    lists->links[id] = (struct tm_list_link){lists->heads[look->owner], look->tag};
    lists->heads[look->owner] = id;
    return true;
}

/* Takes ID, added with OWNER and TAG, out; nothing happens when it is not there. */
void tm_id_lists_remove(struct tm_id_lists *lists, uint32_t owner, uint32_t tag, uint32_t id);

/* Takes all out. */
void tm_id_lists_clear(struct tm_id_lists *lists);

size_t tm_id_lists_bytes(const struct tm_id_lists *lists);

/* Ids that are there: counted one by one. */
size_t tm_id_lists_count(const struct tm_id_lists *lists);

/* No list is too long, and the map is valid. */
bool tm_id_lists_are_valid(const struct tm_id_lists *lists);

#endif
