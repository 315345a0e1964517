/* SPDX-License-Identifier: MIT */
#include "runtime/table/zone_list.h"

#include <string.h>

#include "runtime/os/os_memory.h"

#define FIRST_CAPACITY 4096U /* an interpreter that does nothing comes to use half of it; to move them is dear */

bool tm_zone_lists_init(struct tm_zone_lists *lists)
{
    lists->capacity = FIRST_CAPACITY;
    lists->count = 1;
    lists->nodes = tm_pages_map(tm_zone_lists_bytes(lists));
    return lists->nodes != NULL;
}

bool tm_zone_lists_grow(struct tm_zone_lists *lists, uint32_t most)
{
    const size_t bytes = tm_zone_lists_bytes(lists);
    struct tm_zone_node *nodes = lists->capacity < most ? tm_pages_grow(lists->nodes, bytes, 2 * bytes) : NULL;
    if (nodes == NULL) {
        return false;
    }
    lists->nodes = nodes;
    lists->capacity *= 2;
    return true;
}

void tm_zone_lists_forget(struct tm_zone_lists *lists, size_t zone, void (*visit)(uint32_t slot, void *data),
                          void *data)
{
    const uint32_t head = lists->heads[zone];
    uint32_t last = 0;
    for (uint32_t node = head; node != 0; node = lists->nodes[node].next) {
        visit(lists->nodes[node].slot, data);
        last = node;
    }
    if (head != 0) {
        lists->nodes[last].next = lists->free;
        lists->free = head;
        lists->heads[zone] = 0;
    }
}

void tm_zone_lists_clear(struct tm_zone_lists *lists)
{
    memset(lists->heads, 0, sizeof lists->heads);
    lists->count = 1;
    lists->free = 0;
}

size_t tm_zone_lists_bytes(const struct tm_zone_lists *lists)
{
    return lists->capacity * sizeof *lists->nodes;
}
