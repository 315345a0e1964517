/* SPDX-License-Identifier: MIT */
/* Nothing that the process half does on behalf of an event or of the control API calls malloc: that would be an event
 * inside an event.  This program has its own malloc family, which ends it at once while `forbidden` is up. */
#include "support/cmocka_include.h"

#include "support/sanitizers.h"

#include "support/child_process.h"
#include "support/fake_python.h"
#include "support/scratch_folder.h"

#if !TM_UNDER_SANITIZER

static _Thread_local unsigned forbidden;
static unsigned allowed_calls;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static void look(void)
{
    allowed_calls++;
    if (forbidden != 0) {
        static const char text[] = "malloc inside an event\n";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        abort();
    }
}

void *malloc(size_t size)
{
    look();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    look();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    look();
    return __libc_realloc(block, size);
}

void free(void *block)
{
    look();
    __libc_free(block);
}

/* All tables grow, in both lanes, with odd and large blocks and several epochs. */
static void many_events(void)
{
    for (unsigned i = 0; i < 30000; i++) {
        uintptr_t address = UINT64_C(0x500000000000) + i * UINT64_C(0x4010) + i % 3;
        enum tm_domain domain = (enum tm_domain)(i % 4);
        struct tm_taken taken;
        fake_lane_set((enum fake_lane)(i / 7 % 3));
        fake_alloc(domain, address, i % 50 == 0 ? (size_t)3 << 30 : i % 700);
        fake_alloc(domain, address, i % 700);
        if (i % 2 == 0 && tm_tracker_take(tm_thread_self(), (const void *)address, &taken) && i % 4 == 0) {
            tm_tracker_put_back(tm_thread_self(), (const void *)address, &taken);
        }
        tm_tracker_recycle(tm_thread_self(), (const void *)address);
        if (i % 1000 == 0) {
            tm_runtime_clear();
        }
    }
}

static void events_call_no_malloc(void **state)
{
    (void)state;
    fake_process_in_memory(NULL);
    fake_python_found();
    forbidden++;
    many_events();
    forbidden--;
    assert_u64_equal(atomic_load(&tm_runtime.store.header->dropped_events), 0);
    assert_true(tm_record_count(&tm_runtime.records) > 5000);
}

static void fork_and_count(const char *path)
{
    forbidden++;
    tm_runtime_before_fork();
    forbidden--;
    pid_t pid = fork();
    forbidden++;
    if (pid == 0) {
        tm_runtime_after_fork_child();
        many_events();
        child_check(tm_runtime_take_snapshot(path, true) == 0);
        tm_runtime_exit_snapshot("test");
        _exit(0);
    }
    tm_runtime_after_fork_parent();
    forbidden--;
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void life_calls_no_malloc(void **state)
{
    (void)state;
    struct scratch_folder folder;
    char output[300];
    char path[300];
    scratch_make(&folder);
    (void)snprintf(output, sizeof output, "TRACEMALLOC_OUTPUT=%s/o.%%p.tms", folder.path);
    (void)snprintf(path, sizeof path, "%s/snapshot.tms", folder.path);
    const char *environment[] = {output, "TRACEMALLOC_START=off", NULL};
    char **before = environ;
    forbidden++;
    fake_process_begin(environment);
    fake_python_found();
    tm_runtime_python_begins();
    int started = tm_runtime_start(30);
    many_events();
    int taken = tm_runtime_take_snapshot(path, false);
    int with_blocks = tm_runtime_take_snapshot(path, true);
    tm_runtime_reset_peak();
    tm_runtime_stop();
    int again = tm_runtime_start(1);
    many_events();
    forbidden--;
    assert_ptr_equal(environ, before);
    assert_int_equal(started, 0);
    assert_int_equal(taken, 0);
    assert_int_equal(with_blocks, 0);
    assert_int_equal(again, 0);
    assert_true(tm_runtime.store.in_file);
    fork_and_count(path);
    forbidden++;
    tm_runtime_exit_snapshot("test");
    forbidden--;
    assert_int_equal(scratch_count(&folder, ".tms"), 3);
    assert_int_equal(scratch_count(&folder, ".live"), 0);
    scratch_remove(&folder);
}

static void the_test_itself_would_hear_malloc(void **state)
{
    (void)state;
    unsigned before = allowed_calls;
    void *volatile block = malloc(before + 1); /* or the compiler leaves the pair out */
    free(block);
    assert_true(allowed_calls >= before + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_itself_would_hear_malloc),
        cmocka_unit_test(events_call_no_malloc),
        cmocka_unit_test(life_calls_no_malloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* a sanitizer has malloc for itself */
}

#endif
