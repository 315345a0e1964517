/* SPDX-License-Identifier: MIT */
/* The sections, raw and one behind the other, in passes over what was selected. */
#include <string.h>

#include "store/snapshot_encoding.h"

#define ALWAYS 6U /* sections that every snapshot has */

static void encode_string(struct tm_encoding *encoding, uint32_t id)
{
    const uint8_t *at = encoding->view->sections[TM_STORE_STRINGS] + (uint64_t)id * 4;
    uint32_t length;
    memcpy(&length, at, sizeof length);
    tm_encode_string(&encoding->raw, at + sizeof length, length);
    encoding->items++;
}

/* The empty string is number 0, whether a store has it or not. */
static void encode_strings(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    for (uint32_t id = from; id < to; id++) {
        if (id == 0) {
            tm_encode_string(&encoding->raw, "", 0);
            encoding->items++;
        } else if (encoding->selection.strings[id] != 0) {
            encode_string(encoding, id);
        }
    }
}

/* A machine frame has nothing but its object's path for a name. */
static void encode_frame(struct tm_encoding *encoding, const struct tm_stored_frame *frames, uint32_t id)
{
    const struct tm_selection *selection = &encoding->selection;
    struct tm_frame_record next = {.file = frames[id].file};
    if (tm_frame_is_native(&frames[id])) {
        next.file = selection->strings[frames[frames[id].file].file];
    } else {
        next.file = selection->strings[frames[id].file];
        next.function = selection->strings[frames[id].function];
        next.line = frames[id].line;
    }
    tm_encode_frame(&encoding->raw, &encoding->previous_frame, &next);
    encoding->items++;
}

static const struct tm_stored_frame *frames_of(const struct tm_encoding *encoding)
{
    return (const void *)encoding->view->sections[TM_STORE_FRAMES];
}

static void encode_frames(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    const struct tm_stored_frame *frames = frames_of(encoding);
    for (uint32_t id = from + (from == 0); id < to; id++) {
        if (encoding->selection.frames[id] != 0 && !tm_frame_is_module(&frames[id])) {
            encode_frame(encoding, frames, id);
        }
    }
}

static void encode_modules(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    const struct tm_stored_frame *frames = frames_of(encoding);
    for (uint32_t id = from + (from == 0); id < to; id++) {
        if (encoding->selection.frames[id] != 0 && tm_frame_is_module(&frames[id])) {
            const uint8_t *build_id =
                encoding->view->sections[TM_STORE_STRINGS] + (uint64_t)(frames[id].function & ~TM_FRAME_MODULE) * 4;
            uint32_t length;
            memcpy(&length, build_id, sizeof length);
            const struct tm_module_record next = {encoding->selection.strings[frames[id].file],
                                                  {build_id + sizeof length, length}};
            tm_encode_module(&encoding->raw, &next);
            encoding->items++;
        }
    }
}

static void encode_native_frames(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    const struct tm_selection *selection = &encoding->selection;
    const struct tm_stored_frame *frames = frames_of(encoding);
    for (uint32_t id = from + (from == 0); id < to; id++) {
        if (selection->frames[id] != 0 && tm_frame_is_native(&frames[id])) {
            const struct tm_native_frame_record next = {selection->frames[id], selection->frames[frames[id].file],
                                                        frames[id].line};
            tm_encode_native_frame(&encoding->raw, &encoding->previous_native, &next);
            encoding->items++;
        }
    }
}

static void encode_tracebacks(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    const struct tm_selection *selection = &encoding->selection;
    const struct tm_stored_traceback *items = (const void *)encoding->view->sections[TM_STORE_TRACEBACKS];
    for (uint32_t id = from + (from == 0); id < to; id++) {
        if (selection->tracebacks[id] != 0) {
            const struct tm_traceback_record next = {selection->tracebacks[items[id].parent],
                                                     selection->frames[items[id].frame]};
            tm_encode_traceback(&encoding->raw, selection->tracebacks[id], &encoding->previous_traceback, &next);
            encoding->items++;
        }
    }
}

static void encode_inherited(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    (void)from;
    (void)to;
    tm_write_bytes(&encoding->raw, encoding->inherited.start, tm_writer_length(&encoding->inherited));
    encoding->items = encoding->inherited_count;
}

static void encode_counter(struct tm_encoding *encoding, uint32_t traceback, struct tm_counter_record *counter)
{
    counter->traceback = traceback;
    encoding->live_bytes[counter->domain] += counter->live_bytes;
    encoding->live_blocks[counter->domain] += counter->live_blocks;
    tm_encode_counter(&encoding->raw, &encoding->previous_counter, counter);
    encoding->items++;
}

static void encode_inherited_counter(struct tm_encoding *encoding, uint32_t traceback,
                                     struct tm_counter_record *counter)
{
    counter->traceback = traceback;
    if (counter->ever_blocks != 0 || counter->live_blocks != 0) {
        tm_encode_counter(&encoding->inherited, &encoding->previous_inherited, counter);
        encoding->inherited_count++;
    }
}

static void encode_each(struct tm_encoding *encoding, uint32_t traceback, struct tm_counters *counters,
                        void (*encode)(struct tm_encoding *, uint32_t, struct tm_counter_record *))
{
    for (uint32_t left = counters->domains; left != 0; left &= left - 1) {
        encode(encoding, traceback, &counters->of[__builtin_ctz(left)]);
    }
}

/* The empty traceback, number 0, may have blocks. */
static void encode_counters(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    const struct tm_selection *selection = &encoding->selection;
    struct tm_counters counters, inherited;
    for (uint32_t id = from; id < to; id++) {
        if (selection->first_record[id] != 0) {
            tm_selection_counters(selection, id, &counters, &inherited, &encoding->sizes);
            encode_each(encoding, selection->tracebacks[id], &counters, encode_counter);
            encode_each(encoding, selection->tracebacks[id], &inherited, encode_inherited_counter);
        }
    }
}

/* What encode_counters added up. */
static void encode_sizes(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    (void)from;
    (void)to;
    for (unsigned domain = 0; domain < TM_DOMAIN_COUNT; domain++) {
        for (unsigned class = 0; class < TM_SIZE_CLASSES; class ++) {
            const struct tm_size_class_record item = {
                .domain = (uint8_t)domain,
                .bound = class == TM_SIZE_CLASSES - 1 ? UINT64_MAX : class * TM_SIZE_STEP,
                .live_blocks = encoding->sizes.classes[domain][class].live_blocks,
                .ever_blocks = encoding->sizes.classes[domain][class].ever_blocks,
            };
            if (item.ever_blocks != 0 || item.live_blocks != 0) {
                tm_encode_size_class(&encoding->raw, &item);
                encoding->items++;
            }
        }
    }
}

static void encode_meta(struct tm_encoding *encoding, uint32_t from, uint32_t to)
{
    (void)from;
    (void)to;
    tm_snapshot_meta_encode(encoding);
}

/* Passes in the order of the sections; counters first, because the totals of the words come from there. */
static const struct pass {
    uint32_t kind;
    uint32_t needs; /* what must be there, or 0 */
    uint32_t over;  /* the section of the store that it goes over; TM_STORE_SECTIONS: one item */
    void (*encode)(struct tm_encoding *encoding, uint32_t from, uint32_t to);
} passes[] = {
#define NATIVE    1U
#define INHERITED 2U
    {TM_SECTION_COUNTERS, 0, TM_STORE_TRACEBACKS, encode_counters},
    {TM_SECTION_SIZES, 0, TM_STORE_SECTIONS, encode_sizes},
    {TM_SECTION_META, 0, TM_STORE_SECTIONS, encode_meta},
    {TM_SECTION_STRINGS, 0, TM_STORE_STRINGS, encode_strings},
    {TM_SECTION_FRAMES, 0, TM_STORE_FRAMES, encode_frames},
    {TM_SECTION_TRACEBACKS, 0, TM_STORE_TRACEBACKS, encode_tracebacks},
    {TM_SECTION_MODULES, NATIVE, TM_STORE_FRAMES, encode_modules},
    {TM_SECTION_NATIVE_FRAMES, NATIVE, TM_STORE_FRAMES, encode_native_frames},
    {TM_SECTION_INHERITED, INHERITED, TM_STORE_SECTIONS, encode_inherited},
};

static uint64_t counters_bound(const struct tm_encoding *encoding)
{
    return ((uint64_t)encoding->selection.traceback_count + 1) * TM_DOMAIN_COUNT * TM_COUNTER_MAX_BYTES;
}

static bool is_forked(const struct tm_encoding *encoding)
{
    return encoding->view->header->fork_epoch != 0;
}

/* The most bytes that all sections can take before compression. */
static size_t raw_bound(const struct tm_encoding *encoding)
{
    const struct tm_selection *selection = &encoding->selection;
    uint64_t size = tm_snapshot_meta_bound(encoding);
    size += selection->string_bytes + (uint64_t)selection->string_count * TM_STRING_MAX_BYTES;
    size += (uint64_t)selection->frame_count * TM_FRAME_MAX_BYTES;
    size += (uint64_t)selection->module_count * TM_MODULE_MAX_BYTES + selection->build_id_bytes;
    size += (uint64_t)selection->native_count * TM_NATIVE_MAX_BYTES;
    size += (uint64_t)selection->traceback_count * TM_TRACEBACK_MAX_BYTES;
    size += counters_bound(encoding) + encoding->inherited_bound;
    size += TM_DOMAIN_COUNT * TM_SIZE_CLASSES * TM_SIZE_CLASS_MAX_BYTES;
    return (size_t)size;
}

/* The section that is not among the bytes. */
static enum tm_encode_result write_blocks(struct tm_encoding *encoding)
{
    struct tm_encode_blocks *blocks = encoding->blocks;
    unsigned others = ALWAYS + (encoding->selection.native_count > 0 ? 2U : 0U) + (is_forked(encoding) ? 1U : 0U);
    struct tm_section *section = &encoding->sections[encoding->section_count++];
    encoding->traffic = tm_selection_traffic(&encoding->selection);
    blocks->offset = tm_format_head_size(others + 1);
    enum tm_encode_result result =
        blocks->write(blocks->context, &encoding->selection, blocks->offset, section, &encoding->blocks_left_out);
    section->offset = blocks->offset;
    blocks->size = section->stored_size;
    return result;
}

static enum tm_encode_result get_room(struct tm_encoding *encoding)
{
    const struct tm_encode_memory *memory = encoding->memory;
    if (encoding->selection.string_bytes > encoding->view->lengths[TM_STORE_STRINGS]) {
        return TM_ENCODE_FAILED; /* a damaged store whose strings overlap: each would be written in full */
    }
    encoding->inherited_bound = is_forked(encoding) ? (size_t)counters_bound(encoding) : 0;
    encoding->raw_bound = raw_bound(encoding);
    void *raw = memory->get(encoding->raw_bound);
    if (raw == NULL) {
        return TM_ENCODE_NO_MEMORY;
    }
    encoding->raw = tm_writer_make(raw, encoding->raw_bound);
    if (encoding->inherited_bound != 0) {
        void *inherited = memory->get(encoding->inherited_bound);
        if (inherited == NULL) {
            return TM_ENCODE_NO_MEMORY;
        }
        encoding->inherited = tm_writer_make(inherited, encoding->inherited_bound);
    }
    return TM_ENCODE_DONE;
}

void tm_snapshot_sections_begin(struct tm_encoding *encoding)
{
    encoding->result = get_room(encoding);
    if (encoding->result == TM_ENCODE_DONE && encoding->blocks != NULL) {
        encoding->result = write_blocks(encoding);
    }
}

static bool is_wanted(const struct tm_encoding *encoding, const struct pass *pass)
{
    return pass->needs == 0 ||
           (pass->needs == NATIVE ? encoding->selection.native_count > 0 : encoding->inherited_bound != 0);
}

static void begin_section(struct tm_encoding *encoding, uint32_t kind)
{
    encoding->starts[encoding->section_count] = tm_writer_length(&encoding->raw);
    encoding->sections[encoding->section_count] = (struct tm_section){.kind = kind};
    encoding->items = 0;
}

static void end_section(struct tm_encoding *encoding)
{
    struct tm_section *section = &encoding->sections[encoding->section_count];
    section->count = encoding->items;
    section->raw_size = tm_writer_length(&encoding->raw) - encoding->starts[encoding->section_count];
    encoding->section_count++;
}

/* What has no items is gone over all the same: there may be an item that the store does not list. */
static uint32_t items_of(const struct tm_encoding *encoding, const struct pass *pass)
{
    uint32_t count =
        pass->over == TM_STORE_SECTIONS ? 1 : tm_store_view_count(encoding->view, (enum tm_section_name)pass->over);
    return count == 0 ? 1 : count;
}

bool tm_snapshot_sections_step(struct tm_encoding *encoding, uint32_t most)
{
    while (encoding->pass < TM_COUNT_OF(passes) && !is_wanted(encoding, &passes[encoding->pass])) {
        encoding->pass++;
    }
    if (encoding->pass == TM_COUNT_OF(passes)) {
        return false;
    }
    const struct pass *pass = &passes[encoding->pass];
    uint32_t count = items_of(encoding, pass), left = count - encoding->done;
    if (encoding->done == 0) {
        begin_section(encoding, pass->kind);
    }
    uint32_t to = encoding->done + (left < most ? left : most);
    pass->encode(encoding, encoding->done, to);
    encoding->done = to;
    if (to == count) {
        end_section(encoding);
        encoding->pass++;
        encoding->done = 0;
    }
    if (encoding->raw.overflow || encoding->inherited.overflow) {
        encoding->result = TM_ENCODE_FAILED;
    }
    return true;
}

void tm_snapshot_sections_free(struct tm_encoding *encoding)
{
    if (encoding->raw.start != NULL) {
        encoding->memory->release(encoding->raw.start, encoding->raw_bound);
    }
    if (encoding->inherited.start != NULL) {
        encoding->memory->release(encoding->inherited.start, encoding->inherited_bound);
    }
}
