/* SPDX-License-Identifier: MIT */
#include "report/render/export.h"

#include <string.h>

#include "report/render/key_frames.h"

/* A field in quotes, whatever is in it: quotes are doubled, other bytes stay. */
static void write_quoted(struct tm_out *out, struct tm_span text)
{
    const uint8_t *quote;
    while (text.length > 0 && (quote = memchr(text.bytes, '"', text.length)) != NULL) {
        size_t length = (size_t)(quote - text.bytes) + 1;
        tm_out_bytes(out, text.bytes, length);
        tm_out_text(out, "\"");
        text = (struct tm_span){text.bytes + length, text.length - length};
    }
    tm_out_span(out, text);
}

static void write_text(struct tm_out *out, struct tm_span text)
{
    tm_out_text(out, ",\"");
    write_quoted(out, text);
    tm_out_text(out, "\"");
}

static void write_traceback(struct tm_out *out, const struct tm_key_frames *frames)
{
    tm_out_text(out, ",\"");
    for (size_t i = 0; i < frames->count; i++) {
        tm_out_text(out, i > 0 ? ";" : "");
        const struct tm_key_frame *frame = &frames->frames[i];
        write_quoted(out, frame->filename);
        if (frame->line > 0 || !frame->is_native) {
            tm_out_format(out, ":%u", (unsigned)frame->line);
        } else {
            tm_out_text(out, ":");
            write_quoted(out, frame->function);
        }
    }
    tm_out_text(out, "\"");
}

/* A module or a domain is a name and nothing else. */
static bool has_name(const struct tm_report *report)
{
    return report->grouping.key_type == TM_KEY_MODULE || report->grouping.key_type == TM_KEY_DOMAIN;
}

static void write_head(struct tm_out *out, const struct tm_report *report)
{
    tm_out_text(out, report->is_diff ? "size,count,size_diff,count_diff" : "size,count");
    if (has_name(report)) {
        tm_out_text(out, report->grouping.key_type == TM_KEY_MODULE ? ",module\r\n" : ",domain\r\n");
        return;
    }
    tm_out_text(out, ",filename,lineno,function");
    tm_out_text(out, report->grouping.key_type == TM_KEY_TRACEBACK ? ",traceback\r\n" : "\r\n");
}

static void write_row(struct tm_out *out, const struct tm_report *report, const struct tm_statistic *row,
                      const struct tm_key_frames *frames)
{
    const struct tm_key_frame *recent = &frames->frames[frames->count - 1];
    tm_out_format(out, "%llu,%llu", (unsigned long long)row->size, (unsigned long long)row->count);
    if (report->is_diff) {
        tm_out_format(out, ",%lld,%lld", (long long)row->size_diff, (long long)row->count_diff);
    }
    write_text(out, recent->filename);
    if (has_name(report)) {
        tm_out_text(out, "\r\n");
        return;
    }
    if (!tm_key_has_line(report->grouping.key_type)) {
        tm_out_text(out, ",");
    } else {
        tm_out_format(out, ",%u", (unsigned)recent->line);
    }
    write_text(out, recent->function);
    if (report->grouping.key_type == TM_KEY_TRACEBACK) {
        write_traceback(out, frames);
    }
    tm_out_text(out, "\r\n");
}

enum tm_status tm_export_csv(struct tm_out *out, const struct tm_report *report)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    enum tm_status status = TM_STATUS_OK;
    write_head(out, report);
    for (size_t i = 0; i < tm_report_shown(report) && status == TM_STATUS_OK; i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        if (tm_key_frames_get(&frames, report->forest, report->statistics.key_type, row->key)) {
            write_row(out, report, row, &frames);
        } else {
            status = TM_STATUS_NO_MEMORY;
        }
    }
    tm_key_frames_free(&frames);
    return status;
}
