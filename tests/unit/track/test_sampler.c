/* SPDX-License-Identifier: MIT */
/* Sampling through the tracker: right on average over many seeds, within the stated interval, and gone without a
 * rest. */
#include "support/cmocka_include.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/track/counting.h"
#include "runtime/track/sampler.h"
#include "store/snapshot_select.h"
#include "support/fake_python.h"
#include "support/sanitizers.h"

#define HEAP   UINT64_C(0x500000000000)
#define RATE   16384U
#define SEEDS  (TM_UNDER_THREAD_SANITIZER ? 40U : 2000U)
#define BLOCKS 3000U

/* Below, about and far above one in RATE; 512 and 513 have records of different kinds. */
static const size_t sizes[] = {16, 24, 56, 512, 513, 3000, RATE, 9 * RATE};

static size_t size_of(unsigned block)
{
    return sizes[(block * 7) % (block % 50 == 0 ? TM_COUNT_OF(sizes) : 5)];
}

static uintptr_t address_of(unsigned block)
{
    return HEAP + (uintptr_t)block * 0x40000 + (block % 17 == 0 ? 8 : 0);
}

static bool is_held; /* who counts: the threads with the GIL together, or this one for itself */

static int count_held(void **state)
{
    (void)state;
    is_held = true;
    return 0;
}

static int count_alone(void **state)
{
    (void)state;
    is_held = false;
    return 0;
}

static bool takes(size_t size)
{
    return is_held ? tm_sampler_held_takes(size) : tm_sampler_takes(tm_thread_self(), size);
}

static uint64_t left(void)
{
    return is_held ? tm_sampler_held.left : tm_thread_self()->sample_left;
}

static void begin(uint64_t seed)
{
    fake_process_in_memory("TRACEMALLOC_SAMPLE=16KiB");
    memset(tm_sampler_known, 0, sizeof tm_sampler_known); /* a process has nothing */
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    tm_runtime.sample_seed = seed;
    tm_sampler_held_rest();
}

/* Another choice, and nothing counted yet. */
static void begin_again(uint64_t seed)
{
    tm_runtime_clear();
    tm_runtime.sample_seed = seed;
    tm_runtime.sample_threads = 0;
    tm_thread_self()->sample_draws.random = 0;
    tm_thread_self()->sample_left = 0;
    tm_sampler_held_rest();
}

/* Through a door that samples. */
static bool allocate(enum tm_domain domain, uintptr_t address, size_t size)
{
    bool is_taken = takes(size);
    if (is_taken) {
        fake_alloc(domain, address, size);
        assert_true(tm_sampler_may_know((const void *)address));
    }
    return is_taken;
}

static void give_back(uintptr_t address)
{
    if (tm_sampler_may_know((const void *)address)) {
        (void)fake_free(address);
    }
}

struct figures {
    double bytes, blocks;
};

/* As a reader sees them. */
static struct figures estimates(bool ever)
{
    struct tm_store_view view;
    struct figures sum = {0, 0};
    tm_store_view_init(&view, tm_runtime.store.header, tm_runtime.store.sections);
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        struct tm_record_figures figures = {0, 0, 0, 0};
        if (tm_runtime.records.records[id].epoch >= atomic_load(&tm_runtime.base_epoch)) {
            figures = tm_record_figures_of(&view, id);
        }
        sum.bytes += (double)(ever ? figures.ever_bytes : figures.live_bytes);
        sum.blocks += (double)(ever ? figures.ever_blocks : figures.live_blocks);
    }
    return sum;
}

/* Mean and deviation of the mean of what was added. */
struct trials {
    double sum, squares;
    unsigned count;
};

static void add(struct trials *trials, double value)
{
    trials->sum += value;
    trials->squares += value * value;
    trials->count++;
}

static void assert_unbiased(const struct trials *trials, double truth)
{
    double mean = trials->sum / trials->count;
    double variance = trials->squares / trials->count - mean * mean;
    assert_true(fabs(mean - truth) < 4 * sqrt(variance / trials->count) + truth * 1e-4);
    assert_true(fabs(mean / truth - 1) < (TM_UNDER_THREAD_SANITIZER ? 0.3 : 0.04));
}

static void estimates_are_right_on_average(void **state)
{
    (void)state;
    struct trials bytes = {0}, blocks = {0}, live_bytes = {0}, live_blocks = {0}, totals = {0};
    struct figures truth = {0, 0}, live = {0, 0};
    unsigned within = 0;
    for (unsigned block = 0; block < BLOCKS; block++) {
        truth.bytes += (double)size_of(block);
        live.bytes += block % 3 != 0 ? (double)size_of(block) : 0;
        live.blocks += block % 3 != 0;
    }
    truth.blocks = BLOCKS;
    begin(1);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        begin_again(seed);
        for (unsigned block = 0; block < BLOCKS; block++) {
            (void)allocate(block % 2 == 0 ? TM_DOMAIN_OBJ : TM_DOMAIN_RAW, address_of(block), size_of(block));
        }
        for (unsigned block = 0; block < BLOCKS; block += 3) {
            give_back(address_of(block));
        }
        struct figures ever = estimates(true), now = estimates(false);
        add(&bytes, ever.bytes);
        add(&blocks, ever.blocks);
        add(&live_bytes, now.bytes);
        add(&live_blocks, now.blocks);
        add(&totals, (double)fake_current());
        assert_true(fabs((double)fake_current() - now.bytes) < BLOCKS); /* both round, each block by less than a byte */
        within += fabs(now.bytes - live.bytes) <= tm_sample_margin(now.bytes, now.blocks, RATE);
        for (unsigned block = 0; block < BLOCKS; block++) {
            give_back(address_of(block));
        }
    }
    assert_unbiased(&bytes, truth.bytes);
    assert_unbiased(&blocks, truth.blocks);
    assert_unbiased(&live_bytes, live.bytes);
    assert_unbiased(&live_blocks, live.blocks);
    assert_unbiased(&totals, live.bytes);
    assert_true(within >= SEEDS * 94 / 100);
}

/* A child makes its own choice from where it is first heard, which is at a sampled block, and loses nothing by that. */
static void a_child_is_sampled_as_any_process(void **state)
{
    enum { FEW = 400 };
    struct trials bytes = {0};
    double truth = 0;
    (void)state;
    for (unsigned block = 0; block < FEW; block++) {
        truth += (double)size_of(block);
    }
    begin(1);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        begin_again(seed);
        while (!allocate(TM_DOMAIN_OBJ, HEAP, 48)) {
        }
        tm_sampler_after_fork(tm_thread_self(), seed);
        give_back(HEAP);
        tm_runtime_clear();
        for (unsigned block = 0; block < FEW; block++) {
            (void)allocate(TM_DOMAIN_OBJ, address_of(block), size_of(block));
        }
        add(&bytes, estimates(true).bytes);
        for (unsigned block = 0; block < FEW; block++) {
            give_back(address_of(block));
        }
    }
    assert_unbiased(&bytes, truth);
}

/* What is left of the way to a child's next point, once it has come by a byte. */
static uint64_t way_of_a_child(void)
{
    uint64_t way = 0;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    tm_runtime_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        tm_runtime_after_fork_child();
        (void)takes(1);
        way = left();
        _exit(write(ends[1], &way, sizeof way) != sizeof way);
    }
    tm_runtime_after_fork_parent();
    assert_true(pid > 0 && waitpid(pid, NULL, 0) == pid);
    assert_int_equal(read(ends[0], &way, sizeof way), sizeof way);
    close(ends[0]);
    close(ends[1]);
    return way;
}

/* Else the figures of one parent's children were all too high or all too low. */
static void children_have_no_point_in_common(void **state)
{
    (void)state;
    begin(1);
    assert_true(allocate(TM_DOMAIN_OBJ, HEAP, 50 * RATE));
    const uint64_t own = left();
    const uint64_t first = way_of_a_child(), second = way_of_a_child();
    assert_true(first + 1 != own && second + 1 != own && first != second);
    assert_u64_equal(left(), own);
}

static void set_left(uint64_t way)
{
    if (is_held) {
        tm_sampler_held.left = way;
    } else {
        tm_thread_self()->sample_left = way;
    }
}

static bool passes(uint64_t size)
{
    return is_held ? tm_sampler_held_passes(size) : tm_sampler_passes(tm_thread_self(), size);
}

/* A signal handler's blocks, OTHERS bytes of them, come just when the count of a quick door has run out. */
static bool is_sampled_after_a_handler(uint64_t way, uint64_t others)
{
    set_left(way);
    assert_false(passes(way + 1));
    assert_true(passes(others));
    if (is_held) {
        tm_sampler_held_put_back(way + 1);
    } else {
        tm_sampler_put_back(tm_thread_self(), way + 1);
    }
    return takes(1);
}

static void a_handler_leaves_the_count_as_it_was_or_at_its_end(void **state)
{
    (void)state;
    begin(1);
    (void)allocate(TM_DOMAIN_OBJ, HEAP, RATE);
    assert_false(is_sampled_after_a_handler(1000, 300));
    assert_u64_equal(left(), 699);
    assert_false(is_sampled_after_a_handler(1000, 999));
    assert_true(is_sampled_after_a_handler(1000, 1000));
    assert_true(is_sampled_after_a_handler(1000, 5000)); /* the point lay in what the handler made */
    assert_true(left() <= TM_SAMPLE_DISTANCE_MAX);
}

/* The longest of all is no count that a handler has left behind. */
static void no_count_that_is_drawn_is_taken_for_a_wrong_one(void **state)
{
    struct tm_thread *thread = tm_thread_self();
    const uint64_t longest = tm_sample_distance(0, UINT64_C(1) << 30);
    (void)state;
    assert_true(longest > (UINT64_C(36) << 30) && longest <= TM_SAMPLE_DISTANCE_MAX);
    thread->sample_left = longest;
    assert_false(tm_sampler_passes(thread, longest + 1));
    tm_sampler_put_back(thread, longest + 1);
    assert_u64_equal(thread->sample_left, longest);
    thread->sample_left = 0;
}

static void what_is_freed_is_gone_to_the_last_part(void **state)
{
    (void)state;
    for (uint8_t lane = FAKE_HELD; lane <= FAKE_WAITING; lane++) {
        begin(77);
        fake_lane_set(lane);
        for (unsigned round = 0; round < 20; round++) {
            for (unsigned block = 0; block < BLOCKS; block++) {
                (void)allocate(TM_DOMAIN_RAW, address_of(block), size_of(block));
            }
            for (unsigned block = 0; block < BLOCKS; block++) {
                give_back(address_of(block));
            }
        }
        struct figures live = estimates(false);
        assert_true(live.bytes == 0 && live.blocks == 0);
        assert_u64_equal(fake_current(), 0);
        assert_true(estimates(true).blocks > 0);
        const uintptr_t walked = tm_thread_self()->walked_state;
        for (unsigned page = 0; page < TM_KNOWN_PAGES; page++) {
            bool has_state = &tm_sampler_known[page] == tm_sampler_known_of(walked) && walked != 0; /* its mark */
            assert_int_equal(tm_sampler_known[page], has_state ? 1 : 0);
        }
    }
}

/* More blocks of one page, by its number, than are counted: each is known until it is freed. */
static void many_of_one_page_are_known(void **state)
{
    enum { MANY = 300 };
    static uintptr_t addresses[MANY];
    (void)state;
    begin(5);
    unsigned count = 0;
    for (uintptr_t address = HEAP; count < MANY; address += 64) {
        if (tm_sampler_known_of(address) == tm_sampler_known_of(HEAP)) {
            addresses[count++] = address;
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        while (!allocate(TM_DOMAIN_OBJ, addresses[i], 48)) {
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(tm_sampler_may_know((const void *)addresses[i]));
        give_back(addresses[i]);
        assert_false(tm_sampler_may_know((const void *)addresses[i]));
    }
    assert_u64_equal(fake_current(), 0);
    memset(tm_sampler_known, 0, sizeof tm_sampler_known);
}

/* What only passes for known stays so, whatever comes and goes there. */
static void held_pages_are_looked_at(void **state)
{
    const uintptr_t low = HEAP + 0x1230;
    const uintptr_t after = HEAP + 0x4000;
    (void)state;
    begin(9);
    tm_sampler_hold_pages(low, 0x2000); /* from the second page to the fourth */
    for (unsigned round = 0; round < 2; round++) {
        for (uintptr_t page = HEAP; page <= after; page += 0x1000) {
            bool is_kept = page != HEAP && page != after;
            assert_int_equal(tm_sampler_page_has_known(page + 0x10), is_kept);
            assert_int_equal(tm_sampler_page_has_known(page + 0xFF0), is_kept);
            assert_false(tm_sampler_may_know((const void *)(page + 0x10)));
        }
        while (!allocate(TM_DOMAIN_OBJ, low, 48)) {
        }
        assert_true(tm_sampler_may_know((const void *)low));
        give_back(low);
    }
    memset(tm_sampler_known, 0, sizeof tm_sampler_known);
}

static void failed_realloc_leaves_everything_as_it_was(void **state)
{
    (void)state;
    struct tm_taken taken;
    begin(3);
    for (unsigned block = 0; block < BLOCKS; block++) {
        (void)allocate(TM_DOMAIN_MEM, address_of(block), size_of(block));
    }
    struct figures before = estimates(false);
    uint64_t current = fake_current();
    for (unsigned block = 0; block < BLOCKS; block++) {
        if (tm_sampler_may_know((const void *)address_of(block)) &&
            tm_tracker_take(tm_thread_self(), (const void *)address_of(block), &taken)) {
            tm_tracker_put_back(tm_thread_self(), (const void *)address_of(block), &taken);
        }
    }
    assert_true(before.bytes == estimates(false).bytes && before.blocks == estimates(false).blocks);
    assert_u64_equal(fake_current(), current);
}

static uint64_t temporary_parts(void)
{
    uint64_t sum = 0;
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        sum += atomic_load(&tm_runtime.records.records[id].temporary_blocks);
    }
    return sum;
}

/* The allocations in between are not recorded, but they are there. */
static void temporary_is_what_goes_before_the_next_allocation(void **state)
{
    (void)state;
    begin(5);
    while (!allocate(TM_DOMAIN_OBJ, HEAP, 100)) {
    }
    while (left() < 100) { /* so that the next one is not sampled */
        give_back(HEAP);
        while (!allocate(TM_DOMAIN_OBJ, HEAP, 100)) {
        }
    }
    assert_false(allocate(TM_DOMAIN_OBJ, HEAP + 4096, 100));
    uint64_t before = temporary_parts();
    give_back(HEAP);
    assert_u64_equal(temporary_parts(), before);
    while (!allocate(TM_DOMAIN_OBJ, HEAP, 100)) {
    }
    give_back(HEAP);
    assert_u64_equal(temporary_parts(), before + tm_sample_weight_of(100, RATE).blocks);
    while (!allocate(TM_DOMAIN_OBJ, HEAP, 100)) {
    }
    tm_sampler_after_fork(tm_thread_self(), 1); /* a child is first heard at a sampled block */
    give_back(HEAP);
    before += 2 * tm_sample_weight_of(100, RATE).blocks;
    assert_u64_equal(temporary_parts(), before);
    while (!allocate(TM_DOMAIN_OBJ, HEAP, 100) || left() < 100) {
        give_back(HEAP);
    }
    before = temporary_parts();
    assert_false(allocate(TM_DOMAIN_OBJ, HEAP + 4096, 100));
    tm_sampler_after_fork(tm_thread_self(), 1); /* or at the free of one */
    give_back(HEAP);
    assert_u64_equal(temporary_parts(), before);
}

/* A large block of mem or obj comes from libc, whose door counts its bytes with the guard up. */
static void the_doors_behind_are_no_others(void **state)
{
    (void)state;
    begin(5);
    while (!takes(1000)) {
    }
    (void)tm_sampler_takes(tm_thread_self(), 1000);
    const uint64_t before = temporary_parts();
    fake_alloc(TM_DOMAIN_OBJ, HEAP, 1000);
    (void)fake_free(HEAP);
    assert_u64_equal(temporary_parts(), before + tm_sample_weight_of(1000, RATE).blocks);
}

/* Sampled by the thread's own count, then one that the GIL's holders count, then the first is freed. */
static bool is_temporary_with_another_between(enum fake_lane lane)
{
    begin(5);
    while (!tm_sampler_takes(tm_thread_self(), 100)) {
    }
    fake_lane_set(lane);
    fake_alloc(TM_DOMAIN_NATIVE, HEAP, 100);
    while (tm_sampler_held_takes(1)) { /* whoever holds it */
    }
    uint64_t before = temporary_parts();
    (void)fake_free(HEAP);
    fake_lane_set(FAKE_HELD);
    return temporary_parts() != before;
}

static void what_the_gils_holders_made_is_nothing_to_a_foreign_thread(void **state)
{
    (void)state;
    assert_false(is_temporary_with_another_between(FAKE_HELD));
    assert_false(is_temporary_with_another_between(FAKE_WAITING)); /* it may have been itself */
    assert_true(is_temporary_with_another_between(FAKE_FOREIGN));
}

static void the_store_says_that_it_was_sampled(void **state)
{
    (void)state;
    begin(1);
    const struct tm_store_header *header = tm_runtime.store.header;
    assert_u64_equal(atomic_load(&header->sample_rate), RATE);
    /* The quick ways count one block as one. */
    assert_u64_equal(atomic_load(&tm_life_page.top_sizes), 0);
    assert_u64_equal(atomic_load(&tm_life_page.own_sizes), 0);
    assert_u64_equal(atomic_load(&tm_life_page.own_stamp), 0);
    fake_process_in_memory(NULL);
    assert_u64_equal(atomic_load(&tm_runtime.store.header->sample_rate), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(estimates_are_right_on_average, count_alone),
        cmocka_unit_test_setup(estimates_are_right_on_average, count_held),
        cmocka_unit_test_setup(a_child_is_sampled_as_any_process, count_alone),
        cmocka_unit_test_setup(a_child_is_sampled_as_any_process, count_held),
        cmocka_unit_test_setup(children_have_no_point_in_common, count_alone),
        cmocka_unit_test_setup(children_have_no_point_in_common, count_held),
        cmocka_unit_test_setup(a_handler_leaves_the_count_as_it_was_or_at_its_end, count_alone),
        cmocka_unit_test_setup(a_handler_leaves_the_count_as_it_was_or_at_its_end, count_held),
        cmocka_unit_test(no_count_that_is_drawn_is_taken_for_a_wrong_one),
        cmocka_unit_test(what_is_freed_is_gone_to_the_last_part),
        cmocka_unit_test(many_of_one_page_are_known),
        cmocka_unit_test(held_pages_are_looked_at),
        cmocka_unit_test(failed_realloc_leaves_everything_as_it_was),
        cmocka_unit_test_setup(temporary_is_what_goes_before_the_next_allocation, count_alone),
        cmocka_unit_test_setup(temporary_is_what_goes_before_the_next_allocation, count_held),
        cmocka_unit_test_setup(the_doors_behind_are_no_others, count_alone),
        cmocka_unit_test_setup(the_doors_behind_are_no_others, count_held),
        cmocka_unit_test(what_the_gils_holders_made_is_nothing_to_a_foreign_thread),
        cmocka_unit_test(the_store_says_that_it_was_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
