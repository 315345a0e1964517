/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/store_fork.h"

#define RECORDS 3000U
#define MARKS   UINT64_C(7)

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

static void set_names(enum tm_section_name section, uint64_t bytes, uint8_t with)
{
    assert_true(tm_live_store_need(&store, section, bytes));
    memset(store.sections[section], with, (size_t)bytes);
    atomic_store(&store.header->lengths[section], bytes);
}

/* Each record, and what belongs to it, says its number. */
static int begin(void **state)
{
    (void)state;
    memset(&store, 0, sizeof store);
    if (!tm_live_store_begin(&store)) {
        return -1;
    }
    set_records(RECORDS);
    set_names(TM_STORE_STRINGS, 5000, 's');
    set_names(TM_STORE_FRAMES, 12000, 'f');
    set_names(TM_STORE_TRACEBACKS, 4096, 't');
    atomic_store(&store.header->totals.marks, MARKS);
    store.header->fork_epoch = 5;
    for (uint32_t id = 1; id < RECORDS; id++) {
        record_at(id)->ever_blocks = id;
        record_at(id)->marks = id % 2 == 0 ? MARKS : 0;
        record_at(id)->has_loose = id % 3 == 0;
        ((struct tm_record_peak *)(void *)store.sections[TM_STORE_PEAKS])[id].python_bytes = id;
        ((struct tm_record_loose *)(void *)store.sections[TM_STORE_LOOSE])[id].freed_bytes = id % 3 == 0 ? id : 0;
    }
    return 0;
}

static void assert_counters(const struct tm_store_image *image, uint32_t count)
{
    const struct tm_record *records = (const void *)image->sections[TM_STORE_RECORDS];
    const struct tm_record_peak *peaks = (const void *)image->sections[TM_STORE_PEAKS];
    const struct tm_record_loose *loose = (const void *)image->sections[TM_STORE_LOOSE];
    const struct tm_store_header *header = (const void *)image->header;
    assert_true(image->valid);
    assert_int_equal(records[0].stamp, UINT32_MAX); /* no block may be taken for its own */
    assert_int_equal(header->fork_epoch, 5);
    assert_u64_equal(header->lengths[TM_STORE_RECORDS], count * sizeof *records);
    assert_u64_equal(image->bytes[TM_STORE_RECORDS], count * sizeof *records);
    assert_u64_equal(image->bytes[TM_STORE_PEAKS], count * sizeof *peaks);
    assert_u64_equal(image->bytes[TM_STORE_LOOSE], count * sizeof *loose);
    for (uint32_t id = 1; id < RECORDS; id++) {
        assert_u64_equal(records[id].ever_blocks, id);
        assert_true(id % 2 != 0 || peaks[id].python_bytes == id);
        assert_u64_equal(loose[id].freed_bytes, id % 3 == 0 ? id : 0);
    }
}

static void counters_are_those_of_the_moment(void **state)
{
    (void)state;
    struct tm_store_fork fork = {.names = NULL};
    const size_t before = tm_pages_total();
    errno = 9;
    assert_true(tm_store_fork_prepare(&fork, &store));
    const size_t touched = tm_pages_resident(fork.cut.pages, fork.cut.size);
    assert_in_range(touched, RECORDS * sizeof(struct tm_record), fork.cut.size);
    assert_true(tm_store_fork_take(&fork, &store, false));
    assert_int_equal(errno, 9);
    for (uint32_t id = 1; id < RECORDS; id++) {
        atomic_store(&record_at(id)->ever_blocks, 0); /* what the parent counts meanwhile */
    }
    assert_counters(&fork.image, RECORDS);
    assert_u64_equal(fork.image.bytes[TM_STORE_STRINGS], 0);
    tm_store_fork_end(&fork);
    assert_false(fork.image.valid);
    assert_u64_equal(tm_pages_total(), before);
    tm_store_fork_end(&fork);
}

static void names_are_copied_where_they_may_change(void **state)
{
    (void)state;
    struct tm_store_fork fork = {.names = NULL};
    const size_t before = tm_pages_total();
    assert_true(tm_store_fork_take(&fork, &store, true));
    set_names(TM_STORE_STRINGS, 5000, 'x');
    set_names(TM_STORE_FRAMES, 12000, 'x');
    set_names(TM_STORE_TRACEBACKS, 4096, 'x');
    assert_counters(&fork.image, RECORDS);
    assert_u64_equal(fork.image.bytes[TM_STORE_STRINGS], 5000);
    assert_u64_equal(fork.image.bytes[TM_STORE_FRAMES], 12000);
    assert_u64_equal(fork.image.bytes[TM_STORE_TRACEBACKS], 4096);
    for (size_t i = 0; i < 12000; i++) {
        assert_true(i >= 5000 || fork.image.sections[TM_STORE_STRINGS][i] == 's');
        assert_true(fork.image.sections[TM_STORE_FRAMES][i] == 'f');
        assert_true(i >= 4096 || fork.image.sections[TM_STORE_TRACEBACKS][i] == 't');
    }
    tm_store_fork_end(&fork);
    assert_u64_equal(tm_pages_total(), before);
}

static void records_made_after_the_preparation_are_in_it(void **state)
{
    (void)state;
    struct tm_store_fork fork = {.names = NULL};
    const size_t before = tm_pages_total();
    assert_true(tm_store_fork_prepare(&fork, &store));
    const uint32_t more = fork.cut.capacity + 5000;
    set_records(more);
    record_at(more - 1)->ever_blocks = 77;
    assert_true(tm_store_fork_take(&fork, &store, false));
    assert_counters(&fork.image, more);
    assert_u64_equal(
        ((const struct tm_record *)(const void *)fork.image.sections[TM_STORE_RECORDS])[more - 1].ever_blocks, 77);
    tm_store_fork_end(&fork);
    assert_in_range(tm_pages_total(), before, before + 64 * (size_t)more * 4); /* what the store has grown by */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(counters_are_those_of_the_moment, begin),
        cmocka_unit_test_setup(names_are_copied_where_they_may_change, begin),
        cmocka_unit_test_setup(records_made_after_the_preparation_are_in_it, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
