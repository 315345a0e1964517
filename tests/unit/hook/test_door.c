/* SPDX-License-Identifier: MIT */
#include "runtime/hook/door.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the guard's assembly writes must be what C reads: without a call or a store of C's own between the two. */
static void a_guard_that_is_down_goes_up(void **state)
{
    (void)state;
    assert_true(tm_door_guard_try_up());
    assert_int_equal(tm_thread_self()->guard, TM_DOOR_GUARD);
}

static void a_guard_that_is_up_stays_as_it_is(void **state)
{
    (void)state;
    assert_false(tm_door_guard_try_up());
    assert_int_equal(tm_thread_self()->guard, TM_DOOR_GUARD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guard_that_is_down_goes_up),
        cmocka_unit_test(a_guard_that_is_up_stays_as_it_is), /* the guard is still up from the test before */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
