/* SPDX-License-Identifier: MIT */
/* Who frees what a thread without the GIL may be reading waits for it, but only while the interpreter goes away. */
#include "support/cmocka_include.h"

#include <pthread.h>
#include <sched.h>

#include "runtime/os/os_process.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/sampler.h"
#include "support/fake_python.h"

#define STATE ((uintptr_t)0x500000001000)

static uintptr_t finalizing;
static atomic_bool walks_on;
static atomic_bool may_end;

static void begin(void)
{
    fake_process_in_memory(NULL);
    fake_python_found();
    tm_runtime.python.finalizing_word = &finalizing;
    finalizing = 0;
}

static void no_walk_once_the_interpreter_finalizes(void **state)
{
    (void)state;
    begin();
    _Atomic uint32_t *announced = tm_loose_walk_begin(tm_thread_self(), STATE);
    assert_non_null(announced);
    assert_int_equal(*announced, 1);
    assert_true(tm_loose_walk_is_valid());
    finalizing = 1;
    assert_false(tm_loose_walk_is_valid());
    tm_loose_walk_end(announced);
    assert_int_equal(*announced, 0);
    assert_null(tm_loose_walk_begin(tm_thread_self(), STATE));
    assert_int_equal(*announced, 0);
    tm_loose_walks_wait(tm_thread_self(), 0); /* nothing is under way: at once */
}

static void walk_once(struct tm_thread *thread)
{
    _Atomic uint32_t *announced = tm_loose_walk_begin(thread, STATE);
    assert_non_null(announced);
    tm_loose_walk_end(announced);
}

static void freed_state_is_marked_anew(void **state)
{
    (void)state;
    struct tm_thread *thread = tm_thread_self();
    struct tm_block block;
    begin();
    for (unsigned turn = 0; turn < 2; turn++) {
        fake_lane_set(FAKE_LOOSE);
        fake_alloc(TM_DOMAIN_RAW, STATE, 300);
        walk_once(thread);
        assert_true(tm_block_table_find(&tm_runtime.blocks, STATE, &block));
        assert_true((block.word & TM_SLOT_IS_CODE) != 0);
        assert_u64_equal(thread->walked_state, STATE);
        assert_true(fake_free(STATE));
        assert_u64_equal(thread->walked_state, 0);
    }
    assert_u64_equal(fake_current(), 0);
}

/* Else the flag might be set and the state freed between the look at the one and the mark on the other. */
static void state_is_marked_before_the_flag_is_looked_at(void **state)
{
    (void)state;
    struct tm_block block;
    begin();
    fake_lane_set(FAKE_LOOSE);
    fake_alloc(TM_DOMAIN_RAW, STATE, 300);
    finalizing = 1;
    assert_null(tm_loose_walk_begin(tm_thread_self(), STATE));
    assert_true(tm_block_table_find(&tm_runtime.blocks, STATE, &block));
    assert_true((block.word & TM_SLOT_IS_CODE) != 0);
    assert_true(fake_free(STATE));
}

/* Where only sampled blocks are recorded the state mostly is not, and its free is looked for all the same. */
static void free_of_a_state_that_was_not_sampled_is_heard(void **state)
{
    (void)state;
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    begin();
    tm_runtime.config.sample_rate = 4096;
    tm_sampler_begin(4096, 1, 0);
    assert_false(tm_sampler_may_know((const void *)STATE));
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned again = 0; again < 3; again++) {
            thread->walked_state = 0;
            walk_once(thread);
        }
        assert_true(tm_sampler_may_know((const void *)STATE));
        assert_false(tm_tracker_take(thread, (const void *)STATE, &taken));
        assert_u64_equal(thread->walked_state, 0);
        assert_int_equal(*tm_sampler_known_of(STATE), 0);
    }
    tm_runtime.config.sample_rate = 0;
    tm_sampler_begin(0, 0, 0);
}

/* ARGUMENT: the thread finds no tally. */
static void *walk(void *argument)
{
    struct tm_thread *thread = tm_thread_self();
    thread->tally_wait = argument != NULL;
    _Atomic uint32_t *announced = tm_loose_walk_begin(thread, STATE);
    if (announced == NULL) {
        return NULL;
    }
    atomic_store(&walks_on, true);
    while (!atomic_load(&may_end)) {
        sched_yield();
    }
    tm_process_nap(20000000);
    atomic_store(&walks_on, false);
    tm_loose_walk_end(announced);
    return NULL;
}

/* Starts a thread that is in its walk until MAY_END, and a little longer. */
static pthread_t walker(bool has_tally)
{
    pthread_t thread;
    atomic_store(&may_end, false);
    atomic_store(&walks_on, false);
    assert_int_equal(pthread_create(&thread, NULL, walk, has_tally ? NULL : &walks_on), 0);
    while (!atomic_load(&walks_on)) {
        sched_yield();
    }
    return thread;
}

static void free_waits(bool has_tally)
{
    struct tm_taken taken;
    finalizing = 0;
    fake_lane_set(FAKE_LOOSE);
    fake_alloc(TM_DOMAIN_RAW, STATE, 300);
    pthread_t thread = walker(has_tally);
    tm_loose_walks_wait(tm_thread_self(), 0); /* not while the interpreter runs */
    assert_true(atomic_load(&walks_on));
    finalizing = 1;
    atomic_store(&may_end, true);
    assert_true(tm_tracker_take(tm_thread_self(), (const void *)STATE, &taken));
    assert_false(atomic_load(&walks_on));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void free_of_a_state_waits_for_walks(void **state)
{
    (void)state;
    begin();
    free_waits(true);
    free_waits(false);
}

/* How long THREAD waits, in nanoseconds. */
static uint64_t wait_of(struct tm_thread *thread)
{
    const uint64_t before = tm_process_precise_ns();
    tm_loose_walks_wait(thread, 0);
    return tm_process_precise_ns() - before;
}

static uint64_t lesser(uint64_t first, uint64_t second)
{
    return first < second ? first : second;
}

/* A walk's announcement may be seen later than its look at the flag was done.  Once is enough, in each interpreter. */
static void who_waits_sleeps_first_where_others_walk(void **state)
{
    (void)state;
    struct tm_thread *thread = tm_thread_self();
    begin();
    for (unsigned life = 0; life < 2; life++) {
        finalizing = 0;
        atomic_store(&may_end, true);
        pthread_t other;
        assert_int_equal(pthread_create(&other, NULL, walk, NULL), 0);
        assert_int_equal(pthread_join(other, NULL), 0);
        finalizing = 1;
        assert_true(wait_of(thread) >= 100000);
        uint64_t shortest = UINT64_MAX;
        for (unsigned i = 0; i < 100; i++) {
            shortest = lesser(shortest, wait_of(thread));
        }
        assert_true(shortest < 50000);
    }
}

static void who_walked_alone_does_not_sleep(void **state)
{
    (void)state;
    struct tm_thread *thread = tm_thread_self();
    begin();
    uint64_t shortest = UINT64_MAX;
    for (unsigned i = 0; i < 100; i++) { /* the first wait of each interpreter is the one that sleeps */
        finalizing = 0;
        walk_once(thread);
        finalizing = 1;
        shortest = lesser(shortest, wait_of(thread));
    }
    assert_true(shortest < 50000);
}

static void child_does_not_wait_for_threads_it_has_not(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 2; i++) {
        finalizing = 0;
        pthread_t thread = walker(i == 0);
        finalizing = 1;
        tm_loose_walks_after_fork();
        uint64_t before = tm_process_time_ns();
        tm_loose_walks_wait(tm_thread_self(), 0);
        assert_true(tm_process_time_ns() - before < 900000000);
        assert_true(atomic_load(&walks_on));
        atomic_store(&may_end, true);
        assert_int_equal(pthread_join(thread, NULL), 0);
        tm_loose_walks_after_fork();
    }
}

/* The last test: from then on nobody is waited for. */
static void walk_that_never_ends_is_waited_for_once(void **state)
{
    (void)state;
    begin();
    pthread_t thread = walker(true);
    finalizing = 1;
    tm_loose_walks_wait(tm_thread_self(), 0);
    assert_true(atomic_load(&walks_on));
    uint64_t before = tm_process_time_ns();
    tm_loose_walks_wait(tm_thread_self(), 0);
    assert_true(tm_process_time_ns() - before < 900000000);
    atomic_store(&may_end, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Where anything is rare nothing is announced, and it is tm_loose_walk_begin's turn. */
static void own_walk_is_not_begun_where_anything_is_rare(void **state)
{
    (void)state;
    struct tm_thread *thread = tm_thread_self();
    begin();
    struct tm_tally *tally = tm_tally_of(thread);
    assert_non_null(tally);
    thread->walked_state = STATE;
    assert_false(tm_loose_walk_try(thread, tally, STATE)); /* nobody would look at this tally */
    walk_once(thread);
    assert_true(tm_loose_walk_try(thread, tally, STATE));
    assert_int_equal(tally->walks, 1);
    tm_loose_walk_end_own(tally);
    assert_int_equal(tally->walks, 0);
    assert_false(tm_loose_walk_try(thread, tally, STATE + 4096)); /* not marked */
    finalizing = 1;
    assert_false(tm_loose_walk_try(thread, tally, STATE));
    assert_int_equal(tally->walks, 0);
    finalizing = 0;
    atomic_store(&tm_loose_walks_have_slept, true); /* the next interpreter's end needs a sleep of its own */
    assert_false(tm_loose_walk_try(thread, tally, STATE));
    assert_int_equal(tally->walks, 0);
    walk_once(thread);
    assert_true(tm_loose_walk_try(thread, tally, STATE));
    tm_loose_walk_end_own(tally);
}

static unsigned askers_without_guard;

static uintptr_t this_thread_allocating(void)
{
    askers_without_guard += tm_thread_self()->guard == 0;
    return fake_this_thread();
}

/* The first touch of a library's thread-local storage calls malloc, which would ask again. */
static void state_is_asked_for_behind_the_guard(void **state)
{
    (void)state;
    begin();
    fake_lane_set(FAKE_WAITING);
    tm_runtime.python.this_thread = this_thread_allocating;
    fake_alloc(TM_DOMAIN_NATIVE, STATE, 100); /* takes a tally, and maps what the table has of these addresses */
    assert_non_null(tm_tally_peek(tm_thread_self()));
    atomic_store(&tm_life_page.native_frames, 1);
    tm_thread_self()->walked_state = 0; /* there is no state to walk over */
    askers_without_guard = 0;
    tm_tracker_alloc_native(tm_thread_self(), (void *)(STATE + 4096), 100);
    assert_int_equal(askers_without_guard, 0);
    assert_int_equal(tm_thread_self()->guard, 0);
    assert_true(fake_free(STATE + 4096));
    assert_true(fake_free(STATE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_walk_once_the_interpreter_finalizes),
        cmocka_unit_test(freed_state_is_marked_anew),
        cmocka_unit_test(free_of_a_state_that_was_not_sampled_is_heard),
        cmocka_unit_test(state_is_marked_before_the_flag_is_looked_at),
        cmocka_unit_test(who_walked_alone_does_not_sleep),
        cmocka_unit_test(free_of_a_state_waits_for_walks),
        cmocka_unit_test(who_waits_sleeps_first_where_others_walk),
        cmocka_unit_test(child_does_not_wait_for_threads_it_has_not),
        cmocka_unit_test(own_walk_is_not_begun_where_anything_is_rare),
        cmocka_unit_test(state_is_asked_for_behind_the_guard),
        cmocka_unit_test(walk_that_never_ends_is_waited_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
