/* SPDX-License-Identifier: MIT */
#include "report/render/frame_lines.h"

#include "report/render/location_text.h"
#include "report/render/source_line.h"

static void print_frame(struct tm_out *out, const struct tm_key_frame *frame, struct tm_source_cache *sources)
{
    tm_out_text(out, "  File \"");
    tm_print_text(out, frame->filename);
    tm_out_text(out, "\"");
    if (frame->line > 0 || !frame->is_native) {
        tm_out_format(out, ", line %u", (unsigned)frame->line);
    }
    if (frame->function.length > 0) {
        tm_out_text(out, ", in ");
        tm_print_text(out, frame->function);
    }
    tm_out_text(out, "\n");
    struct tm_span line = {(const uint8_t *)"", 0};
    if (sources != NULL) {
        line = tm_source_line(sources, frame->filename, frame->line);
    }
    if (line.length > 0) {
        tm_out_text(out, "    ");
        tm_print_text(out, line);
        tm_out_text(out, sources->changed ? "  (changed since)\n" : "\n");
    }
}

void tm_print_frame_lines(struct tm_out *out, const struct tm_report *report, const struct tm_key_frames *frames,
                          struct tm_source_cache *sources)
{
    size_t first, shown = tm_report_frames_shown(report, frames->count, &first);
    for (size_t i = 0; i < shown; i++) {
        size_t frame = report->frames.recent_first ? first + shown - 1 - i : first + i;
        print_frame(out, &frames->frames[frame], report->sources.left_out ? NULL : sources);
    }
    if (shown < frames->count) {
        tm_out_format(out, "  and %zu %s frame%s\n", frames->count - shown, first > 0 ? "older" : "newer",
                      frames->count - shown == 1 ? "" : "s");
    }
}
