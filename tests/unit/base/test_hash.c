/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "base/hash.h"

/* The tables index by the low bits (maps) and by the high bits (caches): both must spread. */
static unsigned fullest(uint64_t (*bucket)(uint64_t hash), uint64_t start, uint64_t step, unsigned count)
{
    static unsigned filled[1024];
    unsigned most = 0;
    memset(filled, 0, sizeof filled);
    for (unsigned i = 0; i < count; i++) {
        unsigned now = ++filled[bucket(tm_hash_word(start + i * step))];
        most = now > most ? now : most;
    }
    return most;
}

static uint64_t low(uint64_t hash)
{
    return hash & 1023;
}

static uint64_t high(uint64_t hash)
{
    return hash >> 54;
}

static void words_in_steps_spread_over_low_and_high_bits(void **state)
{
    (void)state;
    static const uint64_t steps[] = {1, 2, 16, 48, 64, 4096, UINT64_C(1) << 20, UINT64_C(1) << 26, UINT64_C(1) << 32};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        /* 8 expected in each of 1,024; 40 would be a table that walks. */
        assert_in_range(fullest(low, UINT64_C(0x7F0000000010), steps[i], 8192), 1, 40);
        assert_in_range(fullest(high, UINT64_C(0x7F0000000010), steps[i], 8192), 1, 40);
    }
}

static void different_words_never_hash_alike(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 64; a++) {
        for (unsigned b = a + 1; b < 64; b++) {
            assert_true(tm_hash_word(UINT64_C(1) << a) != tm_hash_word(UINT64_C(1) << b));
            assert_true(tm_hash_join(1, UINT64_C(1) << a) != tm_hash_join(1, UINT64_C(1) << b));
        }
    }
}

static void order_of_joined_words_matters(void **state)
{
    (void)state;
    assert_true(tm_hash_join(tm_hash_word(1), 2) != tm_hash_join(tm_hash_word(2), 1));
}

static void bytes_hash_by_content_and_length_not_by_place(void **state)
{
    (void)state;
    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaa";
    char moved[64];
    for (size_t length = 0; length < sizeof text; length++) {
        memcpy(moved + 1 + length % 8, text, length);
        assert_u64_equal(tm_hash_bytes(text, length), tm_hash_bytes(moved + 1 + length % 8, length));
        for (size_t other = 0; other < length; other++) {
            assert_true(tm_hash_bytes(text, length) != tm_hash_bytes(text, other));
        }
    }
    assert_true(tm_hash_bytes("\0\0\0", 2) != tm_hash_bytes("\0\0\0", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_in_steps_spread_over_low_and_high_bits),
        cmocka_unit_test(different_words_never_hash_alike),
        cmocka_unit_test(order_of_joined_words_matters),
        cmocka_unit_test(bytes_hash_by_content_and_length_not_by_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
