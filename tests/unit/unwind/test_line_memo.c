/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/line_memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/unwind/line_table.h"

static struct tm_line_memo memo;

static uint32_t line_with_memo(enum tm_line_encoding encoding, const unsigned char *table, size_t size, int32_t offset,
                               uint32_t *begun_at)
{
    struct tm_line_cursor cursor = tm_line_memo_find(&memo, table, size, offset);
    *begun_at = cursor.at;
    uint32_t line = tm_line_table_continue(encoding, table, size, 7, offset, &cursor);
    tm_line_memo_keep(&memo, table, size, offset, &cursor);
    return line;
}

/* Two bytes of code a line. */
static void make_steps(unsigned char *table, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        table[i] = 2;
        table[i + 1] = 1;
    }
}

static void the_second_time_nothing_is_decoded(void **state)
{
    unsigned char table[400];
    uint32_t begun_at;
    (void)state;
    make_steps(table, sizeof table);
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 200, &begun_at), 107);
    assert_int_equal(begun_at, 0);
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 100, &begun_at), 57);
    assert_int_equal(begun_at, 0);
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 200, &begun_at), 107);
    assert_int_equal(begun_at, 200);
}

static void another_table_at_the_address_is_decoded(void **state)
{
    unsigned char table[400];
    uint32_t begun_at;
    (void)state;
    make_steps(table, sizeof table);
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 300, &begun_at), 157);
    table[1] = 11;
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 300, &begun_at), 167);
    assert_int_equal(begun_at, 0);
    table[299] = 6;
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 300, &begun_at), 172);
    assert_int_equal(begun_at, 0);
    table[399] = 100; /* behind the instruction */
    assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, 300, &begun_at), 172);
    assert_int_equal(begun_at, 300);
}

static void a_shorter_table_is_not_read_past_its_end(void **state)
{
    unsigned char table[400];
    uint32_t begun_at;
    (void)state;
    make_steps(table, sizeof table);
    (void)line_with_memo(TM_LINES_SIGNED, table, sizeof table, 300, &begun_at);
    (void)line_with_memo(TM_LINES_SIGNED, table, 300, 300, &begun_at);
    assert_int_equal(begun_at, 0);
}

static void what_lies_too_far_in_is_not_kept(void **state)
{
    static unsigned char table[TM_LINE_MEMO_BYTES + 200];
    uint32_t begun_at;
    (void)state;
    make_steps(table, sizeof table);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(line_with_memo(TM_LINES_SIGNED, table, sizeof table, TM_LINE_MEMO_BYTES + 100, &begun_at),
                         7 + (TM_LINE_MEMO_BYTES + 100) / 2);
        assert_int_equal(begun_at, 0);
    }
}

/* Tables that change at one address, of all encodings: the same lines as without. */
static void lines_are_those_without_it(void **state)
{
    unsigned char table[64];
    unsigned seed = 1, known = 0;
    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        enum tm_line_encoding encoding = (enum tm_line_encoding)(round / 1000 % 4);
        uint32_t begun_at;
        seed = seed * 1103515245U + 12345U;
        if (round % 1000 == 0) {
            memset(&memo, 0, sizeof memo); /* a process has one encoding */
        }
        if (round % 16 == 0) {
            table[(seed >> 8) % sizeof table] = (unsigned char)(seed >> 16);
        }
        size_t size = sizeof table - (seed >> 24) % 4;
        int32_t offset = (int32_t)((seed >> 12) % 80) * 2;
        assert_int_equal(line_with_memo(encoding, table, size, offset, &begun_at),
                         tm_line_table_find(encoding, table, size, 7, offset));
        known += begun_at != 0;
    }
    assert_true(known > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_time_nothing_is_decoded),
        cmocka_unit_test(another_table_at_the_address_is_decoded),
        cmocka_unit_test(a_shorter_table_is_not_read_past_its_end),
        cmocka_unit_test(what_lies_too_far_in_is_not_kept),
        cmocka_unit_test(lines_are_those_without_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
