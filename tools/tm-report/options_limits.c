/* SPDX-License-Identifier: MIT */
/* Options that make a report fail where memory passes a limit. */
#include <stdio.h>

#include "base/size_value.h"
#include "tools/tm-report/option_groups.h"

static bool take_size(struct tm_options *options, const struct tm_option *option, const char *text, uint64_t *limit)
{
    options->limits_given = true;
    if (tm_size_value(text, limit)) {
        return true;
    }
    (void)fprintf(stderr, "tm-report: --%s is '%s', but is a size like 512KiB, 10MiB or 1GiB\n", option->name, text);
    return false;
}

static bool take_growth(struct tm_options *options, const struct tm_option *option, const char *text)
{
    return take_size(options, option, text, &options->limits.growth);
}

static bool take_live(struct tm_options *options, const struct tm_option *option, const char *text)
{
    return take_size(options, option, text, &options->limits.live);
}

static bool take_peak(struct tm_options *options, const struct tm_option *option, const char *text)
{
    return take_size(options, option, text, &options->limits.peak);
}

static bool take_per_line(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->limits.per_line = true;
    return true;
}

static const struct tm_option limits[] = {
    {'\0', "fail-if-live", "SIZE", NULL, "exit code 3 when more than SIZE (512KiB, 10MiB) is live", take_live},
    {'\0', "fail-if-peak", "SIZE", NULL, "exit code 3 when more was live at the peak", take_peak},
};
TM_OPTION_GROUP(tm_limits_options, "Tests", limits);

static const struct tm_option growth[] = {
    {'\0', "fail-if-growth", "SIZE", NULL, "of OLD NEW: exit code 3 when what is counted grew by more than SIZE",
     take_growth},
    {'\0', "per-line", NULL, NULL, "the same for each row by itself", take_per_line},
};
TM_OPTION_GROUP(tm_growth_options, "Tests", growth);
