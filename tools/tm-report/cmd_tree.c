/* SPDX-License-Identifier: MIT */
#include "report/render/render_tree.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    options->group_by = TM_KEY_TRACEBACK;
    if (options->from_end) {
        return tm_misused(options, "--limit of a tree is 0 or more");
    }
    return tm_check_rows(options);
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    (void)options;
    return tm_render_tree(out, report) || tm_report_no_memory();
}

static enum tm_exit run(const struct tm_options *options)
{
    const struct tm_report_plan plan = {.domains = TM_DOMAINS_HEAP, .prefers_peak = true, .render = render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_tree = {
    .name = "tree",
    .files = "SNAPSHOT",
    .summary = "who called whom, and what each call holds",
    .words =
        "Oldest calls first. Calls without a branch are one row; calls of less than 1 % of the total, and those beyond "
        "--limit for each caller, are summed up, unless --all is given. The program must have been run with "
        "TRACEMALLOC_NFRAME of more than 1.",
    .files_min = 1,
    .files_max = 1,
    .files_wrong = "one snapshot is needed",
    .groups = {&tm_limit_options, &tm_figure_options, &tm_filter_options, &tm_fork_options, &tm_look_options,
               &tm_symbol_options},
    .examples = {{"tree app.tms", NULL},
                 {"tree -n 3 -f peak app.tms", "at the peak, the three largest of each"},
                 {"tree -I '*/views.py' app.tms", "only what one file had a part in"}},
    .check = check,
    .run = run,
};
