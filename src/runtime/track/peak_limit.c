/* SPDX-License-Identifier: MIT */
#include "runtime/track/peak_limit.h"

#include "runtime/track/counting.h"

/* Who voids the limit changes something first, and puts the 0 then.  Here the stamp is put first, and what may have
 * changed is read then.  Both are exchanges of one word: so either the change is seen here, or the 0 comes last.  A
 * stamp that ends is such a change, too. */
static void renew_stamp(void)
{
    const uint32_t stamp = tm_number_peek(&tm_life_page.stamp);
    if (tm_number_peek(&tm_life_page.free_stamp) != stamp) {
        (void)atomic_exchange_explicit(&tm_life_page.free_stamp, stamp, memory_order_acq_rel);
        if (atomic_load_explicit(&tm_life_page.stamp, memory_order_relaxed) != stamp) {
            atomic_store_explicit(&tm_life_page.free_stamp, 0, memory_order_relaxed);
        }
    }
}

/* So much may native_loose be.  Who makes it more looks at the limit then, and here it is looked at after the limit is
 * put: one of the two sees the other. */
static void put_native_limit(uint64_t limit)
{
    if (tm_word_load(&tm_life_page.native_limit) != limit) {
        tm_word_store(&tm_life_page.native_limit, limit);
        atomic_thread_fence(memory_order_seq_cst);
    }
}

void tm_limit_renew(const struct tm_totals *totals)
{
    uint64_t native, loose, native_limit;
    renew_stamp();
    do {
        native = tm_word_load(&totals->native_held);
        loose = tm_word_load(&totals->native_loose);
        const uint64_t python_loose = tm_word_load(&totals->python_loose);
        const int64_t python = (int64_t)(tm_word_load(&totals->python_peak) - python_loose);
        const int64_t heap = (int64_t)(tm_word_load(&totals->heap_peak) - native - loose - python_loose);
        const int64_t room = heap - (int64_t)tm_word_load(&totals->python_held);
        const int64_t reserve = loose != 0 && room > 0 ? room / 2 : 0;
        native_limit = loose + (uint64_t)reserve;
        put_native_limit(native_limit);
        tm_word_store(&tm_life_page.heap_limit, (uint64_t)(heap - reserve));
        tm_word_store(&tm_life_page.python_limit, (uint64_t)(python < heap - reserve ? python : heap - reserve));
        atomic_signal_fence(memory_order_seq_cst); /* a handler's block in between would be missing */
    } while (TM_UNLIKELY(tm_word_load(&totals->native_held) != native) ||
             TM_UNLIKELY((int64_t)(tm_word_load(&totals->native_loose) - native_limit) > 0));
}
