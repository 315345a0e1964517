/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "runtime/track/native_frames.h"

/* The thread that held a buffer when another forked may have been writing what is known of its stack. */
static void held_buffers_are_forgotten_in_a_child(void **state)
{
    (void)state;
    struct tm_native_state native = {.is_ready = true};
    native.buffers = calloc(TM_NATIVE_BUFFERS, sizeof *native.buffers);
    assert_non_null(native.buffers);
    for (unsigned i = 0; i < 2; i++) {
        native.buffers[i].is_taken = i;
        native.buffers[i].known.count = 3;
        native.buffers[i].known.chains[0].count = 2;
    }
    tm_native_after_fork(&native);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(native.buffers[i].is_taken, 0);
        assert_int_equal(native.buffers[i].known.count, i == 0 ? 3 : 0);
        assert_int_equal(native.buffers[i].known.chains[0].count, i == 0 ? 2 : 0);
    }
    free(native.buffers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_buffers_are_forgotten_in_a_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
