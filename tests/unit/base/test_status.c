/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/status.h"

static void every_status_has_a_message_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < TM_STATUS_COUNT; i++) {
        assert_true(strlen(tm_status_message((enum tm_status)i)) > 0);
        assert_non_null(tm_status_remedy((enum tm_status)i));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(tm_status_message((enum tm_status)i), tm_status_message((enum tm_status)j));
        }
    }
}

static void what_is_no_status_is_answered(void **state)
{
    (void)state;
    assert_string_equal(tm_status_message((enum tm_status)1000), "unknown status");
    assert_string_equal(tm_status_remedy((enum tm_status)1000), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_message_of_its_own),
        cmocka_unit_test(what_is_no_status_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
