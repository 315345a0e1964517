/* SPDX-License-Identifier: MIT */
#include "tools/tm-run/written_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/render/location_text.h"
#include "report/render/size_text.h"
#include "report/snapshot/snapshot_file.h"
#include "report/snapshot/snapshot_totals.h"

struct search {
    uint64_t pid;
    const struct timespec *since;
    char path[PATH_MAX]; /* of the program's own newest file; empty: none */
    struct timespec time;
    struct tm_traced traced;
    bool is_store;
    unsigned others; /* files of other processes, written meanwhile */
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), end_length = strlen(end);
    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static void look_at(struct search *search, const char *path)
{
    struct stat found;
    struct tm_snapshot *snapshot;
    struct tm_fault fault;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode) || is_before(&found.st_mtim, search->since) ||
        tm_snapshot_open(path, &snapshot, &fault) != TM_STATUS_OK) {
        return;
    }
    uint64_t since_ns = (uint64_t)search->since->tv_sec * UINT64_C(1000000000) + (uint64_t)search->since->tv_nsec;
    bool is_ours = tm_snapshot_number(snapshot, "start_time_ns", 0) >= since_ns;
    bool is_store = ends_in(path, ".live");
    if (is_ours && tm_snapshot_number(snapshot, "pid", 0) != search->pid) {
        search->others++;
    } else if (is_ours && (search->path[0] == '\0' || (search->is_store && !is_store) ||
                           (search->is_store == is_store && is_before(&search->time, &found.st_mtim)))) {
        (void)snprintf(search->path, sizeof search->path, "%s", path);
        search->time = found.st_mtim;
        search->traced = tm_snapshot_traced_heap(snapshot);
        search->is_store = is_store;
    }
    tm_snapshot_free(snapshot);
}

/* What the name of a file of ours begins with: "" where OUTPUT begins with a letter like %p, NULL where it ends in
 * .tms. A number comes before the last dot, if it has to. */
static const char *beginning_of_names(char *name, size_t capacity)
{
    const char *output = getenv("TRACEMALLOC_OUTPUT");
    const char *slash = output == NULL ? NULL : strrchr(output, '/');
    const char *last = slash == NULL ? output : slash + 1;
    if (last == NULL || last[0] == '\0' || ends_in(last, ".tms")) {
        return NULL;
    }
    (void)snprintf(name, capacity, "%.*s", (int)strcspn(last, "%."), last);
    return name;
}

static void look_into(struct search *search, const char *folder)
{
    char buffer[PATH_MAX];
    const char *beginning = beginning_of_names(buffer, sizeof buffer);
    DIR *stream = opendir(folder[0] != '\0' ? folder : ".");
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", entry->d_name);
        bool named = ends_in(entry->d_name, ".tms") || ends_in(entry->d_name, ".live") ||
                     (beginning != NULL && strncmp(entry->d_name, beginning, strlen(beginning)) == 0);
        if (named && length > 0 && (size_t)length < sizeof path) {
            look_at(search, path);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
}

/* The folder part of a pattern, up to where it is a pattern; "" is here. */
static void folder_of(const char *pattern, char *folder, size_t capacity)
{
    size_t length = strcspn(pattern, "%");
    while (length > 0 && pattern[length - 1] != '/') {
        length--;
    }
    length -= length > 1;
    (void)snprintf(folder, capacity, "%.*s", (int)length, pattern);
}

static void look_everywhere(struct search *search)
{
    static const char *const fallbacks[] = {"TMPDIR", "/tmp"};
    const char *output = getenv("TRACEMALLOC_OUTPUT");
    const char *store = getenv("TRACEMALLOC_STORE");
    char folder[PATH_MAX] = "";
    if (output != NULL) {
        folder_of(output, folder, sizeof folder);
        look_at(search, output);
    }
    look_into(search, folder);
    if (search->path[0] == '\0' && store != NULL && strcmp(store, "none") != 0) {
        look_into(search, store);
    }
    for (size_t i = 0; search->path[0] == '\0' && i < sizeof fallbacks / sizeof fallbacks[0]; i++) {
        const char *fallback = fallbacks[i][0] == '/' ? fallbacks[i] : getenv(fallbacks[i]);
        if (fallback != NULL && fallback[0] == '/') {
            look_into(search, fallback);
        }
    }
}

static void print_path(struct tm_out *out, const char *path)
{
    tm_print_text(out, (struct tm_span){(const uint8_t *)path, strlen(path)});
}

void tm_run_say_what_was_written(pid_t pid, const struct timespec *since)
{
    struct search search = {.pid = (uint64_t)pid, .since = since};
    struct tm_out out = {stderr, 0};
    look_everywhere(&search);
    if (search.path[0] == '\0') {
        tm_out_format(&out, "tm-run: process %ld left no snapshot%s\n", (long)pid,
                      search.others > 0 ? ", but its children did: see tm-report"
                                        : ": no Python was traced in it, or none could be written");
        return;
    }
    const char *frames = getenv("TRACEMALLOC_NFRAME");
    tm_out_text(&out, search.is_store ? "tm-run: the program was cut short and left " : "tm-run: wrote ");
    print_path(&out, search.path);
    if (search.others > 0) {
        tm_out_format(&out, " and %u of other processes", search.others);
    }
    tm_out_format(&out, ": live %s", tm_size_for_people((double)search.traced.current, false).text);
    tm_out_format(&out, ", peak %s", tm_size_for_people((double)search.traced.peak, false).text);
    tm_out_format(&out, ", %s frames a traceback; see: tm-report ", frames != NULL ? frames : "1");
    print_path(&out, search.path);
    tm_out_text(&out, "\n");
}
