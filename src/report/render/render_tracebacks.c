/* SPDX-License-Identifier: MIT */
/* The biggest tracebacks, frame by frame, for people. */
#include "report/render/frame_lines.h"
#include "report/render/sample_margin.h"
#include "report/render/render_text.h"
#include "report/render/size_text.h"
#include "report/render/text_frame.h"

static void print_margin(struct tm_out *out, const struct tm_report *report, const struct tm_statistic *row)
{
    if (tm_report_is_sampled(report)) {
        tm_out_format(out, " +- %s", tm_size_for_people(tm_row_margin(report, row), false).text);
    }
}

static void print_title(struct tm_out *out, const struct tm_report *report, const struct tm_statistic *row)
{
    double share = report->total.size > 0 ? (double)row->size * 100 / (double)report->total.size : 0;
    tm_out_text(out, tm_size_for_people((double)row->size, false).text);
    print_margin(out, report, row);
    tm_out_format(out, " (%.1f%%) in %s block%s", share, tm_count_for_people(row->count).text,
                  row->count == 1 ? "" : "s");
    if (row->count > 1) {
        tm_out_format(out, ", average %s", tm_size_for_people((double)row->size / (double)row->count, false).text);
    }
    tm_out_text(out, "\n");
}

static void print_rest(struct tm_out *out, const struct tm_report *report, size_t shown)
{
    struct tm_amount rest = {0, 0};
    size_t count = report->statistics.count;
    for (size_t i = shown; i < count; i++) {
        rest.size += report->statistics.items[i].size;
        rest.count += report->statistics.items[i].count;
    }
    if (count > shown) {
        tm_out_format(out, "%zu more traceback%s (--limit 0 shows all): %s in %s blocks\n", count - shown,
                      count - shown == 1 ? "" : "s", tm_size_for_people((double)rest.size, false).text,
                      tm_count_for_people(rest.count).text);
    }
    struct tm_statistic total = tm_report_total(report);
    tm_out_format(out, "total: %s", tm_size_for_people((double)total.size, false).text);
    print_margin(out, report, &total);
    tm_out_format(out, " in %s blocks\n", tm_count_for_people(total.count).text);
}

bool tm_render_text_tracebacks(struct tm_out *out, const struct tm_report *report)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    struct tm_source_cache sources = tm_report_source_cache(report);
    size_t shown = tm_report_shown(report);
    bool memory = true;
    tm_print_contexts(out, report);
    for (size_t i = 0; memory && i < shown; i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        memory = tm_key_frames_get(&frames, report->forest, report->statistics.key_type, row->key);
        print_title(out, report, row);
        if (memory) {
            tm_print_frame_lines(out, report, &frames, &sources);
        }
        tm_out_text(out, "\n");
    }
    print_rest(out, report, shown);
    tm_print_notes(out, report);
    tm_key_frames_free(&frames);
    tm_source_cache_free(&sources);
    return memory;
}
