/* SPDX-License-Identifier: MIT */
/* Events and the control API, with addresses at which nothing is ever stored. */
#include "support/cmocka_include.h"

#include <errno.h>

#include "runtime/track/counting.h"
#include "runtime/track/map_tracker.h"
#include "runtime/track/tracer_words.h"
#include "support/fake_python.h"

#define A UINT64_C(0x500000001000)
#define B UINT64_C(0x500000009000)

static int begin(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    return tm_runtime_is_tracing() ? 0 : -1;
}

static int begin_off(void **state)
{
    (void)state;
    fake_process_in_memory("TRACEMALLOC_START=off");
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    return 0;
}

/* Blocks that any record of the present epoch holds. */
static uint64_t live_blocks(void)
{
    uint64_t sum = 0;
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        uint64_t blocks;
        uint64_t bytes;
        tm_record_live(&tm_runtime, id, &blocks, &bytes);
        sum += tm_runtime.records.records[id].epoch >= atomic_load(&tm_runtime.base_epoch) ? blocks : 0;
    }
    return sum;
}

static uint64_t heap(void)
{
    return fake_heap();
}

static uint64_t temporary_blocks(void)
{
    uint64_t sum = 0;
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        sum += atomic_load(&tm_runtime.records.records[id].temporary_blocks);
    }
    return sum;
}

static const uintptr_t places[] = {A, A + 8, UINT64_C(1) << 47, (UINT64_C(1) << 47) - 16};
static const size_t lengths[] = {0, 1, 512, 513, (size_t)1 << 31, (size_t)1 << 40};

static void every_block_counts_once_and_goes_once(void **state)
{
    (void)state;
    for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            for (uint8_t lane = FAKE_HELD; lane <= FAKE_WAITING; lane++) {
                struct tm_taken taken = {.size = 77};
                errno = 78;
                fake_lane_set(lane);
                fake_alloc(TM_DOMAIN_RAW, places[place], lengths[i]);
                assert_u64_equal(fake_current(), lengths[i]);
                assert_u64_equal(live_blocks(), 1);
                assert_true(tm_tracker_take(tm_thread_self(), (const void *)places[place], &taken));
                assert_u64_equal(taken.size, lengths[i]);
                assert_false(fake_free(places[place]));
                assert_u64_equal(fake_current(), 0);
                assert_u64_equal(live_blocks(), 0);
                assert_int_equal(errno, 78);
                assert_int_equal(tm_thread_self()->guard, 0);
            }
        }
    }
    assert_u64_equal(atomic_load(&tm_runtime.store.header->dropped_events), 0);
}

static void native_is_in_heap_and_not_in_python(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_NATIVE, A, 1000);
    fake_alloc(TM_DOMAIN_MEM, B, 10);
    assert_u64_equal(fake_current(), 10);
    assert_u64_equal(heap(), 1010);
    assert_true(fake_free(A));
    assert_u64_equal(heap(), 10);
}

static void unknown_blocks_are_told_apart(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, A, 1000);
    assert_false(fake_free(0));
    assert_false(fake_free(B));
    assert_false(fake_free(A + 16));
    assert_false(fake_free(UINT64_C(0x600000000000)));
    assert_false(fake_free(UINTPTR_MAX));
    assert_u64_equal(fake_current(), 1000);
}

static void failed_realloc_leaves_everything_as_it_was(void **state)
{
    (void)state;
    for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            struct tm_taken taken;
            fake_alloc(TM_DOMAIN_MEM, places[place], lengths[i]);
            fake_alloc(TM_DOMAIN_MEM, B, 1);
            uint64_t records = tm_record_count(&tm_runtime.records);
            assert_true(tm_tracker_take(tm_thread_self(), (const void *)places[place], &taken));
            tm_tracker_put_back(tm_thread_self(), (const void *)places[place], &taken);
            assert_u64_equal(fake_current(), lengths[i] + 1);
            assert_u64_equal(live_blocks(), 2);
            assert_u64_equal(tm_record_count(&tm_runtime.records), records);
            assert_true(fake_free(places[place]));
            assert_true(fake_free(B));
            assert_u64_equal(fake_current(), 0);
        }
    }
}

static void address_given_out_again_had_its_free_missed(void **state)
{
    (void)state;
    for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            fake_alloc(TM_DOMAIN_OBJ, places[place], lengths[i]);
            fake_alloc(TM_DOMAIN_NATIVE, places[place], 20);
            assert_u64_equal(fake_current(), 0);
            assert_u64_equal(heap(), 20);
            assert_u64_equal(live_blocks(), 1);
            assert_true(fake_free(places[place]));
            assert_u64_equal(heap(), 0);
        }
    }
}

static void block_freed_before_the_next_allocation_is_temporary(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, A, 10);
    assert_true(fake_free(A));
    assert_u64_equal(temporary_blocks(), 1);
    fake_alloc(TM_DOMAIN_OBJ, A, 10);
    fake_alloc(TM_DOMAIN_OBJ, B, 10);
    assert_true(fake_free(A));
    assert_u64_equal(temporary_blocks(), 1);
    assert_true(fake_free(B));
    assert_u64_equal(temporary_blocks(), 2);
    fake_lane_set(FAKE_LOOSE);
    fake_alloc(TM_DOMAIN_NATIVE, A, 1000);
    assert_true(fake_free(A));
    assert_u64_equal(temporary_blocks(), 3);
}

static void nothing_is_traced_before_start(void **state)
{
    (void)state;
    uint32_t traceback;
    unsigned frames;
    assert_false(tm_runtime_is_tracing());
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    assert_false(fake_free(A));
    assert_int_equal(tm_runtime_traceback_of((const void *)A, &traceback, &frames), ENODATA);
    assert_int_equal(tm_runtime_take_snapshot("/tmp/none.tms", true), ENODATA);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    assert_int_equal(tm_runtime_start(0), EINVAL);
    assert_int_equal(tm_runtime_start(TM_TRACEBACK_LIMIT_MAX + 1), EINVAL);
    assert_int_equal(tm_runtime_start(5), 0);
    assert_int_equal(tm_runtime_traceback_limit(), 5);
    assert_int_equal(tm_runtime_start(7), 0); /* goes on as it is, as in Python */
    assert_int_equal(tm_runtime_traceback_limit(), 5);
    assert_false(fake_free(A));
    assert_u64_equal(fake_current(), 0);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    assert_u64_equal(fake_current(), 100);
    assert_u64_equal(fake_peak(), 100);
}

static void stop_forgets_and_start_finds_no_ghosts(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    fake_alloc(TM_DOMAIN_OBJ, B, 1000);
    tm_runtime_stop();
    assert_false(tm_runtime_is_tracing());
    assert_u64_equal(fake_current(), 0);
    assert_u64_equal(fake_peak(), 0);
    assert_true(fake_free(A)); /* heard all the same, or A given out again would be two blocks */
    fake_alloc(TM_DOMAIN_OBJ, A, 7);
    assert_int_equal(tm_runtime_start(1), 0);
    assert_u64_equal(fake_current(), 0);
    assert_false(fake_free(A));
    assert_true(fake_free(B)); /* of before: goes without a trace in any figure */
    assert_u64_equal(fake_current(), 0);
    assert_u64_equal(heap(), 0);
    assert_u64_equal(live_blocks(), 0);
    fake_alloc(TM_DOMAIN_OBJ, B, 3);
    assert_u64_equal(fake_current(), 3);
    assert_u64_equal(fake_peak(), 3);
}

static void clear_forgets_what_was_live(void **state)
{
    (void)state;
    uint32_t traceback;
    unsigned frames;
    struct tm_taken taken;
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    fake_alloc(TM_DOMAIN_NATIVE, B, 100000);
    tm_runtime_clear();
    assert_true(tm_runtime_is_tracing());
    assert_u64_equal(fake_current(), 0);
    assert_u64_equal(fake_peak(), 0);
    assert_u64_equal(live_blocks(), 0);
    assert_int_equal(tm_runtime_traceback_of((const void *)A, &traceback, &frames), ENOENT);
    fake_alloc(TM_DOMAIN_OBJ, A + 0x100, 50);
    assert_true(tm_tracker_take(tm_thread_self(), (const void *)A, &taken));
    tm_tracker_put_back(tm_thread_self(), (const void *)A, &taken);
    assert_true(fake_free(A));
    assert_true(fake_free(B));
    assert_u64_equal(fake_current(), 50);
    assert_u64_equal(heap(), 50);
    assert_u64_equal(live_blocks(), 1);
    tm_tracker_recycle(tm_thread_self(), (const void *)A);
}

static void reset_peak_begins_at_what_is_live(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    fake_alloc(TM_DOMAIN_OBJ, B, 1000);
    assert_true(fake_free(B));
    assert_u64_equal(fake_peak(), 1100);
    tm_runtime_reset_peak();
    assert_u64_equal(fake_peak(), 100);
    fake_alloc(TM_DOMAIN_OBJ, B, 5);
    assert_u64_equal(fake_peak(), 105);
}

static void address_inside_a_block_finds_its_traceback(void **state)
{
    (void)state;
    uint32_t traceback = 9;
    unsigned frames = 9;
    fake_alloc(TM_DOMAIN_OBJ, A, 1000);
    fake_alloc(TM_DOMAIN_OBJ, B, 0);
    fake_alloc(TM_DOMAIN_NATIVE, UINT64_C(0x510000000000), (size_t)5 << 30);
    assert_int_equal(tm_runtime_traceback_of((const void *)A, &traceback, &frames), 0);
    assert_int_equal(traceback, 0);
    assert_int_equal(frames, 0);
    assert_int_equal(tm_runtime_traceback_of((const void *)(A + 999), &traceback, &frames), 0);
    assert_int_equal(tm_runtime_traceback_of((const void *)(A + 1000), &traceback, &frames), ENOENT);
    assert_int_equal(tm_runtime_traceback_of((const void *)(A - 1), &traceback, &frames), ENOENT);
    assert_int_equal(tm_runtime_traceback_of((const void *)B, &traceback, &frames), 0);
    assert_int_equal(tm_runtime_traceback_of((const void *)(B + 1), &traceback, &frames), ENOENT);
    assert_int_equal(
        tm_runtime_traceback_of((const void *)(UINT64_C(0x510000000000) + ((size_t)4 << 30)), &traceback, &frames), 0);
}

static void recycled_block_stays_where_its_traceback_is(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    fake_alloc(TM_DOMAIN_OBJ, B, 100);
    tm_tracker_recycle(tm_thread_self(), (const void *)A);
    tm_tracker_recycle(tm_thread_self(), (const void *)B);
    tm_tracker_recycle(tm_thread_self(), (const void *)(B + 64));
    assert_u64_equal(live_blocks(), 2);
    assert_u64_equal(fake_current(), 200);
    assert_u64_equal(atomic_load(&tm_runtime.store.header->recycled_moves), 0);
}

/* Three hundred traces for each of many epochs, a few blocks of which are freed much later or never. */
static void clearing_for_ever_takes_no_more_records(void **state)
{
    (void)state;
    enum { EPOCHS = 200, TRACES = 300, KEPT = 2 };
    const uintptr_t old = A + UINT64_C(0x10000000);
    for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
        for (unsigned i = 0; i < TRACES; i++) {
            fake_alloc(i % 2 == 0 ? TM_DOMAIN_OBJ : TM_DOMAIN_RAW, A + i * UINT64_C(1024), i);
        }
        for (unsigned i = 0; i < KEPT; i++) {
            fake_alloc(TM_DOMAIN_MEM, old + (epoch * KEPT + i) * UINT64_C(1024), i);
        }
        assert_u64_equal(live_blocks(), TRACES + KEPT);
        for (unsigned i = 0; i < TRACES; i++) {
            assert_true(fake_free(A + i * UINT64_C(1024)));
        }
        assert_u64_equal(live_blocks(), KEPT);
        if (epoch >= EPOCHS / 2) { /* of long ago: in no figure, but gone from the tables */
            for (unsigned i = 0; i < KEPT; i++) {
                assert_true(fake_free(old + ((epoch - EPOCHS / 2) * KEPT + i) * UINT64_C(1024)));
            }
        }
        assert_u64_equal(live_blocks(), KEPT);
        assert_true(tm_record_table_is_valid(&tm_runtime.records));
        if (epoch % 2 == 0) {
            tm_runtime_clear();
        } else {
            tm_runtime_stop();
            assert_int_equal(tm_runtime_start(1), 0);
        }
    }
    assert_in_range(tm_record_count(&tm_runtime.records), TRACES, 24 * TRACES); /* not EPOCHS * TRACES */
}

/* More base epochs than a stamp has values: a service that clears each minute has them after 46 days. */
static void clearing_for_ever_keeps_the_quick_ways(void **state)
{
    (void)state;
    enum { CLEARS = 66000 };
    fake_alloc(TM_DOMAIN_OBJ, B, 40); /* of the first epoch, whose stamp comes again */
    const uint32_t first = atomic_load(&tm_life_page.stamp);
    unsigned met = 0;
    for (unsigned i = 1; i <= CLEARS; i++) {
        tm_runtime_clear();
        uint32_t stamp = atomic_load(&tm_life_page.stamp);
        assert_true(stamp != 0 && stamp >> 16 != TM_STAMP_NEVER);
        assert_int_equal(stamp, atomic_load(&tm_life_page.own_stamp));
        fake_alloc(TM_DOMAIN_OBJ, A, 24);
        if (stamp == first) {
            assert_false(tm_quick_take_block(tm_thread_self(), (const void *)B, TM_TAKE_ANY, TM_QUICK_ANY, NULL) ==
                         TM_TAKEN_NOW);
            assert_true(fake_free(B));
            fake_alloc(TM_DOMAIN_OBJ, B, 40); /* another one, of this epoch */
            met++;
        }
        assert_u64_equal(fake_current(), stamp == first ? 64 : 24);
        assert_true(tm_quick_take_block(tm_thread_self(), (const void *)A, TM_TAKE_ANY, TM_QUICK_ANY, NULL) ==
                    TM_TAKEN_NOW);
    }
    assert_int_equal(met, CLEARS / (TM_STAMP_NEVER - 1));
    assert_u64_equal(live_blocks(), 0);
}

static void wrong_option_disables_for_ever(void **state)
{
    (void)state;
    fake_process_in_memory("TRACEMALLOC_NFRAME=none");
    assert_true(tm_runtime_is_disabled());
    fake_lane_set(FAKE_LOOSE); /* no hook of an interpreter is there */
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    assert_false(fake_free(A));
    assert_int_equal(tm_runtime_start(1), ENOTSUP);
    tm_runtime_stop();
    tm_runtime_clear();
    tm_runtime_reset_peak();
    tm_runtime_python_begins();
    tm_runtime_exit_snapshot("none");
    assert_false(tm_runtime_is_tracing());
    assert_u64_equal(tm_runtime_tracer_bytes(), 0);
}

static void events_without_room_are_dropped_and_counted(void **state)
{
    (void)state;
    tm_runtime.store.reserved[TM_STORE_RECORDS] = atomic_load(&tm_runtime.store.mapped[TM_STORE_RECORDS]);
    uint64_t room = tm_runtime.store.reserved[TM_STORE_RECORDS] / sizeof(struct tm_record) - 1;
    for (unsigned i = 0; i < 2 * room; i++) {
        fake_alloc(i % 2 == 0 ? TM_DOMAIN_OBJ : TM_DOMAIN_RAW, A + i * UINT64_C(1024), i / 2 % 513);
        if (i % 500 == 499) {
            uint64_t before = tm_record_count(&tm_runtime.records);
            tm_runtime_clear(); /* records of a new epoch */
            assert_u64_equal(tm_record_count(&tm_runtime.records), before);
        }
    }
    uint64_t dropped = atomic_load(&tm_runtime.store.header->dropped_events);
    assert_in_range(dropped, 1, room);
    assert_true(tm_record_table_is_valid(&tm_runtime.records));
    for (unsigned i = 0; i < 2 * room; i++) {
        dropped -= !fake_free(A + i * UINT64_C(1024));
    }
    assert_u64_equal(dropped, 0);
    assert_u64_equal(fake_current(), 0);
    assert_u64_equal(live_blocks(), 0);
}

static void start_python_waits_for_its_moment(void **state)
{
    (void)state;
    fake_process_in_memory("TRACEMALLOC_START=python");
    fake_alloc(TM_DOMAIN_RAW, A, 100);
    assert_u64_equal(live_blocks(), 0);
    tm_runtime_start_moment("test");
    fake_alloc(TM_DOMAIN_RAW, A, 100);
    assert_u64_equal(fake_current(), 100);
    tm_runtime_start_moment("again"); /* not a second start */
    assert_u64_equal(fake_current(), 100);
    tm_runtime_stop();
    tm_runtime_start_moment("late");
    assert_false(tm_runtime_is_tracing());
}

static void block_in_a_stale_one_tells_that_its_free_was_missed(void **state)
{
    (void)state;
    for (uint64_t granule = 0; granule < 4; granule++) {
        fake_alloc(TM_DOMAIN_OBJ, A, 5000);
        fake_alloc(TM_DOMAIN_OBJ, A + granule * 16, 10);
        assert_u64_equal(live_blocks(), 1);
        assert_u64_equal(fake_current(), 10);
        assert_true(fake_free(A + granule * 16));
        assert_false(fake_free(A + granule * 16));
        assert_false(fake_free(A));
    }
    fake_alloc(TM_DOMAIN_OBJ, A + 16, 40);
    fake_alloc(TM_DOMAIN_OBJ, A + 48, 7);
    fake_alloc(TM_DOMAIN_OBJ, A, 600);
    assert_u64_equal(live_blocks(), 1);
    assert_u64_equal(fake_current(), 600);
    assert_true(fake_free(A));
}

static void reader_outside_hears_of_all_tables(void **state)
{
    (void)state;
    const struct tm_block_table *blocks = &tm_runtime.blocks;
    fake_alloc(TM_DOMAIN_MEM, A, 100);
    tm_map_tracker_add(tm_thread_self(), B & ~UINT64_C(0xFFF), 4096, TM_MAP_PRIVATE);
    tm_tracer_words_update(&tm_runtime);
    size_t leaves = tm_block_table_bytes(blocks) - tm_odd_block_table_bytes(&blocks->odd);
    size_t told = (size_t)atomic_load(&tm_runtime.store.header->whole_bytes);
    assert_u64_equal(told + leaves + tm_live_store_bytes(&tm_runtime.store), tm_runtime_tracer_bytes());
}

static void area_that_goes_takes_its_blocks_along(void **state)
{
    (void)state;
    fake_alloc(TM_DOMAIN_OBJ, A - 16, 3);
    fake_alloc(TM_DOMAIN_OBJ, A, 3);
    fake_alloc(TM_DOMAIN_MEM, A + 32, 600);
    fake_alloc(TM_DOMAIN_OBJ, A + 65536 - 32, 20);
    fake_alloc(TM_DOMAIN_OBJ, A + 65536, 20);
    tm_tracker_forget_area(tm_thread_self(), (const void *)A, 65536);
    assert_u64_equal(live_blocks(), 2);
    assert_u64_equal(fake_current(), 23);
    assert_false(fake_free(A + 32));
    assert_true(fake_free(A - 16));
    assert_true(fake_free(A + 65536));
}

static void early(uintptr_t address, size_t size)
{
    assert_ptr_equal(tm_tracker_alloc_early(tm_thread_self(), TM_DOMAIN_OBJ, (void *)address, size), address);
}

static void early_blocks_count_in_the_record_of_their_size(void **state)
{
    (void)state;
    early(A, 100);
    early(A + 1024, 100);
    const uint32_t count = tm_record_count(&tm_runtime.records);
    assert_u64_equal(fake_current(), 200);
    assert_true(fake_free(A));
    assert_u64_equal(temporary_blocks(), 0);
    early(A, 100);
    assert_true(fake_free(A)); /* it was the last one */
    assert_u64_equal(temporary_blocks(), 1);
    assert_u64_equal(fake_current(), 100);
    assert_u64_equal(fake_peak(), 200);
    early(A, 10); /* half a slot */
    early(A + 1, 100);
    early(A + 4096, 513);
    early(UINT64_C(1) << 47, 100);
    assert_u64_equal(fake_current(), 100 + 10 + 100 + 513 + 100);
    assert_u64_equal(live_blocks(), 5);
    assert_int_equal(tm_record_count(&tm_runtime.records), count + 2);
}

static void early_block_drives_out_what_stands_in_its_way(void **state)
{
    (void)state;
    early(A, 100);
    early(B, 200);
    early(A, 200);
    assert_u64_equal(fake_current(), 400);
    assert_u64_equal(live_blocks(), 2);
    assert_u64_equal(fake_peak(), 400);
}

static void nothing_is_early_without_the_gil_or_after_a_stop(void **state)
{
    (void)state;
    early(A, 100);
    tm_runtime_stop();
    early(B, 100);
    assert_int_equal(tm_runtime_start(1), 0);
    assert_u64_equal(fake_current(), 0);
    early(A, 100);
    fake_lane_set(FAKE_FOREIGN);
    early(B, 100);
    assert_u64_equal(fake_current(), 200);
    assert_u64_equal(atomic_load(&tm_runtime.totals->python_held), 100);
}

/* As extensions leave it that switch C stacks (tealets), while they allocate. */
static void a_thread_state_without_a_c_frame_has_no_frames(void **state)
{
    (void)state;
    const uintptr_t tstate[16] = {0};
    assert_int_equal(tm_quick_newest(NULL, (uintptr_t)tstate, TM_QUICK_SHARED), 0);
    assert_int_equal(tm_quick_newest(NULL, (uintptr_t)tstate, TM_QUICK_OWN_CFRAME), 0);
}

/* Debug hooks are no way's own: they go on by what the process has, and no function of that way was ever asked for. */
static void the_way_of_the_process_opens_with_all_that_it_reads(void **state)
{
    (void)state;
    const uintptr_t tstate[64] = {0};
    struct tm_cpython *python = &tm_runtime.python;
    python->row = *tm_cpython_layout_find(0x030B, false);
    python->layout = tm_runtime.layout = &python->row;
    tm_runtime_decide_quick();
    assert_int_equal(tm_quick_way_of(python, &tm_runtime.blocks), TM_QUICK_SHARED);
    assert_int_not_equal(tm_word_peek(&tm_life_page.top_sizes), 0);
    fake_holder = (uintptr_t)tstate;
    fake_alloc(TM_DOMAIN_OBJ, A, 600); /* a size that the door's own way has not looked for */
    assert_u64_equal(fake_current(), 600);
}

/* Such a door leaves the rest to look whether there is a block, and whether it is an event. */
static void what_a_small_door_leaves_is_looked_at(void **state)
{
    (void)state;
    struct tm_thread *thread = tm_thread_self();
    tm_quick_rest *const rests[] = {tm_tracker_rest_small, tm_tracker_rest_small_deep, tm_tracker_rest_shared_small,
                                    tm_tracker_rest_own_small_unknown};
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        thread->newborn = TM_NEWBORN_COMING;
        assert_null(rests[i](thread, TM_DOMAIN_OBJ, NULL, 40));
        assert_int_equal(thread->newborn, 0);
        thread->newborn = TM_NEWBORN_COMING;
        thread->guard = 1;
        assert_ptr_equal(rests[i](thread, TM_DOMAIN_OBJ, (void *)A, 40), (void *)A);
        thread->guard = 0;
        assert_int_equal(thread->newborn, 0);
        assert_u64_equal(fake_current(), 0);
    }
    assert_ptr_equal(tm_tracker_rest_small(thread, TM_DOMAIN_OBJ, (void *)A, 40), (void *)A);
    assert_ptr_equal((void *)thread->newborn, (void *)A);
    assert_u64_equal(fake_current(), 40);
}

#define TEST(name)     cmocka_unit_test_setup(name, begin)
#define TEST_OFF(name) cmocka_unit_test_setup(name, begin_off)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_thread_state_without_a_c_frame_has_no_frames),
        TEST(early_blocks_count_in_the_record_of_their_size),
        TEST(early_block_drives_out_what_stands_in_its_way),
        TEST(the_way_of_the_process_opens_with_all_that_it_reads),
        TEST(what_a_small_door_leaves_is_looked_at),
        TEST(nothing_is_early_without_the_gil_or_after_a_stop),
        TEST(every_block_counts_once_and_goes_once),
        TEST(native_is_in_heap_and_not_in_python),
        TEST(unknown_blocks_are_told_apart),
        TEST(failed_realloc_leaves_everything_as_it_was),
        TEST(address_given_out_again_had_its_free_missed),
        TEST(block_freed_before_the_next_allocation_is_temporary),
        TEST_OFF(nothing_is_traced_before_start),
        TEST(stop_forgets_and_start_finds_no_ghosts),
        TEST(clear_forgets_what_was_live),
        TEST(clearing_for_ever_takes_no_more_records),
        TEST(clearing_for_ever_keeps_the_quick_ways),
        TEST(reset_peak_begins_at_what_is_live),
        TEST(address_inside_a_block_finds_its_traceback),
        TEST(recycled_block_stays_where_its_traceback_is),
        TEST(wrong_option_disables_for_ever),
        TEST(events_without_room_are_dropped_and_counted),
        TEST(start_python_waits_for_its_moment),
        TEST(block_in_a_stale_one_tells_that_its_free_was_missed),
        TEST(area_that_goes_takes_its_blocks_along),
        TEST(reader_outside_hears_of_all_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
