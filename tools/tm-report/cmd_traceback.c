/* SPDX-License-Identifier: MIT */
#include "report/render/render_text.h"
#include "report/render/render_tracemalloc.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    options->group_by = TM_KEY_TRACEBACK;
    return tm_check_rows(options);
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    bool tracemalloc = options->style == TM_STYLE_TRACEMALLOC;
    return (tracemalloc ? tm_render_tracemalloc_tracebacks : tm_render_text_tracebacks)(out, report) ||
           tm_report_no_memory();
}

static enum tm_exit run(const struct tm_options *options)
{
    const struct tm_report_plan plan = {.domains = tm_domains_for_people(options),
                                        .render = options->json ? tm_report_json : render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_traceback = {
    .name = "traceback",
    .files = "SNAPSHOT",
    .summary = "the biggest tracebacks, frame by frame",
    .words = "The program must have been run with TRACEMALLOC_NFRAME of more than 1.",
    .files_min = 1,
    .files_max = 1,
    .files_wrong = "one snapshot is needed",
    .groups = {&tm_limit_options, &tm_order_options, &tm_figure_options, &tm_filter_options, &tm_fork_options,
               &tm_style_options, &tm_look_options, &tm_source_options, &tm_symbol_options, &tm_frame_options,
               &tm_format_options, &tm_limits_options},
    .examples = {{"traceback -n 1 app.tms", "who asked for the most memory"},
                 {"traceback -I '*/views.py' app.tms", "only what one file had a part in"}},
    .check = check,
    .run = run,
};
