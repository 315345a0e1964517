/* SPDX-License-Identifier: MIT */
/* What is encoded is decoded to the same record, and takes no more than its TM_*_MAX_BYTES. */
#include "support/cmocka_include.h"

#include "format/decode.h"
#include "format/encode.h"

static uint8_t buffer[4096];

static uint64_t random_state = 42;

/* Numbers of every width: the widths matter, not the quality. */
static uint64_t any_number(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (random_state >> 11) >> (random_state % 61);
}

static void meta_comes_back(void **state)
{
    (void)state;
    struct tm_writer w = tm_writer_make(buffer, sizeof buffer);
    tm_encode_meta_u64(&w, "pid", UINT64_MAX);
    tm_encode_meta_bytes(&w, "program", "a\0b", 3);
    tm_encode_meta_i64(&w, "skew", INT64_MIN);
    struct tm_reader r = tm_reader_make(buffer, tm_writer_length(&w));
    struct tm_meta_record meta;
    assert_true(tm_decode_meta(&r, &meta));
    assert_memory_equal(meta.key.bytes, "pid", 3);
    assert_int_equal(meta.type, TM_META_U64);
    assert_u64_equal(meta.number, UINT64_MAX);
    assert_true(tm_decode_meta(&r, &meta));
    assert_int_equal(meta.type, TM_META_BYTES);
    assert_u64_equal(meta.bytes.length, 3);
    assert_memory_equal(meta.bytes.bytes, "a\0b", 3);
    assert_true(tm_decode_meta(&r, &meta));
    assert_int_equal(meta.type, TM_META_I64);
    assert_true((int64_t)meta.number == INT64_MIN);
    assert_u64_equal(tm_reader_left(&r), 0);
}

static void frames_come_back(void **state)
{
    (void)state;
    struct tm_frame_record before = {0}, frames[200];
    size_t used = 0;
    struct tm_writer w = tm_writer_make(buffer, sizeof buffer);
    for (size_t i = 0; i < TM_COUNT_OF(frames); i++) {
        frames[i] = (struct tm_frame_record){(uint32_t)any_number(), (uint32_t)any_number(), (uint32_t)any_number(), 0};
        tm_encode_frame(&w, &before, &frames[i]);
        assert_true(tm_writer_length(&w) - used <= TM_FRAME_MAX_BYTES);
        used = tm_writer_length(&w);
    }
    before = (struct tm_frame_record){0};
    struct tm_reader r = tm_reader_make(buffer, used);
    for (size_t i = 0; i < TM_COUNT_OF(frames); i++) {
        struct tm_frame_record frame;
        assert_true(tm_decode_frame(&r, &before, &frame));
        assert_memory_equal(&frame, &frames[i], sizeof frame);
    }
    assert_u64_equal(tm_reader_left(&r), 0);
}

static void modules_and_native_frames_come_back(void **state)
{
    (void)state;
    const struct tm_module_record modules[] = {{7, {(const uint8_t *)"\x01\x00\xFF", 3}},
                                               {UINT32_MAX, {(const uint8_t *)"", 0}}};
    const struct tm_native_frame_record frames[] = {{1, 1, 0}, {2, UINT32_MAX, UINT64_MAX}, {UINT32_MAX, 3, 0x1234}};
    struct tm_native_frame_record before = {0, 0, 0};
    struct tm_writer w = tm_writer_make(buffer, sizeof buffer);
    for (size_t i = 0; i < TM_COUNT_OF(modules); i++) {
        tm_encode_module(&w, &modules[i]);
    }
    size_t used = tm_writer_length(&w);
    for (size_t i = 0; i < TM_COUNT_OF(frames); i++) {
        tm_encode_native_frame(&w, &before, &frames[i]);
        assert_true(tm_writer_length(&w) - used <= TM_NATIVE_MAX_BYTES);
        used = tm_writer_length(&w);
    }
    struct tm_reader r = tm_reader_make(buffer, used);
    for (size_t i = 0; i < TM_COUNT_OF(modules); i++) {
        struct tm_module_record module;
        assert_true(tm_decode_module(&r, &module));
        assert_int_equal(module.path, modules[i].path);
        assert_int_equal(module.build_id.length, modules[i].build_id.length);
        assert_memory_equal(module.build_id.bytes, modules[i].build_id.bytes, module.build_id.length);
    }
    before = (struct tm_native_frame_record){0, 0, 0};
    for (size_t i = 0; i < TM_COUNT_OF(frames); i++) {
        struct tm_native_frame_record frame;
        assert_true(tm_decode_native_frame(&r, &before, &frame));
        assert_int_equal(frame.frame, frames[i].frame);
        assert_int_equal(frame.module, frames[i].module);
        assert_u64_equal(frame.address, frames[i].address);
    }
    assert_u64_equal(tm_reader_left(&r), 0);
}

static void native_frames_must_ascend_and_have_a_module(void **state)
{
    (void)state;
    static const uint8_t same[] = {0, 1, 0}, no_module[] = {1, 0, 0};
    static const uint8_t too_far[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 0};
    const struct tm_native_frame_record third = {3, 1, 0};
    struct tm_native_frame_record before = third, next;
    struct tm_reader r = tm_reader_make(same, sizeof same);
    assert_false(tm_decode_native_frame(&r, &before, &next));
    r = tm_reader_make(no_module, sizeof no_module);
    assert_false(tm_decode_native_frame(&r, &before, &next));
    before = third;
    r = tm_reader_make(too_far, sizeof too_far);
    assert_false(tm_decode_native_frame(&r, &before, &next));
}

/* A mapping begins where a block of another domain does; the highest block ends at 2^64. */
static void blocks_come_back(void **state)
{
    (void)state;
    const struct tm_block_record blocks[] = {{0, 0, 0, 0},
                                             {16, 512, 3, TM_DOMAIN_OBJ},
                                             {16, 4096, UINT32_MAX, TM_DOMAIN_MMAP},
                                             {17, UINT64_MAX - 16, 1, TM_DOMAIN_RAW},
                                             {UINT64_MAX, 1, 7, TM_DOMAIN_NATIVE}};
    struct tm_block_record before = {0, 0, 0, 0}, next;
    struct tm_writer w = tm_writer_make(buffer, sizeof buffer);
    size_t used = 0;
    for (size_t i = 0; i < TM_COUNT_OF(blocks); i++) {
        tm_encode_block(&w, &before, &blocks[i]);
        assert_in_range(tm_writer_length(&w) - used, TM_BLOCK_MIN_BYTES, TM_BLOCK_MAX_BYTES);
        used = tm_writer_length(&w);
    }
    before = (struct tm_block_record){0, 0, 0, 0};
    struct tm_reader r = tm_reader_make(buffer, used);
    for (size_t i = 0; i < TM_COUNT_OF(blocks); i++) {
        assert_true(tm_decode_block(&r, i == 0, &before, &next));
        assert_u64_equal(next.address, blocks[i].address);
        assert_u64_equal(next.size, blocks[i].size);
        assert_u64_equal(next.traceback, blocks[i].traceback);
        assert_u64_equal(next.domain, blocks[i].domain);
    }
    assert_u64_equal(tm_reader_left(&r), 0);
}

static void tracebacks_come_back(void **state)
{
    (void)state;
    const struct tm_traceback_record records[] = {{0, 1}, {1, UINT32_MAX}, {0, 0}, {3, 7}};
    struct tm_traceback_record before = {0, 0};
    struct tm_writer w = tm_writer_make(buffer, sizeof buffer);
    for (uint32_t i = 0; i < TM_COUNT_OF(records); i++) {
        tm_encode_traceback(&w, i + 1, &before, &records[i]);
    }
    before = (struct tm_traceback_record){0, 0};
    struct tm_reader r = tm_reader_make(buffer, tm_writer_length(&w));
    for (uint32_t i = 0; i < TM_COUNT_OF(records); i++) {
        struct tm_traceback_record next;
        assert_true(tm_decode_traceback(&r, i + 1, &before, &next));
        assert_u64_equal(next.parent, records[i].parent);
        assert_u64_equal(next.frame, records[i].frame);
    }
    assert_u64_equal(tm_reader_left(&r), 0);
}

static struct tm_counter_record any_counter(uint32_t traceback, uint8_t domain, unsigned mask)
{
    struct tm_counter_record c = {.traceback = traceback, .domain = domain};
    c.live_bytes = mask & 1 ? any_number() : 0;
    c.live_blocks = mask & 2 ? any_number() : 0;
    c.ever_bytes = mask & 4 ? any_number() : 0;
    c.ever_blocks = mask & 8 ? any_number() : 0;
    c.temporary_blocks = mask & 16 ? any_number() : 0;
    c.peak_python_bytes = mask & 32 ? any_number() : 0;
    c.peak_python_blocks = mask & 64 ? any_number() : 0;
    c.peak_heap_bytes = mask & 128 ? any_number() : 0;
    c.peak_heap_blocks = mask & 256 ? any_number() : 0;
    return c;
}

static void assert_counter_equal(const struct tm_counter_record *a, const struct tm_counter_record *b)
{
    assert_u64_equal(a->traceback, b->traceback);
    assert_u64_equal(a->domain, b->domain);
    assert_u64_equal(a->live_bytes, b->live_bytes);
    assert_u64_equal(a->live_blocks, b->live_blocks);
    assert_u64_equal(a->ever_bytes, b->ever_bytes);
    assert_u64_equal(a->ever_blocks, b->ever_blocks);
    assert_u64_equal(a->temporary_blocks, b->temporary_blocks);
    assert_u64_equal(a->peak_python_bytes, b->peak_python_bytes);
    assert_u64_equal(a->peak_python_blocks, b->peak_python_blocks);
    assert_u64_equal(a->peak_heap_bytes, b->peak_heap_bytes);
    assert_u64_equal(a->peak_heap_blocks, b->peak_heap_blocks);
}

static void counters_come_back_with_every_mask(void **state)
{
    (void)state;
    for (unsigned mask = 0; mask < 512; mask++) {
        struct tm_counter_record records[2] = {any_counter(0, 0, mask), any_counter(mask, TM_DOMAIN_MMAP, ~mask)};
        struct tm_counter_record before = {0}, next;
        struct tm_writer w = tm_writer_make(buffer, 2 * TM_COUNTER_MAX_BYTES);
        tm_encode_counter(&w, &before, &records[0]);
        tm_encode_counter(&w, &before, &records[1]);
        assert_false(w.overflow);
        struct tm_reader r = tm_reader_make(buffer, tm_writer_length(&w));
        before = (struct tm_counter_record){0};
        assert_true(tm_decode_counter(&r, true, &before, &next));
        assert_counter_equal(&next, &records[0]);
        assert_true(tm_decode_counter(&r, false, &before, &next));
        assert_counter_equal(&next, &records[1]);
        assert_u64_equal(tm_reader_left(&r), 0);
    }
}

/* Room for the bytes, but not for the most that an item takes. */
static void items_fit_into_what_they_take_exactly(void **state)
{
    (void)state;
    uint8_t exact[64];
    const struct tm_frame_record frame = {300, 2, 70000, 0};
    const struct tm_traceback_record traceback = {5, 200};
    const struct tm_counter_record counter = any_counter(9, 1, 0x1FF);
    for (unsigned kind = 0; kind < 3; kind++) {
        size_t length = 0;
        for (size_t room = sizeof exact + TM_COUNTER_MAX_BYTES; room-- > 0;) {
            struct tm_frame_record before = {.line = 0};
            struct tm_traceback_record older = {.frame = 0};
            struct tm_counter_record zero = {.domain = 0};
            struct tm_writer w = tm_writer_make(buffer, room);
            memset(buffer, 0xAA, sizeof exact);
            if (kind == 0) {
                tm_encode_frame(&w, &before, &frame);
            } else if (kind == 1) {
                tm_encode_traceback(&w, 8, &older, &traceback);
            } else {
                tm_encode_counter(&w, &zero, &counter);
            }
            if (length == 0) {
                length = tm_writer_length(&w);
                assert_true(length > 0 && length < sizeof exact);
                memcpy(exact, buffer, length);
            }
            assert_int_equal(w.overflow, room < length);
            assert_int_equal(tm_writer_length(&w), room < length ? 0 : length);
            if (room >= length) {
                assert_memory_equal(buffer, exact, length);
            } else {
                assert_int_equal(buffer[0], 0xAA);
            }
        }
    }
}

static void largest_items_fit_their_limits(void **state)
{
    (void)state;
    struct tm_counter_record c = any_counter(UINT32_MAX, TM_DOMAIN_MMAP, 0), zero = {0};
    c.live_bytes = c.live_blocks = c.ever_bytes = c.ever_blocks = c.temporary_blocks = UINT64_MAX;
    c.peak_python_bytes = c.peak_python_blocks = c.peak_heap_bytes = c.peak_heap_blocks = UINT64_MAX;
    struct tm_writer w = tm_writer_make(buffer, TM_COUNTER_MAX_BYTES);
    tm_encode_counter(&w, &zero, &c);
    assert_false(w.overflow);
    struct tm_frame_record low = {.line = 0}, high = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0};
    w = tm_writer_make(buffer, TM_FRAME_MAX_BYTES);
    tm_encode_frame(&w, &low, &high);
    assert_false(w.overflow);
    struct tm_traceback_record before = {0, UINT32_MAX}, next = {0, 0};
    w = tm_writer_make(buffer, TM_TRACEBACK_MAX_BYTES);
    tm_encode_traceback(&w, UINT32_MAX, &before, &next);
    assert_false(w.overflow);
    const struct tm_size_class_record size = {TM_DOMAIN_MMAP, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    w = tm_writer_make(buffer, TM_SIZE_CLASS_MAX_BYTES);
    tm_encode_size_class(&w, &size);
    assert_false(w.overflow);
    struct tm_block_record nothing = {0, 0, 0, 0};
    const struct tm_block_record block = {UINT64_MAX, UINT64_MAX, UINT32_MAX, TM_DOMAIN_MMAP};
    w = tm_writer_make(buffer, TM_BLOCK_MAX_BYTES);
    tm_encode_block(&w, &nothing, &block);
    assert_false(w.overflow);
    assert_u64_equal(tm_writer_length(&w), TM_BLOCK_MAX_BYTES);
    w = tm_writer_make(buffer, TM_META_MAX_BYTES);
    tm_encode_meta_i64(&w, "", INT64_MIN);
    assert_false(w.overflow);
}

static void head_comes_back_with_its_checksum(void **state)
{
    (void)state;
    const struct tm_section section = {TM_SECTION_META, TM_CODEC_ZSTD, 72, 5, 9, 2, 0xDEADBEEF};
    struct tm_writer w = tm_writer_make(buffer, tm_format_head_size(1));
    tm_encode_head(&w, &section, 1);
    assert_false(w.overflow);
    assert_u64_equal(tm_writer_length(&w), tm_format_head_size(1));
    struct tm_reader r = tm_reader_make(buffer, tm_writer_length(&w));
    struct tm_head_record head;
    struct tm_section read;
    assert_true(tm_decode_head(&r, &head));
    assert_true(tm_decode_section(&r, &read));
    assert_memory_equal(head.magic, TM_SNAPSHOT_MAGIC, TM_SNAPSHOT_MAGIC_SIZE);
    assert_u64_equal(head.version, TM_SNAPSHOT_VERSION);
    assert_u64_equal(head.sections, 1);
    assert_u64_equal(read.kind, section.kind);
    assert_u64_equal(read.codec, section.codec);
    assert_u64_equal(read.offset, section.offset);
    assert_u64_equal(read.stored_size, section.stored_size);
    assert_u64_equal(read.raw_size, section.raw_size);
    assert_u64_equal(read.count, section.count);
    assert_u64_equal(read.checksum, section.checksum);
    assert_true(head.checksum != 0);
}

static void head_that_does_not_fit_is_an_overflow(void **state)
{
    (void)state;
    const struct tm_section section = {.kind = TM_SECTION_META};
    for (size_t size = 0; size < tm_format_head_size(1); size++) {
        struct tm_writer w = tm_writer_make(buffer, size);
        tm_encode_head(&w, &section, 1);
        assert_true(w.overflow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meta_comes_back),
        cmocka_unit_test(frames_come_back),
        cmocka_unit_test(modules_and_native_frames_come_back),
        cmocka_unit_test(native_frames_must_ascend_and_have_a_module),
        cmocka_unit_test(blocks_come_back),
        cmocka_unit_test(tracebacks_come_back),
        cmocka_unit_test(counters_come_back_with_every_mask),
        cmocka_unit_test(items_fit_into_what_they_take_exactly),
        cmocka_unit_test(largest_items_fit_their_limits),
        cmocka_unit_test(head_comes_back_with_its_checksum),
        cmocka_unit_test(head_that_does_not_fit_is_an_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
