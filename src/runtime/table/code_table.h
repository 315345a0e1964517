/* SPDX-License-Identifier: MIT */
/* What is known of running instructions: (place, offset) -> frame id, until their code object dies.
 *
 * The address of a code object is used again soon after its death; what was learned of it must be gone by then.  So
 * the places of a code object form a list, and the free of the code object's block drops the list.
 * Threads  the intern lock.   errno  kept.   Errors  false without memory: the frame is then resolved again next
 * time. */
#ifndef TM_RUNTIME_TABLE_CODE_TABLE_H
#define TM_RUNTIME_TABLE_CODE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/line_cursor.h"
#include "runtime/table/id_map.h"
#include "runtime/table/id_set.h"

struct tm_place {
    uintptr_t place; /* see raw_frame.h */
    int32_t offset;
    uint32_t frame; /* id in the frame table */
    uint32_t next;  /* of the same code object, or of the free list; 0 ends */
    uint32_t reserved;
};

struct tm_code {
    uintptr_t code;               /* address of the code object */
    uintptr_t filename;           /* the object whose text is FILE; 0: FILE and FUNCTION are not known */
    uint32_t file, function;      /* its names, the user's words */
    struct tm_line_cursor cursor; /* how far its line table was decoded, the user's too */
    uint32_t first;               /* its places; for a free entry the next free one */
};

struct tm_code_table {
    struct tm_place *places; /* from 1 */
    struct tm_code *codes;   /* from 1 */
    uint32_t place_count, place_capacity, place_free;
    uint32_t code_count, code_capacity, code_free;
    struct tm_id_map place_map, code_map;
};

/* The frame of an instruction, 0 when it is not known. */
uint32_t tm_code_table_frame(const struct tm_code_table *table, uintptr_t place, int32_t offset);

/* Enters an instruction that tm_code_table_frame does not know. */
TM_CHECKED bool tm_code_table_add(struct tm_code_table *table, uintptr_t code, uintptr_t place, int32_t offset,
                                  uint32_t frame);

/* The entry of CODE, whose user's words are to be read and written; NULL when it is not known.  Stays until another
 * code object comes or goes. */
struct tm_code *tm_code_table_code(struct tm_code_table *table, uintptr_t code);

/* tm_code_table_add to CODE, an entry of the table. */
TM_CHECKED bool tm_code_table_add_to(struct tm_code_table *table, struct tm_code *code, uintptr_t place, int32_t offset,
                                     uint32_t frame);

/* Calls VISIT with DATA for each known place of CODE. */
void tm_code_table_visit(const struct tm_code_table *table, uintptr_t code, void (*visit)(uintptr_t place, void *data),
                         void *data);

/* The code object died: drops its places, and adds their frames to DIED (may be NULL; without memory some are missing).
 * False when it was not known. */
bool tm_code_table_forget(struct tm_code_table *table, uintptr_t code, struct tm_id_set *died);

/* Drops all. */
void tm_code_table_clear(struct tm_code_table *table);

/* Takes the frames of all known places out of SET. */
void tm_code_table_remove_frames(const struct tm_code_table *table, struct tm_id_set *set);

size_t tm_code_table_bytes(const struct tm_code_table *table);
bool tm_code_table_is_valid(const struct tm_code_table *table);

#endif
