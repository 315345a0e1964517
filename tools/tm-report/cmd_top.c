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
    const struct tm_report_plan plan = {.domains = tm_domains_for_people(options),
                                        .prefers_peak = !options->json && options->style == TM_STYLE_PEOPLE,
                                        .render = options->json ? tm_report_json : render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_top = {
    .name = "top",
    .files = "SNAPSHOT",
    .summary = "what uses the most memory",
    .words =
        "The snapshot alone means the same. After an exit that left little of what was used, the rows are those of "
        "the peak.",
    .files_min = 1,
    .files_max = 1,
    .files_wrong = "one snapshot is needed",
    .groups = {&tm_grouping_options, &tm_limit_options, &tm_order_options, &tm_figure_options, &tm_filter_options,
               &tm_fork_options, &tm_style_options, &tm_look_options, &tm_column_options, &tm_source_options,
               &tm_symbol_options, &tm_format_options, &tm_limits_options},
    .examples = {{"app.tms", "the ten lines that hold the most"},
                 {"top -g filename -c -n 0 app.tms", "every file, with all that it called"},
                 {"top -i '*/myapp/*' -d python app.tms", "one package, without the memory of C libraries"},
                 {"top --fail-if-peak 200MiB app.tms", "a test: exit code 3 when the peak was higher"}},
    .check = check,
    .run = run,
};
