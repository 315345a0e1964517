/* SPDX-License-Identifier: MIT */
#include "report/render/sample_margin.h"

#include "base/sample_chance.h"
#include "report/render/size_text.h"

uint64_t tm_sample_rate(const struct tm_snapshot *snapshot)
{
    return tm_snapshot_number(snapshot, "sample_rate", 0);
}

bool tm_report_is_sampled(const struct tm_report *report)
{
    return tm_sample_rate(tm_report_snapshot(report)) != 0 ||
           (report->is_diff && tm_sample_rate(report->forest->snapshots[0]) != 0);
}

/* Mappings are all recorded. */
static bool is_exact(const struct tm_report *report, const struct tm_statistic *row)
{
    const struct tm_grouping *grouping = &report->grouping;
    return grouping->domains == TM_DOMAIN_BIT(TM_DOMAIN_MMAP) ||
           (grouping->key_type == TM_KEY_DOMAIN && row->key == TM_DOMAIN_MMAP);
}

double tm_row_margin(const struct tm_report *report, const struct tm_statistic *row)
{
    if (is_exact(report, row)) {
        return 0;
    }
    uint64_t rate = tm_sample_rate(tm_report_snapshot(report));
    double margin = tm_sample_margin((double)row->size, (double)row->count, (double)rate);
    if (!report->is_diff) {
        return margin;
    }
    uint64_t old_rate = tm_sample_rate(report->forest->snapshots[0]);
    double size = (double)row->size - (double)row->size_diff;
    double count = (double)row->count - (double)row->count_diff;
    double old_margin = tm_sample_margin(size, count, (double)old_rate);
    return tm_sample_margin_of_two(margin, old_margin);
}

static void print_rate(struct tm_out *out, uint64_t rate)
{
    if (rate == 0) {
        tm_out_text(out, "every block");
        return;
    }
    tm_out_format(out, "estimates from one sample in %s", tm_size_for_people((double)rate, false).text);
}

void tm_print_sampling(struct tm_out *out, const struct tm_report *report)
{
    if (!tm_report_is_sampled(report)) {
        return;
    }
    uint64_t rate = tm_sample_rate(tm_report_snapshot(report));
    uint64_t old_rate = tm_sample_rate(report->forest->snapshots[0]);
    tm_out_text(out, "note: ");
    if (report->is_diff && old_rate != rate) {
        tm_out_text(out, "old: ");
        print_rate(out, old_rate);
        tm_out_text(out, ", new: ");
        print_rate(out, rate);
    } else {
        print_rate(out, rate != 0 ? rate : old_rate);
    }
    tm_out_text(out, "; +-95%: the truth is that near in 19 of 20 cases\n");
}
