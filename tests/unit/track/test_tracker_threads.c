/* SPDX-License-Identifier: MIT */
/* Threads without the GIL: no event is lost. */
#include "support/cmocka_include.h"

#include <pthread.h>

#include "runtime/track/counting.h"
#include "support/fake_python.h"
#include "support/random_numbers.h"
#include "support/scratch_folder.h"

#define THREADS 4
#define ROUNDS  25000
#define BLOCKS  500U

struct worker {
    unsigned number;
    uint64_t live_blocks, live_bytes, ever_blocks;
    unsigned failures;
};

static void *alloc_and_free(void *argument)
{
    struct worker *worker = argument;
    struct random_numbers random = {worker->number + 1};
    uint64_t sizes[BLOCKS] = {0}; /* + 1 */
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned i = (unsigned)random_below(&random, BLOCKS);
        /* Granule beside granule with the other threads' blocks; a few odd. */
        uintptr_t address = UINT64_C(0x500000000000) + (i * THREADS + worker->number) * UINT64_C(32) + (i % 19 == 0);
        if (sizes[i] == 0) {
            uint64_t size = random_below(&random, 30) == 0 ? UINT64_C(2) << 30 : random_below(&random, 700);
            fake_alloc(TM_DOMAIN_NATIVE, address, (size_t)size);
            sizes[i] = size + 1;
            worker->ever_blocks++;
            worker->live_blocks++;
            worker->live_bytes += size;
        } else {
            worker->failures += !fake_free(address);
            worker->live_blocks--;
            worker->live_bytes -= sizes[i] - 1;
            sizes[i] = 0;
        }
    }
    return NULL;
}

static atomic_bool done;

static void *look_on(void *argument)
{
    const char *path = argument;
    unsigned *count = malloc(sizeof *count);
    *count = 0;
    do {
        if (tm_runtime_take_snapshot(path) == 0) {
            ++*count;
        }
        tm_runtime_reset_peak();
        (void)fake_peak();
    } while (!atomic_load(&done));
    return count;
}

static void figures_of_all_threads_add_up(void **state)
{
    (void)state;
    struct scratch_folder folder;
    pthread_t threads[THREADS];
    pthread_t onlooker;
    struct worker workers[THREADS];
    struct worker sum = {0};
    unsigned failures = 0;
    unsigned *snapshots;
    scratch_make(&folder);
    fake_process_in_memory(NULL);
    assert_int_equal(pthread_create(&onlooker, NULL, look_on, (void *)(uintptr_t)scratch_name(&folder, "a.tms")), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, alloc_and_free, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        failures += workers[i].failures;
        sum.live_blocks += workers[i].live_blocks;
        sum.live_bytes += workers[i].live_bytes;
        sum.ever_blocks += workers[i].ever_blocks;
    }
    atomic_store(&done, true);
    assert_int_equal(pthread_join(onlooker, (void **)&snapshots), 0);
    assert_int_equal(failures, 0);
    assert_true(*snapshots > 0);
    free(snapshots);
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        uint64_t blocks;
        uint64_t bytes;
        tm_record_live(&tm_runtime, id, &blocks, &bytes);
        sum.live_blocks -= blocks;
        sum.live_bytes -= bytes;
        sum.ever_blocks -= atomic_load(&tm_runtime.records.loose[id].ever_blocks);
        assert_u64_equal(atomic_load(&tm_runtime.records.records[id].ever_blocks), 0);
    }
    assert_u64_equal(sum.live_blocks, 0);
    assert_u64_equal(sum.live_bytes, 0);
    assert_u64_equal(sum.ever_blocks, 0);
    assert_u64_equal(atomic_load(&tm_runtime.store.header->dropped_events), 0);
    assert_true(tm_record_table_is_valid(&tm_runtime.records));
    scratch_remove(&folder);
}

/* Each thread goes up to some height and down again, over and over. */
static void *climb(void *argument)
{
    struct worker *worker = argument;
    uintptr_t base = UINT64_C(0x520000000000) + worker->number * UINT64_C(0x10000000);
    for (unsigned round = 0; round < 2000; round++) {
        uintptr_t height = (round * 37 + worker->number * 91) % 64 + 1;
        for (uintptr_t i = 0; i < height; i++) {
            fake_alloc(TM_DOMAIN_RAW, base + i * 1024, 1000);
        }
        for (uintptr_t i = 0; i < height; i++) {
            worker->failures += !fake_free(base + i * 1024);
        }
    }
    return NULL;
}

static void peak_of_threads_is_between_the_highest_and_all_together(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    fake_process_in_memory(NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, climb, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].failures, 0);
    }
    assert_u64_equal(fake_current(), 0);
    assert_in_range(fake_peak(), 64000, THREADS * 64000);
}

#define MAXIMA 500000U

static struct tm_totals maxima_totals;
static pthread_barrier_t all_ready;

static void *note_maxima(void *argument)
{
    struct worker *worker = argument;
    struct random_numbers random = {worker->number + 1};
    uint64_t seen = 0;
    (void)pthread_barrier_wait(&all_ready);
    for (uint64_t i = 1; i <= MAXIMA; i++) {
        uint64_t value = i * 1000 + random_below(&random, 5000);
        worker->live_bytes = value > worker->live_bytes ? value : worker->live_bytes;
        tm_totals_note_maximum(&maxima_totals, value, value + 1);
        uint64_t peak = tm_word_load(&maxima_totals.python_peak);
        worker->failures += peak < value || peak < seen;
        seen = peak;
    }
    return NULL;
}

static void noted_maximum_is_never_lowered_by_a_thread_that_slept(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    uint64_t highest = 0;
    assert_int_equal(pthread_barrier_init(&all_ready, NULL, THREADS), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, note_maxima, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].failures, 0);
        highest = workers[i].live_bytes > highest ? workers[i].live_bytes : highest;
    }
    assert_u64_equal(atomic_load(&maxima_totals.python_peak), highest);
    assert_u64_equal(atomic_load(&maxima_totals.heap_peak), highest + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_all_threads_add_up),
        cmocka_unit_test(peak_of_threads_is_between_the_highest_and_all_together),
        cmocka_unit_test(noted_maximum_is_never_lowered_by_a_thread_that_slept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
