/* SPDX-License-Identifier: MIT */
#include "runtime/track/base_epoch.h"

#include "runtime/os/os_process.h"
#include "runtime/track/counting.h"
#include "runtime/track/event_record.h"
#include "runtime/track/peak_limit.h"
#include "runtime/track/runtime_state.h"
#include "store/store_view.h"

/* An addition is one instruction: it is over, and seen by all, long before. */
#define NAP_NANOS  20000U
#define LOOKS_MOST 500U

static uint64_t magnitude(uint64_t word)
{
    return (int64_t)word < 0 ? 0 - word : word;
}

/* WORD became 0 where it had been BEFORE.  True: that was written back, and is taken away now, by an addition that may
 * be lost as well: seldom, as long as the holder does anything else than to add. */
static bool is_back(_Atomic uint64_t *word, uint64_t before)
{
    const uint64_t now = tm_word_load(word);
    if (magnitude(now - before) >= magnitude(now)) {
        return false;
    }
    tm_word_add_loose(word, 0 - before);
    return true;
}

void tm_peaks_reset(void)
{
    struct tm_totals *totals = tm_runtime.totals;
    uint64_t python, heap;
    tm_store_traced(tm_runtime.store.header, &python, &heap);
    tm_runtime.breaks++;
    tm_word_store(&totals->python_peak, python);
    tm_word_store(&totals->heap_peak, heap);
    tm_word_store(&totals->marks, tm_marks_move(tm_word_load(&totals->marks), UINT64_MAX));
    tm_limit_void();
}

void tm_base_epoch_begin(struct tm_thread *thread)
{
    struct tm_totals *totals = tm_runtime.totals;
    const uint64_t python = tm_word_load(&totals->python_held);
    const uint64_t native = tm_word_load(&totals->native_held);
    tm_runtime_new_epoch(true);
    if (!tm_runtime.python_is_found || tm_event_caller(thread, TM_DOMAIN_NATIVE).attachment == TM_HELD) {
        return;
    }
    bool goes_on = true;
    for (unsigned looks = 0; goes_on && looks < LOOKS_MOST; looks++) {
        tm_process_nap(NAP_NANOS);
        goes_on = is_back(&totals->python_held, python);
        goes_on |= is_back(&totals->native_held, native);
    }
    tm_peaks_reset(); /* what was back was a maximum */
}
