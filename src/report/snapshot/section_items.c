/* SPDX-License-Identifier: MIT */
/* Raw bytes to arrays of records. */
#include "report/snapshot/load_state.h"

#include "format/decode.h"

/* Decoded one after the other.  ITEM counts from 0; ITEMS is the array of the section's records. */
union previous {
    struct tm_frame_record frame;
    struct tm_traceback_record traceback;
    struct tm_counter_record counter;
    struct tm_native_frame_record native;
    struct tm_block_record block;
};
typedef bool decode_item(struct tm_reader *reader, uint64_t item, union previous *previous, void *items);

/* Facts are looked up one after the other; there are a few dozen of them, and a few hundred size classes. */
#define META_MAX  4096U
#define SIZES_MAX 65536U

/* How a kind of section becomes an array. */
struct section_kind {
    const char *name;
    const char *item;
    decode_item *decode;
    size_t item_size;   /* in memory */
    uint64_t min_bytes; /* in the file */
    unsigned first_id;  /* items before it are zeros and not in the file */
    uint64_t max_items; /* 0: as many as there are ids */
};

static bool decode_meta(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    (void)previous;
    return tm_decode_meta(r, (struct tm_meta_record *)items + item);
}

static bool decode_string(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    (void)previous;
    struct tm_span *string = (struct tm_span *)items + item;
    return tm_decode_string(r, string) && (item > 0 || string->length == 0);
}

static bool decode_frame(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    return tm_decode_frame(r, &previous->frame, (struct tm_frame_record *)items + item + 1);
}

static bool decode_traceback(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    uint32_t id = (uint32_t)item + 1;
    return tm_decode_traceback(r, id, &previous->traceback, (struct tm_traceback_record *)items + id);
}

static bool decode_counter(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    return tm_decode_counter(r, item == 0, &previous->counter, (struct tm_counter_record *)items + item);
}

static bool decode_size_class(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    (void)previous;
    return tm_decode_size_class(r, (struct tm_size_class_record *)items + item);
}

static bool decode_module(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    (void)previous;
    return tm_decode_module(r, (struct tm_module_record *)items + item + 1);
}

static bool decode_native_frame(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    return tm_decode_native_frame(r, &previous->native, (struct tm_native_frame_record *)items + item);
}

static bool decode_block(struct tm_reader *r, uint64_t item, union previous *previous, void *items)
{
    return tm_decode_block(r, item == 0, &previous->block, (struct tm_block_record *)items + item);
}

static const struct section_kind kinds[] = {
    [TM_SECTION_META] = {"META", "item", decode_meta, sizeof(struct tm_meta_record), TM_META_MIN_BYTES, 0, META_MAX},
    [TM_SECTION_STRINGS] = {"STRINGS", "string", decode_string, sizeof(struct tm_span), TM_STRING_MIN_BYTES, 0, 0},
    [TM_SECTION_FRAMES] = {"FRAMES", "frame", decode_frame, sizeof(struct tm_frame_record), TM_FRAME_MIN_BYTES, 1, 0},
    [TM_SECTION_TRACEBACKS] = {"TRACEBACKS", "traceback", decode_traceback, sizeof(struct tm_traceback_record),
                               TM_TRACEBACK_MIN_BYTES, 1, 0},
    [TM_SECTION_COUNTERS] = {"COUNTERS", "counter", decode_counter, sizeof(struct tm_counter_record),
                             TM_COUNTER_MIN_BYTES, 0, 0},
    [TM_SECTION_SIZES] = {"SIZES", "size class", decode_size_class, sizeof(struct tm_size_class_record),
                          TM_SIZE_CLASS_MIN_BYTES, 0, SIZES_MAX},
    [TM_SECTION_MODULES] = {"MODULES", "module", decode_module, sizeof(struct tm_module_record), TM_MODULE_MIN_BYTES, 1,
                            0},
    [TM_SECTION_NATIVE_FRAMES] = {"NATIVE_FRAMES", "machine frame", decode_native_frame,
                                  sizeof(struct tm_native_frame_record), TM_NATIVE_MIN_BYTES, 0, 0},
    [TM_SECTION_BLOCKS] = {"BLOCKS", "block", decode_block, sizeof(struct tm_block_record), TM_BLOCK_MIN_BYTES, 0, 0},
    [TM_SECTION_INHERITED] = {"INHERITED", "counter", decode_counter, sizeof(struct tm_counter_record),
                              TM_COUNTER_MIN_BYTES, 0, 0},
};

static const struct section_kind *kind_of(uint32_t kind)
{
    return kind < TM_COUNT_OF(kinds) && kinds[kind].name != NULL ? &kinds[kind] : NULL;
}

bool tm_load_knows_section(uint32_t kind)
{
    return kind_of(kind) != NULL;
}

const char *tm_load_section_name(uint32_t kind)
{
    return kind_of(kind) != NULL ? kinds[kind].name : "of another kind";
}

static void publish(struct tm_snapshot *snapshot, uint32_t kind, const void *items, uint64_t count)
{
    switch (kind) {
    case TM_SECTION_META:
        snapshot->meta = (const struct tm_meta_record *)items;
        snapshot->meta_count = (size_t)count;
        break;
    case TM_SECTION_STRINGS:
        snapshot->strings = (const struct tm_span *)items;
        snapshot->string_count = (uint32_t)count;
        break;
    case TM_SECTION_FRAMES:
        snapshot->frames = (const struct tm_frame_record *)items;
        snapshot->frame_count = (uint32_t)count;
        break;
    case TM_SECTION_TRACEBACKS:
        snapshot->tracebacks = (const struct tm_traceback_record *)items;
        snapshot->traceback_count = (uint32_t)count;
        break;
    case TM_SECTION_COUNTERS:
        snapshot->counters = (const struct tm_counter_record *)items;
        snapshot->counter_count = (size_t)count;
        break;
    case TM_SECTION_INHERITED:
        snapshot->inherited = (const struct tm_counter_record *)items;
        snapshot->inherited_count = (size_t)count;
        break;
    case TM_SECTION_MODULES:
        snapshot->modules = (const struct tm_module_record *)items;
        snapshot->module_count = (uint32_t)count;
        break;
    case TM_SECTION_NATIVE_FRAMES:
        snapshot->natives = (const struct tm_native_frame_record *)items;
        snapshot->native_count = (uint32_t)count;
        break;
    case TM_SECTION_BLOCKS:
        snapshot->blocks = (const struct tm_block_record *)items;
        snapshot->block_count = (size_t)count;
        snapshot->has_blocks = true;
        break;
    default:
        snapshot->sizes = (const struct tm_size_class_record *)items;
        snapshot->size_count = (size_t)count;
        break;
    }
}

enum tm_status tm_load_items(struct tm_load *load, const struct tm_section *section, const uint8_t *raw)
{
    const struct section_kind *kind = kind_of(section->kind);
    uint64_t max_items = kind->max_items > 0 ? kind->max_items : UINT32_MAX - 1;
    if (section->count > section->raw_size / kind->min_bytes || section->count > max_items) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s: %llu items do not fit into it",
                            kind->name, (unsigned long long)section->count);
    }
    void *items = NULL;
    enum tm_status status =
        tm_load_allocate(load, section->count + kind->first_id, kind->item_size, section->offset, &items);
    if (status != TM_STATUS_OK) {
        return status;
    }
    struct tm_reader reader = tm_reader_make(raw, (size_t)section->raw_size);
    union previous previous = {.counter = {0}};
    for (uint64_t item = 0; item < section->count; item++) {
        if (!kind->decode(&reader, item, &previous, items)) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s: %s %llu cannot be read",
                                kind->name, kind->item, (unsigned long long)(item + kind->first_id));
        }
    }
    if (tm_reader_left(&reader) > 0) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s: %zu bytes after its last %s",
                            kind->name, tm_reader_left(&reader), kind->item);
    }
    publish(load->snapshot, section->kind, items, section->count + kind->first_id);
    return TM_STATUS_OK;
}
