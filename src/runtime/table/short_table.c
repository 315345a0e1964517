/* SPDX-License-Identifier: MIT */
#include "runtime/table/short_table.h"

#define MOST (TM_SHORT_MAX - TM_SHORT_MAX / 8) /* above that a search is long */

uint32_t tm_short_table_give(struct tm_short_table *table, uint32_t id)
{
    for (uint32_t at = tm_short_table_home(id);; at = (at + 1) & TM_SHORT_MAX) {
        uint32_t found = at == 0 ? UINT32_MAX : atomic_load_explicit(&table->records[at], memory_order_relaxed);
        if (found == id) {
            return at;
        }
        if (found != 0) {
            continue;
        }
        if (atomic_load_explicit(&table->count, memory_order_relaxed) >= MOST) {
            return 0;
        }
        if (atomic_compare_exchange_strong_explicit(&table->records[at], &found, id, memory_order_relaxed,
                                                    memory_order_relaxed)) {
            atomic_fetch_add_explicit(&table->count, 1, memory_order_relaxed);
            return at;
        }
        if (found == id) {
            return at; /* another thread was faster */
        }
    }
}
