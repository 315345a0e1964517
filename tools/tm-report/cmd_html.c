/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report/render/page_data.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/progress.h"
#include "tools/tm-report/report_load.h"
#include "tools/tm-report/report_output.h"

static bool check(struct tm_options *options)
{
    return options->output != NULL || !isatty(STDOUT_FILENO) || tm_misused(options, "html needs -o FILE");
}

static bool write_page(const struct tm_options *options, const struct tm_page *page)
{
    struct tm_output output;
    if (!tm_output_open(&output, options)) {
        return false;
    }
    bool memory = tm_render_page(&output.out, page);
    if (!memory) {
        (void)fputs("tm-report: out of memory\n", stderr);
    }
    bool written = tm_output_close(&output, memory);
    return memory && written;
}

static enum tm_exit run(const struct tm_options *options)
{
    if (!tm_page_is_built()) {
        (void)fputs("tm-report: this build has no page: install node and npm, then configure with cmake -DTM_WEB=ON\n",
                    stderr);
        return TM_EXIT_FAILED;
    }
    struct tm_snapshot **snapshots = calloc(options->file_count, sizeof *snapshots);
    bool done = snapshots != NULL;
    if (!done) {
        (void)fputs("tm-report: out of memory\n", stderr);
    }
    unsigned loaded = 0;
    while (done && loaded < options->file_count) {
        tm_progress("loading", options->files[loaded], loaded + 1, options->file_count);
        done = tm_report_load(options, options->files[loaded], &snapshots[loaded]);
        loaded += done;
    }
    const struct tm_page page = {(const struct tm_snapshot *const *)snapshots,
                                 options->files,
                                 loaded,
                                 !options->no_source,
                                 options->roots,
                                 options->root_count};
    done = done && write_page(options, &page);
    for (unsigned i = 0; i < loaded; i++) {
        tm_snapshot_free(snapshots[i]);
    }
    free(snapshots);
    return done ? TM_EXIT_DONE : TM_EXIT_FAILED;
}

const struct tm_command tm_cmd_html = {
    .name = "html",
    .files = "SNAPSHOT...",
    .summary = "a page to look at in a browser",
    .words = "Every figure, grouping and filter is chosen in the page; it is one file and needs no network.",
    .files_min = 1,
    .files_max = UINT_MAX,
    .files_wrong = "html needs one snapshot or more",
    .groups = {&tm_fork_options, &tm_source_options, &tm_symbol_options},
    .examples = {{"html before.tms after.tms -o report.html", NULL},
                 {"html --no-source app.tms -o report.html", "without the program's source files"}},
    .check = check,
    .run = run,
};
