/* SPDX-License-Identifier: MIT */
/* Decoders refuse what no encoder writes. */
#include "support/cmocka_include.h"

#include "format/decode.h"
#include "format/domain_name.h"

#define READER(...) tm_reader_make((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void traceback_must_come_after_its_parent(void **state)
{
    (void)state;
    struct tm_traceback_record before = {0, 0}, next;
    struct tm_reader itself = READER(0, 2);
    assert_false(tm_decode_traceback(&itself, 5, &before, &next));
    struct tm_reader below_zero = READER(6, 2);
    assert_false(tm_decode_traceback(&below_zero, 5, &before, &next));
    struct tm_reader oldest = READER(5, 2);
    assert_true(tm_decode_traceback(&oldest, 5, &before, &next));
    assert_u64_equal(next.parent, 0);
}

static void delta_may_not_leave_32_bits(void **state)
{
    (void)state;
    struct tm_frame_record before = {.line = 0}, next;
    struct tm_reader below = READER(1, 0, 0);
    assert_false(tm_decode_frame(&below, &before, &next));
    before = (struct tm_frame_record){.file = UINT32_MAX};
    struct tm_reader above = READER(2, 0, 0);
    assert_false(tm_decode_frame(&above, &before, &next));
    struct tm_reader line = READER(0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F);
    before = (struct tm_frame_record){.line = 0};
    assert_false(tm_decode_frame(&line, &before, &next));
}

static void counters_must_ascend(void **state)
{
    (void)state;
    struct tm_counter_record before = {.traceback = 3, .domain = TM_DOMAIN_OBJ}, next;
    struct tm_reader same = READER(0, TM_DOMAIN_OBJ, 0);
    assert_false(tm_decode_counter(&same, false, &before, &next));
    struct tm_reader lower = READER(0, TM_DOMAIN_RAW, 0);
    assert_false(tm_decode_counter(&lower, false, &before, &next));
    struct tm_reader higher = READER(0, TM_DOMAIN_NATIVE, 0);
    assert_true(tm_decode_counter(&higher, false, &before, &next));
}

static void counter_of_no_domain_or_with_unknown_bits_is_refused(void **state)
{
    (void)state;
    struct tm_counter_record before = {0}, next;
    struct tm_reader domain = READER(1, TM_DOMAIN_COUNT, 0);
    assert_false(tm_decode_counter(&domain, true, &before, &next));
    struct tm_reader mask = READER(1, 0, 128);
    assert_false(tm_decode_counter(&mask, true, &before, &next));
    struct tm_reader early = READER(1, 0, 3, 5);
    assert_false(tm_decode_counter(&early, true, &before, &next));
}

static void text_longer_than_the_file_is_refused(void **state)
{
    (void)state;
    struct tm_span span;
    struct tm_reader r = READER(4, 'a', 'b', 'c');
    assert_false(tm_decode_string(&r, &span));
    assert_u64_equal(span.length, 0);
    struct tm_reader huge = READER(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 'a');
    assert_false(tm_decode_string(&huge, &span));
}

static void meta_of_unknown_type_is_refused(void **state)
{
    (void)state;
    struct tm_meta_record meta;
    struct tm_reader r = READER(1, 'k', 9, 1);
    assert_false(tm_decode_meta(&r, &meta));
}

static void size_class_of_no_domain_is_refused(void **state)
{
    (void)state;
    struct tm_size_class_record size;
    struct tm_reader r = READER(TM_DOMAIN_COUNT, 1, 1, 1);
    assert_false(tm_decode_size_class(&r, &size));
}

static void domains_are_found_by_their_names(void **state)
{
    (void)state;
    enum tm_domain domain = TM_DOMAIN_COUNT;
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        const char *name = tm_domain_name((enum tm_domain)i);
        assert_true(tm_domain_find(name, strlen(name), &domain));
        assert_int_equal(domain, i);
        assert_false(tm_domain_find(name, strlen(name) - 1, &domain));
    }
    assert_string_equal(tm_domain_name(TM_DOMAIN_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traceback_must_come_after_its_parent),
        cmocka_unit_test(delta_may_not_leave_32_bits),
        cmocka_unit_test(counters_must_ascend),
        cmocka_unit_test(counter_of_no_domain_or_with_unknown_bits_is_refused),
        cmocka_unit_test(text_longer_than_the_file_is_refused),
        cmocka_unit_test(meta_of_unknown_type_is_refused),
        cmocka_unit_test(size_class_of_no_domain_is_refused),
        cmocka_unit_test(domains_are_found_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
