/* SPDX-License-Identifier: MIT */
#include "store/snapshot_encode.h"

#include <string.h>

#include "base/crc32c.h"
#include "format/encode.h"
#include "store/section_compress.h"
#include "store/snapshot_select.h"

#define SECTIONS 10U
#define ALWAYS   6U /* sections of those that every snapshot has */

struct encoder {
    const struct tm_store_view *view;
    const struct tm_encode_fact *facts;
    unsigned fact_count;
    struct tm_selection selection;
    struct tm_writer raw; /* all sections, one behind the other */
    struct tm_writer
        inherited; /* of a forked child: a section made beside that of the counters, of the same look at them */
    uint64_t inherited_count;
    struct tm_section sections[SECTIONS];
    size_t starts[SECTIONS]; /* in raw */
    unsigned section_count;
    uint64_t live_bytes[TM_DOMAIN_COUNT];
    uint64_t live_blocks[TM_DOMAIN_COUNT];
    struct tm_encode_blocks *blocks; /* NULL: none are wanted.  Otherwise they are the first section */
    uint64_t blocks_left_out;
    uint64_t traffic; /* when the blocks began */
    struct tm_size_sums sizes;
};

static void begin_section(struct encoder *encoder, uint32_t kind)
{
    encoder->starts[encoder->section_count] = tm_writer_length(&encoder->raw);
    encoder->sections[encoder->section_count] = (struct tm_section){.kind = kind};
}

static void end_section(struct encoder *encoder, uint64_t items)
{
    struct tm_section *section = &encoder->sections[encoder->section_count];
    section->count = items;
    section->raw_size = tm_writer_length(&encoder->raw) - encoder->starts[encoder->section_count];
    encoder->section_count++;
}

/* A word of the header that a later word or a fact replaces is left out. */
static bool is_replaced(const struct encoder *encoder, const struct tm_store_word *word, uint32_t after)
{
    struct tm_store_word later;
    for (unsigned i = 0; i < encoder->fact_count; i++) {
        const char *key = encoder->facts[i].key;
        if (strlen(key) == word->key_length && memcmp(key, word->key, word->key_length) == 0) {
            return true;
        }
    }
    while (tm_store_view_word(encoder->view, &after, &later)) {
        if (later.key_length == word->key_length && memcmp(later.key, word->key, word->key_length) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t encode_words(struct encoder *encoder)
{
    struct tm_store_word word;
    uint32_t cursor = 0;
    uint64_t items = 0;
    char key[256];
    while (tm_store_view_word(encoder->view, &cursor, &word)) {
        if (!is_replaced(encoder, &word, cursor)) {
            memcpy(key, word.key, word.key_length);
            key[word.key_length] = '\0';
            tm_encode_meta_bytes(&encoder->raw, key, word.value, word.value_length);
            items++;
        }
    }
    return items;
}

static uint64_t encode_facts(struct encoder *encoder)
{
    for (unsigned i = 0; i < encoder->fact_count; i++) {
        const struct tm_encode_fact *fact = &encoder->facts[i];
        if (fact->text != NULL) {
            tm_encode_meta_bytes(&encoder->raw, fact->key, fact->text, fact->length);
        } else {
            tm_encode_meta_u64(&encoder->raw, fact->key, fact->number);
        }
    }
    return encoder->fact_count;
}

static uint64_t encode_block_facts(struct encoder *encoder)
{
    if (encoder->blocks == NULL) {
        return 0;
    }
    uint64_t before = encoder->traffic, now = tm_selection_traffic(&encoder->selection);
    /* It falls where estimates are rounded, and where records are given back. */
    tm_encode_meta_u64(&encoder->raw, "blocks_skew", now > before ? now - before : before - now);
    tm_encode_meta_u64(&encoder->raw, "blocks_left_out", encoder->blocks_left_out);
    return 2;
}

/* What the header has texts for. */
static uint64_t encode_said(struct encoder *encoder)
{
    const struct tm_store_header *header = encoder->view->header;
    uint64_t how = atomic_load_explicit(&header->recycled, memory_order_relaxed);
    uint64_t failed = atomic_load_explicit(&header->failed_calls, memory_order_acquire);
    if (how != 0) {
        tm_encode_meta_bytes(&encoder->raw, "recycled", &how, strnlen((const char *)&how, sizeof how));
    }
    if (failed != 0) {
        const char *name = header->failed_call;
        tm_encode_meta_u64(&encoder->raw, "failed_calls", failed);
        tm_encode_meta_bytes(&encoder->raw, "failed_call", name, strnlen(name, sizeof header->failed_call));
        tm_encode_meta_u64(&encoder->raw, "failed_call_errno", header->failed_call_errno);
    }
    return (how != 0) + (failed != 0 ? 3U : 0U);
}

static uint64_t encode_totals(struct encoder *encoder)
{
    const struct tm_store_header *header = encoder->view->header;
    const struct tm_totals *totals = &header->totals;
    uint64_t python, heap;
    tm_store_traced(header, &python, &heap);
    uint64_t python_peak = totals->python_peak;
    uint64_t heap_peak = totals->heap_peak;
    const struct {
        const char *key;
        uint64_t value;
    } figures[] = {
        {"pid", header->pid},
        {"parent_pid", header->parent_pid},
        {"uid", header->uid},
        {"start_time_ns", header->start_time_ns},
        {"traceback_limit", header->traceback_limit},
        {"python_hex", header->python_hex},
        {"python_current", python},
        {"python_peak", (int64_t)(python - python_peak) > 0 ? python : python_peak},
        {"heap_current", heap},
        {"heap_peak", (int64_t)(heap - heap_peak) > 0 ? heap : heap_peak},
        {"peak_bound", tm_store_peak_bound(header)},
        {"epoch", header->epoch},
        {"stdlib_tracing", header->stdlib_tracing},
        {"hook_losses", header->hook_losses},
        {"dropped_events", header->dropped_events},
        {"recycled_moves", header->recycled_moves},
        {"live_small_bytes", encoder->sizes.live_small_bytes},
        {"live_bytes_raw", encoder->live_bytes[TM_DOMAIN_RAW]},
        {"live_blocks_raw", encoder->live_blocks[TM_DOMAIN_RAW]},
        {"live_bytes_mem", encoder->live_bytes[TM_DOMAIN_MEM]},
        {"live_blocks_mem", encoder->live_blocks[TM_DOMAIN_MEM]},
        {"live_bytes_obj", encoder->live_bytes[TM_DOMAIN_OBJ]},
        {"live_blocks_obj", encoder->live_blocks[TM_DOMAIN_OBJ]},
        {"live_bytes_native", encoder->live_bytes[TM_DOMAIN_NATIVE]},
        {"live_blocks_native", encoder->live_blocks[TM_DOMAIN_NATIVE]},
        {"live_bytes_mmap", encoder->live_bytes[TM_DOMAIN_MMAP]},
        {"live_blocks_mmap", encoder->live_blocks[TM_DOMAIN_MMAP]},
    };
    for (unsigned i = 0; i < TM_COUNT_OF(figures); i++) {
        tm_encode_meta_u64(&encoder->raw, figures[i].key, figures[i].value);
    }
    uint64_t rate = atomic_load_explicit(&header->sample_rate, memory_order_relaxed);
    if (rate != 0) {
        tm_encode_meta_u64(&encoder->raw, "sample_rate", rate);
    }
    if (header->native_unmerged != 0) {
        tm_encode_meta_u64(&encoder->raw, "native_unmerged", header->native_unmerged);
    }
    if (header->aged_records != 0) {
        tm_encode_meta_u64(&encoder->raw, "aged_records", header->aged_records);
    }
    if (header->merged_events != 0) {
        tm_encode_meta_u64(&encoder->raw, "merged_events", header->merged_events);
    }
    if (header->fork_epoch != 0) {
        tm_encode_meta_u64(&encoder->raw, "forked_from", header->forked_from);
        tm_encode_meta_u64(&encoder->raw, "fork_time_ns", header->fork_time_ns);
    }
    return encode_said(encoder) + TM_COUNT_OF(figures) + (rate != 0) + (header->merged_events != 0) +
           (header->aged_records != 0) + (header->native_unmerged != 0) + (header->fork_epoch != 0 ? 2U : 0U);
}

static void encode_meta(struct encoder *encoder)
{
    begin_section(encoder, TM_SECTION_META);
    uint64_t items = encode_words(encoder);
    items += encode_facts(encoder);
    items += encode_totals(encoder);
    items += encode_block_facts(encoder);
    end_section(encoder, items);
}

static void encode_strings(struct encoder *encoder)
{
    const struct tm_store_view *view = encoder->view;
    begin_section(encoder, TM_SECTION_STRINGS);
    tm_encode_string(&encoder->raw, "", 0);
    uint32_t count = tm_store_view_count(view, TM_STORE_STRINGS);
    for (uint32_t id = 1; id < count; id++) {
        if (encoder->selection.strings[id] != 0) {
            const uint8_t *at = view->sections[TM_STORE_STRINGS] + (uint64_t)id * 4;
            uint32_t length;
            memcpy(&length, at, sizeof length);
            tm_encode_string(&encoder->raw, at + sizeof length, length);
        }
    }
    end_section(encoder, encoder->selection.string_count);
}

/* A machine frame has nothing but its object's path for a name. */
static void encode_frame(struct encoder *encoder, const struct tm_stored_frame *frames, uint32_t id,
                         struct tm_frame_record *previous)
{
    const struct tm_selection *selection = &encoder->selection;
    struct tm_frame_record next = {.file = frames[id].file};
    if (tm_frame_is_native(&frames[id])) {
        next.file = selection->strings[frames[frames[id].file].file];
    } else {
        next.file = selection->strings[frames[id].file];
        next.function = selection->strings[frames[id].function];
        next.line = frames[id].line;
    }
    tm_encode_frame(&encoder->raw, previous, &next);
}

static void encode_frames(struct encoder *encoder)
{
    const struct tm_store_view *view = encoder->view;
    const struct tm_selection *selection = &encoder->selection;
    const struct tm_stored_frame *frames = (const void *)view->sections[TM_STORE_FRAMES];
    struct tm_frame_record previous = {.line = 0};
    begin_section(encoder, TM_SECTION_FRAMES);
    uint32_t count = tm_store_view_count(view, TM_STORE_FRAMES);
    for (uint32_t id = 1; id < count; id++) {
        if (selection->frames[id] != 0 && !tm_frame_is_module(&frames[id])) {
            encode_frame(encoder, frames, id, &previous);
        }
    }
    end_section(encoder, selection->frame_count);
}

static void encode_modules(struct encoder *encoder)
{
    const struct tm_store_view *view = encoder->view;
    const struct tm_selection *selection = &encoder->selection;
    const struct tm_stored_frame *frames = (const void *)view->sections[TM_STORE_FRAMES];
    begin_section(encoder, TM_SECTION_MODULES);
    uint32_t count = tm_store_view_count(view, TM_STORE_FRAMES);
    for (uint32_t id = 1; id < count; id++) {
        if (selection->frames[id] != 0 && tm_frame_is_module(&frames[id])) {
            const uint8_t *build_id =
                view->sections[TM_STORE_STRINGS] + (uint64_t)(frames[id].function & ~TM_FRAME_MODULE) * 4;
            uint32_t length;
            memcpy(&length, build_id, sizeof length);
            const struct tm_module_record next = {selection->strings[frames[id].file],
                                                  {build_id + sizeof length, length}};
            tm_encode_module(&encoder->raw, &next);
        }
    }
    end_section(encoder, selection->module_count);
}

static void encode_native_frames(struct encoder *encoder)
{
    const struct tm_selection *selection = &encoder->selection;
    const struct tm_stored_frame *frames = (const void *)encoder->view->sections[TM_STORE_FRAMES];
    struct tm_native_frame_record previous = {0, 0, 0};
    begin_section(encoder, TM_SECTION_NATIVE_FRAMES);
    uint32_t count = tm_store_view_count(encoder->view, TM_STORE_FRAMES);
    for (uint32_t id = 1; id < count; id++) {
        if (selection->frames[id] != 0 && tm_frame_is_native(&frames[id])) {
            const struct tm_native_frame_record next = {selection->frames[id], selection->frames[frames[id].file],
                                                        frames[id].line};
            tm_encode_native_frame(&encoder->raw, &previous, &next);
        }
    }
    end_section(encoder, selection->native_count);
}

static void encode_tracebacks(struct encoder *encoder)
{
    const struct tm_store_view *view = encoder->view;
    const struct tm_selection *selection = &encoder->selection;
    const struct tm_stored_traceback *items = (const void *)view->sections[TM_STORE_TRACEBACKS];
    struct tm_traceback_record previous = {0, 0};
    begin_section(encoder, TM_SECTION_TRACEBACKS);
    uint32_t count = tm_store_view_count(view, TM_STORE_TRACEBACKS);
    for (uint32_t id = 1; id < count; id++) {
        if (selection->tracebacks[id] != 0) {
            const struct tm_traceback_record next = {selection->tracebacks[items[id].parent],
                                                     selection->frames[items[id].frame]};
            tm_encode_traceback(&encoder->raw, selection->tracebacks[id], &previous, &next);
        }
    }
    end_section(encoder, selection->traceback_count);
}

static void encode_inherited(struct encoder *encoder)
{
    begin_section(encoder, TM_SECTION_INHERITED);
    tm_write_bytes(&encoder->raw, encoder->inherited.start, tm_writer_length(&encoder->inherited));
    end_section(encoder, encoder->inherited_count);
}

static void encode_counters(struct encoder *encoder)
{
    const struct tm_selection *selection = &encoder->selection;
    struct tm_counter_record previous = {0}, previous_inherited = {0};
    struct tm_counter_record next, inherited;
    uint64_t items = 0;
    uint32_t count = tm_store_view_count(encoder->view, TM_STORE_TRACEBACKS);
    begin_section(encoder, TM_SECTION_COUNTERS);
    for (uint32_t id = 0; id < count + (count == 0); id++) {
        uint32_t domains = tm_selection_domains(selection, id);
        for (uint8_t domain = 0; domains >> domain != 0; domain++) {
            if ((domains >> domain & 1) != 0 &&
                tm_selection_counter(selection, id, domain, &next, &inherited, &encoder->sizes)) {
                next.traceback = inherited.traceback = selection->tracebacks[id];
                encoder->live_bytes[domain] += next.live_bytes;
                encoder->live_blocks[domain] += next.live_blocks;
                tm_encode_counter(&encoder->raw, &previous, &next);
                items++;
                if (inherited.ever_blocks != 0 || inherited.live_blocks != 0) {
                    tm_encode_counter(&encoder->inherited, &previous_inherited, &inherited);
                    encoder->inherited_count++;
                }
            }
        }
    }
    end_section(encoder, items);
}

/* What encode_counters added up. */
static void encode_sizes(struct encoder *encoder)
{
    uint64_t items = 0;
    begin_section(encoder, TM_SECTION_SIZES);
    for (unsigned domain = 0; domain < TM_DOMAIN_COUNT; domain++) {
        for (unsigned class = 0; class < TM_SIZE_CLASSES; class ++) {
            const struct tm_size_class_record item = {
                .domain = (uint8_t)domain,
                .bound = class == TM_SIZE_CLASSES - 1 ? UINT64_MAX : class * TM_SIZE_STEP,
                .live_blocks = encoder->sizes.classes[domain][class].live_blocks,
                .ever_blocks = encoder->sizes.classes[domain][class].ever_blocks,
            };
            if (item.ever_blocks != 0 || item.live_blocks != 0) {
                tm_encode_size_class(&encoder->raw, &item);
                items++;
            }
        }
    }
    end_section(encoder, items);
}

static uint64_t counters_bound(const struct encoder *encoder)
{
    return ((uint64_t)encoder->selection.traceback_count + 1) * TM_DOMAIN_COUNT * TM_COUNTER_MAX_BYTES;
}

/* 0 in a process that was not forked. */
static size_t inherited_bound(const struct encoder *encoder)
{
    return encoder->view->header->fork_epoch != 0 ? (size_t)counters_bound(encoder) : 0;
}

/* The most bytes that all sections can take before compression. */
static size_t raw_bound(const struct encoder *encoder)
{
    const struct tm_selection *selection = &encoder->selection;
    uint64_t size = 4096U + 2U * TM_STORE_META_CAPACITY;
    for (unsigned i = 0; i < encoder->fact_count; i++) {
        size += TM_META_MAX_BYTES + strlen(encoder->facts[i].key) + encoder->facts[i].length;
    }
    size += selection->string_bytes + (uint64_t)selection->string_count * TM_STRING_MAX_BYTES;
    size += (uint64_t)selection->frame_count * TM_FRAME_MAX_BYTES;
    size += (uint64_t)selection->module_count * TM_MODULE_MAX_BYTES + selection->build_id_bytes;
    size += (uint64_t)selection->native_count * TM_NATIVE_MAX_BYTES;
    size += (uint64_t)selection->traceback_count * TM_TRACEBACK_MAX_BYTES;
    size += counters_bound(encoder) + inherited_bound(encoder);
    size += TM_DOMAIN_COUNT * TM_SIZE_CLASSES * TM_SIZE_CLASS_MAX_BYTES;
    return (size_t)size;
}

/* The section that is not among the bytes. */
static enum tm_encode_result write_blocks(struct encoder *encoder)
{
    struct tm_encode_blocks *blocks = encoder->blocks;
    unsigned others =
        ALWAYS + (encoder->selection.native_count > 0 ? 2U : 0U) + (inherited_bound(encoder) != 0 ? 1U : 0U);
    struct tm_section *section = &encoder->sections[encoder->section_count++];
    encoder->traffic = tm_selection_traffic(&encoder->selection);
    blocks->offset = tm_format_head_size(others + 1);
    enum tm_encode_result result =
        blocks->write(blocks->context, &encoder->selection, blocks->offset, section, &encoder->blocks_left_out);
    section->offset = blocks->offset;
    blocks->size = section->stored_size;
    return result;
}

/* Head, directory and compressed sections into BYTES. */
static enum tm_encode_result assemble(struct encoder *encoder, struct tm_compressor *compressor, uint8_t *bytes,
                                      size_t capacity, size_t *size)
{
    size_t at = tm_format_head_size(encoder->section_count);
    const uint64_t between = encoder->blocks == NULL ? 0 : encoder->blocks->size;
    for (unsigned i = encoder->blocks == NULL ? 0 : 1; i < encoder->section_count; i++) {
        struct tm_section *section = &encoder->sections[i];
        const uint8_t *raw = encoder->raw.start + encoder->starts[i];
        section->offset = at + between;
        section->codec = TM_CODEC_ZSTD;
        section->stored_size = tm_compress(compressor, bytes + at, capacity - at, raw, (size_t)section->raw_size);
        if (section->stored_size == 0 || section->stored_size >= section->raw_size) {
            if (section->raw_size > capacity - at) {
                return TM_ENCODE_FAILED;
            }
            section->codec = TM_CODEC_STORED;
            section->stored_size = section->raw_size;
            memcpy(bytes + at, raw, (size_t)section->raw_size);
        }
        section->checksum = tm_crc32c(0, bytes + at, (size_t)section->stored_size);
        at += (size_t)section->stored_size;
    }
    struct tm_writer head = tm_writer_make(bytes, tm_format_head_size(encoder->section_count));
    tm_encode_head(&head, encoder->sections, encoder->section_count);
    *size = at;
    return head.overflow ? TM_ENCODE_FAILED : TM_ENCODE_DONE;
}

static enum tm_encode_result encode_all(struct encoder *encoder, const struct tm_encode_memory *memory, uint8_t **bytes,
                                        size_t *size, size_t *capacity)
{
    enum tm_encode_result result = encoder->blocks == NULL ? TM_ENCODE_DONE : write_blocks(encoder);
    if (result != TM_ENCODE_DONE) {
        return result;
    }
    encode_counters(encoder); /* these two first: the totals of the words come from here */
    encode_sizes(encoder);
    encode_meta(encoder);
    encode_strings(encoder);
    encode_frames(encoder);
    encode_tracebacks(encoder);
    if (encoder->selection.native_count > 0) {
        encode_modules(encoder);
        encode_native_frames(encoder);
    }
    if (inherited_bound(encoder) != 0) {
        encode_inherited(encoder);
    }
    if (encoder->raw.overflow || encoder->inherited.overflow) {
        return TM_ENCODE_FAILED;
    }
    *capacity = tm_format_head_size(SECTIONS) + tm_writer_length(&encoder->raw) + SECTIONS * 1024U +
                tm_writer_length(&encoder->raw) / 128;
    *bytes = memory->get(*capacity);
    struct tm_compressor *compressor = *bytes == NULL ? NULL : tm_compressor_new(memory);
    if (compressor == NULL) {
        return TM_ENCODE_NO_MEMORY;
    }
    result = assemble(encoder, compressor, *bytes, *capacity, size);
    tm_compressor_free(compressor);
    return result;
}

enum tm_encode_result tm_snapshot_encode(const struct tm_store_view *view, const struct tm_encode_fact *facts,
                                         unsigned fact_count, const struct tm_encode_memory *memory, uint8_t **bytes,
                                         size_t *size, size_t *capacity)
{
    return tm_snapshot_encode_with(view, NULL, facts, fact_count, memory, bytes, size, capacity);
}

enum tm_encode_result tm_snapshot_encode_with(const struct tm_store_view *view, struct tm_encode_blocks *blocks,
                                              const struct tm_encode_fact *facts, unsigned fact_count,
                                              const struct tm_encode_memory *memory, uint8_t **bytes, size_t *size,
                                              size_t *capacity)
{
    struct encoder encoder = {.view = view, .blocks = blocks, .facts = facts, .fact_count = fact_count};
    enum tm_encode_result result = TM_ENCODE_NO_MEMORY;
    *bytes = NULL;
    if (!tm_selection_make(&encoder.selection, view, memory)) {
        return result;
    }
    if (encoder.selection.string_bytes > view->lengths[TM_STORE_STRINGS]) {
        /* A damaged store whose strings overlap: each would be written in full. */
        tm_selection_free(&encoder.selection, memory);
        return TM_ENCODE_FAILED;
    }
    size_t bound = raw_bound(&encoder), inherited_size = inherited_bound(&encoder);
    void *raw = memory->get(bound);
    void *inherited = inherited_size != 0 ? memory->get(inherited_size) : NULL;
    if (raw != NULL && (inherited != NULL || inherited_size == 0)) {
        encoder.raw = tm_writer_make(raw, bound);
        if (inherited != NULL) {
            encoder.inherited = tm_writer_make(inherited, inherited_size);
        }
        result = encode_all(&encoder, memory, bytes, size, capacity);
    }
    if (raw != NULL) {
        memory->release(raw, bound);
    }
    if (inherited != NULL) {
        memory->release(inherited, inherited_size);
    }
    tm_selection_free(&encoder.selection, memory);
    if (result != TM_ENCODE_DONE && *bytes != NULL) {
        memory->release(*bytes, *capacity);
        *bytes = NULL;
    }
    return result;
}
