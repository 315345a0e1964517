/* SPDX-License-Identifier: MIT */
/* Whichever request for pages fails, the tables stay sound, say no, and go on when there is memory again. */
#include "support/cmocka_include.h"

#include "support/failing_pages.h"

#include <stdio.h>

#include "runtime/table/block_table.h"
#include "runtime/table/code_table.h"
#include "runtime/table/frame_table.h"
#include "runtime/table/record_table.h"
#include "runtime/table/store_fork.h"
#include "runtime/table/string_table.h"
#include "runtime/table/trace_cache.h"
#include "runtime/table/traceback_table.h"
#include "support/scratch_folder.h"

#define ITEMS 3000U
#define BASE  UINT64_C(0x100000000000) /* address of the first block */

struct tables {
    struct tm_live_store store;
    struct tm_string_table strings;
    struct tm_frame_table frames;
    struct tm_traceback_table tracebacks;
    struct tm_record_table records;
    struct tm_code_table codes;
    struct tm_block_table blocks;
    struct tm_odd_block_table odd;
    struct tm_trace_cache cache;
};

static bool begin(struct tables *t)
{
    memset(t, 0, sizeof *t);
    return tm_live_store_begin(&t->store) && tm_block_table_init_at(&t->blocks, 4, t->store.room) &&
           tm_trace_cache_init(&t->cache) && tm_string_table_init(&t->strings, &t->store) &&
           tm_frame_table_init(&t->frames, &t->store) && tm_traceback_table_init(&t->tracebacks, &t->store) &&
           tm_record_table_init(&t->records, &t->store);
}

static void give_back(void *pages, size_t size)
{
    if (pages != NULL && size > 0) {
        tm_pages_unmap_sparse(pages, size);
    }
}

static void end(struct tables *t)
{
    uint64_t space = TM_STORE_ROOM + TM_STORE_HEADER_SIZE;
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        space += t->store.reserved[i];
    }
    for (uint64_t i = 0; i < atomic_load(&t->blocks.leaf_count); i++) {
        give_back(atomic_load(&t->blocks.leaf_list[i]), tm_block_table_leaf_bytes(&t->blocks));
    }
    give_back(t->store.sections[0], (size_t)space);
}

static bool all_valid(const struct tables *t)
{
    return tm_string_table_is_valid(&t->strings) && tm_frame_table_is_valid(&t->frames) &&
           tm_traceback_table_is_valid(&t->tracebacks) && tm_record_table_is_valid(&t->records) &&
           tm_code_table_is_valid(&t->codes);
}

/* One item goes through all tables, as an event would take it. */
static bool add(struct tables *t, uint32_t i)
{
    char text[64];
    struct tm_stored_frame frame = {.line = i};
    int length = snprintf(text, sizeof text, "name of a file that is number %u", i);
    if (!tm_string_intern(&t->strings, text, (size_t)length, &frame.file)) {
        assert_int_equal(frame.file, 0);
        return false;
    }
    uint32_t id = tm_frame_intern(&t->frames, &frame);
    uint32_t traceback = id == 0 ? 0 : tm_traceback_intern(&t->tracebacks, 0, id);
    if (traceback == 0) {
        return false;
    }
    const struct tm_record_key key = {.traceback = traceback, .size = (uint16_t)(i % 512)};
    uint32_t record = tm_record_intern(&t->records, &key);
    uint64_t address = BASE + (uint64_t)i * (UINT64_C(1) << 17);
    bool known = tm_code_table_frame(&t->codes, i, 0) != 0;
    return record != 0 && (known || tm_code_table_add(&t->codes, i / 8 + 1, i, 0, id)) &&
           tm_block_table_put(&t->blocks, address, record, 1) &&
           tm_odd_block_table_put(&t->odd, address + 1, record, 1);
}

static void assert_all_there(const struct tables *t)
{
    struct tm_block block;
    for (uint32_t i = 1; i <= ITEMS; i++) {
        uint64_t address = BASE + (uint64_t)i * (UINT64_C(1) << 17);
        uint64_t size;
        uint32_t word;
        uint32_t id = tm_code_table_frame(&t->codes, i, 0);
        assert_int_equal(tm_frame_at(&t->store, id)->line, i);
        assert_true(tm_block_table_find(&t->blocks, address, &block));
        assert_true(tm_odd_block_table_find(&t->odd, address + 1, &word, &size));
        assert_int_equal(word, block.word);
        assert_int_equal(tm_traceback_at(&t->store, t->records.records[word].traceback)->frame, id);
    }
    assert_int_equal(t->odd.count, ITEMS);
    assert_int_equal(tm_record_count(&t->records), ITEMS + 1);
    assert_int_equal(t->frames.map.count, ITEMS);
    assert_int_equal(t->strings.map.count, ITEMS);
}

static struct tables tables;

/* Calls up to the end of begin, and of all. */
static unsigned count_calls(unsigned *beginning)
{
    pages_calls = 0;
    pages_fail_at = 0;
    assert_true(begin(&tables));
    *beginning = pages_calls;
    for (uint32_t i = 1; i <= ITEMS; i++) {
        assert_true(add(&tables, i));
    }
    unsigned calls = pages_calls;
    assert_all_there(&tables);
    end(&tables);
    return calls;
}

static void any_one_failure_is_told_and_mended_by_the_next_try(void **state)
{
    (void)state;
    unsigned beginning;
    unsigned calls = count_calls(&beginning);
    assert_true(calls > beginning + 20);
    pages_fail_after = false;
    for (unsigned n = 1; n <= calls; n++) {
        unsigned refusals = 0;
        pages_calls = 0;
        pages_fail_at = n;
        assert_int_equal(begin(&tables), n > beginning);
        for (uint32_t i = 1; n > beginning && i <= ITEMS; i++) {
            if (!add(&tables, i)) {
                refusals++;
                assert_true(all_valid(&tables));
                assert_true(add(&tables, i));
            }
        }
        if (n > beginning) {
            assert_int_equal(refusals, 1);
            assert_all_there(&tables);
            assert_true(all_valid(&tables));
        }
        end(&tables);
    }
}

static void lasting_lack_of_memory_fills_nothing_with_copies(void **state)
{
    (void)state;
    unsigned beginning;
    unsigned calls = count_calls(&beginning);
    pages_fail_after = true;
    for (unsigned n = beginning + 1; n <= calls; n++) {
        uint32_t i = 1;
        pages_calls = 0;
        pages_fail_at = n;
        assert_true(begin(&tables));
        while (i <= ITEMS && add(&tables, i)) {
            i++;
        }
        uint64_t lengths[TM_STORE_SECTIONS];
        for (unsigned try = 0; try < 50; try++) {
            assert_false(add(&tables, i));
            for (unsigned s = 0; s < TM_STORE_SECTIONS; s++) {
                uint64_t length = atomic_load(&tables.store.header->lengths[s]);
                assert_true(try == 0 || length == lengths[s]);
                lengths[s] = length;
            }
        }
        assert_true(all_valid(&tables));
        end(&tables);
    }
    pages_fail_at = 0;
}

/* It is given out another time. */
static void released_id_is_not_lost_for_lack_of_memory(void **state)
{
    (void)state;
    uint32_t traceback = 0;
    struct tm_record_key key = {.traceback = 0};
    pages_fail_at = 0;
    assert_true(begin(&tables));
    for (uint32_t i = 1; i <= TM_LIST_MAX; i++) {
        key.size = (uint16_t)i;
        assert_int_equal(tm_record_intern(&tables.records, &key), i);
        traceback = tm_traceback_intern(&tables.tracebacks, 0, i);
        assert_int_not_equal(traceback, 0);
    }
    key.traceback = traceback;
    const uint32_t record = tm_record_intern(&tables.records, &key);
    traceback = tm_traceback_intern(&tables.tracebacks, traceback, 1);
    assert_int_not_equal(traceback, 0);
    tm_record_release(&tables.records, record);
    tm_traceback_release(&tables.tracebacks, traceback);
    key = (struct tm_record_key){.traceback = 0, .size = 100};
    for (unsigned round = 0; round < 2; round++) {
        const bool fails = round == 0;
        tm_free_ids_begin_round(&tables.records.free);
        tm_free_ids_begin_round(&tables.tracebacks.free);
        pages_calls = 0;
        pages_fail_at = fails ? 1 : 0;
        pages_fail_after = true;
        assert_int_equal(tm_record_intern(&tables.records, &key), fails ? 0 : record);
        assert_int_equal(tm_traceback_intern(&tables.tracebacks, 0, 100), fails ? 0 : traceback);
    }
    end(&tables);
}

static void cache_that_cannot_grow_goes_on_small(void **state)
{
    (void)state;
    struct tm_trace_cache cache;
    memset(&cache, 0, sizeof cache);
    pages_fail_at = 0;
    assert_true(tm_trace_cache_init(&cache));
    size_t bytes = tm_trace_cache_bytes(&cache);
    pages_fail_at = 1;
    pages_fail_after = true;
    for (uint32_t i = 1; i < 100000; i++) {
        uint64_t key = i * TM_HASH_MULTIPLIER;
        tm_trace_cache_put_held(&cache, key, 1, i * 1024, i, true);
        if (tm_trace_cache_wants_tending(&cache)) { /* the lists of zones are full: it begins anew */
            tm_trace_cache_tend(&cache);
            tm_trace_cache_put_held(&cache, key, 1, i * 1024, i, true);
        }
        assert_int_equal(tm_trace_cache_held(&cache, key, 1), i);
    }
    assert_u64_equal(tm_trace_cache_bytes(&cache), bytes);
    pages_fail_at = 0;
}

static void image_without_memory_is_not_valid(void **state)
{
    (void)state;
    struct tm_store_fork fork = {.names = NULL};
    pages_fail_at = 0;
    assert_true(begin(&tables));
    for (unsigned n = 1; n <= 2; n++) { /* the counters' pages, the names' */
        pages_calls = 0;
        pages_fail_at = n;
        pages_fail_after = false;
        assert_false(tm_store_fork_take(&fork, &tables.store, true));
        assert_false(fork.image.valid);
        tm_store_fork_end(&fork);
    }
    pages_calls = 0;
    pages_fail_at = 1;
    assert_false(tm_store_fork_prepare(&fork, &tables.store));
    assert_true(tm_store_fork_take(&fork, &tables.store, true));
    assert_true(fork.image.valid);
    tm_store_fork_end(&fork);
    end(&tables);
}

static void detach_without_memory_says_so_and_may_be_tried_again(void **state)
{
    (void)state;
    struct scratch_folder folder;
    scratch_make(&folder);
    for (unsigned n = 1; n <= 10; n++) {
        pages_fail_at = 0;
        assert_true(begin(&tables));
        for (uint32_t i = 1; i <= 100; i++) {
            assert_true(add(&tables, i));
        }
        assert_int_equal(tm_live_store_to_file(&tables.store, scratch_name(&folder, "a.live")), 0);
        pages_calls = 0;
        pages_fail_at = n;
        assert_false(tm_live_store_detach(&tables.store, NULL));
        assert_true(all_valid(&tables));
        assert_true(tm_live_store_detach(&tables.store, NULL));
        assert_true(all_valid(&tables));
        assert_int_equal(tm_frame_at(&tables.store, 100)->line, 100);
        assert_int_equal(unlink(folder.name), 0);
        end(&tables);
    }
    pages_fail_at = 0;
    scratch_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_failure_is_told_and_mended_by_the_next_try),
        cmocka_unit_test(lasting_lack_of_memory_fills_nothing_with_copies),
        cmocka_unit_test(released_id_is_not_lost_for_lack_of_memory),
        cmocka_unit_test(cache_that_cannot_grow_goes_on_small),
        cmocka_unit_test(image_without_memory_is_not_valid),
        cmocka_unit_test(detach_without_memory_says_so_and_may_be_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
