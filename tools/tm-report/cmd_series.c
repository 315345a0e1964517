/* SPDX-License-Identifier: MIT */
#include <limits.h>

#include "report/render/render_text.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    return tm_check_rows(options);
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    (void)options;
    return tm_render_text(out, report) || tm_report_no_memory();
}

static enum tm_exit run(const struct tm_options *options)
{
    const struct tm_report_plan plan = {
        .domains = TM_DOMAINS_PYTHON, .is_series = true, .render = options->json ? tm_report_json : render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_series = {
    .name = "series",
    .files = "SNAPSHOT...",
    .summary = "how each line grew over the snapshots of one process",
    .words =
        "Three snapshots or more alone mean the same. They are put in the order of their time. The differences are "
        "those of the last to the first one; PER HOUR is the slope of the straight line that fits all of them best; "
        "what grew from each to the next is marked [leak?].",
    .files_min = 2,
    .files_max = UINT_MAX,
    .files_wrong = "a series needs snapshots of several moments",
    .groups = {&tm_grouping_options, &tm_limit_options, &tm_order_options, &tm_figure_options, &tm_filter_options,
               &tm_fork_options, &tm_look_options, &tm_column_options, &tm_source_options, &tm_symbol_options,
               &tm_format_options, &tm_limits_options, &tm_growth_options},
    .examples = {{"app.*.tms", "what tm-snap --every took"},
                 {"series -g module app.*.tms", "the growth of each package"},
                 {"series --fail-if-growth 10MiB app.*.tms", "a test: exit code 3 when more was gained in all"}},
    .check = check,
    .run = run,
};
