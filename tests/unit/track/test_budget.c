/* SPDX-License-Identifier: MIT */
/* The memory limit: the steps come in order, none is undone, and what is counted stays right. */
#include "support/cmocka_include.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/sample_chance.h"
#include "runtime/track/budget.h"
#include "runtime/track/counting.h"
#include "support/child_process.h"
#include "support/fake_python.h"

#define HEAP   UINT64_C(0x500000000000)
#define SIZE   4000U
#define STEP   0x4000U /* one page of the table of live blocks */
#define LIMIT  (UINT64_C(8) << 20)
#define BLOCKS 6000U

static void begin(const char *limit)
{
    const char *environment[] = {"TRACEMALLOC_STORE=none", "TRACEMALLOC_NFRAME=25", limit, NULL};
    fake_process_begin(environment);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
}

static uintptr_t address_of(unsigned block)
{
    return HEAP + (uintptr_t)block * STEP;
}

static uint32_t step(void)
{
    return atomic_load(&tm_runtime.budget.step);
}

/* Allocates until COUNT blocks are there or the steps are WANTED; how many there are. */
static unsigned fill(unsigned count, uint32_t wanted)
{
    unsigned block = 0;
    for (; block < count && step() < wanted; block++) {
        fake_alloc(TM_DOMAIN_RAW, address_of(block), SIZE);
        tm_runtime_look_at_budget(tm_thread_self());
    }
    return block;
}

static void steps_come_in_order_before_the_limit(void **state)
{
    (void)state;
    begin("TRACEMALLOC_MEMORY_LIMIT=8MiB");
    (void)fill(BLOCKS, 1);
    assert_int_equal(tm_runtime.traceback_limit, 6);
    (void)fill(BLOCKS, 2);
    assert_int_equal(tm_runtime.traceback_limit, 1);
    assert_false(atomic_load(&tm_runtime.budget.merges));
    (void)fill(BLOCKS, 3);
    assert_true(atomic_load(&tm_runtime.budget.merges));
    assert_u64_equal(tm_runtime.sample_rate, 0);
    (void)fill(BLOCKS, 4);
    assert_false(atomic_load(&tm_runtime.budget.merges));
    assert_u64_equal(tm_runtime.sample_rate, 512 << 10);
    assert_int_equal(tm_life_now(), TM_LIFE_THINNED);
    assert_true(tm_runtime_tracer_bytes() < LIMIT);
    assert_int_equal(tm_thread_self()->guard, 0);
}

static void no_limit_no_step(void **state)
{
    (void)state;
    begin(NULL);
    assert_int_equal(fill(BLOCKS, 1), BLOCKS);
    assert_int_equal(tm_runtime.traceback_limit, 25);
}

/* While traces are merged a known one keeps its record, and a new one is (merged). */
static void merges_what_was_not_seen_before(void **state)
{
    (void)state;
    begin("TRACEMALLOC_MEMORY_LIMIT=8MiB");
    fake_alloc(TM_DOMAIN_OBJ, HEAP - 4096, 48);
    (void)fill(BLOCKS, 3);
    uint32_t known = tm_record_count(&tm_runtime.records);
    fake_alloc(TM_DOMAIN_OBJ, HEAP - 8192, 48);
    assert_int_equal(tm_record_count(&tm_runtime.records), known);
    fake_alloc(TM_DOMAIN_OBJ, HEAP - 12288, 49);
    assert_int_equal(tm_record_count(&tm_runtime.records), known + 1);
    assert_int_equal(tm_runtime.records.records[known].traceback, tm_runtime.budget.merged_traceback);
    assert_u64_equal(atomic_load(&tm_runtime.store.header->merged_events), 1);
}

/* Blocks of before count one, samples for what they stand for; all goes when all is freed. */
static void counts_stay_right_over_the_change(void **state)
{
    (void)state;
    begin("TRACEMALLOC_MEMORY_LIMIT=8MiB");
    unsigned before = fill(BLOCKS, 4);
    assert_u64_equal(fake_current(), (uint64_t)before * SIZE);
    for (unsigned block = before; block < before + 40 * BLOCKS; block++) {
        fake_alloc(TM_DOMAIN_RAW, address_of(block), SIZE);
    }
    double truth = ((double)before + 40 * BLOCKS) * SIZE;
    double margin = tm_sample_margin(truth, truth / SIZE, 512 << 10);
    assert_true((double)fake_current() > truth - 2 * margin && (double)fake_current() < truth + 2 * margin);
    for (unsigned block = 0; block < before + 40 * BLOCKS; block++) {
        (void)fake_free(address_of(block));
    }
    assert_u64_equal(fake_current(), 0);
    /* A start after a stop goes on as it was. */
    tm_runtime_stop();
    assert_int_equal(tm_runtime_start(25), 0);
    assert_int_equal(tm_life_now(), TM_LIFE_THINNED);
}

/* All its blocks are heard, so that one is not more than one. */
static void forked_child_is_young_for_as_long_as_any(void **state)
{
    (void)state;
    int status = -1;
    begin("TRACEMALLOC_MEMORY_LIMIT=8MiB");
    tm_runtime_python_begins();
    (void)fill(BLOCKS, 4);
    tm_runtime_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        tm_runtime_after_fork_child();
        for (unsigned i = 0; i < 100; i++) {
            fake_alloc(TM_DOMAIN_OBJ, HEAP - 4096, 100);
            (void)fake_free(HEAP - 4096);
        }
        child_check(tm_life_now() == TM_LIFE_YOUNG);
        fake_alloc(TM_DOMAIN_OBJ, HEAP - 4096, 1 << 20);
        child_check(tm_life_now() == TM_LIFE_THINNED);
        _exit(0);
    }
    tm_runtime_after_fork_parent();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_in_order_before_the_limit),     cmocka_unit_test(no_limit_no_step),
        cmocka_unit_test(merges_what_was_not_seen_before),          cmocka_unit_test(counts_stay_right_over_the_change),
        cmocka_unit_test(forked_child_is_young_for_as_long_as_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
