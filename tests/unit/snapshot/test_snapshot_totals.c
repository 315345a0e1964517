/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "report/snapshot/snapshot_totals.h"
#include "support/built_snapshot.h"

#define TRACES                                                                                                         \
    "trace obj live=100/2 python-peak=200/4 heap-peak=150/3 | a.py:1\n"                                                \
    "trace raw live=5/1 ever=50/10 |\n"                                                                                \
    "trace native live=1000/1 heap-peak=2000/2 | a.py:1\n"                                                             \
    "trace mmap live=4096/1 | a.py:1\n"

static void without_a_header_counters_are_summed(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot(TRACES);
    assert_u64_equal(tm_snapshot_traced_python(s).current, 105);
    assert_u64_equal(tm_snapshot_traced_python(s).peak, 200);
    assert_u64_equal(tm_snapshot_traced_heap(s).current, 1105);
    assert_u64_equal(tm_snapshot_traced_heap(s).peak, 2150);
    assert_u64_equal(tm_snapshot_domain_total(s, TM_DOMAIN_RAW).ever_bytes, 50);
    assert_u64_equal(tm_snapshot_domain_total(s, TM_DOMAIN_MMAP).live_bytes, 4096);
    tm_snapshot_free(s);
}

static void header_is_believed_before_the_sum(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot("meta python_current u64 107\nmeta python_peak u64 50\n"
                                              "meta live_blocks_obj u64 3\n" TRACES);
    assert_u64_equal(tm_snapshot_traced_python(s).current, 107);
    assert_u64_equal(tm_snapshot_domain_total(s, TM_DOMAIN_OBJ).live_blocks, 3);
    assert_u64_equal(tm_snapshot_domain_total(s, TM_DOMAIN_OBJ).live_bytes, 100);
    /* A maximum is noticed when it is left, so what is live now may be more. */
    assert_u64_equal(tm_snapshot_traced_python(s).peak, 107);
    tm_snapshot_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_header_counters_are_summed),
        cmocka_unit_test(header_is_believed_before_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
