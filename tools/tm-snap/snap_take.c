/* SPDX-License-Identifier: MIT */
#include "tools/tm-snap/snap_take.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report/process/new_file.h"
#include "report/process/store_place.h"
#include "report/process/store_reading.h"
#include "tools/tm-snap/snap_name.h"

#define MOMENT     "tm-snap"
#define NUMBER_MAX 1000000U

struct target {
    const char *word;
    pid_t pid;      /* 0: it is a path */
    uint32_t shown; /* what %p stands for */
    bool is_told;   /* that it has no single blocks */
};

static bool say(const struct tm_why *why)
{
    (void)fprintf(stderr, "tm-snap: %s\n", why->text);
    return false;
}

/* What a process that is no more may have left here. */
static bool open_left_store(pid_t pid, int *descriptor, char *path, size_t capacity, struct tm_why *why)
{
    struct tm_process_facts facts;
    struct tm_why other;
    (void)snprintf(path, capacity, "tracemalloc.%ld.live", (long)pid);
    bool is_zombie = tm_process_facts_read(pid, &facts);
    if (is_zombie && facts.state != 'Z') {
        return false;
    }
    if (tm_store_open_path(path, descriptor, &other)) {
        return true;
    }
    return !is_zombie &&
           tm_why_say(why, "process %ld is not running; give the path of its store, tracemalloc.PID.live", (long)pid);
}

static bool open_target(const struct target *target, int *descriptor, char *path, struct tm_why *why)
{
    struct tm_store_place place;
    if (target->pid == 0) {
        (void)snprintf(path, PATH_MAX, "%s", target->word);
        return tm_store_open_path(target->word, descriptor, why);
    }
    if (tm_store_open_process(target->pid, &place, descriptor, why)) {
        (void)snprintf(path, PATH_MAX, "%s", place.path);
        return true;
    }
    return open_left_store(target->pid, descriptor, path, PATH_MAX, why);
}

/* Once, however many snapshots are taken. */
static void look_at_header(struct target *target, int descriptor, const char *path)
{
    struct tm_store_header *header = NULL;
    struct tm_why why;
    if (posix_memalign((void **)&header, _Alignof(struct tm_store_header), TM_STORE_HEADER_SIZE) != 0) {
        return;
    }
    if (tm_store_read_header(descriptor, path, header, &why)) {
        target->shown = target->pid != 0 ? (uint32_t)target->pid : header->pid;
        if (!target->is_told && tm_store_lacks_blocks(header)) {
            (void)fputs(
                "tm-snap: a live store has no single blocks; with TRACEMALLOC_BLOCKS=1 they are in the snapshots "
                "that the process writes itself\n",
                stderr);
            target->is_told = true;
        }
    }
    free(header);
}

static bool read_snapshot(struct target *target, uint8_t **bytes, size_t *size, struct tm_why *why)
{
    char path[PATH_MAX];
    int descriptor;
    if (!open_target(target, &descriptor, path, why)) {
        return false;
    }
    bool done = tm_store_read_snapshot(descriptor, path, MOMENT, bytes, size, why);
    if (done) {
        look_at_header(target, descriptor, path);
    }
    (void)close(descriptor);
    return done;
}

static bool write_to_output(const uint8_t *bytes, size_t size, struct tm_why *why)
{
    bool done = fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0;
    return done || tm_why_say(why, "standard output: %s", strerror(errno));
}

static bool write_snapshot(const struct tm_snap_options *options, const struct target *target, const uint8_t *bytes,
                           size_t size, struct tm_why *why)
{
    const char *pattern = options->output != NULL ? options->output : TM_SNAP_NAME_DEFAULT;
    bool insert = options->every_s != 0, numbered = insert || tm_snap_name_has_number(pattern);
    char path[PATH_MAX];
    if (strcmp(pattern, "-") == 0) {
        return write_to_output(bytes, size, why);
    }
    enum tm_new_file result = TM_NEW_FILE_TAKEN;
    for (unsigned number = 1; result == TM_NEW_FILE_TAKEN && number < NUMBER_MAX; number++) {
        if (!tm_snap_name_make(pattern, target->shown, insert, number, path, sizeof path)) {
            return tm_why_say(why, "%s: %s", pattern, strerror(ENAMETOOLONG));
        }
        result = tm_new_file_write(path, !numbered, geteuid(), bytes, size, why);
    }
    if (result == TM_NEW_FILE_DONE) {
        return (puts(path) >= 0 && fflush(stdout) == 0) || tm_why_say(why, "standard output: %s", strerror(errno));
    }
    return result == TM_NEW_FILE_TAKEN ? tm_why_say(why, "%s: all numbers are taken", path) : false;
}

static bool take_one(const struct tm_snap_options *options, struct target *target, bool *is_read, struct tm_why *why)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    *is_read = read_snapshot(target, &bytes, &size, why);
    bool done = *is_read && write_snapshot(options, target, bytes, size, why);
    free(bytes);
    return done;
}

static void add_seconds(struct timespec *time, uint64_t seconds)
{
    time->tv_sec += (time_t)seconds;
}

static bool is_over(const struct target *target)
{
    struct tm_process_facts facts;
    return target->pid != 0 && (!tm_process_facts_read(target->pid, &facts) || facts.state == 'Z');
}

enum tm_exit tm_snap_take(const struct tm_snap_options *options)
{
    struct target target = {.word = options->target};
    struct tm_why why;
    struct timespec next;
    bool is_read;
    if (!tm_process_parse_pid(options->target, &target.pid)) {
        target.pid = 0;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &next);
    for (uint64_t taken = 0;; taken++) {
        if (taken > 0 && is_over(&target)) {
            (void)fprintf(stderr, "tm-snap: process %s ended\n", target.word);
            return TM_EXIT_DONE;
        }
        if (!take_one(options, &target, &is_read, &why)) {
            if (taken > 0 && !is_read && is_over(&target)) {
                continue;
            }
            return say(&why) ? TM_EXIT_DONE : TM_EXIT_FAILED;
        }
        if (options->every_s == 0 || taken + 1 >= options->count) {
            return TM_EXIT_DONE;
        }
        add_seconds(&next, options->every_s);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR) {
        }
    }
}
