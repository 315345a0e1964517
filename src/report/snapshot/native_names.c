/* SPDX-License-Identifier: MIT */
/* Machine frames of a file become frames like others, with names: "libfoo.so+0x1234" where there is none yet. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/snapshot/load_state.h"

#define ADDRESS_MAX 20U /* "+0x", 16 digits, and a zero byte */

static struct tm_span base_name(struct tm_span path)
{
    struct tm_span name = path;
    for (size_t i = 0; i < path.length; i++) {
        if (path.bytes[i] == '/') {
            name = (struct tm_span){path.bytes + i + 1, path.length - i - 1};
        }
    }
    return name;
}

static struct tm_span module_name(const struct tm_snapshot *snapshot, const struct tm_native_frame_record *native)
{
    return base_name(snapshot->strings[snapshot->modules[native->module].path]);
}

static bool is_unnamed(const struct tm_snapshot *snapshot, const struct tm_native_frame_record *native)
{
    return snapshot->strings[snapshot->frames[native->frame].function].length == 0;
}

/* Writes the names of all that have none to TEXT, one behind the other, and appends them to STRINGS. */
static void name_frames(struct tm_snapshot *snapshot, struct tm_frame_record *frames, struct tm_span *strings,
                        uint32_t string_count, char *text)
{
    for (uint32_t i = 0; i < snapshot->native_count; i++) {
        const struct tm_native_frame_record *native = &snapshot->natives[i];
        frames[native->frame].native = i + 1;
        if (is_unnamed(snapshot, native)) {
            struct tm_span module = module_name(snapshot, native);
            memcpy(text, module.bytes, module.length);
            int length = snprintf(text + module.length, ADDRESS_MAX, "+0x%" PRIx64, native->address);
            strings[string_count] = (struct tm_span){(const uint8_t *)text, module.length + (size_t)length};
            text += module.length + (size_t)length;
            frames[native->frame].function = string_count++;
        }
    }
    snapshot->made_strings = snapshot->string_count;
    snapshot->strings = strings;
    snapshot->string_count = string_count;
}

enum tm_status tm_load_native_frames(struct tm_load *load)
{
    struct tm_snapshot *snapshot = load->snapshot;
    uint64_t offset = load->offsets[TM_SECTION_NATIVE_FRAMES];
    uint64_t unnamed = 0, bytes = 0;
    void *frames, *strings, *text;
    for (uint32_t i = 0; i < snapshot->native_count; i++) {
        if (is_unnamed(snapshot, &snapshot->natives[i])) {
            unnamed++;
            bytes += module_name(snapshot, &snapshot->natives[i]).length + ADDRESS_MAX;
        }
    }
    if (unnamed > UINT32_MAX - snapshot->string_count) {
        return tm_load_fail(load, TM_STATUS_TOO_LARGE, offset, "more names than there can be");
    }
    enum tm_status status =
        tm_load_allocate(load, snapshot->frame_count, sizeof(struct tm_frame_record), offset, &frames);
    if (status == TM_STATUS_OK) {
        status = tm_load_allocate(load, snapshot->string_count + unnamed, sizeof(struct tm_span), offset, &strings);
    }
    if (status == TM_STATUS_OK) {
        status = tm_load_allocate(load, bytes, 1, offset, &text);
    }
    if (status != TM_STATUS_OK) {
        return status;
    }
    memcpy(frames, snapshot->frames, snapshot->frame_count * sizeof(struct tm_frame_record));
    memcpy(strings, snapshot->strings, snapshot->string_count * sizeof(struct tm_span));
    name_frames(snapshot, frames, strings, snapshot->string_count, text);
    snapshot->frames = frames;
    return TM_STATUS_OK;
}
