/* SPDX-License-Identifier: MIT */
#include "report/render/export.h"

#include "report/render/export_text.h"
#include "report/render/key_frames.h"

/* `function (file:line)`: readers take everything up to the last space of a line for frames. */
static void write_frame(struct tm_out *out, const struct tm_key_frame *frame)
{
    if (frame->function.length > 0) {
        tm_export_text(out, frame->function, ";", ':');
        tm_out_text(out, " (");
    }
    tm_export_text(out, frame->filename, ";", ':');
    if (frame->line > 0 || !frame->is_native) {
        tm_out_format(out, ":%u", (unsigned)frame->line);
    }
    tm_out_text(out, frame->function.length > 0 ? ")" : "");
}

enum tm_status tm_export_folded(struct tm_out *out, const struct tm_report *report)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    enum tm_status status = TM_STATUS_OK;
    for (size_t i = 0; i < report->statistics.count && status == TM_STATUS_OK; i++) {
        const struct tm_statistic *row = &report->statistics.items[i];
        if (row->size == 0) {
            continue; /* no width */
        }
        if (!tm_key_frames_get(&frames, report->forest, report->statistics.key_type, row->key)) {
            status = TM_STATUS_NO_MEMORY;
            break;
        }
        for (size_t frame = 0; frame < frames.count; frame++) {
            tm_out_text(out, frame > 0 ? ";" : "");
            write_frame(out, &frames.frames[frame]);
        }
        tm_out_format(out, " %llu\n", (unsigned long long)row->size);
    }
    tm_key_frames_free(&frames);
    return status;
}
