/* SPDX-License-Identifier: MIT */
#include "report/render/render_tracemalloc.h"

#include "report/render/key_frames.h"
#include "report/render/size_text.h"
#include "report/render/source_line.h"

#define PY_3_7 0x03070000U

bool tm_render_is_recent_first(const struct tm_snapshot *snapshot)
{
    uint64_t release = tm_snapshot_number(snapshot, "python_hex", 0);
    return release != 0 && release < PY_3_7;
}

static void print_average(struct tm_out *out, const struct tm_statistic *row)
{
    if (row->count > 0) {
        tm_out_format(out, ", average=%s", tm_size_as_tracemalloc((double)row->size / (double)row->count, false).text);
    }
    tm_out_text(out, "\n");
}

static void print_row(struct tm_out *out, const struct tm_report *report, const struct tm_statistic *row)
{
    tm_out_format(out, ": size=%s", tm_size_as_tracemalloc((double)row->size, false).text);
    if (report->is_diff) {
        tm_out_format(out, " (%s), count=%llu (%+lld)", tm_size_as_tracemalloc((double)row->size_diff, true).text,
                      (unsigned long long)row->count, (long long)row->count_diff);
    } else {
        tm_out_format(out, ", count=%llu", (unsigned long long)row->count);
    }
    print_average(out, row);
}

/* Python's module has no groups but of files and lines, which it writes as line 0. */
static void print_key(struct tm_out *out, enum tm_key_type key_type, const struct tm_key_frame *frame)
{
    tm_out_span(out, frame->filename);
    if (key_type == TM_KEY_FUNCTION) {
        tm_out_text(out, frame->function.length > 0 ? ":" : "");
        tm_out_span(out, frame->function);
    } else if (key_type != TM_KEY_MODULE && key_type != TM_KEY_DOMAIN) {
        tm_out_format(out, ":%u", (unsigned)frame->line);
    }
}

bool tm_render_tracemalloc(struct tm_out *out, const struct tm_report *report)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    bool recent_first = tm_render_is_recent_first(tm_report_snapshot(report));
    bool memory = true;
    for (size_t i = 0; memory && i < tm_report_shown(report); i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        memory = tm_key_frames_get(&frames, report->forest, report->statistics.key_type, row->key);
        if (memory) {
            const struct tm_key_frame *frame = &frames.frames[recent_first ? frames.count - 1 : 0];
            print_key(out, report->statistics.key_type, frame);
            print_row(out, report, row);
        }
    }
    tm_key_frames_free(&frames);
    return memory;
}

static void print_frame(struct tm_out *out, const struct tm_key_frame *frame, struct tm_source_cache *sources)
{
    tm_out_text(out, "  File \"");
    tm_out_span(out, frame->filename);
    tm_out_format(out, "\", line %u\n", (unsigned)frame->line);
    struct tm_span line = tm_source_line(sources, frame->filename, frame->line);
    if (line.length > 0) {
        tm_out_text(out, "    ");
        tm_out_span(out, line);
        tm_out_text(out, "\n");
    }
}

bool tm_render_tracemalloc_tracebacks(struct tm_out *out, const struct tm_report *report)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    struct tm_source_cache sources = tm_report_source_cache(report);
    bool recent_first = tm_render_is_recent_first(tm_report_snapshot(report)) || report->frames.recent_first;
    bool memory = true;
    for (size_t i = 0; memory && i < tm_report_shown(report); i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        memory = tm_key_frames_get(&frames, report->forest, report->statistics.key_type, row->key);
        tm_out_format(out, "%s%llu memory blocks: %.1f KiB\n", i > 0 ? "\n" : "", (unsigned long long)row->count,
                      (double)row->size / 1024);
        size_t first, shown = tm_report_frames_shown(report, frames.count, &first);
        for (size_t f = 0; memory && f < shown; f++) {
            print_frame(out, &frames.frames[recent_first ? first + shown - 1 - f : first + f], &sources);
        }
    }
    tm_key_frames_free(&frames);
    tm_source_cache_free(&sources);
    return memory;
}
