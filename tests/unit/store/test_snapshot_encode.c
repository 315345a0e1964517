/* SPDX-License-Identifier: MIT */
/* What of a store is chosen for a snapshot.  The way back from the bytes is tested beside the loader. */
#include "support/cmocka_include.h"

#include <stdio.h>

#include "base/sample_chance.h"
#include "format/decode.h"
#include "store/snapshot_select.h"
#include "support/hand_made_store.h"

static struct hand_made store;
static uint32_t files[3];
static uint32_t tracebacks[4];

static int begin(void **state)
{
    (void)state;
    hand_made_begin(&store);
    for (unsigned i = 0; i < 3; i++) {
        files[i] = hand_made_string(&store, &"abc"[i], 1);
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t frame = hand_made_frame(&store, files[i % 3], 0, i + 1);
        tracebacks[i] = hand_made_traceback(&store, i == 3 ? tracebacks[1] : 0, frame);
    }
    memory_fails_at = 0;
    memory_gets = 0;
    memory_sum = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    hand_made_end(&store);
    assert_int_equal(memory_out, 0);
    return 0;
}

static struct tm_record *used_record(uint32_t traceback, uint8_t domain, uint16_t size, uint64_t ever, uint64_t freed)
{
    struct tm_record *record = hand_made_record_at(&store, hand_made_record(&store, traceback, domain, size));
    atomic_store(&record->ever_blocks, ever);
    atomic_store(&record->freed_blocks, freed);
    return record;
}

static void only_what_records_need_is_chosen(void **state)
{
    (void)state;
    struct tm_store_view view;
    struct tm_selection selection;
    (void)used_record(tracebacks[3], 2, 8, 5, 1);
    (void)used_record(tracebacks[0], 2, 8, 0, 0); /* never used */
    used_record(tracebacks[2], 2, 8, 1, 0)->epoch = 4;
    atomic_store(&store.header->base_epoch, 0);
    hand_made_record_at(&store, 1)->epoch = 5;
    hand_made_record_at(&store, 2)->epoch = 5;
    atomic_store(&store.header->base_epoch, 5); /* the third one is of an older epoch */
    view = hand_made_view(&store);
    assert_true(tm_selection_make(&selection, &view, &counted_memory));
    assert_int_equal(selection.traceback_count, 2);
    assert_int_equal(selection.tracebacks[tracebacks[1]], 1);
    assert_int_equal(selection.tracebacks[tracebacks[3]], 2);
    assert_int_equal(selection.tracebacks[tracebacks[0]], 0);
    assert_int_equal(selection.frame_count, 2);
    assert_int_equal(selection.string_count, 3); /* "", "a" of the fourth frame, "b" */
    assert_int_equal(selection.strings[files[0]], 1);
    assert_int_equal(selection.strings[files[1]], 2);
    assert_int_equal(selection.strings[files[2]], 0);
    assert_u64_equal(selection.string_bytes, 2);
    tm_selection_free(&selection, &counted_memory);
}

static void held_and_loose_figures_of_all_sizes_add_up(void **state)
{
    (void)state;
    struct tm_store_view view;
    struct tm_selection selection;
    struct tm_counters counters, inherited;
    struct tm_size_sums sizes = {.live_small_bytes = 0};
    struct tm_record *record = used_record(tracebacks[0], 1, 8, 10, 2);
    struct tm_record_loose *loose = hand_made_loose_at(&store, 1);
    atomic_store(&record->temporary_blocks, 1);
    atomic_store(&record->has_loose, 1);
    atomic_store(&loose->ever_blocks, 3);
    atomic_store(&loose->freed_blocks, 7); /* more came back here than went out here */
    record = used_record(tracebacks[0], 1, TM_SIZE_VARIES, 2, 1);
    atomic_store(&record->ever_bytes, 3000);
    atomic_store(&record->freed_bytes, 1000);
    (void)used_record(tracebacks[0], 2, 8, 1, 0);
    view = hand_made_view(&store);
    assert_true(tm_selection_make(&selection, &view, &counted_memory));
    tm_selection_counters(&selection, tracebacks[0], &counters, &inherited, &sizes);
    assert_int_equal(counters.domains, 1U << 1 | 1U << 2);
    assert_int_equal(inherited.domains, 0);
    assert_u64_equal(counters.of[1].domain, 1);
    assert_u64_equal(counters.of[1].ever_blocks, 15);
    assert_u64_equal(counters.of[1].ever_bytes, 13 * 8 + 3000);
    assert_u64_equal(counters.of[1].live_blocks, 5);
    assert_u64_equal(counters.of[1].live_bytes, 4 * 8 + 2000);
    assert_u64_equal(counters.of[1].temporary_blocks, 1);
    assert_u64_equal(counters.of[2].domain, 2);
    assert_u64_equal(counters.of[2].ever_blocks, 1);
    assert_u64_equal(counters.of[2].live_bytes, 8);
    assert_u64_equal(sizes.classes[2][1].ever_blocks, 1);
    assert_u64_equal(sizes.classes[1][1].live_blocks, 4); /* of 8 bytes: in the class up to 16 */
    assert_u64_equal(sizes.classes[1][1].ever_blocks, 13);
    assert_u64_equal(sizes.classes[1][TM_SIZE_CLASSES - 1].live_blocks, 1);
    assert_u64_equal(sizes.classes[1][TM_SIZE_CLASSES - 1].ever_blocks, 2);
    assert_u64_equal(sizes.live_small_bytes, 4 * 8 + 8);
    tm_selection_counters(&selection, tracebacks[1], &counters, &inherited, &sizes);
    assert_int_equal(counters.domains, 0);
    tm_selection_free(&selection, &counted_memory);
}

static void what_is_of_epochs_before_the_fork_was_inherited(void **state)
{
    (void)state;
    struct tm_store_view view;
    struct tm_selection selection;
    struct tm_counters counters, inherited;
    struct tm_size_sums sizes = {.live_small_bytes = 0};
    struct tm_record *record = used_record(tracebacks[0], 1, 8, 10, 2);
    atomic_store(&record->temporary_blocks, 1);
    record->epoch = 3;
    used_record(tracebacks[0], 1, 16, 7, 1)->epoch = 2;
    used_record(tracebacks[0], 1, 8, 5, 1)->epoch = 4;
    used_record(tracebacks[1], 1, 8, 5, 1)->epoch = 4;
    static const struct {
        uint32_t fork_epoch;
        uint64_t ever, live, bytes, temporary;
    } cases[] = {{0, 0, 0, 0, 0}, {3, 7, 6, 6 * 16, 0}, {4, 17, 14, 6 * 16 + 8 * 8, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        store.header->fork_epoch = cases[i].fork_epoch;
        view = hand_made_view(&store);
        assert_true(tm_selection_make(&selection, &view, &counted_memory));
        memset(&inherited, 0, sizeof inherited);
        tm_selection_counters(&selection, tracebacks[0], &counters, &inherited, &sizes);
        assert_u64_equal(counters.of[1].ever_blocks, 22);
        assert_u64_equal(counters.of[1].live_blocks, 18);
        assert_int_equal(inherited.domains, cases[i].ever != 0 ? 1U << 1 : 0);
        assert_u64_equal(inherited.of[1].ever_blocks, cases[i].ever);
        assert_u64_equal(inherited.of[1].live_blocks, cases[i].live);
        assert_u64_equal(inherited.of[1].live_bytes, cases[i].bytes);
        assert_u64_equal(inherited.of[1].temporary_blocks, cases[i].temporary);
        assert_u64_equal(inherited.of[1].peak_heap_bytes, 0);
        tm_selection_counters(&selection, tracebacks[1], &counters, &inherited, &sizes);
        assert_int_equal(counters.domains, 1U << 1);
        assert_int_equal(inherited.domains, 0);
        tm_selection_free(&selection, &counted_memory);
    }
}

static void less_than_nothing_is_shown_as_nothing(void **state)
{
    (void)state;
    struct tm_store_view view;
    (void)used_record(tracebacks[0], 1, 8, 1, 2);
    view = hand_made_view(&store);
    struct tm_record_figures figures = tm_record_figures_of(&view, 1);
    assert_u64_equal(figures.live_blocks, 0);
    assert_u64_equal(figures.live_bytes, 0);
    assert_u64_equal(figures.ever_blocks, 1);
}

static void peaks_are_what_was_saved_or_what_is_live(void **state)
{
    (void)state;
    struct tm_store_view view;
    struct tm_selection selection;
    struct tm_counters counters, inherited;
    struct tm_size_sums sizes = {.live_small_bytes = 0};
    struct tm_record *record = used_record(tracebacks[0], 2, 10, 4, 1);
    struct tm_record_peak *peak = hand_made_peak_at(&store, 1);
    atomic_store(&peak->python_blocks, 50);
    atomic_store(&peak->python_bytes, 500);
    atomic_store(&peak->heap_blocks, 60);
    atomic_store(&peak->heap_bytes, 600);
    atomic_store(&store.header->totals.python_held, 30);
    atomic_store(&store.header->totals.python_peak, 500);
    atomic_store(&store.header->totals.heap_peak, 600);
    static const struct {
        uint64_t record, totals, python, heap;
        uint64_t python_peak;
    } cases[] = {
        {0x100000002, 0x100000002, 50, 60, 500}, /* saved since both maxima were left */
        {0x100000001, 0x100000002, 3, 60, 500},  /* not changed since the python maximum */
        {0x000000002, 0x100000002, 50, 3, 500},  {0x000000001, 0x100000002, 3, 3, 500},
        {0x100000002, 0x100000002, 3, 60, 29}, /* what is live is the maximum */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atomic_store(&record->marks, cases[i].record);
        atomic_store(&store.header->totals.marks, cases[i].totals);
        atomic_store(&store.header->totals.python_peak, cases[i].python_peak);
        view = hand_made_view(&store);
        assert_true(tm_selection_make(&selection, &view, &counted_memory));
        tm_selection_counters(&selection, tracebacks[0], &counters, &inherited, &sizes);
        assert_int_equal(counters.domains, 1U << 2);
        assert_u64_equal(counters.of[2].peak_python_blocks, cases[i].python);
        assert_u64_equal(counters.of[2].peak_python_bytes, cases[i].python * 10);
        assert_u64_equal(counters.of[2].peak_heap_blocks, cases[i].heap);
        assert_u64_equal(counters.of[2].peak_heap_bytes, cases[i].heap * 10);
        tm_selection_free(&selection, &counted_memory);
    }
}

/* Each way in which a record may be other than nearly all are, beside one that is like them. */
static void every_kind_of_record_is_added_by_its_own_rule(void **state)
{
    (void)state;
    struct tm_selection selection;
    struct tm_counters counters, inherited;
    struct tm_size_sums sizes = {.live_small_bytes = 0};
    used_record(tracebacks[0], 2, 10, 7, 3)->epoch = 5;
    struct tm_record *estimate = used_record(tracebacks[1], 2, 10, 7 * TM_SAMPLE_ONE, 3 * TM_SAMPLE_ONE);
    struct tm_record *older = used_record(tracebacks[2], 2, 10, 7, 3);
    estimate->epoch = 6;
    older->epoch = 4;
    atomic_store(&store.header->totals.marks, 0x100000001); /* no record changed since: what is live was the maximum */
    atomic_store(&store.header->sample_rate, 1000);
    atomic_store(&store.header->sampled_epoch, 6);
    store.header->fork_epoch = 5;
    struct tm_store_view view = hand_made_view(&store);
    assert_true(tm_selection_make(&selection, &view, &counted_memory));
    for (unsigned i = 0; i < 3; i++) {
        tm_selection_counters(&selection, tracebacks[i], &counters, &inherited, &sizes);
        assert_int_equal(counters.domains, 1U << 2);
        assert_int_equal(inherited.domains, i == 2 ? 1U << 2 : 0);
        assert_u64_equal(counters.of[2].ever_blocks, 7);
        assert_u64_equal(counters.of[2].ever_bytes, 70);
        assert_u64_equal(counters.of[2].live_blocks, 4);
        assert_u64_equal(counters.of[2].live_bytes, 40);
        assert_u64_equal(counters.of[2].peak_python_blocks, 4);
        assert_u64_equal(counters.of[2].peak_python_bytes, 40);
        assert_u64_equal(counters.of[2].peak_heap_blocks, 4);
        assert_u64_equal(counters.of[2].peak_heap_bytes, 40);
    }
    assert_u64_equal(sizes.classes[2][1].live_blocks, 12);
    assert_u64_equal(sizes.classes[2][1].ever_blocks, 21);
    assert_u64_equal(sizes.live_small_bytes, 120);
    tm_selection_free(&selection, &counted_memory);
}

/* So that the file is larger than a block. */
static struct tm_encode_fact long_fact(void)
{
    static char text[6000];
    memset(text, 'x', sizeof text);
    return (struct tm_encode_fact){.key = "long", .text = text, .length = sizeof text};
}

/* How many sections are compressed; the file's SIZE. */
static unsigned compressed_sections(const struct tm_encode_fact *facts, unsigned count, size_t *size)
{
    struct tm_store_view view = hand_made_view(&store);
    struct tm_head_record head;
    struct tm_section section;
    uint8_t *bytes;
    size_t capacity;
    unsigned compressed = 0;
    assert_int_equal(tm_snapshot_encode(&view, facts, count, &counted_memory, &bytes, size, &capacity), TM_ENCODE_DONE);
    struct tm_reader reader = tm_reader_make(bytes, *size);
    assert_true(tm_decode_head(&reader, &head));
    for (uint32_t i = 0; i < head.sections; i++) {
        assert_true(tm_decode_section(&reader, &section));
        assert_true(section.codec == TM_CODEC_ZSTD || section.stored_size == section.raw_size);
        compressed += section.codec == TM_CODEC_ZSTD;
    }
    memory_release(bytes, capacity);
    return compressed;
}

static void file_of_less_than_a_block_is_not_compressed(void **state)
{
    (void)state;
    size_t size;
    const struct tm_encode_fact fact = long_fact();
    (void)used_record(tracebacks[3], 2, 8, 5, 1);
    assert_int_equal(compressed_sections(NULL, 0, &size), 0);
    assert_in_range(size, 100, 4096);
    assert_true(compressed_sections(&fact, 1, &size) > 0);
    assert_true(size < 4096);
}

static void any_lack_of_memory_is_told_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct tm_store_view view;
    uint8_t *bytes = NULL;
    size_t size;
    size_t capacity;
    (void)used_record(tracebacks[3], 2, 8, 5, 1);
    store.header->fork_epoch = 1; /* one that inherits needs the most */
    view = hand_made_view(&store);
    const struct tm_encode_fact fact = long_fact();
    assert_int_equal(tm_snapshot_encode(&view, &fact, 1, &counted_memory, &bytes, &size, &capacity), TM_ENCODE_DONE);
    memory_release(bytes, capacity);
    unsigned gets = memory_gets;
    assert_true(gets > 5);
    for (unsigned n = 1; n <= gets; n++) {
        memory_gets = 0;
        memory_fails_at = n;
        enum tm_encode_result result = tm_snapshot_encode(&view, &fact, 1, &counted_memory, &bytes, &size, &capacity);
        if (result == TM_ENCODE_DONE) {
            memory_release(bytes, capacity); /* the compressor did without */
        } else {
            assert_null(bytes);
        }
        assert_true(result == TM_ENCODE_NO_MEMORY || n > 5);
        assert_int_equal(memory_out, 0);
    }
}

static void store_in_which_nothing_happened_is_a_snapshot_too(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    struct tm_store_view view = hand_made_view(&store);
    assert_int_equal(tm_snapshot_encode(&view, NULL, 0, &counted_memory, &bytes, &size, &capacity), TM_ENCODE_DONE);
    assert_memory_equal(bytes, TM_SNAPSHOT_MAGIC, TM_SNAPSHOT_MAGIC_SIZE);
    memory_release(bytes, capacity);
}

#define MANY 3500U /* more than a step goes over */

/* A string, a frame, a traceback and a record each. */
static void make_many(void)
{
    char name[16];
    for (uint32_t i = 0; i < MANY; i++) {
        int length = snprintf(name, sizeof name, "%u.py", (unsigned)i * 7919U % MANY);
        uint32_t file = hand_made_string(&store, name, (uint32_t)length);
        uint32_t traceback =
            hand_made_traceback(&store, i % 3 == 0 ? 0 : tracebacks[i % 4], hand_made_frame(&store, file, 0, i));
        (void)used_record(traceback, 2, (uint16_t)(i % 512), i + 1, i / 2);
    }
}

static void selection_is_the_same_in_steps_of_any_size(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 7, 1024};
    struct tm_selection whole, part;
    make_many();
    struct tm_store_view view = hand_made_view(&store);
    assert_true(tm_selection_make(&whole, &view, &counted_memory));
    assert_true(whole.traceback_count >= MANY && whole.string_count > MANY);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned steps = 0;
        assert_true(tm_selection_begin(&part, &view, &counted_memory));
        for (; tm_selection_step(&part, sizes[i]); steps++) {
        }
        assert_true(steps > 4 * MANY / sizes[i]);
        assert_memory_equal(part.tracebacks, whole.tracebacks, tm_store_view_count(&view, TM_STORE_TRACEBACKS) * 4U);
        assert_memory_equal(part.first_record, whole.first_record,
                            tm_store_view_count(&view, TM_STORE_TRACEBACKS) * 4U);
        assert_memory_equal(part.next_record, whole.next_record, tm_store_view_count(&view, TM_STORE_RECORDS) * 4U);
        assert_memory_equal(part.frames, whole.frames, tm_store_view_count(&view, TM_STORE_FRAMES) * 4U);
        assert_memory_equal(part.strings, whole.strings, tm_store_view_count(&view, TM_STORE_STRINGS) * 4U);
        assert_int_equal(part.frame_count, whole.frame_count);
        assert_int_equal(part.string_bytes, whole.string_bytes);
        tm_selection_free(&part, &counted_memory);
    }
    tm_selection_free(&whole, &counted_memory);
}

/* Each of the six sections and of the six passes before them is longer than a step, but for the two short ones. */
static void encoding_may_be_left_and_dropped_after_any_step(void **state)
{
    (void)state;
    uint8_t *bytes, *others;
    size_t size, capacity, other_size, other_capacity;
    make_many();
    struct tm_store_view view = hand_made_view(&store);
    unsigned steps = 1;
    struct tm_encoding *encoding = tm_encoding_begin(&view, NULL, NULL, 0, &counted_memory);
    assert_non_null(encoding);
    for (; tm_encoding_step(encoding); steps++) {
    }
    assert_int_equal(tm_encoding_end(encoding, &bytes, &size, &capacity), TM_ENCODE_DONE);
    assert_true(steps > 8 * MANY / 1024);
    size_t needed = memory_sum;
    assert_int_equal(tm_snapshot_encode(&view, NULL, 0, &counted_memory, &others, &other_size, &other_capacity),
                     TM_ENCODE_DONE);
    assert_true(memory_sum - needed < needed); /* at once the compressor keeps no copy */
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, others, size);
    memory_release(bytes, capacity);
    memory_release(others, other_capacity);
    for (unsigned last = 0; last < steps; last++) {
        encoding = tm_encoding_begin(&view, NULL, NULL, 0, &counted_memory);
        assert_non_null(encoding);
        for (unsigned i = 0; i < last; i++) {
            assert_true(tm_encoding_step(encoding));
        }
        if (last % 2 == 0) {
            tm_encoding_drop(encoding);
        } else {
            assert_int_equal(tm_encoding_end(encoding, &bytes, &size, &capacity), TM_ENCODE_FAILED); /* not yet done */
            assert_null(bytes);
        }
        assert_int_equal(memory_out, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_records_need_is_chosen),
        TEST(held_and_loose_figures_of_all_sizes_add_up),
        TEST(what_is_of_epochs_before_the_fork_was_inherited),
        TEST(less_than_nothing_is_shown_as_nothing),
        TEST(peaks_are_what_was_saved_or_what_is_live),
        TEST(every_kind_of_record_is_added_by_its_own_rule),
        TEST(file_of_less_than_a_block_is_not_compressed),
        TEST(any_lack_of_memory_is_told_and_leaves_nothing_behind),
        TEST(store_in_which_nothing_happened_is_a_snapshot_too),
        TEST(selection_is_the_same_in_steps_of_any_size),
        TEST(encoding_may_be_left_and_dropped_after_any_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
