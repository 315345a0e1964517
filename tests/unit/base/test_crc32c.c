/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/crc32c.h"

/* The definition: division of the message, bit by bit. */
static uint32_t divide(const uint8_t *bytes, size_t length)
{
    uint32_t remainder = 0xFFFFFFFF;
    for (size_t i = 0; i < length; i++) {
        remainder ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            remainder = remainder & 1 ? (remainder >> 1) ^ 0x82F63B78 : remainder >> 1;
        }
    }
    return ~remainder;
}

static void known_values_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    assert_u64_equal(tm_crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, 32);
    assert_u64_equal(tm_crc32c(0, bytes, 32), 0x62A8AB43);
    assert_u64_equal(tm_crc32c(0, "123456789", 9), 0xE3069283);
    assert_u64_equal(tm_crc32c(0, "", 0), 0);
}

static void table_agrees_with_the_division_for_every_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        const uint8_t bytes[3] = {(uint8_t)i, (uint8_t)(255 - i), (uint8_t)(i * 7)};
        assert_u64_equal(tm_crc32c_by_table(0, bytes, 3), divide(bytes, 3));
        assert_u64_equal(tm_crc32c(0, bytes, 3), divide(bytes, 3));
    }
}

static void both_ways_agree_for_any_length_and_place(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 37 + 5);
    }
    for (size_t from = 0; from < 9; from++) {
        for (size_t length = 0; length < 40; length++) {
            uint32_t expected = divide(bytes + from, length);
            assert_u64_equal(tm_crc32c(0, bytes + from, length), expected);
            assert_u64_equal(tm_crc32c_by_table(0, bytes + from, length), expected);
            assert_u64_equal(tm_crc32c(0x12345678, bytes + from, length),
                             tm_crc32c_by_table(0x12345678, bytes + from, length));
        }
    }
}

static void parts_give_the_checksum_of_the_whole(void **state)
{
    (void)state;
    const char text[] = "a file is written in pieces";
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        uint32_t first = tm_crc32c(0, text, cut);
        assert_u64_equal(tm_crc32c(first, text + cut, sizeof text - cut), tm_crc32c(0, text, sizeof text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values_of_rfc_3720),
        cmocka_unit_test(table_agrees_with_the_division_for_every_byte),
        cmocka_unit_test(both_ways_agree_for_any_length_and_place),
        cmocka_unit_test(parts_give_the_checksum_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
