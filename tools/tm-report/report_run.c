/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/render/export.h"
#include "report/render/render_limits.h"
#include "report/render/render_json.h"
#include "report/render/render_stats.h"
#include "report/render/render_text.h"
#include "report/render/render_tracemalloc.h"
#include "tools/tm-report/report_load.h"
#include "tools/tm-report/report_output.h"

/* Everything between the files and the output. */
struct work {
    const struct tm_options *options;
    struct tm_snapshot *snapshots[TM_SNAPSHOTS_MAX];
    struct tm_forest *forest;
    uint8_t *nodes;
    struct tm_report report;
};

static bool out_of_memory(void)
{
    (void)fputs("tm-report: out of memory\n", stderr);
    return false;
}

static bool is_for_people(const struct tm_options *options)
{
    return !options->json && options->style == TM_STYLE_PEOPLE;
}

/* What is counted when nothing else is said: people want everything, comparisons with Python's module want its domains. */
static uint32_t choose_domains(const struct tm_options *options)
{
    if (options->domains != 0) {
        return options->domains;
    }
    if (options->command == TM_COMMAND_EXPORT) {
        bool is_of_python =
            options->to == TM_EXPORT_JSON || options->to == TM_EXPORT_CSV || options->to == TM_EXPORT_PICKLE;
        return is_of_python ? TM_DOMAINS_PYTHON : TM_DOMAINS_HEAP;
    }
    return is_for_people(options) && options->command != TM_COMMAND_DIFF ? TM_DOMAINS_HEAP : TM_DOMAINS_PYTHON;
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
    default:
        work->report.by_peak = is_for_people(work->options) && work->options->command == TM_COMMAND_TOP &&
                               tm_report_prefers_peak(work->snapshots[0], domains);
        return work->report.by_peak ? tm_report_peak_figure(domains) : TM_FIGURE_LIVE;
    }
}

static bool group(struct work *work)
{
    struct tm_report *report = &work->report;
    bool is_diff = work->options->path_count == 2;
    unsigned last = tm_report_snapshot_number(report);
    bool memory = is_diff ? tm_group_differences(report->forest, &report->grouping, &report->statistics)
                          : tm_group(report->forest, last, &report->grouping, &report->statistics);
    if (!memory) {
        return out_of_memory();
    }
    bool recent_first =
        work->options->style == TM_STYLE_TRACEMALLOC && tm_render_is_recent_first(tm_report_snapshot(report));
    tm_statistics_sort(&report->statistics, is_diff ? TM_SORT_DIFFERENCE : TM_SORT_SIZE, recent_first);
    report->is_diff = is_diff;
    report->total = tm_group_total(report->forest, last, &report->grouping);
    report->old_total = tm_group_total(report->forest, 0, &report->grouping);
    return true;
}

static bool make_report(struct work *work)
{
    const struct tm_options *options = work->options;
    struct tm_report *report = &work->report;
    const struct tm_snapshot *const snapshots[TM_SNAPSHOTS_MAX] = {work->snapshots[0], work->snapshots[1]};
    work->forest = tm_forest_build(snapshots, options->path_count);
    if (work->forest == NULL) {
        return out_of_memory();
    }
    work->nodes = tm_filter_nodes(work->forest, options->filters, options->filter_count);
    if (work->nodes == NULL) {
        return out_of_memory();
    }
    report->forest = work->forest;
    memcpy(report->paths, options->paths, sizeof report->paths);
    report->limit = options->limit;
    report->all = options->all;
    report->grouping = (struct tm_grouping){.key_type = options->group_by,
                                            .cumulative = options->cumulative,
                                            .domains = choose_domains(options),
                                            .nodes = work->nodes};
    report->grouping.figure = choose_figure(work, report->grouping.domains);
    return group(work);
}

static bool export(struct tm_out *out, const struct work *work)
{
    static enum tm_status (*const exports[])(struct tm_out *, const struct tm_report *) = {
        [TM_EXPORT_CSV] = tm_export_csv,
        [TM_EXPORT_FOLDED] = tm_export_folded,
        [TM_EXPORT_SPEEDSCOPE] = tm_export_speedscope,
        [TM_EXPORT_PPROF] = tm_export_pprof,
        [TM_EXPORT_PICKLE] = tm_export_pickle,
    };
    if (work->options->to == TM_EXPORT_JSON) {
        return tm_render_json(out, &work->report) || out_of_memory();
    }
    enum tm_status status = exports[work->options->to](out, &work->report);
    if (status == TM_STATUS_TOO_LARGE) {
        (void)fprintf(stderr, "tm-report: %s: more than %llu blocks, too many for a pickle; use --domain or filters\n",
                      work->options->paths[0], (unsigned long long)TM_PICKLE_BLOCKS_MAX);
    }
    return status == TM_STATUS_OK || (status != TM_STATUS_TOO_LARGE && out_of_memory());
}

static bool render(struct tm_out *out, const struct work *work)
{
    const struct tm_options *options = work->options;
    const struct tm_report *report = &work->report;
    if (options->command == TM_COMMAND_STATS) {
        (options->json ? tm_render_stats_json : tm_render_stats_text)(out, report);
        return true;
    }
    if (options->json) {
        return tm_render_json(out, report) || out_of_memory();
    }
    if (options->command == TM_COMMAND_EXPORT) {
        return export(out, work);
    }
    bool tracebacks = options->command == TM_COMMAND_TRACEBACK;
    if (options->style == TM_STYLE_TRACEMALLOC) {
        return (tracebacks ? tm_render_tracemalloc_tracebacks(out, report) : tm_render_tracemalloc(out, report)) ||
               out_of_memory();
    }
    return (tracebacks ? tm_render_text_tracebacks(out, report) : tm_render_text(out, report)) || out_of_memory();
}

static bool load_all(struct work *work)
{
    for (unsigned i = 0; i < work->options->path_count; i++) {
        if (!tm_report_load(work->options->paths[i], &work->snapshots[i])) {
            return false;
        }
    }
    return true;
}

static bool write_report(struct work *work)
{
    struct tm_output output;
    if (!tm_output_open(&output, work->options)) {
        return false;
    }
    work->report.color = output.color;
    work->report.width = output.width;
    bool rendered = render(&output.out, work);
    bool written = tm_output_close(&output, rendered);
    return rendered && written;
}

/* A mistyped pattern must not look like a program that uses nothing. */
static void say_unmatched(const struct work *work)
{
    const struct tm_report *report = &work->report;
    bool is_empty = report->total.count == 0 && report->old_total.count == 0;
    if (work->options->filter_count > 0 && is_empty && work->options->command != TM_COMMAND_STATS) {
        (void)fputs("tm-report: no trace passes the filters; a pattern must match the whole file name, as '*/app.py' "
                    "does and 'app.py' does not\n",
                    stderr);
    }
}

static bool keeps_limits(const struct work *work)
{
    struct tm_out out = {stderr, 0};
    return !work->options->limits_given || tm_render_limits(&out, &work->report, &work->options->limits);
}

enum tm_exit tm_report_run(const struct tm_options *options)
{
    struct work work = {.options = options};
    bool done = load_all(&work) && make_report(&work) && write_report(&work);
    if (done) {
        say_unmatched(&work);
    }
    enum tm_exit result = !done ? TM_EXIT_FAILED : keeps_limits(&work) ? TM_EXIT_DONE : TM_EXIT_LIMIT;
    tm_statistics_free(&work.report.statistics);
    free(work.nodes);
    tm_forest_free(work.forest);
    for (unsigned i = 0; i < options->path_count; i++) {
        tm_snapshot_free(work.snapshots[i]);
    }
    return result;
}
