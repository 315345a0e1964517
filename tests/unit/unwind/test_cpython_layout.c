/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "runtime/unwind/cpython_layout.h"

static void test_rows_are_in_order(void **state)
{
    unsigned count, i;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    (void)state;
    for (i = 0; i < count; i++) {
        assert_ptr_equal(tm_cpython_layout_find(rows[i].release, rows[i].free_threaded), &rows[i]);
        assert_int_equal(rows[i].code_type | rows[i].frame_type | rows[i].text_type | rows[i].bytes_type, 0);
        if (i > 0) {
            assert_true(rows[i - 1].release * 2 + rows[i - 1].free_threaded <
                        rows[i].release * 2 + rows[i].free_threaded);
        }
    }
}

static void test_unknown_releases_have_no_row(void **state)
{
    static const unsigned unknown[] = {0, 0x205, 0x206, 0x300, 0x305, 0x310, 0x3FF, 0x400};
    unsigned i;
    (void)state;
    for (i = 0; i < TM_COUNT_OF(unknown); i++) {
        assert_null(tm_cpython_layout_find(unknown[i], false));
        assert_null(tm_cpython_layout_find(unknown[i], true));
    }
    assert_null(tm_cpython_layout_find(0x30C, true));
    assert_non_null(tm_cpython_layout_find(0x30C, false));
}

/* Entries of _Py_DebugOffsets as 3.13.5, 3.14.8 and 3.15.0 have them, in bytes from its start. */
struct known {
    unsigned at[3];
    size_t field;
};
#define KNOWN(a, b, c, name)                                                                                           \
    {                                                                                                                  \
        {a, b, c}, offsetof(struct tm_cpython_layout, name)                                                            \
    }
static const struct known known[] = {
    KNOWN(184, 208, 208, tstate_frame),      KNOWN(232, 256, 320, frame_previous),
    KNOWN(248, 272, 336, frame_instruction), KNOWN(264, 288, 352, frame_owner),
    KNOWN(280, 320, 384, code_filename),     KNOWN(296, 336, 400, code_qualname),
    KNOWN(304, 344, 408, code_lines),        KNOWN(312, 352, 416, code_firstlineno),
    KNOWN(344, 384, 448, code_bytes),        KNOWN(392, 440, 504, type_flags),
    KNOWN(528, 608, 704, bytes_data),        KNOWN(544, 624, 720, str_state),
    KNOWN(560, 640, 736, str_ascii_data),    KNOWN(176, 200, 200, tstate_interp),
    KNOWN(192, 216, 240, tstate_thread_id),  KNOWN(240, 264, 328, frame_code),
    KNOWN(288, 328, 392, code_name),         KNOWN(360, 408, 472, object_type),
    KNOWN(520, 600, 696, bytes_size),        KNOWN(552, 632, 728, str_length),
};
static const struct known known_free_threaded[] = {
    KNOWN(0, 304, 368, frame_tlbc_index),
    KNOWN(0, 392, 456, code_tlbc),
};

static void state_all(unsigned char *runtime, const struct tm_cpython_layout *row, const struct known *list,
                      unsigned count)
{
    unsigned i;
    for (i = 0; i < count; i++) {
        const unsigned at = list[i].at[row->release - 0x30D];
        uint16_t value;
        memcpy(&value, (const unsigned char *)row + list[i].field, sizeof value);
        if (at != 0) {
            const uint64_t wide = value;
            memcpy(runtime + at, &wide, sizeof wide);
        }
    }
}

static void test_compare(void **state)
{
    unsigned count, i, k;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    unsigned compared = 0;
    (void)state;
    for (i = 0; i < count; i++) {
        unsigned char runtime[1024] = {0};
        if (!tm_cpython_layout_has_offsets(&rows[i])) {
            assert_true(rows[i].release < 0x30D);
            continue;
        }
        compared++;
        memset(runtime, 0xA5, sizeof runtime);
        state_all(runtime, &rows[i], known, TM_COUNT_OF(known));
        if (rows[i].free_threaded) {
            state_all(runtime, &rows[i], known_free_threaded, TM_COUNT_OF(known_free_threaded));
        }
        assert_null(tm_cpython_layout_compare(&rows[i], runtime, sizeof runtime));
        for (k = 0; k < TM_COUNT_OF(known); k++) {
            runtime[known[k].at[rows[i].release - 0x30D]] ^= 8;
            assert_non_null(tm_cpython_layout_compare(&rows[i], runtime, sizeof runtime));
            runtime[known[k].at[rows[i].release - 0x30D]] ^= 8;
        }
        assert_non_null(tm_cpython_layout_compare(&rows[i], runtime, 300));
    }
    assert_int_equal(compared, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_in_order),
        cmocka_unit_test(test_unknown_releases_have_no_row),
        cmocka_unit_test(test_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
