/* SPDX-License-Identifier: MIT */
/* A read-only view of a store: the process's own memory, or a checked copy of a file on the desk.
 *
 * The lengths are taken once, so that everything that refers to something finds it: read them in the order counters,
 * tracebacks, frames, strings (what refers before what it refers to). */
#ifndef TM_STORE_STORE_VIEW_H
#define TM_STORE_STORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "store/store_layout.h"

struct tm_store_view {
    const struct tm_store_header *header;
    const uint8_t *sections[TM_STORE_SECTIONS];
    uint64_t lengths[TM_STORE_SECTIONS]; /* bytes */
};

/* SECTIONS are the addresses of the sections in this process. */
void tm_store_view_init(struct tm_store_view *view, const struct tm_store_header *header,
                        uint8_t *const sections[TM_STORE_SECTIONS]);

uint32_t tm_store_view_count(const struct tm_store_view *view, enum tm_section_name section);

/* Traced memory now, in bytes: exact but for events that happen meanwhile; below 0 for a moment where a free was seen
 * before its allocation. */
void tm_store_traced(const struct tm_store_header *header, uint64_t *python, uint64_t *heap);

/* Bytes by which the peak of the heap may be off, to either side: TM_TALLY_REACH for each tally that was ever taken.  0
 * where one thread was alone in a process without Python.  runtime/track/tally.h says where it comes from. */
uint64_t tm_store_peak_bound(const struct tm_store_header *header);

/* The words of the header, one after the other: *CURSOR is 0 at first.  False at the end. */
struct tm_store_word {
    const char *key;
    size_t key_length;
    const char *value;
    size_t value_length;
};
bool tm_store_view_word(const struct tm_store_view *view, uint32_t *cursor, struct tm_store_word *word);

/* Checks every reference: strings, frames, tracebacks, records.  For copies of files; the process trusts its own.
 * NULL when all is sound, else a static text that says what is not. */
const char *tm_store_view_check(const struct tm_store_view *view);

#endif
