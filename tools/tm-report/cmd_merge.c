/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report/snapshot/snapshot_write.h"
#include "report/stat/merge.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/progress.h"
#include "tools/tm-report/report_load.h"
#include "tools/tm-report/report_output.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    if (options->output == NULL && isatty(STDOUT_FILENO)) {
        return tm_misused(options, "merge writes a snapshot: give -o FILE");
    }
    return tm_check_rows(options);
}

static bool write_bytes(const struct tm_options *options, const uint8_t *bytes, size_t size)
{
    struct tm_output output;
    if (!tm_output_open(&output, options)) {
        return false;
    }
    tm_out_bytes(&output.out, bytes, size);
    return tm_output_close(&output, true);
}

static bool merge(const struct tm_options *options, const struct tm_snapshot *const *snapshots)
{
    struct tm_forest *forest = tm_forest_build(snapshots, options->file_count);
    struct tm_snapshot *merged = forest != NULL ? tm_merge(forest) : NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool done = merged != NULL && tm_snapshot_write(merged, TM_CODEC_ZSTD, &bytes, &size) == TM_STATUS_OK
                    ? write_bytes(options, bytes, size)
                    : tm_report_no_memory();
    free(bytes);
    tm_snapshot_free(merged);
    tm_forest_free(forest);
    return done;
}

static enum tm_exit run(const struct tm_options *options)
{
    struct tm_snapshot **snapshots = calloc(options->file_count, sizeof *snapshots);
    if (snapshots == NULL) {
        (void)tm_report_no_memory();
        return TM_EXIT_FAILED;
    }
    bool done = true;
    unsigned loaded = 0;
    while (done && loaded < options->file_count) {
        tm_progress("loading", options->files[loaded], loaded + 1, options->file_count);
        done = tm_report_load(options, options->files[loaded], &snapshots[loaded]);
        loaded += done;
    }
    done = done && merge(options, (const struct tm_snapshot *const *)snapshots);
    for (unsigned i = 0; i < loaded; i++) {
        tm_snapshot_free(snapshots[i]);
    }
    free(snapshots);
    return done ? TM_EXIT_DONE : TM_EXIT_FAILED;
}

const struct tm_command tm_cmd_merge = {
    .name = "merge",
    .files = "SNAPSHOT...",
    .summary = "the snapshots of several processes as one",
    .words =
        "It writes a snapshot, which all other commands take. Equal tracebacks are added up; the peak is the sum of "
        "the peaks, which are of different moments. With --since-fork there is none.",
    .files_min = 2,
    .files_max = UINT_MAX,
    .files_wrong = "merge needs two snapshots or more",
    .groups = {&tm_fork_options, &tm_symbol_options},
    .examples = {{"merge worker.*.tms -o service.tms", NULL},
                 {"merge worker.*.tms -o - | tm-report top -", "what all workers hold, at once"},
                 {"merge --since-fork worker.*.tms -o own.tms", "without what they inherited, which each would count"}},
    .check = check,
    .run = run,
};
