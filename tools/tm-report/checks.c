/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/checks.h"

#include <string.h>

#include "tools/tm-report/command.h"

#define LIMIT_DEFAULT 10U

static bool check_limits(const struct tm_options *options)
{
    const struct tm_limits *limits = &options->limits;
    if (limits->per_line && limits->growth == UINT64_MAX) {
        return tm_misused(options, "--per-line goes with --fail-if-growth");
    }
    if (limits->per_line && options->cumulative != TM_CUMULATIVE_OFF) {
        return tm_misused(options, "--per-line counts each trace for one row, so no --cumulative");
    }
    if (limits->growth != UINT64_MAX && options->file_count < 2) {
        return tm_misused(options, "--fail-if-growth needs two snapshots, OLD and NEW");
    }
    return true;
}

bool tm_asks_for_peak(const struct tm_options *options)
{
    return options->figure == TM_ASKED_PEAK || options->limits.peak != UINT64_MAX;
}

static bool check_since_fork(const struct tm_options *options)
{
    return !options->since_fork || !tm_asks_for_peak(options) ||
           tm_misused(options, "what a process got since its fork has no peak: --since-fork goes with live, ever and "
                               "temporary");
}

static bool check_standard_input(const struct tm_options *options)
{
    unsigned count = 0;
    for (unsigned i = 0; i < options->file_count; i++) {
        count += strcmp(options->files[i], "-") == 0;
    }
    return count < 2 || tm_misused(options, "standard input has one snapshot only");
}

bool tm_check_rows(struct tm_options *options)
{
    if (!check_limits(options) || !check_since_fork(options) || !check_standard_input(options)) {
        return false;
    }
    if (options->cumulative != TM_CUMULATIVE_OFF &&
        (options->group_by == TM_KEY_TRACEBACK || options->group_by == TM_KEY_DOMAIN)) {
        return tm_misused(options, "cumulative goes with --group-by filename, lineno, function or module");
    }
    if (options->file_count < 2 && options->sort_given &&
        (options->sort == TM_SORT_DIFFERENCE || options->sort == TM_SORT_COUNT_DIFFERENCE)) {
        return tm_misused(options, "--sort diff and count-diff are of two snapshots, OLD and NEW");
    }
    if (options->json && options->style == TM_STYLE_TRACEMALLOC) {
        return tm_misused(options, "--format json has no --style");
    }
    if (!options->limit_given && options->limit == 0) {
        options->limit = options->json ? SIZE_MAX : LIMIT_DEFAULT;
    }
    return true;
}

uint32_t tm_domains_for_people(const struct tm_options *options)
{
    return options->json || options->style == TM_STYLE_TRACEMALLOC ? TM_DOMAINS_PYTHON : TM_DOMAINS_HEAP;
}
