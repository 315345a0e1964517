/* SPDX-License-Identifier: MIT */
#include "report/render/render_text.h"
#include "report/render/render_tracemalloc.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    return tm_check_rows(options);
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    return (options->style == TM_STYLE_TRACEMALLOC ? tm_render_tracemalloc : tm_render_text)(out, report) ||
           tm_report_no_memory();
}

static enum tm_exit run(const struct tm_options *options)
{
    const struct tm_report_plan plan = {.domains = TM_DOMAINS_PYTHON,
                                        .render = options->json ? tm_report_json : render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_diff = {
    .name = "diff",
    .files = "OLD NEW",
    .summary = "what changed between two snapshots",
    .words = "Two snapshots alone mean the same.",
    .files_min = 2,
    .files_max = 2,
    .files_wrong = "a diff needs two snapshots, OLD and NEW",
    .groups = {&tm_grouping_options, &tm_limit_options, &tm_order_options, &tm_figure_options, &tm_filter_options,
               &tm_fork_options, &tm_style_options, &tm_look_options, &tm_column_options, &tm_source_options,
               &tm_symbol_options, &tm_format_options, &tm_limits_options, &tm_growth_options},
    .examples = {{"before.tms after.tms", "the ten lines that changed the most"},
                 {"diff -g traceback before.tms after.tms", "the same by who called"},
                 {"diff -f ever before.tms after.tms", "what was allocated in between, freed or not"},
                 {"diff --fail-if-growth 1MiB --per-line before.tms after.tms",
                  "a test: exit code 3 and the lines that grew by more"}},
    .check = check,
    .run = run,
};
