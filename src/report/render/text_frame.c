/* SPDX-License-Identifier: MIT */
#include "report/render/text_frame.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/render/location_text.h"
#include "report/render/sample_margin.h"
#include "report/render/size_text.h"
#include "report/snapshot/snapshot_identity.h"
#include "report/snapshot/snapshot_totals.h"

#define FIRST_RECYCLING UINT64_C(0x03080000) /* PY_VERSION_HEX of 3.8 */

#define PROGRAM_WIDTH_MAX 60U
/* What is advised to people who recorded fewer frames; what is enough for most programs. */
#define FRAMES_ADVISED 25U
#define FRAMES_MAX     65535U

/* The words of argv, the first one without its folder. */
static void print_program(struct tm_out *out, struct tm_span program)
{
    size_t first = strnlen((const char *)program.bytes, program.length);
    const uint8_t *slash = memrchr(program.bytes, '/', first);
    size_t folder = slash != NULL ? (size_t)(slash + 1 - program.bytes) : 0;
    char text[PROGRAM_WIDTH_MAX];
    size_t length = program.length - folder, shown = length < sizeof text ? length : sizeof text;
    for (size_t i = 0; i < shown; i++) {
        uint8_t c = program.bytes[folder + i];
        text[i] = (char)(c == '\0' ? ' ' : c);
    }
    while (shown > 0 && text[shown - 1] == ' ') {
        shown--;
    }
    if (shown > 0) {
        tm_out_text(out, ", ");
        tm_print_text(out, (struct tm_span){(const uint8_t *)text, shown});
        tm_out_text(out, length > sizeof text ? "..." : "");
    }
}

static void print_moment(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_span moment = tm_snapshot_bytes(snapshot, "moment");
    if (moment.length == 0) {
        return;
    }
    tm_out_text(out, ", ");
    if (tm_span_is(moment, "api")) {
        tm_out_text(out, "taken by the program");
    } else if (tm_span_is(moment, "tm-snap")) {
        tm_out_text(out, "taken from outside");
    } else if (tm_span_is(moment, "interval")) {
        tm_out_text(out, "taken at its interval");
    } else if (tm_span_is(moment, "threshold")) {
        tm_out_text(out, "taken past a threshold");
    } else if (tm_span_is(moment, "signal")) {
        tm_out_text(out, "taken at a signal");
    } else if (tm_span_is(moment, "merge")) {
        tm_out_text(out, "merged");
    } else {
        tm_out_text(out, tm_span_is(moment, "exit") ? "at " : "at its ");
        tm_print_text(out, moment);
    }
}

/* In the time zone of whoever reads it. */
static void print_fork(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    if (tm_snapshot_meta(snapshot, "forked_from") == NULL) { /* several */
        tm_out_text(out, "; since their forks");
        return;
    }
    uint64_t time_ns = tm_snapshot_number(snapshot, "fork_time_ns", 0);
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm parts;
    char text[64] = "";
    if (time_ns != 0 && localtime_r(&seconds, &parts) != NULL) {
        (void)strftime(text, sizeof text, " at %Y-%m-%d %H:%M:%S", &parts);
    }
    tm_out_format(out, "; since the fork of process %llu%s",
                  (unsigned long long)tm_snapshot_number(snapshot, "forked_from", 0), text);
}

static void print_traced(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_traced python = tm_snapshot_traced_python(snapshot), heap = tm_snapshot_traced_heap(snapshot);
    if (snapshot->is_since_fork) {
        print_fork(out, snapshot);
    }
    tm_out_format(out, "; live %s Python", tm_size_for_people((double)python.current, false).text);
    tm_out_format(
        out, " + %s native",
        tm_size_for_people(heap.current > python.current ? (double)(heap.current - python.current) : 0, false).text);
    if (snapshot->is_since_fork) {
        return;
    }
    tm_out_format(out, ", peak %s Python", tm_size_for_people((double)python.peak, false).text);
    tm_out_format(out, ", %s with native", tm_size_for_people((double)heap.peak, false).text);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void tm_print_context(struct tm_out *out, const struct tm_snapshot *snapshot, const char *path)
{
    tm_print_text(out, (struct tm_span){(const uint8_t *)path, strlen(path)});
    struct tm_span python = tm_snapshot_bytes(snapshot, "python");
    tm_out_text(out, python.length > 0 ? ": Python " : ": Python unknown");
    tm_print_text(out, python);
    const struct tm_meta_record *pid = tm_snapshot_meta(snapshot, "pid");
    if (pid != NULL && pid->type == TM_META_U64) {
        tm_out_format(out, ", process %llu", (unsigned long long)pid->number);
    }
    print_program(out, tm_snapshot_bytes(snapshot, "program"));
    print_moment(out, snapshot);
    print_traced(out, snapshot);
    uint64_t limit = tm_snapshot_number(snapshot, "traceback_limit", 0);
    if (limit > 0) {
        tm_out_format(out, "; %llu frame%s recorded", (unsigned long long)limit, plural(limit));
    }
    tm_out_text(out, "\n");
}

static void print_hours(struct tm_out *out, double hours)
{
    if (hours < 1.0 / 30) {
        tm_out_format(out, " in %.1f seconds", hours * 3600);
    } else if (hours < 2) {
        tm_out_format(out, " in %.1f minutes", hours * 60);
    } else {
        tm_out_format(out, " in %.1f hours", hours);
    }
}

/* Over which time a series goes, and how many snapshots it has. */
static void print_span(struct tm_out *out, const struct tm_report *report)
{
    if (report->series != NULL) {
        tm_out_format(out, "%u snapshots", report->series->count);
        if (tm_series_is_timed(report->series)) {
            print_hours(out, report->series->hours[report->series->count - 1]);
        }
        tm_out_text(out, "\n");
    }
}

void tm_print_contexts(struct tm_out *out, const struct tm_report *report)
{
    unsigned last = tm_report_snapshot_number(report);
    print_span(out, report);
    for (unsigned i = 0; i <= last; i++) {
        if (i > 0 && i < last && !report->all) {
            continue;
        }
        if (report->is_diff) {
            tm_out_text(out, i == 0 ? "old: " : i == last ? "new: " : "     ");
        }
        tm_print_context(out, report->forest->snapshots[i], report->paths[i]);
    }
    tm_out_text(out, "\n");
}

void tm_print_by_peak(struct tm_out *out, const struct tm_report *report)
{
    if (report->by_peak) {
        tm_out_text(out, "Little is left of what the program used, so this is sorted by what was live at the peak "
                         "(--figure live: by what is left).\n\n");
    }
}

/* Tracebacks that are as long as they may be were longer in the program, as far as one can know. */
static bool are_frames_missing(const struct tm_report *report, uint64_t limit)
{
    bool needed = report->grouping.key_type == TM_KEY_TRACEBACK || report->grouping.cumulative != TM_CUMULATIVE_OFF;
    if (!needed || limit == 0 || limit >= FRAMES_MAX) {
        return false;
    }
    const struct tm_forest *forest = report->forest;
    uint32_t *depths = calloc(forest->node_count, sizeof *depths); /* machine frames are not limited so */
    bool missing = false;
    for (uint32_t i = 1; depths != NULL && !missing && i < forest->node_count; i++) {
        depths[i] = depths[forest->nodes[i].parent] + !forest->sites.sites[forest->nodes[i].site].is_native;
        missing = depths[i] >= limit;
    }
    free(depths);
    return missing;
}

static void print_frames_advice(struct tm_out *out, const struct tm_report *report)
{
    uint64_t limit = tm_snapshot_number(tm_report_snapshot(report), "traceback_limit", 0);
    if (are_frames_missing(report, limit)) {
        uint64_t advised = limit < FRAMES_ADVISED ? FRAMES_ADVISED : limit * 4;
        tm_out_format(out, "recorded with %llu frame%s: run with TRACEMALLOC_NFRAME=%llu\n", (unsigned long long)limit,
                      plural(limit), (unsigned long long)(advised < FRAMES_MAX ? advised : FRAMES_MAX));
    }
}

static void print_note_lines(struct tm_out *out, struct tm_span notes)
{
    while (notes.length > 0) {
        const uint8_t *end = memchr(notes.bytes, '\n', notes.length);
        size_t length = end != NULL ? (size_t)(end - notes.bytes) : notes.length;
        if (length > 0) {
            tm_out_text(out, "note: ");
            tm_print_text(out, (struct tm_span){notes.bytes, length});
            tm_out_text(out, "\n");
        }
        length += end != NULL;
        notes = (struct tm_span){notes.bytes + length, notes.length - length};
    }
}

/* Before 3.8 Python's own module moves nothing either. */
static void print_recycled(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_span how = tm_snapshot_bytes(snapshot, "recycled");
    uint64_t release = tm_snapshot_number(snapshot, "python_hex", FIRST_RECYCLING);
    bool is_declined = tm_span_is(how, "declined");
    if (release >= FIRST_RECYCLING && (is_declined || tm_span_is(how, "none"))) {
        tm_out_format(out, "note: recycled objects keep their first line; TRACEMALLOC_EXACT=1 %s\n",
                      is_declined ? "does not know this Python" : "moves them");
    }
}

static void print_outer_malloc(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_span path = tm_snapshot_bytes(snapshot, "malloc");
    if (path.length > 0) {
        tm_out_text(out, "note: native blocks were not traced: malloc was that of ");
        tm_print_text(out, path);
        tm_out_text(out, ", which LD_PRELOAD named before libtracemalloc.so\n");
    }
}

/* What the tracer did without to stay under its memory limit: the last step has the others in it. */
static void print_memory_limit(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_span step = tm_snapshot_bytes(snapshot, "memory_limit_step");
    if (step.length > 0) {
        tm_out_text(out, "note: the tracer neared its memory limit: at the end ");
        tm_print_text(out, step);
        tm_out_text(out, "\n");
    }
}

/* Why frames were not marked although that was asked for. */
static void print_watermark(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    struct tm_span what = tm_snapshot_bytes(snapshot, "watermark");
    if (what.length > 0 && !tm_span_is(what, "on")) {
        tm_out_text(out, "note: the watermark was ");
        tm_print_text(out, what);
        tm_out_text(out, "\n");
    }
}

/* What the tracer could not do follows from other facts, if it is to be seen at all. */
static void print_failed_calls(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    uint64_t count = tm_snapshot_number(snapshot, "failed_calls", 0);
    uint64_t error = tm_snapshot_number(snapshot, "failed_call_errno", 0);
    if (count > 0) {
        tm_out_format(out, "note: %llu system call%s of the tracer failed, the first was ", (unsigned long long)count,
                      plural(count));
        tm_print_text(out, tm_snapshot_bytes(snapshot, "failed_call"));
        tm_out_format(out, " (%s)\n", error <= INT_MAX ? strerror((int)error) : "?");
    }
}

static void print_snapshot_notes(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    uint64_t losses = tm_snapshot_number(snapshot, "hook_losses", 0);
    uint64_t dropped = tm_snapshot_number(snapshot, "dropped_events", 0);
    uint64_t unmerged = tm_snapshot_number(snapshot, "native_unmerged", 0);
    uint64_t peak_bound = tm_snapshot_number(snapshot, "peak_bound", 0);
    if (losses > 0 || tm_span_is(tm_snapshot_bytes(snapshot, "hooks"), "lost")) {
        tm_out_format(out,
                      "note: the allocator hooks were taken away %llu time%s: what was allocated then is missing\n",
                      (unsigned long long)losses, plural(losses));
    }
    if (dropped > 0) {
        tm_out_format(out, "note: %llu event%s could not be recorded\n", (unsigned long long)dropped, plural(dropped));
    }
    if (tm_snapshot_number(snapshot, "stdlib_tracing", 0) > 0) {
        tm_out_text(out, "note: Python's own tracemalloc ran too; its memory is counted as the program's\n");
    }
    print_outer_malloc(out, snapshot);
    print_recycled(out, snapshot);
    print_memory_limit(out, snapshot);
    print_watermark(out, snapshot);
    print_failed_calls(out, snapshot);
    if (tm_span_is(tm_snapshot_bytes(snapshot, "python_frames"), "unsupported")) {
        tm_out_text(out, "note: the frames of this Python release cannot be read: sizes only\n");
    }
    if (unmerged > 0) {
        tm_out_format(out,
                      "note: in %llu traceback%s Python's frames stand before the machine frames: which of them run "
                      "Python could not be told\n",
                      (unsigned long long)unmerged, plural(unmerged));
    }
    if (peak_bound > 0) {
        tm_out_format(out, "note: the peak may be off by %s\n", tm_size_for_people((double)peak_bound, false).text);
    }
    print_note_lines(out, snapshot->symbol_notes);
    print_note_lines(out, tm_snapshot_bytes(snapshot, "notes"));
}

/* What is compared may not be what was meant. */
static void print_pair_notes(struct tm_out *out, const struct tm_report *report)
{
    const struct tm_forest *forest = report->forest;
    const struct tm_snapshot *old = forest->snapshots[0], *new = tm_report_snapshot(report);
    unsigned processes = tm_snapshot_count_processes(forest->snapshots, forest->snapshot_count);
    if (processes > 1) {
        tm_out_format(out, "note: these are snapshots of %u processes\n", processes);
    } else if (tm_snapshot_time_ns(old) > tm_snapshot_time_ns(new) && tm_snapshot_time_ns(new) != 0) {
        tm_out_text(out, "note: the old snapshot was taken after the new one\n");
    }
}

void tm_print_notes(struct tm_out *out, const struct tm_report *report)
{
    if (report->is_diff) {
        print_pair_notes(out, report);
    }
    print_frames_advice(out, report);
    tm_print_sampling(out, report);
    if (report->grouping.figure == TM_FIGURE_TEMPORARY) {
        tm_out_text(
            out, "note: bytes of temporary blocks are estimated by the mean size of all blocks of their traceback\n");
    }
    print_snapshot_notes(out, tm_report_snapshot(report));
}

void tm_print_file_notes(struct tm_out *out, const struct tm_report *report)
{
    print_frames_advice(out, report);
    print_snapshot_notes(out, tm_report_snapshot(report));
}
