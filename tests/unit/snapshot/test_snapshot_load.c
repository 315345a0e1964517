/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <stdlib.h>

#include "base/crc32c.h"
#include "format/encode.h"
#include "report/snapshot/snapshot_load.h"
#include "support/built_snapshot.h"
#include "support/snapshot_copy.h"

static const char text[] =
    "meta pid u64 4711\n"
    "meta skew i64 -3\n"
    "meta program bytes python%00a.py\n"
    "trace obj live=100/2 ever=300/6 temporary=1 python-peak=200/4 heap-peak=150/3 | a.py:1:f b.py:2:g\n"
    "trace raw live=5/1 |\n"
    "size obj 64 2 6\n"
    "block obj 7f0000000060 40 | a.py:1:f b.py:2:g\n"
    "block obj 7f0000000020 60 | a.py:1:f b.py:2:g\n"
    "block mmap 7f0000000020 4096 |\n"
    "block raw 10 5 |\n";

static void items_are_there_with_their_names(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot(text);
    assert_u64_equal(tm_snapshot_number(s, "pid", 0), 4711);
    assert_u64_equal(tm_snapshot_number(s, "program", 7), 7);
    assert_u64_equal(tm_snapshot_number(s, "absent", 8), 8);
    assert_u64_equal(tm_snapshot_bytes(s, "program").length, 11);
    assert_u64_equal(tm_snapshot_bytes(s, "absent").length, 0);
    assert_true((int64_t)tm_snapshot_meta(s, "skew")->number == -3);
    assert_u64_equal(s->traceback_count, 3);
    assert_u64_equal(s->counter_count, 2);
    const struct tm_counter_record *c = &s->counters[1];
    assert_u64_equal(c->live_bytes, 100);
    assert_u64_equal(c->peak_heap_blocks, 3);
    const struct tm_frame_record *newest = &s->frames[s->tracebacks[c->traceback].frame];
    assert_true(tm_span_is(s->strings[newest->file], "b.py"));
    assert_true(tm_span_is(s->strings[newest->function], "g"));
    assert_u64_equal(newest->line, 2);
    assert_u64_equal(s->size_count, 1);
    tm_snapshot_free(s);
}

static void blocks_are_there_in_order_of_address(void **state)
{
    (void)state;
    struct tm_snapshot *s = tm_built_snapshot(text);
    const struct tm_block_record *b = s->blocks;
    assert_true(s->has_blocks);
    assert_u64_equal(s->block_count, 4);
    assert_true(b[0].address == 0x10 && b[0].size == 5 && b[0].domain == TM_DOMAIN_RAW && b[0].traceback == 0);
    assert_true(b[1].address == 0x7f0000000020 && b[1].size == 60 && b[1].domain == TM_DOMAIN_OBJ);
    assert_true(b[2].address == 0x7f0000000020 && b[2].size == 4096 && b[2].domain == TM_DOMAIN_MMAP);
    assert_true(b[3].address == 0x7f0000000060 && b[3].size == 40 && b[3].traceback == s->counters[1].traceback);
    tm_snapshot_free(s);
}

/* Not asked for, and asked for where there are none, are two things. */
static void no_blocks_are_not_the_same_as_no_list_of_them(void **state)
{
    (void)state;
    struct tm_snapshot *without = tm_built_snapshot("trace raw live=5/1 |\n");
    struct tm_snapshot *empty = tm_built_snapshot("trace raw live=5/1 |\nblocks\n");
    assert_false(without->has_blocks);
    assert_true(empty->has_blocks);
    assert_u64_equal(empty->block_count, 0);
    assert_false(tm_snapshot_is_same(without, empty));
    tm_snapshot_free(without);
    tm_snapshot_free(empty);
}

static void model_does_not_need_the_bytes(void **state)
{
    (void)state;
    for (int codec = TM_CODEC_STORED; codec <= TM_CODEC_ZSTD; codec++) {
        size_t size;
        struct tm_fault fault;
        struct tm_snapshot *s, *other = tm_built_snapshot(text);
        uint8_t *bytes = tm_build(text, (enum tm_codec)codec, &size);
        assert_int_equal(tm_snapshot_load(bytes, size, &s, &fault), TM_STATUS_OK);
        memset(bytes, 0xAA, size);
        free(bytes);
        assert_true(tm_snapshot_is_same(s, other));
        tm_snapshot_free(s);
        tm_snapshot_free(other);
    }
}

static void file_without_sections_is_empty(void **state)
{
    (void)state;
    uint8_t bytes[TM_SNAPSHOT_HEAD_SIZE];
    struct tm_writer w = tm_writer_make(bytes, sizeof bytes);
    tm_encode_head(&w, NULL, 0);
    struct tm_snapshot *s;
    struct tm_fault fault;
    assert_int_equal(tm_snapshot_load(bytes, sizeof bytes, &s, &fault), TM_STATUS_OK);
    assert_u64_equal(s->string_count, 1);
    assert_u64_equal(s->traceback_count, 1);
    assert_u64_equal(s->counter_count, 0);
    tm_snapshot_free(s);
}

static void section_of_a_later_kind_is_skipped(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct tm_section section = {.kind = 77, .codec = 9, .stored_size = 3, .raw_size = 1000, .count = 5};
    section.offset = tm_format_head_size(1);
    section.checksum = tm_crc32c(0, "new", 3);
    struct tm_writer w = tm_writer_make(bytes, sizeof bytes);
    tm_encode_head(&w, &section, 1);
    tm_write_bytes(&w, "new", 3);
    struct tm_snapshot *s;
    struct tm_fault fault;
    assert_int_equal(tm_snapshot_load(bytes, tm_writer_length(&w), &s, &fault), TM_STATUS_OK);
    tm_snapshot_free(s);
    bytes[tm_writer_length(&w) - 1] ^= 1;
    assert_int_equal(tm_snapshot_load(bytes, tm_writer_length(&w), &s, &fault), TM_STATUS_CORRUPT);
    assert_null(s);
}

/* Not one bit of a file can change unnoticed, and no file that ends early loads. */
static void every_flipped_bit_and_every_cut_is_noticed(void **state)
{
    (void)state;
    size_t size;
    struct tm_fault fault;
    struct tm_snapshot *s;
    uint8_t *bytes = tm_build(text, TM_CODEC_ZSTD, &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        assert_int_not_equal(tm_snapshot_load(bytes, size, &s, &fault), TM_STATUS_OK);
        bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        assert_int_equal(tm_snapshot_load(copy, cut, &s, &fault), TM_STATUS_TRUNCATED);
        assert_true(fault.offset <= cut);
        free(copy);
    }
    assert_int_equal(tm_snapshot_load(bytes, size, &s, &fault), TM_STATUS_OK);
    tm_snapshot_free(s);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_there_with_their_names),
        cmocka_unit_test(blocks_are_there_in_order_of_address),
        cmocka_unit_test(no_blocks_are_not_the_same_as_no_list_of_them),
        cmocka_unit_test(model_does_not_need_the_bytes),
        cmocka_unit_test(file_without_sections_is_empty),
        cmocka_unit_test(section_of_a_later_kind_is_skipped),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
