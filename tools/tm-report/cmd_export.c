/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "report/render/export.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool has_rows(const struct tm_options *options)
{
    return options->to == TM_EXPORT_JSON || options->to == TM_EXPORT_CSV;
}

/* What a terminal would take for its own commands. */
static bool is_binary(const struct tm_options *options)
{
    return options->to == TM_EXPORT_PPROF || options->to == TM_EXPORT_PICKLE;
}

/* Formats whose content is tracebacks have no other grouping. */
static bool check(struct tm_options *options)
{
    if (options->to == TM_EXPORT_NONE) {
        return tm_misused(options, "export needs --to json, csv, folded, speedscope, pprof or pickle");
    }
    if (!has_rows(options)) {
        if (options->file_count != 1) {
            return tm_misused(options, "one snapshot is needed");
        }
        if (options->group_by_given || options->cumulative != TM_CUMULATIVE_OFF || options->limit_given ||
            options->sort_given || options->min_size > 0 || options->min_count > 0) {
            return tm_misused(options,
                              "--group-by, --cumulative, --limit, --sort and --min-... go with --to json and csv");
        }
        options->group_by = TM_KEY_TRACEBACK;
    }
    if (options->to == TM_EXPORT_PPROF && options->figure != TM_ASKED_DEFAULT) {
        return tm_misused(options, "--to pprof has every figure, so no --figure");
    }
    if (is_binary(options) && options->output == NULL && isatty(STDOUT_FILENO)) {
        return tm_misused(options, "--to pprof and pickle need -o FILE on a terminal");
    }
    options->limit = options->limit_given ? options->limit : SIZE_MAX;
    return tm_check_rows(options);
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    static enum tm_status (*const exports[])(struct tm_out *, const struct tm_report *) = {
        [TM_EXPORT_CSV] = tm_export_csv,
        [TM_EXPORT_FOLDED] = tm_export_folded,
        [TM_EXPORT_SPEEDSCOPE] = tm_export_speedscope,
        [TM_EXPORT_PPROF] = tm_export_pprof,
        [TM_EXPORT_PICKLE] = tm_export_pickle,
    };
    enum tm_status status = exports[options->to](out, report);
    if (status == TM_STATUS_TOO_LARGE) {
        (void)fprintf(stderr, "tm-report: %s: more than %llu blocks, too many for a pickle; use --domain or filters\n",
                      options->files[0], (unsigned long long)TM_PICKLE_BLOCKS_MAX);
        return false;
    }
    return status == TM_STATUS_OK || tm_report_no_memory();
}

static enum tm_exit run(const struct tm_options *options)
{
    bool is_of_python = has_rows(options) || options->to == TM_EXPORT_PICKLE;
    const struct tm_report_plan plan = {.domains = is_of_python ? TM_DOMAINS_PYTHON : TM_DOMAINS_HEAP,
                                        .render = options->to == TM_EXPORT_JSON ? tm_report_json : render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_export = {
    .name = "export",
    .files = "--to FORMAT SNAPSHOT",
    .summary = "a snapshot in the format of another program",
    .words = "Groups, limits and pairs of snapshots go with json and csv. Without --domain, json, csv and pickle have "
             "raw, mem and obj, the others native too.",
    .files_min = 1,
    .files_max = 2,
    .files_wrong = "one snapshot is needed, or two",
    .groups = {&tm_to_options, &tm_grouping_options, &tm_limit_options, &tm_order_options, &tm_figure_options,
               &tm_filter_options, &tm_fork_options, &tm_symbol_options, &tm_limits_options, &tm_growth_options},
    .examples = {{"export --to json app.tms | jq .total", NULL},
                 {"export --to folded app.tms | flamegraph.pl --countname bytes > app.svg", "a flame graph"},
                 {"export --to pprof app.tms -o app.pb.gz", "for go tool pprof -http=: app.pb.gz"},
                 {"export --to pickle app.tms -o app.pickle", "for Python's tracemalloc.Snapshot.load"}},
    .check = check,
    .run = run,
};
