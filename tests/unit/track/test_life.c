/* SPDX-License-Identifier: MIT */
/* Files and forks: what a process leaves, and whose counters are whose. */
#include "support/cmocka_include.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/hash.h"
#include "runtime/os/os_memory.h"
#include "runtime/os/os_call.h"
#include "runtime/os/os_process.h"
#include "runtime/track/counting.h"
#include "support/child_process.h"
#include "support/fake_python.h"
#include "support/sanitizers.h"
#include "support/scratch_folder.h"

#define A UINT64_C(0x500000001000)
#define B UINT64_C(0x500000009000)

static struct scratch_folder folder;
static char variable[400];

/* OUTPUT is NAME in the scratch folder. */
static void begin_with_output(const char *name, const char *more)
{
    (void)snprintf(variable, sizeof variable, "TRACEMALLOC_OUTPUT=%s/%s", folder.path, name);
    const char *environment[] = {variable, more, NULL};
    fake_process_begin(environment);
    fake_python_found();
    fake_lane_set(FAKE_HELD);
    assert_true(tm_runtime_is_tracing());
}

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

static bool is_snapshot(const char *name)
{
    char magic[8];
    int descriptor = open(scratch_name(&folder, name), O_RDONLY | O_CLOEXEC);
    bool is =
        descriptor >= 0 && read(descriptor, magic, sizeof magic) == 8 && memcmp(magic, "\x89TMS\r\n\x1a\n", 8) == 0;
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return is;
}

static bool make_empty(const char *name)
{
    int descriptor = open(scratch_name(&folder, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return descriptor >= 0 && close(descriptor) == 0;
}

static const char *with_pid(const char *format, unsigned pid)
{
    static char name[100];
    (void)snprintf(name, sizeof name, format, pid);
    return name;
}

static void process_without_python_leaves_nothing(void **state)
{
    (void)state;
    begin_with_output("o.%p.tms", NULL);
    fake_alloc(TM_DOMAIN_NATIVE, A, 100);
    tm_runtime_exit_snapshot("test");
    assert_int_equal(scratch_count(&folder, ""), 0);
}

static void python_process_has_a_store_and_leaves_a_snapshot(void **state)
{
    (void)state;
    unsigned pid = (unsigned)getpid();
    begin_with_output("o.%p.tms", NULL);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    tm_runtime_python_begins();
    assert_true(tm_runtime.store.in_file);
    assert_int_equal(access(scratch_name(&folder, with_pid("tracemalloc.%u.live", pid)), F_OK), 0);
    assert_u64_equal(fake_current(), 100);
    fake_alloc(TM_DOMAIN_OBJ, B, 100);
    errno = 77;
    tm_runtime_exit_snapshot("test");
    assert_int_equal(errno, 77);
    assert_true(is_snapshot(with_pid("o.%u.tms", pid)));
    assert_int_equal(scratch_count(&folder, ""), 1);
    tm_runtime_exit_snapshot("a second time");
    assert_int_equal(scratch_count(&folder, ""), 1);
}

static void taken_names_get_a_number_and_are_left_alone(void **state)
{
    (void)state;
    unsigned pid = (unsigned)getpid();
    struct stat found;
    assert_true(make_empty(with_pid("o.%u.tms", pid)));
    assert_true(make_empty(with_pid("o.%u-2.tms", pid)));
    assert_true(make_empty(with_pid("tracemalloc.%u.live", pid)));
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    assert_int_equal(access(scratch_name(&folder, with_pid("tracemalloc.%u-2.live", pid)), F_OK), 0);
    tm_runtime_exit_snapshot("test");
    assert_true(is_snapshot(with_pid("o.%u-3.tms", pid)));
    assert_int_equal(stat(scratch_name(&folder, with_pid("o.%u.tms", pid)), &found), 0);
    assert_int_equal(found.st_size, 0);
    assert_int_equal(scratch_count(&folder, ".live"), 1);
}

/* A series of days, or a container that was started again and again. */
static void more_than_a_thousand_names_may_be_taken(void **state)
{
    (void)state;
    char name[32];
    for (unsigned number = 1; number <= 1001; number++) {
        (void)snprintf(name, sizeof name, "o.%04u.tms", number);
        assert_true(make_empty(name));
    }
    begin_with_output("o.%n.tms", NULL);
    tm_runtime_python_begins();
    tm_runtime_exit_snapshot("test");
    assert_true(is_snapshot("o.1002.tms"));
    assert_int_equal(scratch_count(&folder, ""), 1002);
}

static void snapshot_has_the_number_of_its_store(void **state)
{
    (void)state;
    unsigned pid = (unsigned)getpid();
    assert_true(make_empty(with_pid("tracemalloc.%u.live", pid))); /* of the program that called exec */
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    tm_runtime_exit_snapshot("test");
    assert_true(is_snapshot(with_pid("o.%u-2.tms", pid)));
    assert_int_equal(scratch_count(&folder, ""), 2);
}

static void name_without_pid_is_replaced(void **state)
{
    (void)state;
    assert_true(make_empty("out.tms"));
    begin_with_output("out.tms", NULL);
    tm_runtime_python_begins();
    tm_runtime_exit_snapshot("test");
    assert_true(is_snapshot("out.tms"));
    assert_int_equal(scratch_count(&folder, ""), 1);
}

static void part_that_a_killed_process_left_is_no_hindrance(void **state)
{
    (void)state;
    /* In a container every process is number 1. */
    char part[100];
    (void)snprintf(part, sizeof part, "out.tms.%u.part", (unsigned)getpid());
    assert_true(make_empty(part));
    begin_with_output("out.tms", NULL);
    tm_runtime_python_begins();
    assert_int_equal(tm_runtime_take_snapshot(scratch_name(&folder, "out.tms"), false), 0);
    assert_true(is_snapshot("out.tms"));
    assert_int_equal(unlink(folder.name), 0);
    tm_runtime_exit_snapshot("test");
    assert_true(is_snapshot("out.tms"));
    assert_int_equal(access(scratch_name(&folder, part), F_OK), 0);
    assert_int_equal(scratch_count(&folder, ""), 2);
}

static void percent_sign_in_the_working_folder_is_only_a_letter(void **state)
{
    (void)state;
    char inner[400];
    char name[500];
    char before[4096];
    const char *environment[] = {"TRACEMALLOC_OUTPUT=out.%p.tms", NULL};
    assert_non_null(getcwd(before, sizeof before));
    (void)snprintf(inner, sizeof inner, "%s/100%%p", folder.path);
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(chdir(inner), 0);
    fake_process_begin(environment);
    fake_python_found();
    tm_runtime_python_begins();
    assert_true(tm_runtime.store.in_file);
    tm_runtime_exit_snapshot("test");
    assert_int_equal(chdir(before), 0);
    (void)snprintf(name, sizeof name, "%s/out.%u.tms", inner, (unsigned)getpid());
    assert_int_equal(unlink(name), 0);
}

static void missing_folder_keeps_the_store_in_memory_and_the_program_going(void **state)
{
    (void)state;
    begin_with_output("nowhere/o.%p.tms", NULL);
    tm_runtime_python_begins();
    assert_false(tm_runtime.store.in_file);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    assert_int_equal(tm_runtime_take_snapshot(scratch_name(&folder, "nowhere/x.tms"), false), ENOENT);
    assert_int_equal(tm_runtime_take_snapshot(scratch_name(&folder, "x.tms"), false), 0);
    assert_true(is_snapshot("x.tms"));
    assert_u64_equal(fake_current(), 100);
}

static void write_blocks_where_little_fits(void *argument)
{
    const struct rlimit limit = {10000, 10000};
    (void)argument;
    begin_with_output("o.%p.tms", "TRACEMALLOC_STORE=none");
    for (uint64_t i = 0; i < 200000; i++) {
        fake_alloc(TM_DOMAIN_OBJ, A + i * 1024, 600 + tm_hash_word(i) % 5000);
    }
    child_check(tm_runtime_take_snapshot(scratch_name(&folder, "x.tms"), true) == 0);
    child_check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    child_check(tm_runtime_take_snapshot(scratch_name(&folder, "y.tms"), true) == EFBIG);
    child_check(tm_runtime_take_snapshot(scratch_name(&folder, "y.tms"), false) == 0);
}

/* It fails while it is being written; the signal of the limit would end the process. */
static void list_of_blocks_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    struct stat with_blocks, without;
    assert_int_equal(child_run(write_blocks_where_little_fits, NULL), 0);
    assert_true(is_snapshot("x.tms") && is_snapshot("y.tms"));
    assert_int_equal(scratch_count(&folder, ""), 2);
    assert_int_equal(stat(scratch_name(&folder, "x.tms"), &with_blocks), 0);
    assert_int_equal(stat(scratch_name(&folder, "y.tms"), &without), 0);
    assert_true(with_blocks.st_size > 200000 && without.st_size < 10000);
}

/* The option is heard by every snapshot that the process writes. */
static void option_makes_every_snapshot_list_blocks(void **state)
{
    (void)state;
    struct stat found;
    begin_with_output("o.tms", "TRACEMALLOC_BLOCKS=1");
    tm_runtime_python_begins();
    for (uint64_t i = 0; i < 20000; i++) {
        fake_alloc(TM_DOMAIN_OBJ, A + i * 1024, 600 + tm_hash_word(i) % 5000);
    }
    assert_int_equal(tm_runtime_take_snapshot(scratch_name(&folder, "x.tms"), false), 0);
    tm_runtime_exit_snapshot("test");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(stat(scratch_name(&folder, i == 0 ? "x.tms" : "o.tms"), &found), 0);
        assert_true(found.st_size > 20000);
    }
    assert_int_equal(scratch_count(&folder, ""), 2);
}

static void begin_in_a_narrow_process(void *argument)
{
    const struct rlimit limit = {(size_t)150 << 20, (size_t)150 << 20};
    const char *environment[] = {NULL};
    int resource = *(const int *)argument;
    size_t before = tm_pages_total();
    child_check(setrlimit((__rlimit_resource_t)resource, &limit) == 0);
    child_check(dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO) == STDERR_FILENO);
    fake_process_begin(environment);
    child_check(tm_runtime_is_disabled() && tm_pages_total() == before);
}

static void narrow_process_is_left_its_memory(void **state)
{
    (void)state;
    int space = RLIMIT_AS;
    int data = RLIMIT_DATA;
    if (TM_UNDER_SANITIZER) {
        skip();
    }
    assert_int_equal(child_run(begin_in_a_narrow_process, &space), 0);
    assert_int_equal(child_run(begin_in_a_narrow_process, &data), 0);
}

/* fork as pthread_atfork would have it. */
static pid_t fork_with_handlers(void)
{
    tm_runtime_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        tm_runtime_after_fork_child();
    } else {
        tm_runtime_after_fork_parent();
    }
    return pid;
}

static pid_t fork_past_handlers(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* Whoever finds the store of a killed process knows it from there. */
static void store_says_what_failed_and_what_is_heard(void **state)
{
    (void)state;
    const char word[8] = "tracer";
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    const struct tm_store_header *header = tm_runtime.store.header;
    assert_memory_equal(&header->recycled, "none", 5);
    assert_int_equal(header->failed_calls, 0);
    tm_runtime_note_recycled("tracer");
    assert_memory_equal(&header->recycled, word, sizeof word);
    tm_os_failure_note(TM_OS_ALLOCATE, ENOSPC);
    tm_os_failure_note(TM_OS_OPEN, EMFILE);
    assert_int_equal(header->failed_calls, 2);
    assert_int_equal(header->failed_call_errno, ENOSPC);
    assert_string_equal(header->failed_call, "fallocate");
    pid_t pid = fork_with_handlers();
    int status = -1;
    if (pid == 0) {
        tm_os_failure_note(TM_OS_READ, EIO); /* while its header is the parent's */
        fake_alloc(TM_DOMAIN_OBJ, B, 1000);
        child_check(tm_runtime.store.header != NULL && tm_runtime.store.header->failed_calls == 3);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(header->failed_calls, 2);
}

static void in_the_child(uint64_t expected)
{
    unsigned pid = tm_process_pid();
    fake_alloc(TM_DOMAIN_OBJ, B, 1000);
    child_check(tm_runtime_is_tracing());
    child_check(fake_current() == expected + 1000);
    child_check(fake_free(A));
    child_check(fake_current() == expected + 1000 - 100);
    child_check(tm_thread_self()->guard == 0);
    child_check(tm_runtime.store.header->pid == pid);
    child_check(tm_runtime.store.header->parent_pid == (unsigned)getppid());
    tm_runtime_python_begins();
    child_check(!tm_runtime.store.in_file);
    child_check(tm_record_table_is_valid(&tm_runtime.records) && tm_string_table_is_valid(&tm_runtime.strings));
    for (unsigned i = 0; i < 3000; i++) {
        fake_alloc(TM_DOMAIN_RAW, A + 0x100000 + i * UINT64_C(1024), i % 513);
    }
    child_check(tm_runtime.store.in_file);
    child_check(access(scratch_name(&folder, with_pid("tracemalloc.%u.live", pid)), F_OK) == 0);
    child_check(tm_thread_self()->guard == 0);
    tm_runtime_exit_snapshot("test");
    _exit(0);
}

static void assert_parent_and_child_part(pid_t (*do_fork)(void))
{
    int status = -1;
    begin_with_output("out.tms", NULL);
    tm_runtime_python_begins();
    assert_true(tm_runtime.store.in_file);
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    pid_t pid = do_fork();
    if (pid == 0) {
        in_the_child(100);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_u64_equal(fake_current(), 100);
    assert_int_equal(tm_thread_self()->guard, 0);
    assert_true(fake_free(A));
    assert_false(fake_free(B));
    assert_u64_equal(fake_current(), 0);
    tm_runtime_exit_snapshot("test");
    assert_true(is_snapshot("out.tms"));
    assert_true(is_snapshot(with_pid("out.%u.tms", (unsigned)pid)));
    assert_int_equal(scratch_count(&folder, ""), 2);
}

static void forked_child_counts_for_itself(void **state)
{
    (void)state;
    assert_parent_and_child_part(fork_with_handlers);
}

static void child_made_past_the_handlers_counts_for_itself(void **state)
{
    (void)state;
    assert_parent_and_child_part(fork_past_handlers);
}

static void child_starts_from_the_counters_of_the_fork(void **state)
{
    (void)state;
    int ends[2];
    int status = -1;
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    pid_t pid = fork_with_handlers();
    if (pid == 0) {
        child_check(read(ends[0], &byte, 1) == 1);
        in_the_child(100);
    }
    for (unsigned i = 0; i < 5000; i++) {
        fake_alloc(TM_DOMAIN_OBJ, A + 0x10000000 + i * UINT64_C(1024), i % 600);
    }
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void grandchild_of_a_silent_child_counts_for_itself(void **state)
{
    (void)state;
    int status = -1;
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    pid_t pid = fork_with_handlers();
    if (pid == 0) {
        uint64_t between = tm_process_time_ns();
        pid = fork_with_handlers();
        if (pid == 0) {
            fake_alloc(TM_DOMAIN_OBJ, A + 4096, 0);
            child_check(tm_runtime.store.header->forked_from == (uint32_t)getppid());
            child_check(tm_runtime.store.header->fork_time_ns >= between);
            in_the_child(100);
        }
        child_check(waitpid(pid, &status, 0) == pid && status == 0);
        child_check(tm_thread_self()->guard == 0);
        fake_alloc(TM_DOMAIN_OBJ, A + 4096, 0);
        child_check(tm_runtime.store.header->forked_from == (uint32_t)getppid());
        child_check(tm_runtime.store.header->fork_time_ns <= between);
        in_the_child(100);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_u64_equal(fake_current(), 100);
    assert_int_equal(scratch_count(&folder, ".tms"), 2);
    assert_int_equal(scratch_count(&folder, ".live"), 1);
}

static void stopped_parent_has_a_stopped_child(void **state)
{
    (void)state;
    int status = -1;
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    tm_runtime_stop();
    pid_t pid = fork_with_handlers();
    if (pid == 0) {
        fake_alloc(TM_DOMAIN_OBJ, A, 100);
        child_check(!tm_runtime_is_tracing());
        child_check(tm_runtime_start(1) == 0);
        fake_alloc(TM_DOMAIN_OBJ, A, 100);
        child_check(fake_current() == 100);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_false(tm_runtime_is_tracing());
}

/* As before exec: no exit moment. */
static void child_of_a_few_events_leaves_nothing(void **state)
{
    (void)state;
    int status = -1;
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    pid_t pid = fork_with_handlers();
    if (pid == 0) {
        fake_alloc(TM_DOMAIN_OBJ, B, 1000);
        child_check(fake_free(A) && tm_runtime_is_tracing());
        tm_runtime_stop();
        child_check(!tm_runtime_is_tracing());
        child_check(tm_runtime_start(1) == 0);
        child_check(tm_runtime.store.in_file); /* asked for */
        tm_runtime_exit_snapshot("test");
        pid = fork_with_handlers();
        if (pid == 0) {
            for (unsigned i = 0; i < 100; i++) {
                fake_alloc(TM_DOMAIN_OBJ, A + i * UINT64_C(1024), 10);
            }
            _exit(fake_current() == 1000 ? 0 : 1);
        }
        child_check(waitpid(pid, &status, 0) == pid && status == 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(scratch_count(&folder, ".tms"), 1);
    assert_int_equal(scratch_count(&folder, ".live"), 1); /* the parent's */
}

static void child_that_only_leaves_writes_nothing(void **state)
{
    (void)state;
    int status = -1;
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    pid_t pid = fork_with_handlers();
    if (pid == 0) {
        tm_runtime_exit_snapshot("test");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(scratch_count(&folder, ""), 1);
}

static void child_that_has_hardly_allocated_leaves_nothing_at_its_end(void **state)
{
    (void)state;
    int status = -1;
    for (unsigned large = 0; large < 2; large++) {
        begin_with_output("o.%p.tms", NULL);
        tm_runtime_python_begins();
        fake_alloc(TM_DOMAIN_OBJ, A, 100);
        pid_t pid = fork_with_handlers();
        if (pid == 0) {
            for (unsigned i = 0; i < 190; i++) {
                fake_alloc(TM_DOMAIN_OBJ, B + i * UINT64_C(0x100000), i == 0 && large ? 1 << 20 : 100);
            }
            child_check(tm_runtime_is_tracing());
            tm_runtime_exit_snapshot("_exit");
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(scratch_count(&folder, ".tms"), large);
    }
}

static void child_that_is_not_followed_is_not_traced(void **state)
{
    (void)state;
    int status = -1;
    for (unsigned i = 0; i < 2; i++) {
        begin_with_output("o.%p.tms", "TRACEMALLOC_FOLLOW=exec");
        tm_runtime_python_begins();
        assert_true(tm_runtime.store.in_file);
        fake_alloc(TM_DOMAIN_OBJ, A, 100);
        uint64_t before = fake_current();
        pid_t pid = fork_with_handlers();
        if (pid == 0) {
            fake_alloc(TM_DOMAIN_OBJ, B, 1 << 20);
            pid = i == 0 ? getpid() : fork_with_handlers(); /* and so it is for its own child */
            if (i == 1 && pid != 0) {
                child_check(waitpid(pid, &status, 0) == pid);
                _exit(status != 0);
            }
            child_check(!tm_runtime_is_tracing() && !tm_runtime.store.in_file && tm_runtime_start(1) == ENOTSUP);
            child_check(!fake_free(A));
            child_check(tm_runtime_take_snapshot(scratch_name(&folder, "x.tms"), false) == ENODATA);
            tm_runtime_note_hooks(7, 7);
            tm_runtime_exit_snapshot("_exit");
            child_check(tm_thread_self()->guard == 0);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_u64_equal(fake_current(), before);
        assert_int_equal(atomic_load(&tm_runtime.store.header->hook_losses), 0);
        assert_int_equal(scratch_count(&folder, ".tms"), 0);
        tm_live_store_remove_file(&tm_runtime.store);
    }
}

static int vfork_like(void *argument)
{
    (void)argument;
    fake_alloc(TM_DOMAIN_OBJ, B, 50);
    tm_runtime_exit_snapshot("test");
    return 0;
}

static void child_in_the_parents_memory_takes_no_snapshot(void **state)
{
    (void)state;
    static char stack[256 * 1024] __attribute__((aligned(16)));
    int status = -1;
    begin_with_output("o.%p.tms", NULL);
    tm_runtime_python_begins();
    fake_alloc(TM_DOMAIN_OBJ, A, 100);
    int pid = clone(vfork_like, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_u64_equal(fake_current(), 150); /* its events are events of this memory */
    assert_int_equal(scratch_count(&folder, ".tms"), 0);
    tm_runtime_exit_snapshot("test");
    assert_int_equal(scratch_count(&folder, ".tms"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(process_without_python_leaves_nothing),
        TEST(python_process_has_a_store_and_leaves_a_snapshot),
        TEST(store_says_what_failed_and_what_is_heard),
        TEST(taken_names_get_a_number_and_are_left_alone),
        TEST(more_than_a_thousand_names_may_be_taken),
        TEST(snapshot_has_the_number_of_its_store),
        TEST(name_without_pid_is_replaced),
        TEST(part_that_a_killed_process_left_is_no_hindrance),
        TEST(percent_sign_in_the_working_folder_is_only_a_letter),
        TEST(missing_folder_keeps_the_store_in_memory_and_the_program_going),
        TEST(list_of_blocks_that_does_not_fit_leaves_nothing),
        TEST(option_makes_every_snapshot_list_blocks),
        TEST(narrow_process_is_left_its_memory),
        TEST(forked_child_counts_for_itself),
        TEST(child_of_a_few_events_leaves_nothing),
        TEST(child_made_past_the_handlers_counts_for_itself),
        TEST(child_starts_from_the_counters_of_the_fork),
        TEST(grandchild_of_a_silent_child_counts_for_itself),
        TEST(stopped_parent_has_a_stopped_child),
        TEST(child_that_has_hardly_allocated_leaves_nothing_at_its_end),
        TEST(child_that_is_not_followed_is_not_traced),
        TEST(child_that_only_leaves_writes_nothing),
        TEST(child_in_the_parents_memory_takes_no_snapshot),
    };
    if (TM_UNDER_THREAD_SANITIZER) {
        return 0; /* the store gets its file only where one thread is */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
