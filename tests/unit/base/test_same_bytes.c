/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <string.h>

#include "base/same_bytes.h"

#define MOST 70U

/* Of each size and alignment: the same, and other in each single byte; what lies around does not matter. */
static void each_byte_counts_and_no_other(void **state)
{
    (void)state;
    unsigned char some[MOST + 2], others[MOST + 2];
    for (size_t size = 0; size <= MOST; size++) {
        memset(some, 'a', sizeof some);
        memset(others, 'a', sizeof others);
        some[0] = 'x';
        others[size + 1] = 'y';
        assert_true(tm_bytes_differ(some + 1, others + 1, size) == 0);
        for (size_t at = 1; at <= size; at++) {
            others[at] ^= 0x40;
            assert_true(tm_bytes_differ(some + 1, others + 1, size) != 0);
            others[at] ^= 0x40;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_counts_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
