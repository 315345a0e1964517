/* SPDX-License-Identifier: MIT */
#include "report/render/page_data.h"

#include <stdlib.h>
#include <string.h>

#include "report/render/json_snapshot.h"
#include "report/render/json_text.h"
#include "report/render/page_sources.h"
#include "report/stat/group.h"
#include "report/stat/module_name.h"

static void write_strings(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    tm_out_text(out, ",\n\"strings\":[");
    for (uint32_t i = 0; i < snapshot->string_count; i++) {
        tm_out_text(out, i > 0 ? "," : "");
        tm_json_text(out, snapshot->strings[i]);
    }
    tm_out_text(out, "]");
}

static void write_frames(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    tm_out_text(out, ",\n\"frames\":[");
    for (uint32_t i = 0; i < snapshot->frame_count; i++) {
        const struct tm_frame_record *frame = &snapshot->frames[i];
        tm_out_format(out, i > 0 ? ",%u,%u,%u" : "%u,%u,%u", (unsigned)frame->file, (unsigned)frame->function,
                      (unsigned)frame->line);
    }
    tm_out_text(out, "]");
}

/* Which frames are machine frames, and of which module. */
static void write_natives(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    tm_out_text(out, ",\n\"native\":[");
    for (uint32_t i = 0; i < snapshot->native_count; i++) {
        const struct tm_native_frame_record *native = &snapshot->natives[i];
        tm_out_format(out, i > 0 ? ",%u,%u" : "%u,%u", (unsigned)native->frame, (unsigned)native->module);
    }
    tm_out_text(out, "],\n\"native_modules\":[");
    for (uint32_t i = 0; i < snapshot->module_count; i++) {
        tm_out_text(out, i > 0 ? "," : "");
        tm_json_text(out, tm_module_name_native(snapshot->strings[snapshot->modules[i].path]));
    }
    tm_out_text(out, "]");
}

/* The module of each file that a frame is in. */
static bool write_modules(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    uint8_t *seen = calloc(snapshot->string_count + (size_t)1, 1);
    const char *separator = "";
    tm_out_text(out, ",\n\"modules\":[");
    for (uint32_t i = 1; seen != NULL && i < snapshot->frame_count; i++) {
        uint32_t file = snapshot->frames[i].file;
        if (!seen[file]) {
            seen[file] = 1;
            tm_out_format(out, "%s%u,", separator, (unsigned)file);
            tm_json_text(out, tm_module_name(snapshot->strings[file]));
            separator = ",";
        }
    }
    tm_out_text(out, "]");
    free(seen);
    return seen != NULL;
}

static void write_tracebacks(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    tm_out_text(out, ",\n\"tracebacks\":[");
    for (uint32_t i = 0; i < snapshot->traceback_count; i++) {
        const struct tm_traceback_record *traceback = &snapshot->tracebacks[i];
        tm_out_format(out, i > 0 ? ",%u,%u" : "%u,%u", (unsigned)traceback->parent, (unsigned)traceback->frame);
    }
    tm_out_text(out, "]");
}

static const enum tm_figure figures[] = {TM_FIGURE_LIVE, TM_FIGURE_PEAK_PYTHON, TM_FIGURE_PEAK_HEAP, TM_FIGURE_EVER,
                                         TM_FIGURE_TEMPORARY};

static void write_counters(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    tm_out_text(out, ",\n\"counters\":[");
    for (size_t i = 0; i < snapshot->counter_count; i++) {
        const struct tm_counter_record *c = &snapshot->counters[i];
        tm_out_format(out, i > 0 ? ",%u,%u" : "%u,%u", (unsigned)c->traceback, (unsigned)c->domain);
        for (size_t j = 0; j < TM_COUNT_OF(figures); j++) {
            struct tm_amount amount = tm_figure_amount(c, figures[j]);
            tm_out_format(out, ",%llu,%llu", (unsigned long long)amount.size, (unsigned long long)amount.count);
        }
    }
    tm_out_text(out, "]");
}

static bool write_snapshot(struct tm_out *out, const struct tm_snapshot *snapshot, const char *path)
{
    tm_out_text(out, "{\"facts\":");
    tm_json_snapshot(out, snapshot, path);
    write_strings(out, snapshot);
    write_frames(out, snapshot);
    if (snapshot->native_count > 0) {
        write_natives(out, snapshot);
    }
    bool memory = write_modules(out, snapshot);
    write_tracebacks(out, snapshot);
    write_counters(out, snapshot);
    tm_out_text(out, "}");
    return memory;
}

/* A stream that writes to another one: in JSON a `<` stands inside strings only, where it has an escape. */
static ssize_t write_escaped(void *cookie, const char *bytes, size_t size)
{
    struct tm_out *out = cookie;
    for (size_t done = 0; done < size;) {
        const char *found = memchr(bytes + done, '<', size - done);
        size_t plain = found != NULL ? (size_t)(found - bytes) - done : size - done;
        tm_out_bytes(out, bytes + done, plain);
        tm_out_text(out, found != NULL ? "\\u003c" : "");
        done += plain + (found != NULL);
    }
    return out->error == 0 ? (ssize_t)size : 0;
}

bool tm_page_data(struct tm_out *out, const struct tm_page *page)
{
    struct tm_out escaped = {fopencookie(out, "w", (cookie_io_functions_t){.write = write_escaped}), 0};
    if (escaped.stream == NULL) {
        return false;
    }
    tm_out_text(&escaped, "{\"snapshots\":[\n");
    bool memory = true;
    for (unsigned i = 0; memory && i < page->count; i++) {
        tm_out_text(&escaped, i > 0 ? ",\n" : "");
        memory = write_snapshot(&escaped, page->snapshots[i], page->paths[i]);
    }
    tm_out_text(&escaped, "],\n\"sources\":{");
    memory = memory && (!page->sources || tm_page_sources(&escaped, page));
    tm_out_text(&escaped, "}}\n");
    (void)tm_out_flush(&escaped);
    (void)fclose(escaped.stream);
    return memory;
}
