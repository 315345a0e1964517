/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child_process.h"
#include "support/fake_python.h"
#include "support/scratch_folder.h"
#include "runtime/os/os_memory.h"
#include "store/snapshot_select.h"

#define A   UINT64_C(0x7f0000000000)
#define MIB ((size_t)1 << 20)

static struct scratch_folder folder;

static int make_folder(void **state)
{
    (void)state;
    scratch_make(&folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch_remove(&folder);
    return 0;
}

static void begin(const char *output, const char *first, const char *second)
{
    char pattern[1100];
    (void)snprintf(pattern, sizeof pattern, "TRACEMALLOC_OUTPUT=%s", scratch_name(&folder, output));
    const char *environment[] = {"TRACEMALLOC_STORE=none", pattern, first, second, NULL};
    fake_process_begin(environment);
    fake_python_found();
    tm_runtime_python_begins();
    fake_lane_set(FAKE_HELD);
    tm_runtime.due.slice_ns = UINT64_MAX; /* all at once, where a test does not say otherwise */
}

static bool has(const char *name)
{
    return access(scratch_name(&folder, name), F_OK) == 0;
}

static void look(void)
{
    struct tm_thread *thread = tm_thread_self();
    errno = 77;
    tm_runtime_look(thread);
    assert_int_equal(errno, 77);
    assert_int_equal(thread->guard, 0);
    assert_int_equal(thread->looks, TM_EVENTS_BETWEEN_LOOKS);
}

static void let_the_interval_pass(void)
{
    atomic_store(&tm_runtime.due.next_ns, 1);
}

static void nothing_is_watched_where_nothing_is_asked(void **state)
{
    (void)state;
    begin("o.tms", NULL, NULL);
    assert_false(tm_runtime_is_watched());
    fake_alloc(TM_DOMAIN_OBJ, A, 100 * MIB);
    look();
    assert_int_equal(scratch_count(&folder, ""), 0);
}

static void each_step_of_the_threshold_has_a_snapshot(void **state)
{
    (void)state;
    begin("o.tms", "TRACEMALLOC_THRESHOLD=2MiB", NULL);
    assert_true(tm_runtime_is_watched());
    look();
    fake_alloc(TM_DOMAIN_OBJ, A, 2 * MIB - 1);
    look();
    assert_int_equal(scratch_count(&folder, ""), 0);
    fake_alloc(TM_DOMAIN_NATIVE, A + 16 * MIB, 1);
    look();
    look();
    assert_int_equal(scratch_count(&folder, ""), 1);
    assert_true(has("o.0001.tms"));
    fake_alloc(TM_DOMAIN_OBJ, A + 32 * MIB, 5 * MIB); /* two steps at once */
    look();
    look();
    assert_int_equal(scratch_count(&folder, ""), 2);
    assert_true(fake_free(A + 32 * MIB));
    fake_alloc(TM_DOMAIN_OBJ, A + 32 * MIB, 5 * MIB); /* not further than before */
    look();
    assert_int_equal(scratch_count(&folder, ""), 2);
    fake_alloc(TM_DOMAIN_OBJ, A + 64 * MIB, 2 * MIB);
    assert_true(fake_free(A + 64 * MIB)); /* the maximum was left again */
    look();
    assert_int_equal(scratch_count(&folder, ""), 3);
    tm_runtime_clear();
    look();
    assert_int_equal(scratch_count(&folder, ""), 3);
    fake_alloc(TM_DOMAIN_OBJ, A + 128 * MIB, 2 * MIB);
    look();
    assert_int_equal(scratch_count(&folder, ""), 4);
    tm_runtime_exit_snapshot("test");
    assert_true(has("o.0005.tms"));
}

static void stopped_or_ended_process_takes_none(void **state)
{
    (void)state;
    begin("o.%n.tms", "TRACEMALLOC_INTERVAL=1h", NULL);
    look();
    assert_int_equal(scratch_count(&folder, ""), 0);
    let_the_interval_pass();
    tm_thread_self()->guard = 1;
    tm_runtime_look(tm_thread_self());
    tm_thread_self()->guard = 0;
    tm_runtime_stop();
    look();
    assert_int_equal(scratch_count(&folder, ""), 0);
    assert_int_equal(tm_runtime_start(1), 0);
    look();
    look();
    assert_int_equal(scratch_count(&folder, ""), 1);
    tm_runtime_exit_snapshot("test");
    let_the_interval_pass();
    look();
    assert_int_equal(scratch_count(&folder, ""), 2);
}

/* 5124096 hours are 2^64 ns and two and a half minutes. */
static void interval_of_centuries_is_never_over(void **state)
{
    (void)state;
    begin("o.tms", "TRACEMALLOC_INTERVAL=5124096h", NULL);
    uint64_t next_ns = atomic_load(&tm_runtime.due.next_ns);
    assert_true(next_ns > UINT64_C(4000000000) * 1000000000 && next_ns < UINT64_MAX);
    let_the_interval_pass();
    look();
    assert_int_equal(scratch_count(&folder, ""), 1);
    assert_true(atomic_load(&tm_runtime.due.next_ns) > UINT64_C(4000000000) * 1000000000);
}

static void one_that_was_asked_for_is_taken_once(void **state)
{
    (void)state;
    begin("o.tms", "TRACEMALLOC_SIGNAL=USR1", NULL);
    assert_true(tm_runtime_is_watched());
    look();
    assert_int_equal(scratch_count(&folder, ""), 0);
    tm_runtime_ask_for_snapshot();
    look();
    look();
    assert_int_equal(scratch_count(&folder, ""), 1);
}

static void oldest_of_the_interval_goes_and_numbers_rise(void **state)
{
    (void)state;
    begin("o.tms", "TRACEMALLOC_INTERVAL=1s", "TRACEMALLOC_KEEP=2");
    for (unsigned i = 0; i < 4; i++) {
        let_the_interval_pass();
        look();
    }
    assert_int_equal(scratch_count(&folder, ""), 2);
    assert_true(has("o.0003.tms") && has("o.0004.tms"));
    tm_runtime_exit_snapshot("test");
    assert_int_equal(scratch_count(&folder, ""), 3);
    assert_true(has("o.0005.tms"));
}

static void only_what_this_process_made_is_removed(void **state)
{
    (void)state;
    char mine[1100];
    begin("o.tms", "TRACEMALLOC_INTERVAL=1s", "TRACEMALLOC_KEEP=1");
    let_the_interval_pass();
    look();
    (void)snprintf(mine, sizeof mine, "%s", scratch_name(&folder, "mine"));
    int descriptor = open(mine, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0 && close(descriptor) == 0);
    assert_int_equal(rename(mine, scratch_name(&folder, "o.0001.tms")), 0);
    let_the_interval_pass();
    look();
    assert_true(has("o.0001.tms") && has("o.0002.tms"));
    let_the_interval_pass();
    look();
    assert_true(has("o.0001.tms") && !has("o.0002.tms") && has("o.0003.tms"));
}

/* The name that the user chose has got a number, so it is none that may be replaced. */
static void file_of_an_earlier_run_stays(void **state)
{
    (void)state;
    struct stat found;
    int descriptor = open(scratch_name(&folder, "o.0001.tms"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0 && close(descriptor) == 0);
    begin("o.tms", "TRACEMALLOC_INTERVAL=1h", NULL);
    tm_runtime_exit_snapshot("test");
    assert_true(has("o.0002.tms"));
    assert_int_equal(stat(scratch_name(&folder, "o.0001.tms"), &found), 0);
    assert_int_equal(found.st_size, 0);
}

static void say_all(void *path)
{
    char inner[1100];
    child_check(dup2(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDERR_FILENO) == STDERR_FILENO);
    (void)snprintf(inner, sizeof inner, "%s", scratch_name(&folder, "away"));
    child_check(mkdir(inner, 0700) == 0); /* one that is missing at the beginning is said then */
    begin("away/o.tms", "TRACEMALLOC_INTERVAL=1s", NULL);
    child_check(rmdir(inner) == 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3; i++) {
            let_the_interval_pass();
            tm_runtime_look(tm_thread_self());
        }
        child_check(mkdir(inner, 0700) == 0);
        let_the_interval_pass();
        tm_runtime_look(tm_thread_self());
        child_check(unlink(scratch_name(&folder, round == 0 ? "away/o.0001.tms" : "away/o.0002.tms")) == 0);
        child_check(rmdir(inner) == 0);
    }
    tm_runtime_exit_snapshot("test");
}

static void failure_is_said_once_until_a_write_is_done(void **state)
{
    (void)state;
    static char said[4000];
    char path[1100];
    (void)snprintf(path, sizeof path, "%s", scratch_name(&folder, "said"));
    assert_int_equal(child_run(say_all, path), 0);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(descriptor, said, sizeof said - 1);
    assert_true(length > 0 && close(descriptor) == 0);
    static const char *const numbers[] = {"o.0001.tms", "o.0002.tms", "o.0003.tms"};
    char *at = said;
    for (unsigned i = 0; i < 3; i++) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        assert_non_null(strstr(at, numbers[i]));
        assert_non_null(strstr(at, "no such folder"));
        at = end + 1;
    }
    assert_int_equal(*at, '\0');
}

static void forked_child_counts_and_keeps_for_itself(void **state)
{
    (void)state;
    int status = -1;
    begin("o.tms", "TRACEMALLOC_THRESHOLD=2MiB", "TRACEMALLOC_KEEP=1");
    tm_runtime.config.interval_s = 3600;
    let_the_interval_pass();
    look();
    fake_alloc(TM_DOMAIN_OBJ, A, 3 * MIB);
    look();
    assert_true(has("o.0001.tms") && has("o.0002.tms"));
    tm_runtime_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        char name[100];
        tm_runtime_after_fork_child();
        fake_alloc(TM_DOMAIN_OBJ, A + 16 * MIB, 100);
        tm_runtime.due.slice_ns = UINT64_MAX;
        tm_runtime_look(tm_thread_self());
        fake_alloc(TM_DOMAIN_OBJ, A + 32 * MIB, MIB);
        tm_runtime_look(tm_thread_self());
        let_the_interval_pass();
        tm_runtime_look(tm_thread_self());
        (void)snprintf(name, sizeof name, "o.0001.%u.tms", (unsigned)getpid());
        child_check(has(name));
        (void)snprintf(name, sizeof name, "o.0002.%u.tms", (unsigned)getpid());
        child_check(has(name) && has("o.0001.tms") && has("o.0002.tms"));
        _exit(0);
    }
    tm_runtime_after_fork_parent();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(scratch_count(&folder, ""), 4);
}

/* One step of the snapshot that is due, or under way. */
static void look_for_a_step(void)
{
    tm_runtime.due.slice_ns = 0;
    atomic_store(&tm_runtime.due.next_slice_ns, 0);
    look();
}

static enum tm_task_stage stage(void)
{
    return tm_runtime.due.task.stage;
}

/* Until the task has come to WANTED. */
static void look_until(enum tm_task_stage wanted)
{
    for (unsigned i = 0; stage() != wanted; i++) {
        assert_true(i < 1000);
        look_for_a_step();
    }
}

static void begin_in_slices(void)
{
    begin("o.tms", "TRACEMALLOC_SIGNAL=USR1", NULL);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    tm_runtime_ask_for_snapshot();
    look_for_a_step();
    assert_int_not_equal(stage(), TM_TASK_NONE);
}

static void long_snapshot_is_made_in_slices(void **state)
{
    (void)state;
    begin_in_slices();
    unsigned steps = 1;
    for (; stage() != TM_TASK_NONE; steps++) {
        assert_true(steps < 1000);
        assert_int_equal(scratch_count(&folder, ""), 0); /* nothing that a kill would leave behind */
        assert_int_equal(atomic_load(&tm_runtime.name_readers),
                         stage() > TM_TASK_CUTS && stage() < TM_TASK_GIVES_BACK ? 1 : 0);
        look_for_a_step();
    }
    assert_true(steps > 20);
    assert_int_equal(scratch_count(&folder, ""), 1);
    assert_null(tm_runtime.due.task.cut.pages);
    assert_null(tm_runtime.due.task.encoded.bytes);
    look_for_a_step();
    assert_int_equal(scratch_count(&folder, ""), 1);
}

static void between_slices_the_program_has_its_time(void **state)
{
    (void)state;
    begin_in_slices();
    look_until(TM_TASK_LOOKS);
    look(); /* too early */
    assert_int_equal(stage(), TM_TASK_LOOKS);
    look_for_a_step();
    assert_int_equal(stage(), TM_TASK_ASKS);
}

/* Few are copied at the first look, so that the moment is the one that was due.  Many: not before their pages are
 * there. */
static void pages_for_many_records_are_touched_before(void **state)
{
    (void)state;
    begin_in_slices();
    assert_int_equal(stage(), TM_TASK_LOOKS);
    look_until(TM_TASK_NONE);
    const uint64_t bytes = 100000 * sizeof(struct tm_record);
    assert_true(tm_live_store_need(&tm_runtime.store, TM_STORE_RECORDS, bytes));
    assert_true(tm_live_store_need(&tm_runtime.store, TM_STORE_PEAKS, bytes / 2));
    assert_true(tm_live_store_need(&tm_runtime.store, TM_STORE_LOOSE, bytes / 2));
    atomic_store(&tm_runtime.store.header->lengths[TM_STORE_RECORDS], bytes);
    tm_runtime_ask_for_snapshot();
    look_for_a_step();
    const struct tm_store_cut *cut = &tm_runtime.due.task.cut;
    for (size_t touched = 0; stage() == TM_TASK_PREPARES; look_for_a_step()) {
        assert_true(cut->touched > touched && cut->touched <= touched + (64U << 10));
        touched = cut->touched;
    }
    assert_int_equal(stage(), TM_TASK_CUTS);
    assert_true(tm_pages_resident(cut->pages, cut->size) >= bytes);
    look_until(TM_TASK_NONE);
    assert_int_equal(scratch_count(&folder, ""), 2);
}

/* The state of the moment at which it was copied, whatever comes after. */
static void snapshot_under_way_does_not_see_what_comes(void **state)
{
    (void)state;
    begin_in_slices();
    look_until(TM_TASK_LOOKS);
    const struct tm_store_view *view = &tm_runtime.due.task.cut.view;
    uint64_t python, heap, was;
    tm_store_traced(view->header, &was, &heap);
    uint32_t count = tm_store_view_count(view, TM_STORE_RECORDS);
    struct tm_record_figures figures = tm_record_figures_of(view, 1);
    fake_alloc(TM_DOMAIN_OBJ, A + MIB, 100);
    fake_alloc(TM_DOMAIN_OBJ, A + 2 * MIB, 333);
    assert_true(fake_free(A));
    tm_runtime_clear();
    tm_store_traced(view->header, &python, &heap);
    assert_u64_equal(python, was);
    assert_u64_equal(python, 100);
    assert_int_equal(tm_store_view_count(view, TM_STORE_RECORDS), count);
    assert_u64_equal(figures.live_blocks, 1);
    assert_u64_equal(tm_record_figures_of(view, 1).live_blocks, 1);
    assert_u64_equal(tm_record_figures_of(view, 1).ever_blocks, 1);
    look_until(TM_TASK_NONE);
    assert_int_equal(scratch_count(&folder, ""), 1);
}

static void what_becomes_due_meanwhile_lets_it_be_finished(void **state)
{
    (void)state;
    begin_in_slices();
    look_until(TM_TASK_ENCODES);
    tm_runtime_ask_for_snapshot();
    look_for_a_step();
    assert_int_equal(scratch_count(&folder, ""), 1);
    assert_int_equal(stage(), TM_TASK_LOOKS);
    look_until(TM_TASK_NONE);
    assert_int_equal(scratch_count(&folder, ""), 2);
}

static void end_and_stop_finish_what_is_under_way(void **state)
{
    (void)state;
    begin_in_slices();
    look_until(TM_TASK_LOOKS);
    tm_runtime_stop();
    assert_int_equal(stage(), TM_TASK_NONE);
    assert_true(has("o.0001.tms"));
    assert_int_equal(tm_runtime_start(1), 0);
    tm_runtime_ask_for_snapshot();
    look_for_a_step();
    tm_runtime_exit_snapshot("_exit");
    assert_int_equal(stage(), TM_TASK_NONE);
    assert_true(has("o.0002.tms") && has("o.0003.tms"));
    assert_int_equal(scratch_count(&folder, ""), 3);
}

/* The call of the API needs the lock for a moment only. */
static void other_snapshot_comes_between(void **state)
{
    (void)state;
    begin_in_slices();
    look_until(TM_TASK_ENCODES);
    assert_int_equal(tm_runtime_take_snapshot(scratch_name(&folder, "api.tms"), false), 0);
    assert_int_equal(stage(), TM_TASK_ENCODES);
    assert_int_equal(atomic_load(&tm_runtime.name_readers), 1);
    look_until(TM_TASK_NONE);
    assert_true(has("api.tms") && has("o.0001.tms"));
    assert_true(tm_lock_try(&tm_runtime.snapshot_lock));
    look_for_a_step(); /* another one is under way: not now */
    tm_lock_release(&tm_runtime.snapshot_lock);
}

/* Called in the middle of each snapshot, when it is asked for libc's figures. */
static unsigned asked;
static void (*meanwhile)(void);

static bool ask_libc(struct tm_libc_memory *memory)
{
    (void)memory;
    if (asked++ == 0) {
        meanwhile();
    }
    return false;
}

static unsigned times_made(void (*action)(void))
{
    asked = 0;
    meanwhile = action;
    tm_runtime_ask_libc = ask_libc;
    assert_int_equal(tm_runtime_take_snapshot(scratch_name(&folder, "api.tms"), false), 0);
    tm_runtime_ask_libc = NULL;
    assert_int_equal(atomic_load(&tm_runtime.name_readers), 0);
    return asked;
}

static void see_that_nobody_waits(void)
{
    assert_true(tm_lock_try(&tm_runtime.life_lock));
    tm_lock_release(&tm_runtime.life_lock);
    assert_int_equal(atomic_load(&tm_runtime.name_readers), 1);
}

/* Others may fork, clear and start while a snapshot is made; what is not of one time then is made again. */
static void call_of_the_api_keeps_nobody_waiting(void **state)
{
    (void)state;
    begin("o.tms", NULL, NULL);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    assert_int_equal(times_made(see_that_nobody_waits), 1);
    assert_int_equal(times_made(tm_runtime_clear), 2);
    assert_int_equal(times_made(tm_runtime_reset_peak), 2);
}

static void without_memory_for_a_copy_it_is_made_at_once(void **state)
{
    (void)state;
    begin_in_slices();
    tm_snapshot_task_end(&tm_runtime.due.task);
    tm_runtime.due.task.stage = TM_TASK_IS_OVER;
    tm_runtime.due.task.status = -ENOMEM;
    look_for_a_step();
    assert_true(has("o.0001.tms"));
    assert_int_equal(stage(), TM_TASK_NONE);
}

/* Of the parent's there is nothing left in the child, in whatever state it was. */
static void fork_in_the_middle(bool is_cut_off)
{
    int status = -1;
    begin_in_slices();
    look_until(TM_TASK_ENCODES);
    if (is_cut_off) {
        tm_lock_take(&tm_runtime.snapshot_lock); /* another thread is just at it */
    }
    tm_runtime_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        char name[100];
        tm_runtime_after_fork_child();
        fake_alloc(TM_DOMAIN_OBJ, A + 16 * MIB, 100);
        child_check(stage() == TM_TASK_NONE && atomic_load(&tm_runtime.name_readers) == 0);
        look_for_a_step();
        child_check(stage() == TM_TASK_NONE);
        tm_runtime_ask_for_snapshot();
        for (unsigned i = 0; i < 1000 && (i == 0 || stage() != TM_TASK_NONE); i++) {
            look_for_a_step();
        }
        (void)snprintf(name, sizeof name, "o.0001.%u.tms", (unsigned)getpid());
        child_check(has(name) && !has("o.0001.tms"));
        _exit(0);
    }
    tm_runtime_after_fork_parent();
    if (is_cut_off) {
        tm_lock_release(&tm_runtime.snapshot_lock);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    look_until(TM_TASK_NONE);
    assert_true(has("o.0001.tms"));
    assert_int_equal(scratch_count(&folder, ""), 2);
}

static void fork_between_slices(void **state)
{
    (void)state;
    fork_in_the_middle(false);
}

static void fork_while_another_thread_makes_one(void **state)
{
    (void)state;
    fork_in_the_middle(true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_watched_where_nothing_is_asked),
        TEST(each_step_of_the_threshold_has_a_snapshot),
        TEST(stopped_or_ended_process_takes_none),
        TEST(one_that_was_asked_for_is_taken_once),
        TEST(oldest_of_the_interval_goes_and_numbers_rise),
        TEST(only_what_this_process_made_is_removed),
        TEST(failure_is_said_once_until_a_write_is_done),
        TEST(forked_child_counts_and_keeps_for_itself),
        TEST(interval_of_centuries_is_never_over),
        TEST(file_of_an_earlier_run_stays),
        TEST(long_snapshot_is_made_in_slices),
        TEST(between_slices_the_program_has_its_time),
        TEST(snapshot_under_way_does_not_see_what_comes),
        TEST(what_becomes_due_meanwhile_lets_it_be_finished),
        TEST(end_and_stop_finish_what_is_under_way),
        TEST(other_snapshot_comes_between),
        TEST(call_of_the_api_keeps_nobody_waiting),
        TEST(without_memory_for_a_copy_it_is_made_at_once),
        TEST(fork_between_slices),
        TEST(fork_while_another_thread_makes_one),
        TEST(pages_for_many_records_are_touched_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
