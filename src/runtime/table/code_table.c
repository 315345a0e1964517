/* SPDX-License-Identifier: MIT */
#include "runtime/table/code_table.h"

#include "base/hash.h"
#include "runtime/os/os_memory.h"

/* Not to be moved while an interpreter begins: that is dearer than pages that nobody touches. */
#define FIRST_CODES  1024U
#define FIRST_PLACES 2048U

static uint32_t place_hash(uintptr_t place, int32_t offset)
{
    return (uint32_t)tm_hash_word(place ^ (uint64_t)(uint32_t)offset << 40);
}

static uint32_t code_hash(uintptr_t code)
{
    return (uint32_t)tm_hash_word(code);
}

/* Doubles *ARRAY of *CAPACITY items of SIZE bytes; FIRST to begin with. */
static bool grow(void **array, uint32_t *capacity, size_t size, uint32_t first)
{
    uint32_t wanted = *capacity == 0 ? first : *capacity * 2;
    void *grown = *array == NULL ? tm_pages_map(wanted * size) : tm_pages_grow(*array, *capacity * size, wanted * size);
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

uint32_t tm_code_table_frame(const struct tm_code_table *table, uintptr_t place, int32_t offset)
{
    size_t cursor = SIZE_MAX;
    uint32_t hash = place_hash(place, offset);
    uint32_t id;
    while ((id = tm_id_map_next(&table->place_map, hash, &cursor)) != 0) {
        if (table->places[id].place == place && table->places[id].offset == offset) {
            return table->places[id].frame;
        }
    }
    return 0;
}

static uint32_t find_code(const struct tm_code_table *table, uintptr_t code)
{
    size_t cursor = SIZE_MAX;
    uint32_t id;
    while ((id = tm_id_map_next(&table->code_map, code_hash(code), &cursor)) != 0) {
        if (table->codes[id].code == code) {
            return id;
        }
    }
    return 0;
}

static uint32_t add_code(struct tm_code_table *table, uintptr_t code)
{
    uint32_t id = table->code_free;
    if (id == 0) {
        if (table->code_count + 1 >= table->code_capacity &&
            !grow((void **)&table->codes, &table->code_capacity, sizeof *table->codes, FIRST_CODES)) {
            return 0;
        }
        id = table->code_count + 1;
    }
    if (!tm_id_map_insert(&table->code_map, code_hash(code), id)) {
        return 0;
    }
    if (id == table->code_free) {
        table->code_free = table->codes[id].first;
    } else {
        table->code_count = id;
    }
    table->codes[id] = (struct tm_code){.code = code, .first = 0};
    return id;
}

bool tm_code_table_add(struct tm_code_table *table, uintptr_t code, uintptr_t place, int32_t offset, uint32_t frame)
{
    uint32_t owner = find_code(table, code);
    if (owner == 0) {
        owner = add_code(table, code);
        if (owner == 0) {
            return false;
        }
    }
    return tm_code_table_add_to(table, &table->codes[owner], place, offset, frame);
}

bool tm_code_table_add_to(struct tm_code_table *table, struct tm_code *code, uintptr_t place, int32_t offset,
                          uint32_t frame)
{
    uint32_t id = table->place_free;
    if (id == 0) {
        if (table->place_count + 1 >= table->place_capacity &&
            !grow((void **)&table->places, &table->place_capacity, sizeof *table->places, FIRST_PLACES)) {
            return false;
        }
        id = table->place_count + 1;
    }
    if (!tm_id_map_insert(&table->place_map, place_hash(place, offset), id)) {
        return false;
    }
    if (id == table->place_free) {
        table->place_free = table->places[id].next;
    } else {
        table->place_count = id;
    }
    table->places[id] = (struct tm_place){.place = place, .offset = offset, .frame = frame, .next = code->first};
    code->first = id;
    return true;
}

struct tm_code *tm_code_table_code(struct tm_code_table *table, uintptr_t code)
{
    uint32_t id = find_code(table, code);
    return id == 0 ? NULL : &table->codes[id];
}

void tm_code_table_visit(const struct tm_code_table *table, uintptr_t code, void (*visit)(uintptr_t place, void *data),
                         void *data)
{
    uint32_t owner = find_code(table, code);
    for (uint32_t id = owner == 0 ? 0 : table->codes[owner].first; id != 0; id = table->places[id].next) {
        visit(table->places[id].place, data);
    }
}

bool tm_code_table_forget(struct tm_code_table *table, uintptr_t code, struct tm_id_set *died)
{
    uint32_t owner = find_code(table, code);
    if (owner == 0) {
        return false;
    }
    uint32_t id = table->codes[owner].first;
    while (id != 0) {
        struct tm_place *place = &table->places[id];
        uint32_t next = place->next;
        if (died != NULL) {
            (void)!tm_id_set_add(died, place->frame);
        }
        tm_id_map_remove(&table->place_map, place_hash(place->place, place->offset), id);
        *place = (struct tm_place){.next = table->place_free};
        table->place_free = id;
        id = next;
    }
    tm_id_map_remove(&table->code_map, code_hash(code), owner);
    table->codes[owner] = (struct tm_code){.code = 0, .first = table->code_free};
    table->code_free = owner;
    return true;
}

void tm_code_table_clear(struct tm_code_table *table)
{
    for (uint32_t owner = 1; owner <= table->code_count; owner++) {
        if (table->codes[owner].code != 0) {
            (void)tm_code_table_forget(table, table->codes[owner].code, NULL);
        }
    }
}

void tm_code_table_remove_frames(const struct tm_code_table *table, struct tm_id_set *set)
{
    for (uint32_t id = 1; id <= table->place_count; id++) {
        if (table->places[id].place != 0) {
            tm_id_set_remove(set, table->places[id].frame);
        }
    }
}

size_t tm_code_table_bytes(const struct tm_code_table *table)
{
    return table->place_capacity * sizeof *table->places + table->code_capacity * sizeof *table->codes +
           tm_id_map_bytes(&table->place_map) + tm_id_map_bytes(&table->code_map);
}

bool tm_code_table_is_valid(const struct tm_code_table *table)
{
    size_t listed = 0;
    for (uint32_t owner = 1; owner <= table->code_count; owner++) {
        if (table->codes[owner].code == 0) {
            continue;
        }
        for (uint32_t id = table->codes[owner].first; id != 0; id = table->places[id].next) {
            const struct tm_place *place = &table->places[id];
            if (tm_code_table_frame(table, place->place, place->offset) != place->frame ||
                listed > table->place_count) {
                return false;
            }
            listed++;
        }
    }
    return listed == table->place_map.count && tm_id_map_is_valid(&table->place_map) &&
           tm_id_map_is_valid(&table->code_map);
}
