/* SPDX-License-Identifier: MIT */
#include "report/render/render_json.h"

#include "report/snapshot/snapshot.h"
#include "report/render/json_snapshot.h"
#include "report/render/json_text.h"
#include "report/render/key_frames.h"
#include "report/render/sample_margin.h"

static const char *const group_names[] = {
    [TM_KEY_FILENAME] = "filename", [TM_KEY_LINENO] = "lineno", [TM_KEY_TRACEBACK] = "traceback",
    [TM_KEY_FUNCTION] = "function", [TM_KEY_MODULE] = "module", [TM_KEY_DOMAIN] = "domain"};
static const char *const cumulative_names[] = {
    [TM_CUMULATIVE_OFF] = "false", [TM_CUMULATIVE_ONCE] = "true", [TM_CUMULATIVE_STDLIB] = "\"stdlib\""};
static const char *const figure_names[] = {[TM_FIGURE_LIVE] = "live",
                                           [TM_FIGURE_PEAK_PYTHON] = "peak",
                                           [TM_FIGURE_PEAK_HEAP] = "peak",
                                           [TM_FIGURE_EVER] = "ever",
                                           [TM_FIGURE_TEMPORARY] = "temporary"};

void tm_json_counted(struct tm_out *out, uint32_t domains)
{
    const char *separator = "";
    tm_out_text(out, ", \"counted\": [");
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        if (domains & TM_DOMAIN_BIT(i)) {
            tm_out_format(out, "%s\"%s\"", separator, tm_domain_name((enum tm_domain)i));
            separator = ", ";
        }
    }
    tm_out_text(out, "]");
}

static void write_head(struct tm_out *out, const struct tm_report *report)
{
    const struct tm_forest *forest = report->forest;
    unsigned last = tm_report_snapshot_number(report);
    tm_out_text(out, "{\"snapshot\": ");
    tm_json_snapshot(out, forest->snapshots[last], report->paths[last]);
    if (report->is_diff) {
        tm_out_text(out, ",\n \"snapshots\": [");
        for (unsigned i = 0; i <= last; i++) {
            tm_out_text(out, i > 0 ? ",\n  " : "");
            tm_json_snapshot(out, forest->snapshots[i], report->paths[i]);
        }
        tm_out_text(out, "]");
    }
    tm_out_format(out, ",\n \"group_by\": \"%s\", \"cumulative\": %s, \"figure\": \"%s\"",
                  group_names[report->grouping.key_type], cumulative_names[report->grouping.cumulative],
                  figure_names[report->grouping.figure]);
    tm_json_counted(out, report->grouping.domains);
    tm_out_format(out, ",\n \"total\": {\"size\": %llu, \"count\": %llu, \"statistics\": %zu",
                  (unsigned long long)report->total.size, (unsigned long long)report->total.count,
                  report->statistics.count);
    if (tm_report_is_sampled(report)) {
        struct tm_statistic total = tm_report_total(report);
        tm_out_format(out, ", \"margin\": %.0f", tm_row_margin(report, &total));
    }
    tm_out_text(out, "},\n \"statistics\": [");
}

void tm_json_frame(struct tm_out *out, const struct tm_key_frame *frame, bool first)
{
    tm_out_text(out, first ? "{\"filename\": " : ", {\"filename\": ");
    tm_json_text(out, frame->filename);
    tm_out_format(out, ", \"lineno\": %u, \"function\": ", (unsigned)frame->line);
    tm_json_text(out, frame->function);
    tm_out_text(out, frame->is_native ? ", \"native\": true}" : "}");
}

static void write_series(struct tm_out *out, const struct tm_series *series, uint32_t key)
{
    if (tm_series_is_timed(series)) {
        tm_out_format(out, ", \"bytes_per_hour\": %.1f", tm_series_slope(series, key));
    } else {
        tm_out_text(out, ", \"bytes_per_hour\": null");
    }
    tm_out_format(out, ", \"grew\": %s, \"sizes\": [", tm_series_grew(series, key) ? "true" : "false");
    for (unsigned s = 0; s < series->count; s++) {
        tm_out_format(out, "%s%llu", s > 0 ? ", " : "", (unsigned long long)series->sizes[s][key]);
    }
    tm_out_text(out, "]");
}

static void write_row(struct tm_out *out, const struct tm_report *report, const struct tm_statistic *row,
                      const struct tm_key_frames *frames)
{
    tm_out_format(out, "{\"size\": %llu, \"count\": %llu", (unsigned long long)row->size,
                  (unsigned long long)row->count);
    if (report->is_diff) {
        tm_out_format(out, ", \"size_diff\": %lld, \"count_diff\": %lld", (long long)row->size_diff,
                      (long long)row->count_diff);
    }
    if (tm_report_is_sampled(report)) {
        tm_out_format(out, ", \"margin\": %.0f", tm_row_margin(report, row));
    }
    if (report->series != NULL) {
        write_series(out, report->series, row->key);
    }
    enum tm_key_type key_type = report->grouping.key_type;
    if (key_type == TM_KEY_MODULE || key_type == TM_KEY_DOMAIN) {
        tm_out_format(out, ", \"%s\": ", group_names[key_type]);
        tm_json_text(out, frames->frames[0].filename);
        tm_out_text(out, "}");
        return;
    }
    tm_out_text(out, ", \"traceback\": [");
    for (size_t i = 0; i < frames->count; i++) {
        tm_json_frame(out, &frames->frames[i], i == 0);
    }
    tm_out_text(out, "]}");
}

bool tm_render_json(struct tm_out *out, const struct tm_report *report)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    bool memory = true;
    write_head(out, report);
    for (size_t i = 0; memory && i < tm_report_shown(report); i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        memory = tm_key_frames_get(&frames, report->forest, report->statistics.key_type, row->key);
        tm_out_text(out, i > 0 ? ",\n  " : "\n  ");
        if (memory) {
            write_row(out, report, row, &frames);
        }
    }
    tm_out_text(out, tm_report_shown(report) > 0 ? "\n ]}\n" : "]}\n");
    tm_key_frames_free(&frames);
    return memory;
}
