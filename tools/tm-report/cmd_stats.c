/* SPDX-License-Identifier: MIT */
#include "report/render/render_stats.h"
#include "tools/tm-report/checks.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/report_run.h"

static bool check(struct tm_options *options)
{
    return tm_check_rows(options);
}

static bool render(struct tm_out *out, const struct tm_options *options, const struct tm_report *report)
{
    (options->json ? tm_render_stats_json : tm_render_stats_text)(out, report);
    return true;
}

static enum tm_exit run(const struct tm_options *options)
{
    const struct tm_report_plan plan = {.domains = TM_DOMAINS_HEAP, .render = render};
    return tm_report_run(options, &plan);
}

const struct tm_command tm_cmd_stats = {
    .name = "stats",
    .files = "SNAPSHOT",
    .summary = "totals, domains, sizes of blocks, and what resident memory consists of",
    .files_min = 1,
    .files_max = 1,
    .files_wrong = "one snapshot is needed",
    .groups = {&tm_fork_options, &tm_format_options},
    .examples = {{"stats app.tms", NULL}, {"stats --format json app.tms", "the same for a program"}},
    .check = check,
    .run = run,
};
