/* SPDX-License-Identifier: MIT */
/* The counters of a store as they are at one moment, in pages of their own: what is made of them may take its time
 * while the program goes on counting.  Names, frames and tracebacks are not copied: they only come to (see aging.h for
 * when their ids change their meaning).
 *
 * Use      begin, prepare until there is nothing left, take at the moment wanted, give back or end.
 * Cost     of the moment: 64 bytes for each record, and 32 more where its peaks were saved.  The pages are touched
 *          before: their first touch takes longer than the copy.
 * Threads  one at a time.  What is counted by others during the copy is in it or not.
 * Errors   false without memory.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_STORE_CUT_H
#define TM_RUNTIME_TABLE_STORE_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/table/live_store.h"
#include "store/store_view.h"

struct tm_store_cut {
    uint8_t *pages; /* header, records, their peaks, what others counted in them.  NULL: none */
    size_t size;    /* bytes */
    size_t wanted;  /* bytes that are worth touching before, from the start, and how many are */
    size_t touched;
    size_t peaks; /* offsets; records are behind the header */
    size_t loose;
    uint32_t capacity;         /* records */
    struct tm_store_view view; /* valid once it was taken */
};

/* Makes room for what STORE has now, and for some more. */
TM_CHECKED bool tm_store_cut_begin(struct tm_store_cut *cut, const struct tm_live_store *store);

/* Touches up to BYTES more; false: there is nothing left to touch. */
bool tm_store_cut_prepare(struct tm_store_cut *cut, size_t bytes);

/* Copies; where there are more records now than there is room for, it makes new room first, and the copy touches it. */
TM_CHECKED bool tm_store_cut_take(struct tm_store_cut *cut, const struct tm_live_store *store);

/* Gives back up to BYTES of it, which cannot be looked at any more; false: there is nothing left. */
bool tm_store_cut_give_back(struct tm_store_cut *cut, size_t bytes);

/* Gives back what is left, also of one that was not begun. */
void tm_store_cut_end(struct tm_store_cut *cut);

#endif
