/* SPDX-License-Identifier: MIT */
#include "report/render/render_limits.h"

#include "report/render/key_frames.h"
#include "report/render/location_text.h"
#include "report/render/size_text.h"

static void print_passed(struct tm_out *out, const char *what, double found, bool sign, uint64_t limit)
{
    tm_out_format(out, "%s %s", what, tm_size_for_people(found, sign).text);
    tm_out_format(out, ", the limit is %s\n", tm_size_for_people((double)limit, false).text);
}

static bool check_rows(struct tm_out *out, const struct tm_report *report, uint64_t limit)
{
    bool good = true;
    for (size_t i = 0; i < report->statistics.count; i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        if (row->size_diff > 0 && (uint64_t)row->size_diff > limit) {
            struct tm_key_frame frame = tm_key_recent_frame(report->forest, report->grouping.key_type, row->key);
            tm_out_text(out, "tm-report: ");
            tm_print_location(out, &frame, tm_key_has_line(report->grouping.key_type), SIZE_MAX, 0);
            print_passed(out, ": grew by", (double)row->size_diff, false, limit);
            good = false;
        }
    }
    return good;
}

static bool check_growth(struct tm_out *out, const struct tm_report *report, uint64_t limit)
{
    uint64_t now = report->total.size;
    uint64_t before = report->old_total.size;
    if (now <= before || now - before <= limit) {
        return true;
    }
    print_passed(out, "tm-report: what is counted grew by", (double)(now - before), false, limit);
    return false;
}

static bool check_figure(struct tm_out *out, const struct tm_report *report, enum tm_figure figure, const char *what,
                         uint64_t limit)
{
    struct tm_grouping grouping = report->grouping;
    grouping.figure = figure;
    struct tm_amount total = tm_group_total(report->forest, tm_report_snapshot_number(report), &grouping);
    if (total.size <= limit) {
        return true;
    }
    print_passed(out, what, (double)total.size, false, limit);
    return false;
}

bool tm_render_limits(struct tm_out *out, const struct tm_report *report, const struct tm_limits *limits)
{
    bool good = limits->growth == UINT64_MAX || (limits->per_line ? check_rows(out, report, limits->growth)
                                                                  : check_growth(out, report, limits->growth));
    good &= check_figure(out, report, TM_FIGURE_LIVE, "tm-report: live memory is", limits->live);
    good &= check_figure(out, report, tm_report_peak_figure(report->grouping.domains),
                         "tm-report: memory at the peak is", limits->peak);
    return good;
}
