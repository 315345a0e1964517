/* SPDX-License-Identifier: MIT */
/* Field numbers are those of profile.proto.  String ids of the snapshot are those of the profile (0 is empty in both);
 * frame ids are location ids, one more, as 0 means none. */
#include "report/render/export.h"

#include <stdlib.h>
#include <string.h>

#include "report/render/export_text.h"
#include "report/render/gzip_out.h"
#include "report/render/proto_bytes.h"

enum profile_field {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14
};
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT = 2 };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_TEXT = 2 };
enum { LOCATION_ID = 1, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1, LINE_LINE = 2 };
/* No system_name (3): where it equals the name, readers take the name for a mangled one, and `<module>` for C++'s
 * template arguments, which they cut.  Where it differs they leave the name alone. */
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_FILE = 4 };

/* Strings of our own, behind the snapshot's. */
enum own_string { OWN_BYTES, OWN_COUNT, OWN_UNKNOWN, OWN_DOMAIN, OWN_SAMPLE_TYPES };
static const char *const own_strings[] = {"bytes",       "count",       TM_UNKNOWN_NAME, "domain",    "live_bytes",
                                          "live_blocks", "alloc_bytes", "alloc_blocks",  "peak_bytes"};
#define SAMPLE_TYPES 5U
#define OWN_DOMAINS  (OWN_SAMPLE_TYPES + SAMPLE_TYPES)

struct work {
    const struct tm_report *report;
    const struct tm_snapshot *snapshot;
    struct tm_proto profile;
    struct tm_proto message; /* a part of the profile */
    struct tm_proto part;    /* a part of the message */
};

static uint64_t own(const struct work *work, unsigned string)
{
    return (uint64_t)work->snapshot->string_count + string;
}

/* The last one is the peak. */
static unsigned sample_types(const struct work *work)
{
    return work->snapshot->is_since_fork ? SAMPLE_TYPES - 1 : SAMPLE_TYPES;
}

static void write_sample_types(struct work *work)
{
    for (unsigned i = 0; i < sample_types(work); i++) {
        tm_proto_clear(&work->message);
        tm_proto_number(&work->message, VALUE_TYPE_TYPE, own(work, OWN_SAMPLE_TYPES + i));
        tm_proto_number(&work->message, VALUE_TYPE_UNIT, own(work, i == 1 || i == 3 ? OWN_COUNT : OWN_BYTES));
        tm_proto_message(&work->profile, PROFILE_SAMPLE_TYPE, &work->message);
    }
    tm_proto_number(&work->profile, PROFILE_DEFAULT_SAMPLE_TYPE, own(work, OWN_SAMPLE_TYPES));
}

/* Locations are most recent first. */
static void write_locations(struct work *work, uint32_t traceback)
{
    const struct tm_traceback_record *tracebacks = work->snapshot->tracebacks;
    tm_proto_clear(&work->part);
    do {
        tm_proto_varint(&work->part, (uint64_t)tracebacks[traceback].frame + 1);
        traceback = tracebacks[traceback].parent;
    } while (traceback != 0);
    tm_proto_message(&work->message, SAMPLE_LOCATION, &work->part);
}

static void write_sample(struct work *work, const struct tm_counter_record *counter)
{
    enum tm_figure peak = tm_report_peak_figure(work->report->grouping.domains);
    const uint64_t values[SAMPLE_TYPES] = {counter->live_bytes, counter->live_blocks, counter->ever_bytes,
                                           counter->ever_blocks, tm_figure_amount(counter, peak).size};
    tm_proto_clear(&work->message);
    write_locations(work, counter->traceback);
    tm_proto_clear(&work->part);
    for (unsigned i = 0; i < sample_types(work); i++) {
        tm_proto_varint(&work->part, values[i]);
    }
    tm_proto_message(&work->message, SAMPLE_VALUE, &work->part);
    tm_proto_clear(&work->part);
    tm_proto_number(&work->part, LABEL_KEY, own(work, OWN_DOMAIN));
    tm_proto_number(&work->part, LABEL_TEXT, own(work, OWN_DOMAINS + counter->domain));
    tm_proto_message(&work->message, SAMPLE_LABEL, &work->part);
    tm_proto_message(&work->profile, PROFILE_SAMPLE, &work->message);
}

/* A function is a name in a file.  FUNCTIONS has for each frame the first frame of its function. */
static void write_frame(struct work *work, const uint32_t *functions, uint32_t id)
{
    const struct tm_frame_record *frame = &work->snapshot->frames[id];
    tm_proto_clear(&work->message);
    tm_proto_number(&work->message, LOCATION_ID, (uint64_t)id + 1);
    tm_proto_clear(&work->part);
    tm_proto_number(&work->part, LINE_FUNCTION, (uint64_t)functions[id] + 1);
    tm_proto_number(&work->part, LINE_LINE, frame->line);
    tm_proto_message(&work->message, LOCATION_LINE, &work->part);
    tm_proto_message(&work->profile, PROFILE_LOCATION, &work->message);
    if (functions[id] == id) {
        bool has_name = work->snapshot->strings[frame->function].length > 0;
        uint64_t name = has_name ? frame->function : own(work, OWN_UNKNOWN);
        tm_proto_clear(&work->message);
        tm_proto_number(&work->message, FUNCTION_ID, (uint64_t)id + 1);
        tm_proto_number(&work->message, FUNCTION_NAME, name);
        tm_proto_number(&work->message, FUNCTION_FILE, frame->file);
        tm_proto_message(&work->profile, PROFILE_FUNCTION, &work->message);
    }
}

/* Sorting is given no context: the frames that are compared stand in the items. */
struct by_function {
    struct tm_frame_record frame;
    uint32_t id;
};

static int compare_functions(const void *a, const void *b)
{
    const struct by_function *x = a, *y = b;
    if (x->frame.file != y->frame.file) {
        return x->frame.file < y->frame.file ? -1 : 1;
    }
    if (x->frame.function != y->frame.function) {
        return x->frame.function < y->frame.function ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool find_functions(const struct tm_snapshot *snapshot, uint32_t *functions)
{
    struct by_function *items = calloc(snapshot->frame_count, sizeof *items);
    if (items == NULL) {
        return false;
    }
    for (uint32_t id = 0; id < snapshot->frame_count; id++) {
        items[id] = (struct by_function){snapshot->frames[id], id};
    }
    qsort(items, snapshot->frame_count, sizeof *items, compare_functions);
    uint32_t first = 0;
    for (uint32_t i = 0; i < snapshot->frame_count; i++) {
        const struct tm_frame_record *frame = &items[i].frame, *before = &items[first].frame;
        first = frame->file == before->file && frame->function == before->function ? first : i;
        functions[items[i].id] = items[first].id;
    }
    free(items);
    return true;
}

static bool write_frames(struct work *work)
{
    uint32_t *functions = calloc(work->snapshot->frame_count, sizeof *functions);
    bool memory = functions != NULL && find_functions(work->snapshot, functions);
    for (uint32_t id = 0; memory && id < work->snapshot->frame_count; id++) {
        write_frame(work, functions, id);
    }
    free(functions);
    return memory;
}

static void write_own_string(struct work *work, const char *text)
{
    tm_proto_bytes(&work->profile, PROFILE_STRING, text, strlen(text));
}

/* Strings must be UTF-8. */
static bool write_strings(struct work *work)
{
    char *text = NULL;
    size_t length = 0;
    struct tm_out out = {.stream = open_memstream(&text, &length)};
    if (out.stream == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < work->snapshot->string_count && out.error == 0; i++) {
        rewind(out.stream);
        tm_export_text(&out, work->snapshot->strings[i], "", ' ');
        if (tm_out_flush(&out) == 0) {
            tm_proto_bytes(&work->profile, PROFILE_STRING, text, length);
        }
    }
    (void)fclose(out.stream);
    free(text);
    for (size_t i = 0; i < TM_COUNT_OF(own_strings); i++) {
        write_own_string(work, own_strings[i]);
    }
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        write_own_string(work, tm_domain_name((enum tm_domain)i));
    }
    return out.error == 0;
}

enum tm_status tm_export_pprof(struct tm_out *out, const struct tm_report *report)
{
    struct work work = {.report = report, .snapshot = tm_report_snapshot(report)};
    unsigned last = tm_report_snapshot_number(report);
    write_sample_types(&work);
    for (size_t i = 0; i < work.snapshot->counter_count; i++) {
        if (tm_export_counts(report, last, &work.snapshot->counters[i])) {
            write_sample(&work, &work.snapshot->counters[i]);
        }
    }
    bool memory = write_frames(&work) && write_strings(&work);
    tm_proto_number(&work.profile, PROFILE_TIME_NANOS, tm_snapshot_number(work.snapshot, "time_ns", 0));
    memory = memory && !work.profile.failed && tm_gzip_out(out, work.profile.bytes, work.profile.size);
    tm_proto_free(&work.profile);
    tm_proto_free(&work.message);
    tm_proto_free(&work.part);
    return memory ? TM_STATUS_OK : TM_STATUS_NO_MEMORY;
}
