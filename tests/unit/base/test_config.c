/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <signal.h>

#include "base/config.h"

static struct tm_config config;
static char message[512];

static bool read_variables(const char *const *variables)
{
    char *environment[8];
    unsigned count = 0;
    for (; variables[count] != NULL; count++) {
        environment[count] = (char *)(uintptr_t)variables[count];
    }
    environment[count] = NULL;
    memset(message, 'x', sizeof message);
    message[sizeof message - 1] = '\0';
    return tm_config_read(&config, environment, message, sizeof message);
}

#define READ(...) read_variables((const char *const[]){__VA_ARGS__, NULL})

static void nothing_set_is_all_defaults(void **state)
{
    (void)state;
    assert_true(READ("PATH=/bin", "TRACEMALLO=1", "PYTHONTRACEMALLOC=x", "TRACEMALLOC_WITHOUT_VALUE"));
    assert_int_equal(config.traceback_limit, 1);
    assert_int_equal(config.start, TM_START_NOW);
    assert_false(config.exact);
    assert_false(config.verbose);
    assert_false(config.output_is_set);
    assert_string_equal(config.output, "tracemalloc.%p.tms");
    assert_true(config.follow_fork && config.follow_exec);
    assert_null(config.store);
    assert_int_equal(config.interval_s, 0);
    assert_int_equal(config.keep, 0);
    assert_int_equal(config.threshold, 0);
    assert_true(tm_config_read(&config, NULL, message, sizeof message));
}

static void every_option_is_heard(void **state)
{
    (void)state;
    assert_true(READ("TRACEMALLOC_NFRAME=25", "TRACEMALLOC_OUTPUT=a/%p%%.tms", "TRACEMALLOC_STORE=/dev/shm",
                     "TRACEMALLOC_START=python", "TRACEMALLOC_EXACT=1", "TRACEMALLOC_VERBOSE=1"));
    assert_int_equal(config.traceback_limit, 25);
    assert_string_equal(config.output, "a/%p%%.tms");
    assert_true(config.output_is_set);
    assert_string_equal(config.store, "/dev/shm");
    assert_int_equal(config.start, TM_START_PYTHON);
    assert_true(config.exact);
    assert_true(config.verbose);
    assert_true(READ("TRACEMALLOC_NFRAME=65535", "TRACEMALLOC_START=off", "TRACEMALLOC_EXACT=0",
                     "TRACEMALLOC_VERBOSE=0", "TRACEMALLOC_STORE=none"));
    assert_int_equal(config.traceback_limit, 65535);
    assert_int_equal(config.start, TM_START_OFF);
    assert_false(config.exact);
    assert_false(config.blocks);
    assert_true(READ("TRACEMALLOC_BLOCKS=1"));
    assert_true(config.blocks);
    assert_true(READ("TRACEMALLOC_INTERVAL=5min", "TRACEMALLOC_KEEP=9999", "TRACEMALLOC_THRESHOLD=64KiB"));
    assert_int_equal(config.interval_s, 300);
    assert_int_equal(config.keep, 9999);
    assert_int_equal(config.threshold, 65536);
    assert_true(READ("TRACEMALLOC_SIGNAL=USR1"));
    assert_int_equal(config.signal, SIGUSR1);
    assert_true(READ("TRACEMALLOC_SIGNAL=SIGHUP"));
    assert_int_equal(config.signal, SIGHUP);
    assert_true(READ("TRACEMALLOC_SIGNAL=64"));
    assert_int_equal(config.signal, 64);
    assert_true(READ("TRACEMALLOC_SIGNAL=none"));
    assert_int_equal(config.signal, 0);
    static const char *const follow[] = {"TRACEMALLOC_FOLLOW=none", "TRACEMALLOC_FOLLOW=exec",
                                         "TRACEMALLOC_FOLLOW=fork", "TRACEMALLOC_FOLLOW=fork,exec",
                                         "TRACEMALLOC_FOLLOW=exec,fork"};
    for (unsigned i = 0; i < TM_COUNT_OF(follow); i++) {
        assert_true(READ(follow[i]));
        assert_int_equal(config.follow_fork, i > 1);
        assert_int_equal(config.follow_exec, i == 1 || i > 2);
    }
    assert_true(READ("TRACEMALLOC_KEEP=all"));
    assert_int_equal(config.keep, 0);
    assert_int_equal(config.native, TM_NATIVE_OFF);
    assert_true(READ("TRACEMALLOC_NATIVE=1"));
    assert_int_equal(config.native, TM_NATIVE_ALL);
    assert_int_equal(config.traceback_limit, 1);
    assert_true(READ("TRACEMALLOC_NATIVE=native", "TRACEMALLOC_NFRAME=9"));
    assert_int_equal(config.native, TM_NATIVE_LIBC);
    assert_int_equal(config.traceback_limit, 9);
    assert_true(READ("TRACEMALLOC_NATIVE=0"));
    assert_int_equal(config.native, TM_NATIVE_OFF);
    assert_int_equal(config.traceback_limit, 1);
    assert_false(READ("TRACEMALLOC_NATIVE=all"));
    assert_true(READ("TRACEMALLOC_START=now"));
    assert_int_equal(config.start, TM_START_NOW);
}

static void wrong_value_names_the_option_and_what_it_takes(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *said;
    } cases[] = {
        {"TRACEMALLOC_NFRAME=0", "TRACEMALLOC_NFRAME=0 is not allowed, it takes 1 to 65535"},
        {"TRACEMALLOC_NFRAME=65536", "1 to 65535"},
        {"TRACEMALLOC_NFRAME=", "TRACEMALLOC_NFRAME= is not allowed"},
        {"TRACEMALLOC_NFRAME=1x", "1 to 65535"},
        {"TRACEMALLOC_NFRAME=-1", "1 to 65535"},
        {"TRACEMALLOC_NFRAME=18446744073709551617", "1 to 65535"},
        {"TRACEMALLOC_START=later", "now, python or off"},
        {"TRACEMALLOC_START=Now", "now, python or off"},
        {"TRACEMALLOC_EXACT=yes", "0 or 1"},
        {"TRACEMALLOC_EXACT=2", "0 or 1"},
        {"TRACEMALLOC_BLOCKS=all", "0 or 1"},
        {"TRACEMALLOC_VERBOSE=", "0 or 1"},
        {"TRACEMALLOC_VERBOSE=10", "0 or 1"},
        {"TRACEMALLOC_OUTPUT=", "TRACEMALLOC_OUTPUT= is not allowed"},
        {"TRACEMALLOC_OUTPUT=a%d", "%p pid"},
        {"TRACEMALLOC_OUTPUT=a%", "%p pid"},
        {"TRACEMALLOC_STORE=", "a folder, or none"},
        {"TRACEMALLOC_INTERVAL=", "30s"},
        {"TRACEMALLOC_INTERVAL=0", "30s"},
        {"TRACEMALLOC_INTERVAL=soon", "30s"},
        {"TRACEMALLOC_KEEP=0", "1 to 9999, or all"},
        {"TRACEMALLOC_KEEP=10000", "1 to 9999, or all"},
        {"TRACEMALLOC_KEEP=", "1 to 9999, or all"},
        {"TRACEMALLOC_FOLLOW=", "fork, exec, fork,exec or none"},
        {"TRACEMALLOC_FOLLOW=fork,", "fork, exec, fork,exec or none"},
        {"TRACEMALLOC_FOLLOW=vfork", "fork, exec, fork,exec or none"},
        {"TRACEMALLOC_SIGNAL=KILL", "USR1"},
        {"TRACEMALLOC_SIGNAL=9", "USR1"},
        {"TRACEMALLOC_SIGNAL=33", "USR1"},
        {"TRACEMALLOC_SIGNAL=65", "USR1"},
        {"TRACEMALLOC_SIGNAL=", "USR1"},
        {"TRACEMALLOC_THRESHOLD=65535", "64KiB"},
        {"TRACEMALLOC_THRESHOLD=1MB", "64KiB"},
        {"TRACEMALLOC_THRESHOLD=", "64KiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(READ(cases[i].variable));
        if (strstr(message, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].variable, message);
        }
        assert_null(strchr(message, '\n'));
    }
}

static void unknown_name_is_refused_with_the_nearest_one(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"TRACEMALLOC_NFRAMES=5", "nearest is TRACEMALLOC_NFRAME"},
        {"TRACEMALLOC_OUTPT=5", "nearest is TRACEMALLOC_OUTPUT"},
        {"TRACEMALLOC_STORED=5", "nearest is TRACEMALLOC_STORE"},
        {"TRACEMALLOC_STAT=5", "nearest is TRACEMALLOC_START"},
        {"TRACEMALLOC_VEBROSE=1", "nearest is TRACEMALLOC_VERBOSE"},
        {"TRACEMALLOC_=1", "TRACEMALLOC_ is not an option"},
        {"TRACEMALLOC_nframe=1", "TRACEMALLOC_nframe is not an option"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(READ("TRACEMALLOC_NFRAME=2", cases[i][0]));
        if (strstr(message, cases[i][1]) == NULL) {
            fail_msg("%s: %s", cases[i][0], message);
        }
    }
}

static void long_values_and_names_are_cut_in_the_message(void **state)
{
    (void)state;
    static char value[3000] = "TRACEMALLOC_NFRAME=";
    static char name[3000] = "TRACEMALLOC_";
    memset(value + 19, '7', sizeof value - 20);
    assert_false(READ(value));
    assert_non_null(strstr(message, "777... is not allowed, it takes 1 to 65535"));
    memset(name + 12, 'N', sizeof name - 20);
    name[2990] = '=';
    assert_false(READ(name));
    assert_true(strlen(message) < sizeof message);
    static char path[5000] = "TRACEMALLOC_OUTPUT=";
    memset(path + 19, 'a', sizeof path - 20);
    assert_true(READ(path));
    assert_int_equal(strlen(config.output), sizeof path - 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_is_all_defaults),
        cmocka_unit_test(every_option_is_heard),
        cmocka_unit_test(wrong_value_names_the_option_and_what_it_takes),
        cmocka_unit_test(unknown_name_is_refused_with_the_nearest_one),
        cmocka_unit_test(long_values_and_names_are_cut_in_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
