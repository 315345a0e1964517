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
    enum tm_domain domain;
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
        uintptr_t address = UINT64_C(0x500000000000) + (i * THREADS + worker->number) * UINT64_C(64) + (i % 19 == 0);
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
        if (tm_runtime_take_snapshot(path, *count % 2 == 1) == 0) {
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
        sum.ever_blocks -= atomic_load(&tm_runtime.records.records[id].ever_blocks);
        assert_u64_equal(atomic_load(&tm_runtime.records.loose[id].ever_blocks), 0);
    }
    assert_u64_equal(sum.live_blocks, 0);
    assert_u64_equal(sum.live_bytes, 0);
    assert_u64_equal(sum.ever_blocks, 0);
    assert_u64_equal(atomic_load(&tm_runtime.store.header->dropped_events), 0);
    assert_true(tm_record_table_is_valid(&tm_runtime.records));
    scratch_remove(&folder);
}

/* More threads than tallies, all alive at once; each frees what its neighbour has allocated. */
#define CROWD  (TM_TALLY_MAX + 13U)
#define PILE   300U
#define ALL_OF (CROWD * PILE)

static pthread_barrier_t crowd_is_ready;

static uintptr_t pile_at(unsigned number, unsigned i)
{
    return UINT64_C(0x540000000000) + ((uintptr_t)(number % CROWD) * PILE + i) * 4096;
}

static void *pass_on(void *argument)
{
    struct worker *worker = argument;
    for (unsigned i = 0; i < PILE; i++) {
        fake_alloc(i % 3 == 0 ? TM_DOMAIN_RAW : TM_DOMAIN_NATIVE, pile_at(worker->number, i), 40 + i * 2);
        worker->live_bytes += 40 + i * 2;
    }
    (void)pthread_barrier_wait(&crowd_is_ready);
    for (unsigned i = 0; i < PILE; i += 2) {
        worker->failures += !fake_free(pile_at(worker->number + 1, i));
    }
    (void)pthread_barrier_wait(&crowd_is_ready);
    return NULL;
}

static unsigned tallies_in_use(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        count += atomic_load(&tm_runtime.store.header->tallies[i].is_used);
    }
    return count;
}

static void crowd_passes_on(void)
{
    pthread_t threads[CROWD];
    struct worker workers[CROWD];
    assert_int_equal(pthread_barrier_init(&crowd_is_ready, NULL, CROWD), 0);
    for (unsigned i = 0; i < CROWD; i++) {
        workers[i] = (struct worker){.number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, pass_on, &workers[i]), 0);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].failures, 0);
    }
    (void)pthread_barrier_destroy(&crowd_is_ready);
}

static uint64_t live_in_records(uint64_t *blocks)
{
    uint64_t sum = 0;
    *blocks = 0;
    for (uint32_t id = 1; id < tm_record_count(&tm_runtime.records); id++) {
        uint64_t more_blocks;
        uint64_t bytes;
        tm_record_live(&tm_runtime, id, &more_blocks, &bytes);
        *blocks += more_blocks;
        sum += bytes;
    }
    return sum;
}

static void more_threads_than_tallies_count_exactly(void **state)
{
    (void)state;
    uint64_t all = 0, blocks;
    fake_process_in_memory(NULL);
    crowd_passes_on();
    for (unsigned i = 1; i < PILE; i += 2) {
        all += CROWD * (40 + i * 2);
    }
    assert_u64_equal(fake_heap(), all);
    assert_u64_equal(live_in_records(&blocks), all);
    assert_u64_equal(blocks, ALL_OF / 2);
    assert_int_equal(tallies_in_use(), TM_TALLY_MAX);
}

static void tallies_of_threads_that_are_gone_are_taken_over(void **state)
{
    (void)state;
    uint64_t blocks;
    fake_process_in_memory(NULL);
    crowd_passes_on();
    uint32_t records = tm_record_count(&tm_runtime.records);
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned number = 0; number < CROWD; number++) {
            for (unsigned i = 1; i < PILE; i += 2) {
                assert_true(fake_free(pile_at(number, i)));
            }
        }
        assert_u64_equal(fake_heap(), 0);
        assert_u64_equal(live_in_records(&blocks), 0);
        crowd_passes_on();
    }
    /* The one that frees here has taken one of them; all other records are as they were. */
    assert_in_range(tm_record_count(&tm_runtime.records), records, records + PILE);
}

static void forked_child_begins_with_no_tallies_and_loses_nothing(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_alloc(TM_DOMAIN_NATIVE, pile_at(0, 0), 100);
    assert_non_null(tm_tally_peek(tm_thread_self()));
    tm_tallies_after_fork();
    assert_null(tm_tally_peek(tm_thread_self()));
    assert_true(fake_free(pile_at(0, 0)));
    fake_alloc(TM_DOMAIN_NATIVE, pile_at(0, 1), 50);
    assert_u64_equal(fake_heap(), 50);
    assert_non_null(tm_tally_peek(tm_thread_self()));
}

/* Each thread goes up to some height and down again, over and over. */
static void *climb(void *argument)
{
    struct worker *worker = argument;
    uintptr_t base = UINT64_C(0x520000000000) + worker->number * UINT64_C(0x10000000);
    for (unsigned round = 0; round < 2000; round++) {
        uintptr_t height = (round * 37 + worker->number * 91) % 64 + 1;
        for (uintptr_t i = 0; i < height; i++) {
            fake_alloc(worker->domain, base + i * 1024, 1000);
        }
        for (uintptr_t i = 0; i < height; i++) {
            worker->failures += !fake_free(base + i * 1024);
        }
    }
    return NULL;
}

static void all_climb(enum tm_domain domain)
{
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    fake_process_in_memory(NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i, .domain = domain};
        assert_int_equal(pthread_create(&threads[i], NULL, climb, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(workers[i].failures, 0);
    }
    assert_u64_equal(fake_current(), 0);
    assert_u64_equal(fake_heap(), 0);
}

static void peak_of_threads_is_between_the_highest_and_all_together(void **state)
{
    (void)state;
    all_climb(TM_DOMAIN_RAW);
    assert_in_range(fake_peak(), 64000, THREADS * 64000);
}

static void peak_of_native_blocks_keeps_to_the_bound_that_is_said(void **state)
{
    (void)state;
    all_climb(TM_DOMAIN_NATIVE);
    uint64_t bound = tm_store_peak_bound(tm_runtime.store.header);
    assert_u64_equal(bound, tallies_in_use() > 1 ? tallies_in_use() * TM_TALLY_REACH : 0);
    assert_in_range(fake_heap_peak(), bound < 64000 ? 64000 - bound : 0, THREADS * 64000 + bound);
    assert_u64_equal(fake_peak(), 0);
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
        cmocka_unit_test(more_threads_than_tallies_count_exactly),
        cmocka_unit_test(tallies_of_threads_that_are_gone_are_taken_over),
        cmocka_unit_test(forked_child_begins_with_no_tallies_and_loses_nothing),
        cmocka_unit_test(peak_of_threads_is_between_the_highest_and_all_together),
        cmocka_unit_test(peak_of_native_blocks_keeps_to_the_bound_that_is_said),
        cmocka_unit_test(noted_maximum_is_never_lowered_by_a_thread_that_slept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
