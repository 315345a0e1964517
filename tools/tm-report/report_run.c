/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/render/render_json.h"
#include "report/render/render_limits.h"
#include "report/render/render_tracemalloc.h"
#include "report/snapshot/snapshot_identity.h"
#include "tools/tm-report/progress.h"
#include "tools/tm-report/report_load.h"
#include "tools/tm-report/report_output.h"
#include "tools/tm-report/unmatched.h"

/* Everything between the files and the output. */
struct work {
    const struct tm_options *options;
    const struct tm_report_plan *plan;
    struct tm_snapshot **snapshots; /* by file; NULL: not loaded */
    struct tm_forest *forest;
    uint8_t *nodes;
    struct tm_series series;
    struct tm_report report;
};

bool tm_report_no_memory(void)
{
    (void)fputs("tm-report: out of memory\n", stderr);
    return false;
}

bool tm_report_json(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    (void)options;
    return tm_render_json(out, report) || tm_report_no_memory();
}

static enum tm_figure choose_figure(struct work *work, uint32_t domains)
{
    switch (work->options->figure) {
    case TM_ASKED_LIVE:
        return TM_FIGURE_LIVE;
    case TM_ASKED_PEAK:
        return tm_report_peak_figure(domains);
    case TM_ASKED_EVER:
        return TM_FIGURE_EVER;
    case TM_ASKED_TEMPORARY:
        return TM_FIGURE_TEMPORARY;
    default:
        work->report.by_peak = work->plan->prefers_peak && tm_report_prefers_peak(work->snapshots[0], domains);
        return work->report.by_peak ? tm_report_peak_figure(domains) : TM_FIGURE_LIVE;
    }
}

static bool group(struct work *work)
{
    struct tm_report *report = &work->report;
    bool is_diff = work->options->file_count > 1;
    unsigned last = tm_report_snapshot_number(report);
    bool memory = is_diff ? tm_group_differences(report->forest, &report->grouping, &report->statistics)
                          : tm_group(report->forest, last, &report->grouping, &report->statistics);
    if (!memory) {
        return tm_report_no_memory();
    }
    const struct tm_options *options = work->options;
    bool recent_first = options->style == TM_STYLE_TRACEMALLOC && tm_render_is_recent_first(tm_report_snapshot(report));
    enum tm_sort sort = options->sort_given                              ? options->sort
                        : is_diff                                        ? TM_SORT_DIFFERENCE
                        : report->grouping.figure == TM_FIGURE_TEMPORARY ? TM_SORT_COUNT
                                                                         : TM_SORT_SIZE;
    report->order =
        (struct tm_order){.sort = sort, .is_diff = is_diff, .recent_first = recent_first, .reverse = options->from_end};
    report->too_small = tm_statistics_drop_small(&report->statistics, options->min_size, options->min_count, is_diff);
    /* Of other groups some rows may be folded or left out, so the limit does not say how many are looked at. */
    bool all_shown = report->grouping.key_type == TM_KEY_TRACEBACK && !is_diff;
    tm_statistics_sort_first(&report->statistics, report->order, all_shown ? report->limit : report->statistics.count);
    report->is_diff = is_diff;
    report->total = tm_group_total(report->forest, last, &report->grouping);
    report->old_total = is_diff ? tm_group_total(report->forest, 0, &report->grouping) : report->total;
    if (work->plan->is_series && !tm_series_make(&work->series, report->forest, &report->grouping)) {
        return tm_report_no_memory();
    }
    report->series = work->plan->is_series ? &work->series : NULL;
    return true;
}

static void set_look(struct tm_report *report, const struct tm_options *options)
{
    report->all = options->all;
    report->hidden = options->hidden;
    report->path_parts = options->path_parts;
    report->sources = (struct tm_report_sources){options->no_source, options->roots, options->root_count};
    report->frames = (struct tm_report_frames){options->frame_limit, options->most_recent_first};
}

static bool make_report(struct work *work)
{
    const struct tm_options *options = work->options;
    struct tm_report *report = &work->report;
    tm_progress("comparing tracebacks of", options->files[0], 1, options->file_count);
    work->forest = tm_forest_build((const struct tm_snapshot *const *)work->snapshots, options->file_count);
    if (work->forest == NULL) {
        return tm_report_no_memory();
    }
    if (!tm_forest_number_keys(work->forest, options->group_by)) {
        return tm_report_no_memory();
    }
    if (options->filter_count > 0) {
        work->nodes = tm_filter_nodes(work->forest, options->filters, options->filter_count);
        if (work->nodes == NULL) {
            return tm_report_no_memory();
        }
    }
    report->forest = work->forest;
    report->paths = options->files;
    report->limit = options->limit;
    set_look(report, options);
    report->grouping = (struct tm_grouping){.key_type = options->group_by,
                                            .cumulative = options->cumulative,
                                            .domains = options->domains != 0 ? options->domains : work->plan->domains,
                                            .nodes = work->nodes};
    report->grouping.figure = choose_figure(work, report->grouping.domains);
    return group(work);
}

static bool load_all(struct work *work)
{
    work->snapshots = calloc(work->options->file_count, sizeof *work->snapshots);
    if (work->snapshots == NULL) {
        return tm_report_no_memory();
    }
    for (unsigned i = 0; i < work->options->file_count; i++) {
        tm_progress("loading", work->options->files[i], i + 1, work->options->file_count);
        if (!tm_report_load(work->options, work->options->files[i], &work->snapshots[i])) {
            return false;
        }
    }
    return true;
}

static void free_snapshots(struct work *work)
{
    for (unsigned i = 0; work->snapshots != NULL && i < work->options->file_count; i++) {
        tm_snapshot_free(work->snapshots[i]);
    }
    free(work->snapshots);
}

/* Many files alone mean a series, but of several processes they may as well be meant as a sum. */
static bool are_of_one_process(const struct work *work)
{
    unsigned count = work->options->file_count;
    unsigned processes = work->options->command_implied && work->plan->is_series
                             ? tm_snapshot_count_processes((const struct tm_snapshot *const *)work->snapshots, count)
                             : 1;
    if (processes > 1) {
        (void)fprintf(stderr,
                      "tm-report: these are %u snapshots of %u processes; say `tm-report series` for their growth over "
                      "time, or `tm-report merge` for their sum\n",
                      count, processes);
    }
    return processes == 1;
}

/* Insertion keeps the given order of what has the same time, or says none. */
static void sort_by_time(struct work *work)
{
    for (unsigned i = 1; i < work->options->file_count; i++) {
        struct tm_snapshot *snapshot = work->snapshots[i];
        const char *file = work->options->files[i];
        uint64_t time = tm_snapshot_time_ns(snapshot);
        unsigned place = i;
        for (; time != 0 && place > 0 && tm_snapshot_time_ns(work->snapshots[place - 1]) > time; place--) {
            work->snapshots[place] = work->snapshots[place - 1];
            work->options->files[place] = work->options->files[place - 1];
        }
        work->snapshots[place] = snapshot;
        work->options->files[place] = file;
    }
}

static bool write_report(struct work *work)
{
    struct tm_output output;
    if (!tm_output_open(&output, work->options)) {
        return false;
    }
    work->report.color = output.color;
    work->report.width = output.width;
    work->report.bars = output.bars;
    work->report.plain = output.plain;
    bool rendered = work->plan->render(&output.out, work->options, &work->report);
    bool written = tm_output_close(&output, rendered);
    return rendered && written;
}

static bool keeps_limits(const struct work *work)
{
    struct tm_out out = {stderr, 0};
    return !work->options->limits_given || tm_render_limits(&out, &work->report, &work->options->limits);
}

enum tm_exit tm_report_run(const struct tm_options *options, const struct tm_report_plan *plan)
{
    struct work work = {.options = options, .plan = plan};
    bool loaded = load_all(&work);
    if (loaded && !are_of_one_process(&work)) {
        free_snapshots(&work);
        return TM_EXIT_MISUSED;
    }
    if (loaded && plan->is_series) {
        sort_by_time(&work);
    }
    bool done = loaded && make_report(&work) && write_report(&work);
    if (done) {
        tm_say_unmatched(options, &work.report);
    }
    enum tm_exit result = !done ? TM_EXIT_FAILED : keeps_limits(&work) ? TM_EXIT_DONE : TM_EXIT_LIMIT;
    tm_series_free(&work.series);
    tm_statistics_free(&work.report.statistics);
    free(work.nodes);
    tm_forest_free(work.forest);
    free_snapshots(&work);
    return result;
}
