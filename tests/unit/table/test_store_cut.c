/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/store_cut.h"

#define RECORDS 3000U

static struct tm_live_store store;

static struct tm_record *record_at(uint32_t id)
{
    return (struct tm_record *)(void *)store.sections[TM_STORE_RECORDS] + id;
}

static void set_records(uint32_t count)
{
    const uint64_t bytes = (uint64_t)count * sizeof(struct tm_record);
    assert_true(tm_live_store_need(&store, TM_STORE_RECORDS, bytes));
    assert_true(tm_live_store_need(&store, TM_STORE_PEAKS, bytes / 2));
    assert_true(tm_live_store_need(&store, TM_STORE_LOOSE, bytes / 2));
    atomic_store(&store.header->lengths[TM_STORE_RECORDS], bytes);
}

/* Each record, its peaks and its loose figures say its number. */
static int begin(void **state)
{
    (void)state;
    memset(&store, 0, sizeof store);
    if (!tm_live_store_begin(&store) || !tm_live_store_add_meta(&store, "key", "value", 5)) {
        return -1;
    }
    set_records(RECORDS);
    atomic_store(&store.header->totals.marks, UINT64_C(3) << 32 | 7);
    store.header->fork_epoch = 5;
    for (uint32_t id = 1; id < RECORDS; id++) {
        struct tm_record *record = record_at(id);
        memset(record, 0, sizeof *record);
        record->ever_blocks = id;
        record->traceback = id;
        record->stamp = id;
        record->has_loose = id % 2 == 0;
        record->marks = id % 4 == 0   ? UINT64_C(3) << 32
                        : id % 4 == 1 ? 7
                        : id % 4 == 2 ? store.header->totals.marks
                                      : 0;
        ((struct tm_record_peak *)(void *)store.sections[TM_STORE_PEAKS])[id].heap_bytes = id;
        ((struct tm_record_loose *)(void *)store.sections[TM_STORE_LOOSE])[id].freed_bytes = id;
    }
    return 0;
}

static void everything_that_counts_is_copied(void **state)
{
    (void)state;
    struct tm_store_cut cut;
    errno = 9;
    assert_true(tm_store_cut_begin(&cut, &store));
    while (tm_store_cut_prepare(&cut, 100000)) {
    }
    assert_true(tm_store_cut_take(&cut, &store));
    assert_int_equal(errno, 9);
    memset(record_at(1), 0xFF, (RECORDS - 1) * sizeof(struct tm_record)); /* what comes later is not in it */
    atomic_store(&store.header->totals.marks, 0);
    const struct tm_store_view *view = &cut.view;
    assert_int_equal(tm_store_view_count(view, TM_STORE_RECORDS), RECORDS);
    assert_u64_equal(view->header->totals.marks, UINT64_C(3) << 32 | 7);
    assert_int_equal(view->header->fork_epoch, 5);
    uint32_t cursor = 0;
    struct tm_store_word word;
    assert_true(tm_store_view_word(view, &cursor, &word));
    assert_memory_equal(word.value, "value", 5);
    assert_false(tm_store_view_word(view, &cursor, &word));
    const struct tm_record *records = (const void *)view->sections[TM_STORE_RECORDS];
    const struct tm_record_peak *peaks = (const void *)view->sections[TM_STORE_PEAKS];
    const struct tm_record_loose *loose = (const void *)view->sections[TM_STORE_LOOSE];
    for (uint32_t id = 1; id < RECORDS; id++) {
        assert_u64_equal(records[id].ever_blocks, id);
        assert_int_equal(records[id].traceback, id);
        assert_int_equal(records[id].stamp, id);
        assert_u64_equal(peaks[id].heap_bytes, id % 4 != 3 ? id : 0); /* saved for one of the maxima at least */
        assert_u64_equal(loose[id].freed_bytes, id % 2 == 0 ? id : 0);
    }
    tm_store_cut_end(&cut);
    tm_store_cut_end(&cut);
    assert_null(cut.pages);
}

/* More were made since the room was. */
static void room_follows_the_store(void **state)
{
    (void)state;
    struct tm_store_cut cut;
    assert_true(tm_store_cut_begin(&cut, &store));
    assert_true(cut.capacity < 50000);
    set_records(50000);
    record_at(49999)->ever_blocks = 77;
    assert_true(tm_store_cut_take(&cut, &store));
    assert_int_equal(tm_store_view_count(&cut.view, TM_STORE_RECORDS), 50000);
    assert_u64_equal(((const struct tm_record *)(const void *)cut.view.sections[TM_STORE_RECORDS])[49999].ever_blocks,
                     77);
    tm_store_cut_end(&cut);
}

static void pages_are_given_back_piece_by_piece(void **state)
{
    (void)state;
    struct tm_store_cut cut;
    size_t before = tm_pages_total();
    assert_true(tm_store_cut_begin(&cut, &store));
    assert_true(tm_store_cut_take(&cut, &store));
    size_t most = tm_pages_total();
    assert_true(most > before);
    unsigned pieces = 1;
    for (; tm_store_cut_give_back(&cut, 100000); pieces++) {
        assert_true(tm_pages_total() < most && tm_pages_total() >= most - 100000 - TM_PAGE_SIZE);
        most = tm_pages_total();
    }
    assert_true(pieces >= 4);
    assert_int_equal(tm_pages_total(), before);
    assert_false(tm_store_cut_give_back(&cut, 100000));
}

/* Peaks are touched before only where some may have been saved. */
static void at_a_new_maximum_saved_peaks_are_not_looked_for(void **state)
{
    (void)state;
    struct tm_store_cut cut;
    assert_true(tm_store_cut_begin(&cut, &store));
    assert_int_equal(cut.wanted, cut.loose);
    tm_store_cut_end(&cut);
    atomic_store(&store.header->totals.python_held, 1);
    assert_true(tm_store_cut_begin(&cut, &store));
    assert_int_equal(cut.wanted, cut.peaks);
    tm_store_cut_end(&cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_that_counts_is_copied, begin),
        cmocka_unit_test_setup(room_follows_the_store, begin),
        cmocka_unit_test_setup(pages_are_given_back_piece_by_piece, begin),
        cmocka_unit_test_setup(at_a_new_maximum_saved_peaks_are_not_looked_for, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
