/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/bytes.h"

static void varints_come_back(void **state)
{
    (void)state;
    uint8_t buffer[TM_VARINT64_MAX_BYTES];
    for (unsigned bit = 0; bit <= 64; bit++) {
        uint64_t power = bit < 64 ? UINT64_C(1) << bit : 0;
        const uint64_t values[] = {power - 1, power, power + 1};
        for (size_t i = 0; i < 3; i++) {
            struct tm_writer w = tm_writer_make(buffer, sizeof buffer);
            tm_write_varint(&w, values[i]);
            assert_false(w.overflow);
            struct tm_reader r = tm_reader_make(buffer, tm_writer_length(&w));
            assert_u64_equal(tm_read_varint(&r), values[i]);
            assert_false(r.failed);
            assert_u64_equal(tm_reader_left(&r), 0);
        }
    }
}

static void zigzags_come_back(void **state)
{
    (void)state;
    const int64_t values[] = {0, -1, 1, -2, INT64_MAX, INT64_MIN, -(INT64_C(1) << 32), INT64_C(1) << 32};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_true(tm_unzigzag(tm_zigzag(values[i])) == values[i]);
    }
    assert_u64_equal(tm_zigzag(-1), 1);
    assert_u64_equal(tm_zigzag(1), 2);
}

static void varint_of_more_than_64_bits_fails(void **state)
{
    (void)state;
    uint8_t bytes[11];
    memset(bytes, 0xFF, sizeof bytes);
    bytes[9] = 0x01;
    struct tm_reader largest = tm_reader_make(bytes, 10);
    assert_u64_equal(tm_read_varint(&largest), UINT64_MAX);
    assert_false(largest.failed);
    bytes[9] = 0x02;
    struct tm_reader too_large = tm_reader_make(bytes, 10);
    assert_u64_equal(tm_read_varint(&too_large), 0);
    assert_true(too_large.failed);
    bytes[9] = 0x81;
    bytes[10] = 0x00;
    struct tm_reader too_long = tm_reader_make(bytes, 11);
    (void)tm_read_varint(&too_long);
    assert_true(too_long.failed);
}

static void varint_that_ends_early_fails(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x80, 0x80};
    struct tm_reader r = tm_reader_make(bytes, sizeof bytes);
    assert_u64_equal(tm_read_varint(&r), 0);
    assert_true(r.failed);
}

static void reader_error_sticks(void **state)
{
    (void)state;
    const uint8_t bytes[] = {1, 2, 3};
    struct tm_reader r = tm_reader_make(bytes, sizeof bytes);
    assert_u64_equal(tm_read_u32(&r), 0);
    assert_true(r.failed);
    assert_u64_equal(tm_read_u8(&r), 0);
    assert_null(tm_read_bytes(&r, 1));
    assert_null(tm_read_bytes(&r, UINT64_MAX));
}

static void writer_overflow_sticks_and_writes_nothing(void **state)
{
    (void)state;
    uint8_t bytes[4] = {0xAA, 0xAA, 0xAA, 0xAA};
    struct tm_writer w = tm_writer_make(bytes, 3);
    tm_write_u32(&w, 0);
    assert_true(w.overflow);
    tm_write_u8(&w, 0);
    assert_u64_equal(tm_writer_length(&w), 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], 0xAA);
    }
}

static void fixed_numbers_are_little_endian(void **state)
{
    (void)state;
    uint8_t bytes[12];
    const uint8_t expected[12] = {0x04, 0x03, 0x02, 0x01, 8, 7, 6, 5, 4, 3, 2, 1};
    struct tm_writer w = tm_writer_make(bytes, sizeof bytes);
    tm_write_u32(&w, 0x01020304);
    tm_write_u64(&w, UINT64_C(0x0102030405060708));
    assert_memory_equal(bytes, expected, sizeof bytes);
    struct tm_reader r = tm_reader_make(bytes, sizeof bytes);
    assert_u64_equal(tm_read_u32(&r), 0x01020304);
    assert_u64_equal(tm_read_u64(&r), UINT64_C(0x0102030405060708));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_come_back),
        cmocka_unit_test(zigzags_come_back),
        cmocka_unit_test(varint_of_more_than_64_bits_fails),
        cmocka_unit_test(varint_that_ends_early_fails),
        cmocka_unit_test(reader_error_sticks),
        cmocka_unit_test(writer_overflow_sticks_and_writes_nothing),
        cmocka_unit_test(fixed_numbers_are_little_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
