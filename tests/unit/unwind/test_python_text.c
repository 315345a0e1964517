/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "runtime/unwind/python_text.h"
#include "unit/unwind/fake_interpreter.h"

static void expect(struct fake_interpreter *fake, uintptr_t text, const char *wanted, size_t length)
{
    char buffer[64];
    size_t capacity;
    for (capacity = 0; capacity < sizeof buffer; capacity++) {
        const size_t written = capacity < length ? capacity : length;
        memset(buffer, 0x55, sizeof buffer);
        assert_int_equal(tm_python_text(&fake->row, text, buffer, capacity), length);
        assert_memory_equal(buffer, wanted, written);
        assert_int_equal(buffer[written], 0x55);
    }
}
#define EXPECT(fake, text, wanted) expect(fake, text, wanted, sizeof wanted - 1)

static void check_row(struct fake_interpreter *fake)
{
    static const uint8_t latin[] = {'d', 0xE9, 0x7F, 0x80, 0xFF};
    static const uint16_t wide[] = {'x', 0x7FF, 0x800, 0xDC80, 0xDCFF, 0xD800, 0xDC7F, 0xDD00, 0xFFFF};
    static const uint32_t widest[] = {0x10000, 0x1F40D, 0x10FFFF, 0xDCE9, 'a'};
    unsigned compact;
    EXPECT(fake, fake_text(fake, "plain.py"), "plain.py");
    EXPECT(fake, fake_text(fake, ""), "");
    EXPECT(fake, 0, "");
    if (fake->row.text_is_bytes) {
        EXPECT(fake, fake_bytes(fake, "\xff\x00z", 3), "\xff\x00z");
        return;
    }
    for (compact = 0; compact < 2; compact++) {
        EXPECT(fake, fake_str(fake, latin, 5, 1, compact), "d\xC3\xA9\x7F\xC2\x80\xC3\xBF");
        EXPECT(fake, fake_str(fake, wide, 9, 2, compact),
               "x\xDF\xBF\xE0\xA0\x80\x80\xFF\xED\xA0\x80\xED\xB1\xBF\xED\xB4\x80\xEF\xBF\xBF");
        EXPECT(fake, fake_str(fake, widest, 5, 4, compact), "\xF0\x90\x80\x80\xF0\x9F\x90\x8D\xF4\x8F\xBF\xBF\xE9\x61");
    }
}

static void check_nonsense(struct fake_interpreter *fake)
{
    const uintptr_t text = fake_text(fake, "name");
    char buffer[8];
    fake_word(text, fake->row.text_is_bytes ? fake->row.bytes_size : fake->row.str_length, (uintptr_t)1 << 40);
    assert_int_equal(tm_python_text(&fake->row, text, buffer, sizeof buffer), 0);
    if (!fake->row.text_is_bytes) {
        const uintptr_t unready = fake_str(fake, "", 0, 1, 0);
        fake_word(unready, fake->row.str_length, 4);
        fake_int(unready, fake->row.str_state, 0);
        assert_int_equal(tm_python_text(&fake->row, unready, buffer, sizeof buffer), 0);
        fake_int(unready, fake->row.str_state, (int32_t)(1U << fake->row.str_kind_shift));
        fake_word(unready, fake->row.str_compact_data, 0);
        assert_int_equal(tm_python_text(&fake->row, unready, buffer, sizeof buffer), 0);
    }
}

static void test_every_row(void **state)
{
    unsigned count, i;
    const struct tm_cpython_layout *rows = tm_cpython_layout_rows(&count);
    (void)state;
    for (i = 0; i < count; i++) {
        struct fake_interpreter fake;
        fake_init(&fake, &rows[i]);
        check_row(&fake);
        check_nonsense(&fake);
        fake_free(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
