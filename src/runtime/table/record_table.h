/* SPDX-License-Identifier: MIT */
/* Records: the counters of each (traceback, domain, size class, epoch) and owner.  Ids from 1.
 *
 * Threads  insertion under the intern lock; the counters are moved as store_layout.h says (held and loose).
 * errno    kept. */
#ifndef TM_RUNTIME_TABLE_RECORD_TABLE_H
#define TM_RUNTIME_TABLE_RECORD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/table/id_set.h"
#include "runtime/table/live_store.h"
#include "runtime/table/id_lists.h"

struct tm_record_key {
    uint32_t traceback;
    uint32_t epoch;
    uint16_t size; /* bytes of every block, or TM_SIZE_VARIES */
    uint8_t domain;
    uint16_t owner; /* TM_OWNER_... */
};

struct tm_record_table {
    struct tm_live_store *store;
    struct tm_record *records; /* the store's section, by id */
    struct tm_record_peak *peaks;
    struct tm_record_loose *loose;
    struct tm_id_lists lists;
    struct tm_free_ids free;
    struct tm_store_header *header; /* the store's */
    uint64_t room;                  /* ids below it need no growth; what needs none may be above it, too */
    uint16_t stamp; /* high half of those of records whose blocks may go a quick way: 1 to TM_STAMP_NEVER - 1 */
};

TM_CHECKED bool tm_record_table_init(struct tm_record_table *table, struct tm_live_store *store);

/* 0 when it was not made yet. */
uint32_t tm_record_find(const struct tm_record_table *table, const struct tm_record_key *key);

/* 0 when there is no room. */
uint32_t tm_record_intern(struct tm_record_table *table, const struct tm_record_key *key);

/* The store has become a file: it has less ready than the table knows. */
TM_INLINE void tm_record_table_was_moved(struct tm_record_table *table)
{
    table->room = 0;
}

/* Gives back ID, of which nothing is live and whose figures were taken over: its words are 0 and it will be another
 * record. */
void tm_record_release(struct tm_record_table *table, uint32_t id);

/* Forgets the index of all records: those of older epochs are not looked for any more. */
void tm_record_table_new_epoch(struct tm_record_table *table);

/* No block of the records so far may go a quick way any more.  Each 65,534th time this passes over all of them, so that
 * no stamp means two base epochs.  Under the intern lock. */
void tm_record_table_new_base(struct tm_record_table *table);

uint32_t tm_record_count(const struct tm_record_table *table);

bool tm_record_table_is_valid(const struct tm_record_table *table);

#endif
