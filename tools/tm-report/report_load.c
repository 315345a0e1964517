/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_load.h"

#include <stdio.h>
#include <string.h>

#include "report/snapshot/since_fork.h"
#include "report/snapshot/snapshot_file.h"
#include "report/snapshot/symbolize.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/progress.h"

static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void say_fault(const char *path, enum tm_status status, const struct tm_fault *fault)
{
    const char *name = name_of(path);
    if (status == TM_STATUS_IO) {
        (void)fprintf(stderr, "tm-report: %s: %s\n", name, fault->what);
        return;
    }
    const char *remedy = tm_status_remedy(status);
    (void)fprintf(stderr, "tm-report: %s: offset %llu: %s%s%s\n", name, (unsigned long long)fault->offset, fault->what,
                  remedy[0] != '\0' ? "; " : "", remedy);
}

static bool name_frames(const struct tm_options *options, struct tm_snapshot *snapshot)
{
    if (options->no_symbols || tm_snapshot_symbolize(snapshot, options->debug_dir)) {
        return true;
    }
    (void)fputs("tm-report: out of memory\n", stderr);
    return false;
}

/* What is asked for by --since-fork. */
static bool take_fork(const struct tm_options *options, const char *path, struct tm_snapshot *snapshot)
{
    if (!options->since_fork) {
        return true;
    }
    if (snapshot->is_since_fork) {
        return true; /* as it was merged */
    }
    if (!tm_snapshot_was_forked(snapshot)) {
        tm_progress_end();
        bool is_merged = tm_span_is(tm_snapshot_bytes(snapshot, "moment"), "merge");
        (void)fprintf(stderr, "tm-report: %s: %s\n", name_of(path),
                      is_merged ? "it was merged with what was inherited; give --since-fork to merge"
                                : "its process was not forked; leave out --since-fork");
        return false;
    }
    if (!tm_snapshot_make_since_fork(snapshot)) {
        (void)fputs("tm-report: out of memory\n", stderr);
        return false;
    }
    return true;
}

/* A file may be of what processes got since their forks, without being asked for. */
static bool has_what_is_asked(const struct tm_options *options, const char *path, const struct tm_snapshot *snapshot)
{
    if (!snapshot->is_since_fork || !tm_asks_for_peak(options)) {
        return true;
    }
    tm_progress_end();
    (void)fprintf(stderr,
                  "tm-report: %s: merged with --since-fork, so it has no peak; ask for live, ever or temporary\n",
                  name_of(path));
    return false;
}

bool tm_report_load(const struct tm_options *options, const char *path, struct tm_snapshot **snapshot)
{
    struct tm_fault fault;
    enum tm_status status = tm_snapshot_open(path, snapshot, &fault);
    if (status != TM_STATUS_OK) {
        tm_progress_end();
        say_fault(path, status, &fault);
    }
    if (status != TM_STATUS_OK) {
        return false;
    }
    if (!has_what_is_asked(options, path, *snapshot) || !take_fork(options, path, *snapshot) ||
        !name_frames(options, *snapshot)) {
        tm_snapshot_free(*snapshot);
        *snapshot = NULL;
        return false;
    }
    return true;
}
