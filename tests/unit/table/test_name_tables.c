/* SPDX-License-Identifier: MIT */
/* Strings, frames, tracebacks and records: each thing once, found again by its content. */
#include "support/cmocka_include.h"

#include <stdio.h>

#include "runtime/table/frame_table.h"
#include "runtime/table/record_table.h"
#include "runtime/table/string_table.h"
#include "runtime/table/traceback_table.h"
#include "support/random_numbers.h"

static struct tm_live_store store;
static struct tm_string_table strings;
static struct tm_frame_table frames;
static struct tm_traceback_table tracebacks;
static struct tm_record_table records;

static int begin(void **state)
{
    (void)state;
    memset(&store, 0, sizeof store);
    memset(&strings, 0, sizeof strings);
    memset(&frames, 0, sizeof frames);
    memset(&tracebacks, 0, sizeof tracebacks);
    memset(&records, 0, sizeof records);
    return tm_live_store_begin(&store) && tm_string_table_init(&strings, &store) &&
                   tm_frame_table_init(&frames, &store) && tm_traceback_table_init(&tracebacks, &store) &&
                   tm_record_table_init(&records, &store)
               ? 0
               : -1;
}

static void assert_valid(void)
{
    assert_true(tm_string_table_is_valid(&strings));
    assert_true(tm_frame_table_is_valid(&frames));
    assert_true(tm_traceback_table_is_valid(&tracebacks));
    assert_true(tm_record_table_is_valid(&records));
}

static uint32_t string_id(const void *bytes, size_t length)
{
    uint32_t id = 0;
    assert_true(tm_string_intern(&strings, bytes, length, &id));
    return id;
}

static void equal_strings_have_one_id_and_stay_where_they_are(void **state)
{
    (void)state;
    uint32_t ids[3000];
    char text[64];
    uint32_t first = string_id("first", 5);
    const char *place = tm_string_at(&store, first, NULL);
    for (unsigned i = 0; i < 3000; i++) {
        ids[i] = string_id(text, (size_t)snprintf(text, sizeof text, "/usr/lib/python/module_%u.py", i));
        assert_true(ids[i] != 0 && (i == 0 || ids[i] > ids[i - 1]));
    }
    for (unsigned i = 0; i < 3000; i++) {
        size_t length;
        int expected = snprintf(text, sizeof text, "/usr/lib/python/module_%u.py", i);
        assert_int_equal(string_id(text, (size_t)expected), ids[i]);
        assert_string_equal(tm_string_at(&store, ids[i], &length), text);
        assert_int_equal(length, expected);
    }
    assert_ptr_equal(tm_string_at(&store, first, NULL), place);
    assert_string_equal(place, "first");
    assert_valid();
}

/* A place says where to look first, never what is there. */
static void strings_of_a_place_are_what_their_bytes_are(void **state)
{
    (void)state;
    static const char one[] = "one.py", two[] = "two.py";
    const uintptr_t place = (uintptr_t)one;
    uint32_t id;
    assert_true(tm_string_intern_from(&strings, place, one, 6, &id));
    assert_int_equal(id, string_id(one, 6));
    assert_true(tm_string_intern_from(&strings, place, one, 6, &id));
    assert_int_equal(id, string_id(one, 6));
    assert_true(tm_string_intern_from(&strings, place, two, 6, &id));
    assert_int_equal(id, string_id(two, 6));
    assert_true(tm_string_intern_from(&strings, place, two, 3, &id));
    assert_int_equal(id, string_id("two", 3));
    assert_true(tm_string_intern_from(&strings, place, one, 0, &id));
    assert_int_equal(id, 0);
    assert_valid();
}

static void empty_string_is_id_zero(void **state)
{
    (void)state;
    size_t length = 1;
    assert_int_equal(string_id("", 0), 0);
    assert_int_equal(string_id("x", 0), 0);
    assert_string_equal(tm_string_at(&store, 0, &length), "");
    assert_int_equal(length, 0);
    assert_valid();
}

static void strings_may_hold_zero_bytes_and_be_long(void **state)
{
    (void)state;
    static char large[1 << 20];
    uint32_t a = string_id("a\0b", 3);
    uint32_t b = string_id("a\0c", 3);
    uint32_t c = string_id("a", 1);
    memset(large, 'z', sizeof large);
    uint32_t d = string_id(large, sizeof large);
    uint32_t e = string_id(large, sizeof large - 1);
    assert_true(a != b && b != c && a != c && d != e);
    assert_int_equal(string_id("a\0b", 3), a);
    assert_int_equal(string_id(large, sizeof large), d);
    assert_valid();
}

static void string_without_room_is_refused_with_id_zero(void **state)
{
    (void)state;
    uint32_t id = 5;
    assert_false(tm_string_intern(&strings, "", (size_t)UINT32_MAX, &id));
    assert_int_equal(id, 0);
    static char large[1 << 20];
    unsigned taken = 0;
    store.reserved[TM_STORE_STRINGS] = 4 << 20;
    do {
        memset(large, 'a' + (int)taken, 100);
    } while (tm_string_intern(&strings, large, sizeof large, &id) && ++taken < 10);
    assert_int_equal(taken, 3);
    assert_int_equal(id, 0);
    assert_true(string_id("small", 5) != 0);
    assert_valid();
}

static void equal_frames_have_one_id(void **state)
{
    (void)state;
    uint32_t ids[2000];
    uint32_t file = string_id("file.py", 7);
    uint32_t function = string_id("function", 8);
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < 2000; i++) {
            const struct tm_stored_frame frame = {i % 2 ? file : function, i % 3 ? file : function, i / 6};
            uint32_t id = tm_frame_intern(&frames, &frame);
            assert_int_not_equal(id, 0);
            assert_int_equal(pass == 0 ? (ids[i] = id) : ids[i], id);
            assert_memory_equal(tm_frame_at(&store, id), &frame, sizeof frame);
        }
    }
    assert_int_equal(frames.map.count, 4 * 333 + 2);
    assert_valid();
}

static void equal_tracebacks_have_one_id_and_parents_are_older(void **state)
{
    (void)state;
    struct random_numbers random = {3};
    const struct tm_stored_frame frame = {string_id("f", 1), 0, 1};
    for (uint32_t line = 1; line <= 50; line++) {
        const struct tm_stored_frame each = {frame.file, 0, line};
        assert_int_equal(tm_frame_intern(&frames, &each), line);
    }
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t older = (uint32_t)random_below(&random, tm_id_lists_count(&tracebacks.lists) / 8 + 1);
        uint32_t newest = 1 + (uint32_t)random_below(&random, 50);
        uint32_t id = tm_traceback_intern(&tracebacks, older, newest);
        assert_int_not_equal(id, 0);
        assert_true(id > older);
        assert_int_equal(tm_traceback_at(&store, id)->parent, older);
        assert_int_equal(tm_traceback_at(&store, id)->frame, newest);
        size_t count = tm_id_lists_count(&tracebacks.lists);
        uint32_t again = tm_traceback_intern(&tracebacks, older, newest);
        assert_int_equal(id, again);
        assert_int_equal(tm_id_lists_count(&tracebacks.lists), count);
    }
    assert_valid();
}

/* So many that some have one hash. */
static void tracebacks_of_one_hash_differ(void **state)
{
    (void)state;
    struct random_numbers random = {23};
    for (unsigned i = 0; i < 200000; i++) {
        const uint32_t frame = (uint32_t)random_next(&random) | 1;
        uint32_t id = tm_traceback_intern(&tracebacks, 0, frame);
        assert_int_not_equal(id, 0);
        assert_int_equal(tm_traceback_at(&store, id)->frame, frame);
    }
}

static uint32_t record_id(uint32_t epoch, uint16_t size, uint8_t domain)
{
    const struct tm_record_key key = {.traceback = 0, .epoch = epoch, .size = size, .domain = domain};
    uint32_t id = tm_record_intern(&records, &key);
    assert_int_not_equal(id, 0);
    return id;
}

static void records_differ_by_every_part_of_their_key(void **state)
{
    (void)state;
    uint32_t a = record_id(1, 16, 2);
    assert_int_equal(record_id(1, 16, 2), a);
    assert_true(record_id(2, 16, 2) != a);
    assert_true(record_id(1, 17, 2) != a);
    assert_true(record_id(1, 16, 1) != a);
    assert_int_equal(tm_record_count(&records), 5);
    atomic_store(&store.header->totals.marks, 99);
    uint32_t late = record_id(1, TM_SIZE_VARIES, 0);
    assert_u64_equal(atomic_load(&records.records[late].marks), 99);
    assert_int_equal(records.records[late].size, TM_SIZE_VARIES);
    assert_valid();
}

static void records_of_one_tag_differ(void **state)
{
    (void)state;
    struct tm_record_key key = {.traceback = 3, .epoch = 1, .size = 16, .domain = 2, .owner = 2};
    uint32_t one = tm_record_intern(&records, &key);
    key.epoch = 2;
    key.owner = 1;
    assert_int_equal(tm_record_find(&records, &key), 0);
    uint32_t other = tm_record_intern(&records, &key);
    assert_true(other != one);
    assert_int_equal(tm_record_intern(&records, &key), other);
    key.traceback = 1000000; /* of which nobody has heard */
    assert_int_equal(tm_record_find(&records, &key), 0);
}

static void record_of_an_older_epoch_takes_none_of_the_present_one_along(void **state)
{
    (void)state;
    uint32_t olds[3];
    uint32_t fresh[3];
    for (uint16_t i = 0; i < 3; i++) {
        olds[i] = record_id(1, i, 2);
    }
    tm_record_table_new_epoch(&records);
    for (uint16_t i = 0; i < 3; i++) {
        fresh[i] = record_id(2, i, 2);
    }
    for (unsigned i = 0; i < 3; i++) {
        tm_record_release(&records, olds[i]);
    }
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(record_id(2, i, 2), fresh[i]);
    }
    assert_valid();
}

static void new_epoch_makes_new_records_and_keeps_the_old_ones(void **state)
{
    (void)state;
    for (uint16_t size = 0; size < 500; size++) {
        (void)record_id(1, size, 2);
    }
    uint32_t old = record_id(1, 100, 2);
    atomic_store(&records.records[old].ever_blocks, 7);
    tm_record_table_new_epoch(&records);
    uint32_t fresh = record_id(2, 100, 2);
    assert_int_equal(fresh, 501);
    assert_u64_equal(atomic_load(&records.records[old].ever_blocks), 7);
    assert_valid();
}

static void many_records_stand_one_behind_the_other_with_their_companions(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 5000; i++) {
        uint32_t id = record_id(i, 8, 0);
        assert_int_equal(id, i);
        atomic_store(&records.peaks[id].heap_bytes, i);
        atomic_store(&records.loose[id].freed_bytes, i);
    }
    for (uint32_t id = 1; id <= 5000; id++) {
        assert_int_equal(records.records[id].epoch, id);
        assert_u64_equal(atomic_load(&records.peaks[id].heap_bytes), id);
        assert_u64_equal(atomic_load(&records.loose[id].freed_bytes), id);
    }
}

static uint64_t ready_for(enum tm_section_name section, size_t size)
{
    return atomic_load(&store.ready[section]) / size;
}

/* Each record lies in pages that were asked for, in all three sections, also after the store has become a file. */
static void records_are_made_where_the_store_is_ready(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 9000; i++) {
        if (i == 4000) { /* as a file does: only what is used is ready */
            atomic_store(&store.ready[TM_STORE_RECORDS], 4000 * sizeof(struct tm_record));
            atomic_store(&store.ready[TM_STORE_PEAKS], 4000 * sizeof(struct tm_record_peak));
            atomic_store(&store.ready[TM_STORE_LOOSE], 4000 * sizeof(struct tm_record_loose));
            tm_record_table_was_moved(&records);
        }
        assert_int_equal(record_id(i, 8, 0), i);
        assert_true(i < ready_for(TM_STORE_RECORDS, sizeof(struct tm_record)));
        assert_true(i < ready_for(TM_STORE_PEAKS, sizeof(struct tm_record_peak)));
        assert_true(i < ready_for(TM_STORE_LOOSE, sizeof(struct tm_record_loose)));
    }
    assert_valid();
}

static void validity_notices_what_refers_to_nothing(void **state)
{
    (void)state;
    const struct tm_stored_frame frame = {1000000, 0, 1};
    uint32_t id = tm_frame_intern(&frames, &frame);
    assert_false(tm_frame_table_is_valid(&frames));
    assert_int_not_equal(tm_traceback_intern(&tracebacks, 0, id + 1), 0);
    assert_false(tm_traceback_table_is_valid(&tracebacks));
    const struct tm_record_key key = {.traceback = 77, .size = 1};
    assert_int_not_equal(tm_record_intern(&records, &key), 0);
    assert_false(tm_record_table_is_valid(&records));
}

static void begin_round(void)
{
    tm_free_ids_begin_round(&records.free);
    tm_free_ids_begin_round(&tracebacks.free);
    tm_free_ids_begin_round(&frames.free);
    for (unsigned room = 0; room < TM_STRING_ROOMS; room++) {
        tm_free_ids_begin_round(&strings.free[room]);
    }
}

static void released_strings_become_others_of_their_room(void **state)
{
    (void)state;
    uint32_t one = string_id("render_11", 9);
    uint32_t other = string_id("a longer name than that", 23);
    uint64_t length = atomic_load(&store.header->lengths[TM_STORE_STRINGS]);
    tm_string_release(&strings, one);
    tm_string_release(&strings, other);
    assert_valid();
    assert_int_not_equal(string_id("render_12", 9), one); /* rests */
    begin_round();
    assert_int_equal(string_id("render_1", 8), one); /* 4 + 8 + 1 bytes take as much room as 4 + 9 + 1 */
    assert_string_equal(tm_string_at(&store, one, NULL), "render_1");
    assert_int_equal(string_id("another long name again", 23), other);
    assert_int_equal(string_id("another long name again", 23), other);
    assert_int_not_equal(string_id("render_11", 9), one);
    assert_true(atomic_load(&store.header->lengths[TM_STORE_STRINGS]) <= length + 2 * 16);
    assert_valid();
}

/* Its bytes stay where they are until another one takes its room. */
static void released_string_is_nobodys_first_guess(void **state)
{
    (void)state;
    uint32_t gone, id;
    assert_true(tm_string_intern_from(&strings, 4096, "once.py", 7, &gone));
    tm_string_release(&strings, gone);
    begin_round();
    assert_int_equal(string_id("next.py", 7), gone);
    assert_true(tm_string_intern_from(&strings, 4096, "next.py", 7, &id));
    tm_string_release(&strings, gone);
    assert_true(tm_string_intern_from(&strings, 4096, "next.py", 7, &id));
    begin_round();
    assert_int_not_equal(string_id("last.py", 7), id);
    assert_string_equal(tm_string_at(&store, id, NULL), "next.py");
    assert_valid();
}

static void released_frames_and_tracebacks_become_others(void **state)
{
    (void)state;
    uint32_t ids[6] = {0};
    struct tm_stored_frame frame = {0, 0, 1};
    for (unsigned i = 1; i < 6; i++) { /* a chain */
        frame.line = i;
        ids[i] = tm_traceback_intern(&tracebacks, ids[i - 1], tm_frame_intern(&frames, &frame));
        assert_int_not_equal(ids[i], 0);
    }
    tm_traceback_release(&tracebacks, ids[5]);
    tm_traceback_release(&tracebacks, ids[4]);
    tm_frame_release(&frames, 4);
    tm_frame_release(&frames, 5);
    begin_round();
    assert_valid();
    frame.line = 77;
    uint32_t reused = tm_frame_intern(&frames, &frame);
    assert_int_equal(reused, 4);
    assert_int_equal(tm_frame_intern(&frames, &frame), reused);
    uint32_t child = tm_traceback_intern(&tracebacks, ids[3], reused);
    uint32_t grandchild = tm_traceback_intern(&tracebacks, child, reused);
    assert_int_equal(child, ids[4]);
    assert_int_equal(grandchild, ids[5]);
    assert_int_equal(tm_traceback_find(&tracebacks, child, reused), grandchild);
    assert_valid();
}

/* Readers refuse a store whose machine frames stand before their objects. */
static void machine_frames_take_no_released_id_below_their_object(void **state)
{
    (void)state;
    struct tm_stored_frame frame = {0, 0, 1};
    uint32_t early = tm_frame_intern(&frames, &frame);
    uint32_t object = tm_frame_intern(&frames, &(struct tm_stored_frame){0, TM_FRAME_MODULE, 0});
    frame.line = 2;
    uint32_t late = tm_frame_intern(&frames, &frame);
    assert_true(early < object && object < late);
    tm_frame_release(&frames, early);
    tm_frame_release(&frames, late);
    begin_round();
    assert_int_equal(tm_frame_intern(&frames, &(struct tm_stored_frame){object, TM_FRAME_NATIVE, 0x10}), late);
    assert_true(tm_frame_intern(&frames, &(struct tm_stored_frame){object, TM_FRAME_NATIVE, 0x20}) > late);
    frame.line = 3;
    assert_int_equal(tm_frame_intern(&frames, &frame), early);
    assert_valid();
}

static void released_records_are_empty_and_become_others(void **state)
{
    (void)state;
    struct tm_record_key key = {.traceback = 0, .epoch = 3, .size = 24, .domain = 2};
    uint32_t first = tm_record_intern(&records, &key);
    key.size = 25;
    uint32_t second = tm_record_intern(&records, &key);
    key.size = 40;
    uint32_t third = tm_record_intern(&records, &key);
    atomic_store(&records.records[first].ever_blocks, 9);
    atomic_store(&records.records[first].freed_blocks, 9);
    atomic_store(&records.loose[first].ever_blocks, 1);
    atomic_store(&records.records[first].has_loose, 1);
    atomic_store(&records.peaks[first].heap_bytes, 1);
    tm_record_release(&records, first);
    tm_record_release(&records, second);
    tm_record_release(&records, third);
    assert_int_equal(tm_record_find(&records, &key), 0);
    assert_int_equal(atomic_load(&records.records[first].ever_blocks), 0);
    assert_int_equal(atomic_load(&records.loose[first].ever_blocks), 0);
    assert_int_equal(atomic_load(&records.peaks[first].heap_bytes), 0);
    assert_int_equal(atomic_load(&records.records[first].has_loose), 0);
    atomic_store(&records.records[first].freed_blocks, 1); /* by a thread that slept since */
    atomic_store(&records.records[third].has_loose, 1);    /* by another, which counts for nobody */
    begin_round();
    key.size = 26;
    assert_int_equal(tm_record_intern(&records, &key), second);
    assert_int_equal(records.records[second].size, 26);
    key.size = 27;
    assert_true(tm_record_intern(&records, &key) > third);
    assert_valid();
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_strings_have_one_id_and_stay_where_they_are),
        TEST(strings_of_a_place_are_what_their_bytes_are),
        TEST(released_string_is_nobodys_first_guess),
        TEST(empty_string_is_id_zero),
        TEST(strings_may_hold_zero_bytes_and_be_long),
        TEST(string_without_room_is_refused_with_id_zero),
        TEST(equal_frames_have_one_id),
        TEST(equal_tracebacks_have_one_id_and_parents_are_older),
        TEST(tracebacks_of_one_hash_differ),
        TEST(records_differ_by_every_part_of_their_key),
        TEST(records_of_one_tag_differ),
        TEST(record_of_an_older_epoch_takes_none_of_the_present_one_along),
        TEST(new_epoch_makes_new_records_and_keeps_the_old_ones),
        TEST(many_records_stand_one_behind_the_other_with_their_companions),
        TEST(records_are_made_where_the_store_is_ready),
        TEST(validity_notices_what_refers_to_nothing),
        TEST(released_strings_become_others_of_their_room),
        TEST(released_frames_and_tracebacks_become_others),
        TEST(machine_frames_take_no_released_id_below_their_object),
        TEST(released_records_are_empty_and_become_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
