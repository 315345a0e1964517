/* SPDX-License-Identifier: MIT */
/* The peak and what was live at it, kept in O(1) per event, against a replay of the whole log that copies everything
 * at every maximum.  Exact, but for the heap's where a thread goes to and fro between the GIL and its tally. */
#include "support/cmocka_include.h"

#include "runtime/track/counting.h"
#include "store/snapshot_select.h"
#include "support/fake_python.h"
#include "support/random_numbers.h"
#include "support/sanitizers.h"

#define EVENTS  12000U
#define SEEDS   (TM_UNDER_THREAD_SANITIZER ? 4U : 40U)
#define BLOCKS  900U
#define DOMAINS 4U
#define EPOCHS  64U
#define HEAP    UINT64_C(0x500000000000)

/* Sizes that have records of their own, and the rest. */
static const uint16_t sizes[] = {0, 1, 8, 24, 100, 512, TM_SIZE_VARIES};
#define SIZES (sizeof sizes / sizeof sizes[0])
#define KEYS  (DOMAINS * SIZES)

enum action { ALLOC, FREE, PUT_BACK, RESET_PEAK, CLEAR };

struct event {
    enum action action;
    unsigned key; /* domain and size */
    unsigned epoch;
    uint64_t size;
    bool temporary; /* FREE of what was allocated last */
};

struct figures {
    uint64_t blocks, bytes;
};

struct distribution {
    struct figures of[KEYS];
};

static struct event events[EVENTS];
static unsigned event_count;

static struct block {
    bool live;
    unsigned key, epoch;
    uint64_t size;
} blocks[BLOCKS];

static uintptr_t address_of(unsigned i)
{
    return HEAP + (uintptr_t)i * 0x10000 + (i % 17 == 0 ? 8 : 0);
}

/* Where the events of a run happen. */
enum ways { UNDER_THE_GIL, WITHOUT_GIL, TO_AND_FRO, WAYS };

static enum ways ways;
static unsigned quick_frees[WAYS];
static unsigned moves[2]; /* and those that failed */
static unsigned epoch_now;
static unsigned last_allocated; /* BLOCKS: none */

static void log_event(enum action action, const struct block *block, bool temporary)
{
    events[event_count++] = (struct event){action, block->key, block->epoch, block->size, temporary};
}

static void do_alloc(struct random_numbers *random, unsigned i)
{
    unsigned key = (unsigned)random_below(random, KEYS);
    uint64_t size = sizes[key % SIZES];
    if (size == TM_SIZE_VARIES) {
        size = random_below(random, 200) == 0 ? UINT64_C(3) << 30 : 513 + random_below(random, 20000);
    }
    blocks[i] = (struct block){true, key, epoch_now, size};
    fake_alloc((enum tm_domain)(key / SIZES), address_of(i), (size_t)size);
    log_event(ALLOC, &blocks[i], false);
    last_allocated = i;
}

/* As the door of a realloc does it, which fails sometimes.  False: that door would not. */
static bool do_move(struct random_numbers *random, unsigned i)
{
    const void *block = (const void *)address_of(i);
    struct tm_record *record = tm_quick_take_to_move(block, TM_QUICK_ANY);
    if (record == NULL) {
        return false;
    }
    const bool fails = event_count + 1 < EVENTS && random_below(random, 4) == 0;
    log_event(FREE, &blocks[i], !fails && i == last_allocated);
    if (fails) {
        tm_quick_put_back(tm_thread_self(), record, block);
        log_event(PUT_BACK, &blocks[i], false);
    } else {
        tm_quick_count_moved(tm_thread_self(), record, block);
        blocks[i].live = false;
        last_allocated = i == last_allocated ? BLOCKS : last_allocated;
    }
    moves[fails]++;
    return true;
}

static void do_free(struct random_numbers *random, unsigned i)
{
    if (fake_holder != 0 && random_below(random, 4) == 0 && do_move(random, i)) {
        return;
    }
    struct tm_taken taken;
    bool temporary = i == last_allocated;
    bool asks = random_below(random, 2) == 0; /* what was taken, as a realloc does */
    bool is_quick = random_below(random, 2) == 0 &&
                    (fake_holder != 0 ? tm_quick_take_block(tm_thread_self(), (const void *)address_of(i),
                                                            (enum tm_quick_take)random_below(random, 3), TM_QUICK_ANY,
                                                            asks ? &taken : NULL) == TM_TAKEN_NOW
                                      : fake_take_own(address_of(i)));
    bool is_told = !is_quick || (fake_holder != 0 && asks);
    if (!is_quick) {
        assert_true(tm_tracker_take(tm_thread_self(), (const void *)address_of(i), &taken));
    }
    if (is_told) {
        assert_u64_equal(taken.size, blocks[i].size);
        assert_int_equal((taken.flags & TM_TAKEN_TEMPORARY) != 0, temporary);
    }
    quick_frees[ways] += is_quick;
    log_event(FREE, &blocks[i], temporary);
    blocks[i].live = false;
    last_allocated = temporary ? BLOCKS : last_allocated;
    if (is_told && !temporary && event_count < EVENTS && random_below(random, 20) == 0) {
        tm_tracker_put_back(tm_thread_self(), (const void *)address_of(i), &taken); /* a realloc that failed */
        log_event(PUT_BACK, &blocks[i], false);
        blocks[i].live = true;
    }
}

static void choose_lane(struct random_numbers *random)
{
    static const enum fake_lane without[] = {FAKE_LOOSE, FAKE_FOREIGN};
    static const enum fake_lane all[] = {FAKE_HELD, FAKE_LOOSE, FAKE_WAITING, FAKE_FOREIGN};
    fake_lane_set(ways == UNDER_THE_GIL ? FAKE_HELD
                  : ways == WITHOUT_GIL ? without[random_below(random, 2)]
                                        : all[random_below(random, 4)]);
}

static void run(uint64_t seed, bool with_actions)
{
    struct random_numbers random = {seed};
    uint64_t allocations = 50; /* per cent */
    uint64_t left = 0;
    memset(blocks, 0, sizeof blocks);
    event_count = 0;
    epoch_now = 0;
    last_allocated = BLOCKS;
    while (event_count < EVENTS) {
        if (left-- == 0) {
            left = 1 + random_below(&random, 400);
            allocations = 20 + random_below(&random, 61);
        }
        choose_lane(&random);
        unsigned i = (unsigned)random_below(&random, BLOCKS);
        if (random_below(&random, 100) < allocations) {
            for (unsigned n = 0; n < 20 && blocks[i].live; n++) {
                i = (unsigned)random_below(&random, BLOCKS);
            }
            if (!blocks[i].live) {
                do_alloc(&random, i);
            }
        } else {
            for (unsigned n = 0; n < 20 && !blocks[i].live; n++) {
                i = n == 0 && last_allocated < BLOCKS ? last_allocated : (unsigned)random_below(&random, BLOCKS);
            }
            if (blocks[i].live) {
                do_free(&random, i);
            }
        }
        if (with_actions && event_count < EVENTS && random_below(&random, 500) == 0) {
            tm_runtime_reset_peak();
            log_event(RESET_PEAK, &blocks[0], false);
        }
        if (with_actions && event_count < EVENTS && epoch_now < EPOCHS - 1 && random_below(&random, 700) == 0) {
            tm_runtime_clear();
            epoch_now++;
            log_event(CLEAR, &blocks[0], false);
        }
    }
}

/* What a log of all events says. */
struct replay {
    struct distribution live;
    struct figures ever[KEYS];
    uint64_t temporary[KEYS];
    uint64_t python, heap, python_peak, heap_peak;
    uint64_t python_highest, heap_highest; /* after any event */
    struct distribution at_python_peak, at_heap_peak;
};

/* A maximum of Python's is left by a free of Python's: of moments with as many bytes it is the last, which blocks of 0
 * bytes make a difference to. */
static void notice(struct replay *replay, bool native)
{
    if (!native && replay->python > replay->python_peak) {
        replay->python_peak = replay->python;
        replay->at_python_peak = replay->live;
    }
    if (replay->heap > replay->heap_peak) {
        replay->heap_peak = replay->heap;
        replay->at_heap_peak = replay->live;
    }
}

static void move(struct replay *replay, const struct event *event, uint64_t sign)
{
    replay->live.of[event->key].blocks += sign;
    replay->live.of[event->key].bytes += sign * event->size;
    replay->python += event->key / SIZES == TM_DOMAIN_NATIVE ? 0 : sign * event->size;
    replay->heap += sign * event->size;
    replay->python_highest = replay->python > replay->python_highest ? replay->python : replay->python_highest;
    replay->heap_highest = replay->heap > replay->heap_highest ? replay->heap : replay->heap_highest;
}

static void replay_log(struct replay *replay)
{
    unsigned epoch = 0;
    memset(replay, 0, sizeof *replay);
    for (unsigned i = 0; i < event_count; i++) {
        const struct event *event = &events[i];
        if (event->action == CLEAR) {
            memset(replay, 0, sizeof *replay);
            epoch++;
        } else if (event->action == RESET_PEAK) {
            replay->python_peak = replay->python_highest = replay->python;
            replay->heap_peak = replay->heap_highest = replay->heap;
            replay->at_python_peak = replay->at_heap_peak = replay->live;
        } else if (event->epoch == epoch && event->action == FREE) {
            notice(replay, event->key / SIZES == TM_DOMAIN_NATIVE);
            move(replay, event, UINT64_MAX);
            replay->temporary[event->key] += event->temporary;
        } else if (event->epoch == epoch) {
            move(replay, event, 1);
            replay->ever[event->key].blocks += event->action == ALLOC;
            replay->ever[event->key].bytes += event->action == ALLOC ? event->size : 0;
        }
    }
    notice(replay, false);
}

static unsigned key_of(const struct tm_record *record)
{
    unsigned size = 0;
    while (sizes[size] != record->size) {
        size++;
    }
    return record->domain * (unsigned)SIZES + size;
}

/* What the records of one key say, by the rule of store_layout.h. */
struct recorded {
    unsigned records;
    struct figures live, python_peak, heap_peak;
};

static void add_figures(struct figures *sum, bool from_live, const struct figures *live, uint64_t saved_blocks,
                        uint64_t saved_bytes)
{
    sum->blocks += from_live ? live->blocks : saved_blocks;
    sum->bytes += from_live ? live->bytes : saved_bytes;
}

static void add_record(struct recorded *sum, uint32_t id, bool python_now, bool heap_now)
{
    const struct tm_record *record = &tm_runtime.records.records[id];
    const struct tm_record_peak *peak = &tm_runtime.records.peaks[id];
    uint64_t changed = atomic_load(&record->marks) ^ atomic_load(&tm_runtime.totals->marks);
    struct figures live;
    tm_record_live(&tm_runtime, id, &live.blocks, &live.bytes);
    sum->records++;
    add_figures(&sum->live, true, &live, 0, 0);
    add_figures(&sum->python_peak, python_now || (uint32_t)changed != 0, &live, atomic_load(&peak->python_blocks),
                atomic_load(&peak->python_bytes));
    add_figures(&sum->heap_peak, heap_now || changed >> 32 != 0, &live, atomic_load(&peak->heap_blocks),
                atomic_load(&peak->heap_bytes));
}

static void assert_figures(const struct figures *found, const struct figures *expected)
{
    assert_u64_equal(found->blocks, expected->blocks);
    assert_u64_equal(found->bytes, expected->bytes);
}

static void assert_records(const struct replay *replay)
{
    const struct tm_totals *totals = tm_runtime.totals;
    bool python_now = (int64_t)(fake_current() - atomic_load(&totals->python_peak)) > 0;
    bool heap_now = (int64_t)(fake_heap() - atomic_load(&totals->heap_peak)) > 0;
    struct recorded found[KEYS];
    uint64_t at_heap_peak = 0;
    memset(found, 0, sizeof found);
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        if (tm_runtime.records.records[id].epoch >= atomic_load(&tm_runtime.base_epoch)) {
            add_record(&found[key_of(&tm_runtime.records.records[id])], id, python_now, heap_now);
        }
    }
    for (unsigned key = 0; key < KEYS; key++) {
        assert_in_range(found[key].records, replay->ever[key].blocks != 0, ways == TO_AND_FRO ? 2 : 1);
        assert_figures(&found[key].live, &replay->live.of[key]);
        at_heap_peak += found[key].heap_peak.bytes;
        if (ways != TO_AND_FRO) {
            assert_figures(&found[key].heap_peak, &replay->at_heap_peak.of[key]);
        }
        if (key / SIZES != TM_DOMAIN_NATIVE) {
            assert_figures(&found[key].python_peak, &replay->at_python_peak.of[key]);
        }
    }
    assert_u64_equal(at_heap_peak, fake_heap_peak());
}

static void *get_memory(size_t size)
{
    return calloc(1, size);
}

static void release_memory(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

/* The same through the selection that a snapshot is made of: sizes are joined there. */
static void assert_selection(const struct replay *replay)
{
    static const struct tm_encode_memory memory = {get_memory, release_memory};
    struct tm_store_view view;
    struct tm_selection selection;
    tm_store_view_init(&view, tm_runtime.store.header, tm_runtime.store.sections);
    assert_true(tm_selection_make(&selection, &view, &memory));
    for (uint8_t domain = 0; domain < DOMAINS; domain++) {
        struct tm_counter_record expected = {.domain = domain};
        struct tm_counters counters, inherited;
        struct tm_size_sums by_size = {.live_small_bytes = 0};
        for (unsigned key = domain * (unsigned)SIZES; key < (domain + 1U) * SIZES; key++) {
            expected.live_blocks += replay->live.of[key].blocks;
            expected.live_bytes += replay->live.of[key].bytes;
            expected.ever_blocks += replay->ever[key].blocks;
            expected.ever_bytes += replay->ever[key].bytes;
            expected.temporary_blocks += replay->temporary[key];
            expected.peak_heap_blocks += replay->at_heap_peak.of[key].blocks;
            expected.peak_heap_bytes += replay->at_heap_peak.of[key].bytes;
            expected.peak_python_blocks += domain == TM_DOMAIN_NATIVE ? 0 : replay->at_python_peak.of[key].blocks;
            expected.peak_python_bytes += domain == TM_DOMAIN_NATIVE ? 0 : replay->at_python_peak.of[key].bytes;
        }
        tm_selection_counters(&selection, 0, &counters, &inherited, &by_size);
        bool is_there = (counters.domains >> domain & 1) != 0;
        assert_int_equal(is_there, expected.ever_blocks != 0);
        assert_int_equal(inherited.domains, 0);
        struct tm_counter_record counter =
            is_there ? counters.of[domain] : (struct tm_counter_record){.domain = domain};
        assert_u64_equal(counter.live_blocks, expected.live_blocks);
        assert_u64_equal(counter.live_bytes, expected.live_bytes);
        assert_u64_equal(counter.ever_blocks, expected.ever_blocks);
        assert_u64_equal(counter.ever_bytes, expected.ever_bytes);
        assert_u64_equal(counter.temporary_blocks, expected.temporary_blocks);
        if (ways != TO_AND_FRO) {
            assert_u64_equal(counter.peak_heap_blocks, expected.peak_heap_blocks);
            assert_u64_equal(counter.peak_heap_bytes, expected.peak_heap_bytes);
        }
        assert_u64_equal(counter.peak_python_blocks, expected.peak_python_blocks);
        assert_u64_equal(counter.peak_python_bytes, expected.peak_python_bytes);
    }
    tm_selection_free(&selection, &memory);
}

static void assert_agrees_with_replay(void)
{
    static struct replay replay;
    replay_log(&replay);
    /* The replay itself: no event led higher than what it calls the peak. */
    assert_u64_equal(replay.python_peak, replay.python_highest);
    assert_u64_equal(replay.heap_peak, replay.heap_highest);
    assert_u64_equal(fake_current(), replay.python);
    assert_u64_equal(fake_peak(), replay.python_peak);
    assert_u64_equal(fake_heap(), replay.heap);
    assert_in_range(replay.heap_peak - fake_heap_peak(), 0, ways == TO_AND_FRO ? TM_TALLY_REACH : 0);
    assert_records(&replay);
    assert_selection(&replay);
    assert_true(tm_record_table_is_valid(&tm_runtime.records));
}

static void begin(void)
{
    fake_process_in_memory(NULL);
    fake_python_found();
    assert_true(tm_runtime_is_tracing());
}

static void everything_at_the_peak_is_as_in_a_replay_of_the_log(void **state)
{
    (void)state;
    begin();
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        tm_runtime_clear();
        for (unsigned i = 0; i < BLOCKS; i++) {
            (void)fake_free(address_of(i));
        }
        tm_thread_self()->last_block = 0;
        ways = (enum ways)(seed % WAYS);
        run(seed, false);
        assert_agrees_with_replay();
    }
    for (unsigned i = 0; i < WAYS; i++) {
        assert_true(quick_frees[i] > SEEDS * EVENTS / 300);
    }
    assert_true(moves[0] > SEEDS * EVENTS / 300);
    assert_true(moves[1] > SEEDS * EVENTS / 900);
}

static void reset_and_clear_in_between_leave_the_peak_exact(void **state)
{
    (void)state;
    begin();
    for (uint64_t seed = 1001; seed <= 1000 + SEEDS; seed++) {
        tm_runtime_clear();
        for (unsigned i = 0; i < BLOCKS; i++) {
            (void)fake_free(address_of(i));
        }
        tm_thread_self()->last_block = 0;
        ways = (enum ways)(seed % WAYS);
        run(seed, true);
        assert_agrees_with_replay();
    }
}

static void every_prefix_of_a_log_agrees_too(void **state)
{
    (void)state;
    begin();
    for (uint64_t seed = 5001; seed < 5001 + 7 * SEEDS; seed++) {
        tm_runtime_clear();
        for (unsigned i = 0; i < BLOCKS; i++) {
            (void)fake_free(address_of(i));
        }
        tm_thread_self()->last_block = 0;
        memset(blocks, 0, sizeof blocks);
        struct random_numbers random = {seed};
        event_count = 0;
        epoch_now = 0;
        last_allocated = BLOCKS;
        ways = (enum ways)(seed % WAYS);
        for (unsigned step = 0; step < 40; step++) {
            unsigned i = (unsigned)random_below(&random, 6);
            choose_lane(&random);
            if (blocks[i].live) {
                do_free(&random, i);
            } else {
                do_alloc(&random, i);
            }
            assert_agrees_with_replay();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_of_a_log_agrees_too),
        cmocka_unit_test(everything_at_the_peak_is_as_in_a_replay_of_the_log),
        cmocka_unit_test(reset_and_clear_in_between_leave_the_peak_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
