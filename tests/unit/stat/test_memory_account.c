/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "report/stat/memory_account.h"
#include "support/built_snapshot.h"

#define PROCESS                                                                                                        \
    "meta rss_bytes u64 1000000\nmeta pss_bytes u64 900000\nmeta swap_bytes u64 5\nmeta rss_file u64 100000\n"         \
    "meta rss_file_own u64 10000\nmeta rss_shared u64 3000\nmeta rss_stack u64 4000\nmeta rss_store u64 20000\n"       \
    "meta tracer_anonymous u64 30000\nmeta arenas u64 2\nmeta arena_rss u64 500000\nmeta live_small_bytes u64 "        \
    "400000\n"
#define LIBC "meta libc_used u64 60000\nmeta libc_mapped u64 250000\nmeta libc_free u64 7000\n"
#define TRACES                                                                                                         \
    "trace obj live=400000/100 | a.py:1:f\ntrace mem live=200000/1 | a.py:2:f\ntrace raw live=50000/2 | a.py:3:f\n"    \
    "trace native live=40000/1 | a.py:4:f\n"

static void parts_are_counted_once(void **state)
{
    (void)state;
    struct tm_memory_account account;
    struct tm_snapshot *snapshot = tm_built_snapshot(PROCESS LIBC TRACES);
    int64_t sum = 0;
    assert_true(tm_memory_account_make(snapshot, &account));
    assert_int_equal(account.rss, 1000000);
    assert_int_equal(account.pss, 900000);
    assert_int_equal(account.swap, 5);
    assert_int_equal(account.parts[TM_MEMORY_PYTHON], 650000);
    assert_int_equal(account.parts[TM_MEMORY_NATIVE], 40000);
    assert_int_equal(account.parts[TM_MEMORY_ARENAS], 100000);
    assert_int_equal(account.parts[TM_MEMORY_LIBC_USED], 60000 + 250000 - (650000 + 40000 - 400000));
    assert_int_equal(account.parts[TM_MEMORY_LIBC_FREE], 7000);
    assert_int_equal(account.parts[TM_MEMORY_TRACER], 50000);
    for (unsigned i = 0; i < TM_MEMORY_PARTS; i++) {
        sum += account.parts[i];
        assert_true(tm_memory_part_name((enum tm_memory_part)i) != NULL);
        assert_true(tm_memory_part_title((enum tm_memory_part)i) != NULL);
    }
    assert_int_equal(sum, 1000000);
    tm_snapshot_free(snapshot);
}

/* PYTHONMALLOC=malloc: small blocks lie in libc's heaps too. */
static void without_arenas_everything_is_in_libc(void **state)
{
    (void)state;
    struct tm_memory_account account;
    struct tm_snapshot *snapshot = tm_built_snapshot("meta rss_bytes u64 1000000\nmeta arenas u64 0\nmeta "
                                                     "live_small_bytes u64 400000\nmeta libc_used u64 700000\n" TRACES);
    assert_true(tm_memory_account_make(snapshot, &account));
    assert_int_equal(account.parts[TM_MEMORY_ARENAS], 0);
    assert_int_equal(account.parts[TM_MEMORY_LIBC_USED], 700000 - 690000);
    assert_int_equal(account.parts[TM_MEMORY_UNEXPLAINED], 300000);
    tm_snapshot_free(snapshot);
}

/* They are there, but nothing tells of them. */
static void small_blocks_of_2_7_are_not_in_libc(void **state)
{
    (void)state;
    struct tm_memory_account account;
    struct tm_snapshot *snapshot =
        tm_built_snapshot("meta rss_bytes u64 1000000\nmeta python_hex u64 34017792\n"
                          "meta live_small_bytes u64 400000\nmeta libc_used u64 300000\n" TRACES);
    assert_true(tm_memory_account_make(snapshot, &account));
    assert_int_equal(account.parts[TM_MEMORY_ARENAS], 0);
    assert_int_equal(account.parts[TM_MEMORY_LIBC_USED], 300000 - (690000 - 400000));
    assert_int_equal(account.parts[TM_MEMORY_UNEXPLAINED], 300000);
    tm_snapshot_free(snapshot);
}

static void what_is_not_known_is_not_guessed(void **state)
{
    (void)state;
    struct tm_memory_account account;
    struct tm_snapshot *snapshot = tm_built_snapshot("meta pid u64 1\n" TRACES);
    assert_false(tm_memory_account_make(snapshot, &account));
    tm_snapshot_free(snapshot);
    snapshot = tm_built_snapshot("meta rss_bytes u64 1000000\n" TRACES);
    assert_true(tm_memory_account_make(snapshot, &account));
    assert_int_equal(account.parts[TM_MEMORY_LIBC_USED], 0);
    assert_int_equal(account.parts[TM_MEMORY_UNEXPLAINED], 310000);
    tm_snapshot_free(snapshot);
}

/* Blocks that were never touched are live and have no pages. */
static void less_than_nothing_may_be_left(void **state)
{
    (void)state;
    struct tm_memory_account account;
    struct tm_snapshot *snapshot =
        tm_built_snapshot("meta rss_bytes u64 1000000\ntrace obj live=9000000/1 | a.py:1:f\n");
    assert_true(tm_memory_account_make(snapshot, &account));
    assert_true(account.parts[TM_MEMORY_UNEXPLAINED] < 0);
    tm_snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_counted_once),
        cmocka_unit_test(without_arenas_everything_is_in_libc),
        cmocka_unit_test(small_blocks_of_2_7_are_not_in_libc),
        cmocka_unit_test(what_is_not_known_is_not_guessed),
        cmocka_unit_test(less_than_nothing_may_be_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
