/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "unit/unwind/line_tables.h"

static uint32_t find(const struct line_case *it, size_t size, int offset)
{
    /* In a block of exactly its size, so that a sanitizer sees a read beyond. */
    unsigned char *table = malloc(size != 0 ? size : 1);
    uint32_t line;
    assert_non_null(table);
    memcpy(table, it->table, size);
    line = tm_line_table_find(it->encoding, table, size, it->first_line, offset);
    free(table);
    return line;
}

static void test_agrees_with_interpreters(void **state)
{
    size_t i, run;
    (void)state;
    for (i = 0; i < TM_COUNT_OF(line_cases); i++) {
        const struct line_case *it = &line_cases[i];
        int offset = 0;
        for (run = 0; run < it->run_count; run++) {
            unsigned unit;
            for (unit = 0; unit < it->runs[run].units; unit++, offset += 2) {
                if (find(it, it->size, offset) != it->runs[run].line) {
                    print_error("%s at %d\n", it->name, offset);
                }
                assert_int_equal(find(it, it->size, offset), it->runs[run].line);
            }
        }
        assert_true(run > 1);
    }
}

/* From wherever an earlier question ended: forward, backward and at random the answers stay the same. */
static void test_continued(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < TM_COUNT_OF(line_cases); i++) {
        const struct line_case *it = &line_cases[i];
        struct tm_line_cursor cursor = {0, 0, 0};
        unsigned seed = 1, round, furthest = 0;
        int end = 0;
        size_t run;
        for (run = 0; run < it->run_count; run++) {
            end += (int)it->runs[run].units * 2;
        }
        for (round = 0; round < 3U * (unsigned)end; round++) {
            int offset = (int)(round % (unsigned)end);
            seed = seed * 1103515245U + 12345U;
            if (round >= (unsigned)end) {
                offset = round < 2U * (unsigned)end ? end - 1 - offset : (int)((seed >> 8) % (unsigned)end);
            }
            assert_int_equal(
                tm_line_table_continue(it->encoding, it->table, it->size, it->first_line, offset & ~1, &cursor),
                find(it, it->size, offset & ~1));
            assert_true(cursor.offset <= (unsigned)offset);
            furthest = cursor.at > furthest ? cursor.at : furthest;
        }
        assert_true(furthest > 0 || it->run_count < 3);
    }
}

static void test_before_the_first_instruction(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < TM_COUNT_OF(line_cases); i++) {
        assert_int_equal(find(&line_cases[i], line_cases[i].size, -1), line_cases[i].first_line);
        assert_int_equal(find(&line_cases[i], 0, -2), line_cases[i].first_line);
    }
}

/* A table cut off anywhere gives the right line, or one that the rest would have changed, and never reads beyond. */
static void test_truncated(void **state)
{
    size_t i, size;
    (void)state;
    for (i = 0; i < TM_COUNT_OF(line_cases); i++) {
        const struct line_case *it = &line_cases[i];
        int offset = 0;
        size_t run;
        for (size = 0; size < it->size; size++) {
            find(it, size, 0);
            find(it, size, 1 << 30);
        }
        for (run = 0; run < it->run_count; run++) {
            offset += (int)it->runs[run].units * 2;
        }
        if (it->encoding == TM_LINES_RANGES || it->encoding == TM_LINES_LOCATIONS) {
            assert_int_equal(find(it, it->size / 2, offset - 2), 0);
            assert_int_equal(find(it, it->size, offset + 1000), 0);
        }
    }
}

static void test_noise(void **state)
{
    unsigned char table[64];
    unsigned round, seed = 1;
    (void)state;
    for (round = 0; round < 20000; round++) {
        struct line_case it = {"noise", (enum tm_line_encoding)(round % 4), table, 0, 7, NULL, 0};
        for (it.size = 0; it.size < sizeof table; it.size++) {
            seed = seed * 1103515245U + 12345U;
            table[it.size] = (unsigned char)(seed >> 16);
        }
        it.size = seed % sizeof table;
        assert_true(find(&it, it.size, (int)(seed >> 20)) < 1U << 31);
        struct tm_line_cursor cursor = {0, 0, 0};
        (void)tm_line_table_continue(it.encoding, table, it.size, 7, (int)(seed >> 24), &cursor);
        assert_int_equal(tm_line_table_continue(it.encoding, table, it.size, 7, (int)(seed >> 20), &cursor),
                         find(&it, it.size, (int)(seed >> 20)));
    }
}

/* The walk that takes one byte after another; small steps of lines only. */
static uint32_t find_byte_by_byte(const unsigned char *table, size_t size, int line, int offset)
{
    int end = 0;
    for (size_t at = 0; at < size;) {
        const unsigned form = (table[at] >> 3) & 15U;
        const unsigned step = at + 1 < size && (form == 13 || form == 14) ? table[at + 1] & 63U : 0;
        end += ((table[at] & 7) + 1) * 2;
        line += form == 11 || form == 12 ? (int)form - 10 : (step & 1U) != 0 ? -(int)(step >> 1) : (int)(step >> 1);
        if (end > offset) {
            return form == 15 || line <= 0 ? 0 : (uint32_t)line;
        }
        for (at++; at < size && table[at] < 128; at++) {
        }
    }
    return 0;
}

/* Entries of all lengths around that of a word, at the end of a page behind which nothing is. */
static void test_entries_that_are_passed_a_word_at_a_time(void **state)
{
    enum { PAGE = 65536 };
    unsigned seed = 1;
    (void)state;
    unsigned char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    assert_int_equal(mprotect(page + PAGE, PAGE, PROT_NONE), 0);
    for (unsigned round = 0; round < 20000; round++) {
        unsigned char bytes[64];
        size_t size = 0;
        for (unsigned left = 0; size < sizeof bytes; size++, left--) {
            seed = seed * 1103515245U + 12345U;
            bytes[size] = (unsigned char)(left == 0 ? 128U | (seed >> 16 & 127U) : seed >> 16 & 63U);
            left = left == 0 ? 2 + (seed >> 24) % (round % 2 == 0 ? 3 : 12) : left;
        }
        size = (seed >> 8) % (sizeof bytes + 1);
        unsigned char *table = memcpy(page + PAGE - size, bytes, size);
        for (int offset = 0; offset < 300; offset += 1 + (int)(round % 7)) {
            assert_int_equal(tm_line_table_find(TM_LINES_LOCATIONS, table, size, 50, offset),
                             find_byte_by_byte(table, size, 50, offset));
        }
    }
    munmap(page, 2 * PAGE);
}

/* What no compiler makes: line numbers that leave the range are no line. */
static void test_lines_out_of_range(void **state)
{
    static const unsigned char back[] = {0, 0x80, 4, 0};
    static const unsigned char far[] = {0xF0, 0x7E, 0x7F, 0x7F, 0x7F, 0x7F, 0x3F};
    (void)state;
    assert_int_equal(tm_line_table_find(TM_LINES_SIGNED, back, sizeof back, 5, 0), 0);
    assert_int_equal(tm_line_table_find(TM_LINES_LOCATIONS, far, sizeof far, 5, 0), 0);
    assert_int_equal(tm_line_table_find(TM_LINES_SIGNED, back, 0, -5, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_interpreters),
        cmocka_unit_test(test_continued),
        cmocka_unit_test(test_before_the_first_instruction),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_entries_that_are_passed_a_word_at_a_time),
        cmocka_unit_test(test_lines_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
