/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "runtime/track/trace_key.h"
#include "runtime/unwind/stack_cache.h"
#include "tracemalloc/snapshot_format.h"

#define PLACE    ((uintptr_t)0x7F1234567890)
#define OLDER    UINT64_C(0x123456789ABCDEF1)
#define VERSIONS 4096U /* all that there are */

static struct tm_trace_cache cache;
static uint64_t keys[VERSIONS * 64];

static int by_value(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static void assert_all_different(size_t count)
{
    qsort(keys, count, sizeof *keys, by_value);
    for (size_t i = 1; i < count; i++) {
        assert_true(keys[i - 1] != keys[i]);
    }
}

static void set_version(uint32_t version)
{
    atomic_store(&cache.versions[tm_place_version_index(PLACE)], (version << TM_CHECK_BITS) + TM_CHECK_OFFSET_0);
}

/* One stack, whatever code has died about it: sizes that differ in each of their bits, and every domain. */
static void no_version_stands_for_a_size_or_domain(void **state)
{
    (void)state;
    static const uint16_t sizes[] = {8, 9, 16, 112, 240, 256, 368, 496, 511, 512, TM_SIZE_VARIES};
    const struct tm_raw_frame newest = {.place = PLACE + 64 * 1024};
    size_t count = 0;
    for (uint32_t version = 0; version < VERSIONS; version++) {
        set_version(version);
        uint64_t older = tm_stack_hash(cache.versions, OLDER, PLACE, 0);
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (uint8_t domain = 0; domain < TM_DOMAIN_COUNT; domain++) {
                keys[count++] = tm_trace_key_of_stack(&cache, &newest, older, domain, sizes[i]).key;
            }
        }
    }
    assert_all_different(count);
}

/* A frame and its caller's: what has died about the caller's code is no other instruction of the callee's. */
static void no_version_of_a_caller_stands_for_an_offset(void **state)
{
    (void)state;
    size_t count = 0;
    for (uint32_t version = 0; version < VERSIONS; version++) {
        set_version(version);
        uint64_t older = tm_stack_hash(cache.versions, OLDER, PLACE, 0);
        for (int32_t offset = -1; offset < 64 * 2048 - 1; offset += 2048) {
            keys[count++] = tm_stack_hash(cache.versions, older, PLACE + 64 * 1024, offset);
        }
    }
    assert_all_different(count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_version_stands_for_a_size_or_domain),
        cmocka_unit_test(no_version_of_a_caller_stands_for_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
