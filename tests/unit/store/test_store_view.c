/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include "support/hand_made_store.h"
#include "support/random_numbers.h"

static struct hand_made store;

static int begin(void **state)
{
    (void)state;
    hand_made_begin(&store);
    uint32_t file = hand_made_string(&store, "file.py", 7);
    uint32_t function = hand_made_string(&store, "f", 1);
    for (uint32_t i = 1; i <= 5; i++) {
        (void)hand_made_frame(&store, file, function, i);
        (void)hand_made_traceback(&store, i - 1, i);
        (void)hand_made_record(&store, i, (uint8_t)(i % 4), (uint16_t)(i * 8));
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    hand_made_end(&store);
    return 0;
}

static const char *fault(void)
{
    struct tm_store_view view = hand_made_view(&store);
    return tm_store_view_check(&view);
}

static void sound_store_has_no_fault(void **state)
{
    (void)state;
    struct tm_store_view view = hand_made_view(&store);
    assert_null(tm_store_view_check(&view));
    assert_int_equal(tm_store_view_count(&view, TM_STORE_RECORDS), 6);
    assert_int_equal(tm_store_view_count(&view, TM_STORE_PEAKS), 6);
    assert_int_equal(tm_store_view_count(&view, TM_STORE_LOOSE), 6);
    assert_int_equal(tm_store_view_count(&view, TM_STORE_FRAMES), 6);
    assert_int_equal(tm_store_view_count(&view, TM_STORE_TRACEBACKS), 6);
}

static void view_does_not_move_when_the_store_grows(void **state)
{
    (void)state;
    struct tm_store_view view = hand_made_view(&store);
    (void)hand_made_record(&store, 1, 0, 1);
    (void)hand_made_traceback(&store, 1, 1);
    assert_int_equal(tm_store_view_count(&view, TM_STORE_RECORDS), 6);
    assert_int_equal(tm_store_view_count(&view, TM_STORE_TRACEBACKS), 6);
}

static void traced_memory_is_the_sum_of_all_words_and_tallies(void **state)
{
    (void)state;
    struct tm_store_header *header = store.header;
    uint64_t python, heap;
    header->totals.python_held = 1000;
    header->totals.python_shared = 200;
    header->totals.python_loose = 777777; /* what threads have told: part of it is in the tallies */
    header->totals.native_held = 30;
    header->totals.native_shared = 4;
    header->totals.native_loose = 888888;
    header->tallies[0].python = 60;
    header->tallies[0].python_base = 10;
    header->tallies[TM_TALLY_MAX - 1].native = 100;
    header->tallies[TM_TALLY_MAX - 1].native_base = 150; /* more was freed than came since the base epoch began */
    tm_store_traced(header, &python, &heap);
    assert_int_equal(python, 1250);
    assert_int_equal(heap, 1250 + 34 - 50);
    header->totals.python_held = (uint64_t)-1000; /* a free was counted before its allocation */
    tm_store_traced(header, &python, &heap);
    assert_int_equal(python, 0);
    assert_int_equal(heap, 0);
    header->totals.native_held = 1030;
    tm_store_traced(header, &python, &heap);
    assert_int_equal(python, 0);
    assert_int_equal(heap, 1250 - 2000 + 1034 - 50);
}

static void peak_may_be_off_by_what_each_thread_has_not_told(void **state)
{
    (void)state;
    struct tm_store_header *header = store.header;
    assert_int_equal(tm_store_peak_bound(header), 0);
    header->tallies[3].is_used = 1;
    assert_int_equal(tm_store_peak_bound(header), 0); /* alone it looks at its own */
    header->python_hex = 0x030B02F0;
    assert_int_equal(tm_store_peak_bound(header), TM_TALLY_REACH);
    header->tallies[4].is_used = 1;
    assert_int_equal(tm_store_peak_bound(header), 2 * TM_TALLY_REACH);
}

static void strings_that_leave_their_section_are_a_fault(void **state)
{
    (void)state;
    uint32_t length = UINT32_MAX;
    uint64_t end_of_strings = atomic_load(&store.header->lengths[TM_STORE_STRINGS]);
    atomic_store(&store.header->lengths[TM_STORE_STRINGS], end_of_strings + 4);
    memcpy(store.sections[TM_STORE_STRINGS] + end_of_strings, &length, sizeof length);
    assert_string_equal(fault(), "a string is longer than its section");
    atomic_store(&store.header->lengths[TM_STORE_STRINGS], end_of_strings + 2);
    assert_string_equal(fault(), "a string is cut off");
    atomic_store(&store.header->lengths[TM_STORE_STRINGS], 0);
    assert_string_equal(fault(), "there are no strings");
}

static void frames_must_name_strings(void **state)
{
    (void)state;
    hand_made_frame_at(&store, 5)->function = 1000;
    assert_non_null(fault());
    hand_made_frame_at(&store, 5)->function = UINT32_MAX;
    assert_non_null(fault());
    hand_made_frame_at(&store, 5)->function = 0;
    assert_null(fault());
    hand_made_frame_at(&store, 1)->file = 3; /* the letters of a name taken for a length */
    assert_non_null(fault());
}

static void tracebacks_must_refer_to_older_ones_and_to_frames(void **state)
{
    (void)state;
    const struct tm_stored_traceback wrong[] = {{3, 1}, {4, 1}, {UINT32_MAX, 1}, {1, 0}, {1, 6}, {1, UINT32_MAX}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        *hand_made_traceback_at(&store, 3) = wrong[i];
        assert_non_null(fault());
    }
    *hand_made_traceback_at(&store, 3) = (struct tm_stored_traceback){2, 5};
    assert_null(fault());
}

static void records_must_refer_to_tracebacks_domains_and_sizes(void **state)
{
    (void)state;
    struct tm_record *record = hand_made_record_at(&store, 3);
    record->traceback = 6;
    assert_non_null(fault());
    record->traceback = 0;
    assert_null(fault());
    record->domain = 5;
    assert_non_null(fault());
    record->domain = 4;
    assert_null(fault());
    record->size = 513; /* no class of its own: an array of classes would be left */
    assert_non_null(fault());
    record->size = 65534;
    assert_non_null(fault());
    record->size = TM_SIZE_VARIES;
    assert_null(fault());
    record->size = 512;
    assert_null(fault());
}

static void words_come_back_in_order(void **state)
{
    (void)state;
    struct tm_store_view view = hand_made_view(&store);
    struct tm_store_word word;
    uint32_t cursor = 0;
    assert_false(tm_store_view_word(&view, &cursor, &word));
    hand_made_word(&store, "a", "one", 3);
    hand_made_word(&store, "", "", 0);
    hand_made_word(&store, "long", (char[300]){'x'}, 300);
    assert_true(tm_store_view_word(&view, &cursor, &word));
    assert_int_equal(word.key_length, 1);
    assert_memory_equal(word.value, "one", 3);
    assert_true(tm_store_view_word(&view, &cursor, &word));
    assert_int_equal(word.key_length + word.value_length, 0);
    assert_true(tm_store_view_word(&view, &cursor, &word));
    assert_int_equal(word.value_length, 300);
    assert_false(tm_store_view_word(&view, &cursor, &word));
}

static void hostile_words_end_the_list(void **state)
{
    (void)state;
    struct tm_store_view view = hand_made_view(&store);
    struct random_numbers random = {77};
    for (unsigned round = 0; round < 3000; round++) {
        uint32_t length = (uint32_t)random_below(&random, round % 2 ? 64 : TM_STORE_META_CAPACITY + 100);
        for (uint32_t i = 0; i < 64; i++) {
            store.header->meta[i] = (char)random_below(&random, 8);
            store.header->meta[TM_STORE_META_CAPACITY - 1 - i] = (char)random_next(&random);
        }
        atomic_store(&store.header->meta_length, length);
        struct tm_store_word word;
        uint32_t cursor = 0;
        uint32_t before = 0;
        while (tm_store_view_word(&view, &cursor, &word)) {
            assert_true(cursor > before && cursor <= length && length <= TM_STORE_META_CAPACITY);
            assert_ptr_equal(word.value + word.value_length, store.header->meta + cursor);
            before = cursor;
        }
    }
}

/* Whatever passes the check can be encoded without leaving any memory (a sanitizer sees it). */
static void damaged_store_is_refused_or_encoded(void **state)
{
    (void)state;
    struct random_numbers random = {5};
    unsigned refused = 0;
    unsigned encoded = 0;
    for (unsigned round = 0; round < 600; round++) {
        struct tm_store_view view;
        for (unsigned n = 0; n < 1 + round % 3; n++) {
            unsigned section = (unsigned)random_below(&random, TM_STORE_SECTIONS);
            view = hand_made_view(&store);
            uint32_t value =
                random_below(&random, 2) ? (uint32_t)random_below(&random, 12) : (uint32_t)random_next(&random);
            if (random_below(&random, 10) == 0) {
                atomic_store(&store.header->lengths[section], random_below(&random, 2048));
            } else if (view.lengths[section] >= 4) {
                memcpy(store.sections[section] + random_below(&random, view.lengths[section] - 3), &value,
                       sizeof value);
            }
        }
        view = hand_made_view(&store);
        if (tm_store_view_check(&view) != NULL) {
            refused++;
            (void)end(state);
            (void)begin(state);
            continue;
        }
        uint8_t *bytes;
        size_t size;
        size_t capacity;
        if (tm_snapshot_encode(&view, NULL, 0, &counted_memory, &bytes, &size, &capacity) == TM_ENCODE_DONE) {
            encoded++;
            memory_release(bytes, capacity);
        }
        assert_int_equal(memory_out, 0);
    }
    assert_true(refused > 50);
    assert_true(encoded > 50);
}

static void strings_that_overlap_are_not_written_out_again_and_again(void **state)
{
    (void)state;
    /* 64 KiB of words, each of which can be read as the length of a string that reaches to the end. */
    struct tm_store_view view;
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    uint32_t previous = 0;
    const uint32_t words = 16384;
    uint64_t at = hand_made_grow(&store, TM_STORE_STRINGS, words * 4 + 8);
    uint32_t length = words * 4;
    memcpy(store.sections[TM_STORE_STRINGS] + at, &length, sizeof length);
    for (uint32_t i = 1; i < words; i++) {
        length = (words - i) * 4 - 4;
        memcpy(store.sections[TM_STORE_STRINGS] + at + i * UINT64_C(4), &length, sizeof length);
        previous = hand_made_traceback(&store, previous, hand_made_frame(&store, (uint32_t)(at / 4) + i, 0, 1));
    }
    uint32_t record = hand_made_record(&store, previous, 0, 8);
    atomic_store(&hand_made_record_at(&store, record)->ever_blocks, 1);
    view = hand_made_view(&store);
    if (tm_store_view_check(&view) == NULL) {
        assert_int_equal(tm_snapshot_encode(&view, NULL, 0, &counted_memory, &bytes, &size, &capacity),
                         TM_ENCODE_FAILED);
    }
    assert_int_equal(memory_out, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sound_store_has_no_fault),
        TEST(view_does_not_move_when_the_store_grows),
        TEST(traced_memory_is_the_sum_of_all_words_and_tallies),
        TEST(peak_may_be_off_by_what_each_thread_has_not_told),
        TEST(strings_that_leave_their_section_are_a_fault),
        TEST(frames_must_name_strings),
        TEST(tracebacks_must_refer_to_older_ones_and_to_frames),
        TEST(records_must_refer_to_tracebacks_domains_and_sizes),
        TEST(words_come_back_in_order),
        TEST(hostile_words_end_the_list),
        TEST(damaged_store_is_refused_or_encoded),
        TEST(strings_that_overlap_are_not_written_out_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
