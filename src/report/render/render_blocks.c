/* SPDX-License-Identifier: MIT */
#include "report/render/render_blocks.h"

#include <inttypes.h>
#include <string.h>

#include "report/render/frame_lines.h"
#include "report/render/json_snapshot.h"
#include "report/render/location_text.h"
#include "report/render/render_json.h"
#include "report/render/sample_margin.h"
#include "report/render/size_text.h"
#include "report/render/text_frame.h"

#define DOMAIN_WIDTH 6 /* "native" */

static uint32_t node_of(const struct tm_report *report, const struct tm_block_record *block)
{
    return report->forest->node_of[tm_report_snapshot_number(report)][block->traceback];
}

static size_t shown_of(const struct tm_report *report, const struct tm_block_rows *rows)
{
    return report->limit < rows->count ? report->limit : rows->count;
}

static size_t address_width(const struct tm_block_rows *rows, size_t shown)
{
    size_t widest = strlen("ADDRESS");
    for (size_t i = 0; i < shown; i++) {
        size_t width = strlen("0x");
        for (uint64_t rest = rows->blocks[i]->address; rest != 0; rest >>= 4) {
            width++;
        }
        widest = width > widest ? width : widest;
    }
    return widest;
}

static size_t bytes_width(const struct tm_block_rows *rows, size_t shown)
{
    size_t widest = strlen("BYTES");
    for (size_t i = 0; i < shown; i++) {
        size_t width = strlen(tm_count_for_people(rows->blocks[i]->size).text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_row(struct tm_out *out, const struct tm_report *report, const struct tm_block_record *block,
                      int address_columns, int bytes_columns)
{
    const struct tm_forest *forest = report->forest;
    uint32_t key = tm_key_of_node(forest, TM_KEY_LINENO, node_of(report, block));
    struct tm_key_frame frame = tm_key_recent_frame(forest, TM_KEY_LINENO, key);
    size_t before = (size_t)address_columns + (size_t)bytes_columns + DOMAIN_WIDTH + 6;
    size_t width = report->width == SIZE_MAX ? SIZE_MAX : report->width > before ? report->width - before : 0;
    tm_out_format(out, "%#*" PRIx64 "  %*s  %-*s  ", address_columns, block->address, bytes_columns,
                  tm_count_for_people(block->size).text, DOMAIN_WIDTH, tm_domain_name((enum tm_domain)block->domain));
    if (tm_span_is(frame.filename, TM_UNKNOWN_NAME) && frame.line == 0) {
        tm_out_text(out, TM_UNKNOWN_NAME "  (no Python frame)");
    } else {
        tm_print_location(out, &frame, true, width, report->path_parts);
    }
    tm_out_text(out, "\n");
}

static void print_total(struct tm_out *out, const struct tm_block_rows *rows, size_t shown)
{
    size_t rest = rows->count - shown;
    if (rest > 0) {
        tm_out_format(out, "%s more block%s (--limit 0 shows all)\n", tm_count_for_people(rest).text,
                      rest == 1 ? "" : "s");
    }
    tm_out_format(out, "total: %s byte%s in %s block%s\n", tm_count_for_people(rows->size).text,
                  rows->size == 1 ? "" : "s", tm_count_for_people(rows->count).text, rows->count == 1 ? "" : "s");
}

static void print_notes(struct tm_out *out, const struct tm_report *report)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    uint64_t skew = tm_snapshot_number(snapshot, "blocks_skew", 0);
    uint64_t left_out = tm_snapshot_number(snapshot, "blocks_left_out", 0);
    uint64_t rate = tm_sample_rate(snapshot);
    if (rate != 0) {
        tm_out_format(out, "note: sampled: one block in %s on average is listed\n",
                      tm_size_for_people((double)rate, false).text);
    }
    if (skew > 0) {
        tm_out_format(out, "note: while blocks were listed %s were handed out or freed: they may be listed or not\n",
                      tm_count_for_people(skew).text);
    }
    if (left_out > 0) {
        tm_out_format(out, "note: %s block%s not listed, for want of room\n", tm_count_for_people(left_out).text,
                      left_out == 1 ? " is" : "s are");
    }
    tm_print_file_notes(out, report);
}

bool tm_render_blocks(struct tm_out *out, const struct tm_report *report, const struct tm_block_rows *rows)
{
    size_t shown = shown_of(report, rows);
    int address_columns = (int)address_width(rows, shown), bytes_columns = (int)bytes_width(rows, shown);
    tm_print_contexts(out, report);
    if (shown > 0) {
        tm_out_format(out, "%*s  %*s  %-*s  LOCATION\n", address_columns, "ADDRESS", bytes_columns, "BYTES",
                      DOMAIN_WIDTH, "DOMAIN");
    }
    for (size_t i = 0; i < shown; i++) {
        print_row(out, report, rows->blocks[i], address_columns, bytes_columns);
    }
    print_total(out, rows, shown);
    print_notes(out, report);
    return true;
}

bool tm_render_block(struct tm_out *out, const struct tm_report *report, const struct tm_block_record *block,
                     uint64_t address)
{
    struct tm_key_frames frames = {NULL, 0, 0};
    struct tm_source_cache sources = tm_report_source_cache(report);
    bool memory = tm_key_frames_get(&frames, report->forest, TM_KEY_TRACEBACK, node_of(report, block));
    tm_print_contexts(out, report);
    tm_out_format(out, "%#" PRIx64 ", %s byte%s, %s", block->address, tm_count_for_people(block->size).text,
                  block->size == 1 ? "" : "s", tm_domain_name((enum tm_domain)block->domain));
    if (address != block->address) {
        tm_out_format(out, "; %#" PRIx64 " is at offset %s", address,
                      tm_count_for_people(address - block->address).text);
    }
    tm_out_text(out, "\n");
    if (memory) {
        tm_print_frame_lines(out, report, &frames, &sources);
    }
    print_notes(out, report);
    tm_key_frames_free(&frames);
    tm_source_cache_free(&sources);
    return memory;
}

bool tm_render_blocks_json(struct tm_out *out, const struct tm_report *report, const struct tm_block_rows *rows)
{
    const struct tm_snapshot *snapshot = tm_report_snapshot(report);
    struct tm_key_frames frames = {NULL, 0, 0};
    size_t shown = shown_of(report, rows);
    bool memory = true;
    tm_out_text(out, "{\"snapshot\": ");
    tm_json_snapshot(out, snapshot, report->paths[tm_report_snapshot_number(report)]);
    tm_json_counted(out, report->grouping.domains);
    tm_out_format(out, ",\n \"skew\": %" PRIu64 ", \"left_out\": %" PRIu64,
                  tm_snapshot_number(snapshot, "blocks_skew", 0), tm_snapshot_number(snapshot, "blocks_left_out", 0));
    tm_out_format(out, ",\n \"total\": {\"size\": %" PRIu64 ", \"count\": %zu},\n \"blocks\": [", rows->size,
                  rows->count);
    for (size_t i = 0; memory && i < shown; i++) {
        const struct tm_block_record *block = rows->blocks[i];
        memory = tm_key_frames_get(&frames, report->forest, TM_KEY_TRACEBACK, node_of(report, block));
        tm_out_format(
            out, "%s{\"address\": \"%#" PRIx64 "\", \"size\": %" PRIu64 ", \"domain\": \"%s\", \"traceback\": [",
            i > 0 ? ",\n  " : "\n  ", block->address, block->size, tm_domain_name((enum tm_domain)block->domain));
        for (size_t frame = 0; memory && frame < frames.count; frame++) {
            tm_json_frame(out, &frames.frames[frame], frame == 0);
        }
        tm_out_text(out, "]}");
    }
    tm_out_text(out, shown > 0 ? "\n ]}\n" : "]}\n");
    tm_key_frames_free(&frames);
    return memory;
}
