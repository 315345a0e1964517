/* SPDX-License-Identifier: MIT */
#include "runtime/table/id_lists.h"

#include "runtime/os/os_memory.h"

#define LEAST_GROWTH (4U * TM_PAGE_SIZE) /* a call of the kernel costs more than the pages */

/* Room for item LAST in *ARRAY of *CAPACITY items of SIZE bytes, LEAST bytes more at least.  They are used in sequence:
 * the new ones' pages are taken at once. */
static bool make_room(void **array, uint32_t *capacity, size_t size, uint32_t last, size_t least)
{
    if (last < *capacity) {
        return true;
    }
    size_t old_bytes = *capacity * size;
    size_t wanted = tm_page_round((last + (size_t)1) * size);
    size_t part = old_bytes / 4 < least ? least : old_bytes / 4;
    size_t bytes = tm_page_round(old_bytes + part);
    bytes = bytes > wanted ? bytes : wanted;
    char *grown = *array == NULL ? tm_pages_map_populated(bytes) : tm_pages_grow(*array, old_bytes, bytes);
    if (grown == NULL) {
        return false;
    }
    if (old_bytes != 0 && bytes - old_bytes > TM_PAGE_SIZE) {
        tm_pages_populate(grown + old_bytes, bytes - old_bytes);
    }
    *array = grown;
    *capacity = (uint32_t)(bytes / size);
    return true;
}

static bool make_all_room(struct tm_id_lists *lists, uint32_t owner, uint32_t id)
{
    const size_t least = lists->is_small ? TM_PAGE_SIZE : LEAST_GROWTH;
    return make_room((void **)&lists->heads, &lists->head_capacity, sizeof *lists->heads, owner, least) &&
           make_room((void **)&lists->links, &lists->link_capacity, sizeof *lists->links, id, least);
}

/* All ids of OWNER, or none without memory. */
static bool move_into_map(struct tm_id_lists *lists, uint32_t owner)
{
    const struct tm_list_link *links = lists->links;
    uint32_t first = lists->heads[owner];
    lists->map.is_small = lists->is_small;
    for (uint32_t id = first; id != 0; id = links[id].next) {
        if (!tm_id_map_insert(&lists->map, tm_list_hash(owner, links[id].tag), id)) {
            for (uint32_t done = first; done != id; done = links[done].next) {
                tm_id_map_remove(&lists->map, tm_list_hash(owner, links[done].tag), done);
            }
            return false;
        }
    }
    lists->heads[owner] = TM_LIST_IN_MAP;
    return true;
}

bool tm_id_lists_add_beyond(struct tm_id_lists *lists, const struct tm_list_look *look, uint32_t id)
{
    const uint32_t hash = tm_list_hash(look->owner, look->tag);
    if (look->next == TM_LIST_IN_MAP) {
        return tm_id_map_insert_at(&lists->map, hash, id, look->cursor);
    }
    if (look->passed == TM_LIST_MAX) {
        return move_into_map(lists, look->owner) && tm_id_map_insert(&lists->map, hash, id);
    }
    return make_all_room(lists, look->owner, id) && tm_id_lists_add(lists, look, id);
}

void tm_id_lists_remove(struct tm_id_lists *lists, uint32_t owner, uint32_t tag, uint32_t id)
{
    if (owner >= lists->head_capacity) {
        return;
    }
    uint32_t *link = &lists->heads[owner];
    if (*link == TM_LIST_IN_MAP) {
        tm_id_map_remove(&lists->map, tm_list_hash(owner, tag), id);
        return;
    }
    while (*link != 0 && *link != id) {
        link = &lists->links[*link].next;
    }
    if (*link != 0) {
        *link = lists->links[id].next;
    }
}

void tm_id_lists_clear(struct tm_id_lists *lists)
{
    if (lists->map.entries != NULL) {
        tm_pages_unmap(lists->map.entries, tm_id_map_bytes(&lists->map));
    }
    if (lists->heads != NULL) {
        tm_pages_unmap(lists->heads, lists->head_capacity * sizeof *lists->heads);
    }
    lists->map = (struct tm_id_map){.entries = NULL};
    lists->heads = NULL;
    lists->head_capacity = 0;
}

size_t tm_id_lists_bytes(const struct tm_id_lists *lists)
{
    return lists->head_capacity * sizeof *lists->heads + lists->link_capacity * sizeof *lists->links +
           tm_id_map_bytes(&lists->map);
}

/* SIZE_MAX: it is none. */
static size_t length_of(const struct tm_id_lists *lists, uint32_t first)
{
    size_t length = 0;
    for (uint32_t id = first; id != 0; id = lists->links[id].next) {
        if (id >= lists->link_capacity || ++length > TM_LIST_MAX) {
            return SIZE_MAX;
        }
    }
    return length;
}

size_t tm_id_lists_count(const struct tm_id_lists *lists)
{
    size_t count = lists->map.count;
    for (uint32_t owner = 0; owner < lists->head_capacity; owner++) {
        count += lists->heads[owner] == TM_LIST_IN_MAP ? 0 : length_of(lists, lists->heads[owner]);
    }
    return count;
}

bool tm_id_lists_are_valid(const struct tm_id_lists *lists)
{
    for (uint32_t owner = 0; owner < lists->head_capacity; owner++) {
        if (lists->heads[owner] != TM_LIST_IN_MAP && length_of(lists, lists->heads[owner]) == SIZE_MAX) {
            return false;
        }
    }
    return tm_id_map_is_valid(&lists->map);
}
