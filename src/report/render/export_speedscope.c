/* SPDX-License-Identifier: MIT */
#include "report/render/export.h"

#include <stdlib.h>
#include <string.h>

#include "report/render/json_text.h"

struct figure {
    const char *name;
    enum tm_figure figure;
};

/* A frame of the snapshot by its id; 0 is the traceback without frames. */
static void write_frame(struct tm_out *out, const struct tm_snapshot *snapshot, uint32_t id)
{
    const struct tm_frame_record *frame = &snapshot->frames[id];
    struct tm_span function = snapshot->strings[frame->function], file = snapshot->strings[frame->file];
    struct tm_span unknown = {(const uint8_t *)TM_UNKNOWN_NAME, strlen(TM_UNKNOWN_NAME)};
    tm_out_text(out, id > 0 ? ",\n{\"name\":" : "\n{\"name\":");
    tm_json_text(out, function.length > 0 ? function : file.length > 0 ? file : unknown);
    if (file.length > 0) {
        tm_out_text(out, ",\"file\":");
        tm_json_text(out, file);
    }
    if (frame->line > 0) {
        tm_out_format(out, ",\"line\":%u", (unsigned)frame->line);
    }
    tm_out_text(out, "}");
}

/* Frame ids, oldest first.  STACK has room for every traceback of the snapshot. */
static void write_sample(struct tm_out *out, const struct tm_snapshot *snapshot, uint32_t traceback, uint32_t *stack)
{
    size_t count = 0;
    do {
        stack[count++] = snapshot->tracebacks[traceback].frame;
        traceback = snapshot->tracebacks[traceback].parent;
    } while (traceback != 0);
    tm_out_text(out, "[");
    while (count-- > 0) {
        tm_out_format(out, count > 0 ? "%u," : "%u", (unsigned)stack[count]);
    }
    tm_out_text(out, "]");
}

static uint64_t bytes_of(const struct tm_report *report, const struct tm_counter_record *counter, enum tm_figure figure)
{
    unsigned last = tm_report_snapshot_number(report);
    return tm_export_counts(report, last, counter) ? tm_figure_amount(counter, figure).size : 0;
}

static void write_profile(struct tm_out *out, const struct tm_report *report, const struct figure *figure,
                          uint32_t *stack)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    const char *separator = "";
    uint64_t total = 0;
    tm_out_format(out, "{\"type\":\"sampled\",\"name\":\"%s bytes\",\"unit\":\"bytes\",\"startValue\":0,\"samples\":[",
                  figure->name);
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        uint64_t bytes = bytes_of(report, &snapshot->counters[i], figure->figure);
        total += bytes;
        if (bytes > 0) {
            tm_out_text(out, separator);
            write_sample(out, snapshot, snapshot->counters[i].traceback, stack);
            separator = ",\n";
        }
    }
    tm_out_text(out, "],\"weights\":[");
    separator = "";
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        uint64_t bytes = bytes_of(report, &snapshot->counters[i], figure->figure);
        if (bytes > 0) {
            tm_out_format(out, "%s%llu", separator, (unsigned long long)bytes);
            separator = ",";
        }
    }
    tm_out_format(out, "],\"endValue\":%llu}", (unsigned long long)total);
}

/* Live, peak, ever; since a fork there is no peak. */
#define PEAK_PROFILE 1U

static int active_profile(const struct tm_report *report)
{
    switch (report->grouping.figure) {
    case TM_FIGURE_LIVE:
        return 0;
    case TM_FIGURE_EVER:
        return tm_report_snapshot(report)->is_since_fork ? 1 : 2;
    default:
        return 1;
    }
}

enum tm_status tm_export_speedscope(struct tm_out *out, const struct tm_report *report)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    const struct figure figures[] = {
        {"live", TM_FIGURE_LIVE}, {"peak", tm_report_peak_figure(report->grouping.domains)}, {"ever", TM_FIGURE_EVER}};
    const char *separator = "\n";
    uint32_t *stack = calloc((size_t)snapshot->traceback_count + 1, sizeof *stack);
    if (stack == NULL) {
        return TM_STATUS_NO_MEMORY;
    }
    tm_out_text(out, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"name\":");
    tm_json_string(out, report->paths[tm_report_snapshot_number(report)]);
    tm_out_text(out, ",\"exporter\":\"tm-report@" TM_VERSION "\",\"activeProfileIndex\":");
    tm_out_format(out, "%d", active_profile(report));
    tm_out_text(out, ",\"shared\":{\"frames\":[");
    for (uint32_t id = 0; id < snapshot->frame_count; id++) {
        write_frame(out, snapshot, id);
    }
    tm_out_text(out, "]},\n\"profiles\":[");
    for (size_t i = 0; i < TM_COUNT_OF(figures); i++) {
        if (i != PEAK_PROFILE || !snapshot->is_since_fork) {
            tm_out_text(out, separator);
            write_profile(out, report, &figures[i], stack);
            separator = ",\n";
        }
    }
    tm_out_text(out, "]}\n");
    free(stack);
    return TM_STATUS_OK;
}
