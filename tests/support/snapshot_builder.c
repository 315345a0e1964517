/* SPDX-License-Identifier: MIT */
#include "support/snapshot_builder.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/compiler.h"
#include "base/crc32c.h"
#include "format/domain_name.h"
#include "format/encode.h"

struct text {
    char *bytes;
    size_t length;
};

struct fact {
    char *key;
    enum tm_meta_type type;
    uint64_t number;
    struct text bytes;
};

struct tm_builder {
    struct fact *facts;
    struct text *strings;
    struct tm_frame_record *frames;
    struct tm_traceback_record *tracebacks;
    struct tm_counter_record *counters;
    struct tm_size_class_record *sizes;
    struct tm_module_record *modules;
    struct tm_native_frame_record *natives;
    struct tm_block_record *blocks;
    struct tm_counter_record *inherited;
    size_t fact_count, string_count, frame_count, traceback_count, counter_count, size_count;
    size_t module_count, native_count, block_count, inherited_count;
    bool has_blocks;
};

static _Noreturn void give_up(const char *what, const char *where)
{
    (void)fprintf(stderr, "snapshot_builder: %s: %s\n", what, where);
    abort();
}

static void *grow(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return items;
    }
    void *larger = realloc(items, (count > 0 ? count * 2 : 1) * size);
    if (larger == NULL) {
        give_up("out of memory", "");
    }
    return larger;
}

#define APPEND(array, count) ((array) = grow((array), (count), sizeof *(array)), &(array)[(count)++])

static int hex_digit(char c)
{
    const char *digits = "0123456789ABCDEF", *at = c != '\0' ? strchr(digits, c >= 'a' ? c - 32 : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static struct text unescape(const char *at, size_t length)
{
    struct text text = {malloc(length + 1), 0};
    if (text.bytes == NULL) {
        give_up("out of memory", "");
    }
    for (size_t i = 0; i < length; i++) {
        char c = at[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_digit(at[i + 1]) : -1, low = i + 2 < length ? hex_digit(at[i + 2]) : -1;
            if (high < 0 || low < 0) {
                give_up("a % needs two digits", at);
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        text.bytes[text.length++] = c;
    }
    text.bytes[text.length] = '\0';
    return text;
}

static uint64_t number_at(const char **at, const char *line)
{
    char *end;
    uint64_t value = strtoull(*at, &end, 10);
    if (end == *at) {
        give_up("a number is missing", line);
    }
    *at = end;
    return value;
}

static uint32_t string_id(struct tm_builder *b, struct text text)
{
    for (size_t i = 0; i < b->string_count; i++) {
        if (b->strings[i].length == text.length && memcmp(b->strings[i].bytes, text.bytes, text.length) == 0) {
            free(text.bytes);
            return (uint32_t)i;
        }
    }
    *APPEND(b->strings, b->string_count) = text;
    return (uint32_t)b->string_count - 1;
}

static uint32_t frame_id(struct tm_builder *b, struct tm_frame_record frame)
{
    for (size_t i = 0; i < b->frame_count; i++) {
        if (memcmp(&b->frames[i], &frame, sizeof frame) == 0) {
            return (uint32_t)i + 1;
        }
    }
    *APPEND(b->frames, b->frame_count) = frame;
    return (uint32_t)b->frame_count;
}

static uint32_t traceback_id(struct tm_builder *b, struct tm_traceback_record traceback)
{
    for (size_t i = 0; i < b->traceback_count; i++) {
        if (b->tracebacks[i].parent == traceback.parent && b->tracebacks[i].frame == traceback.frame) {
            return (uint32_t)i + 1;
        }
    }
    *APPEND(b->tracebacks, b->traceback_count) = traceback;
    return (uint32_t)b->traceback_count;
}

static uint32_t module_number(struct tm_builder *b, uint32_t path)
{
    for (size_t i = 0; i < b->module_count; i++) {
        if (b->modules[i].path == path) {
            return (uint32_t)i + 1;
        }
    }
    *APPEND(b->modules, b->module_count) = (struct tm_module_record){path, {NULL, 0}};
    return (uint32_t)b->module_count;
}

/* FRAME has all but its place among the machine frames. */
static uint32_t native_frame_id(struct tm_builder *b, struct tm_frame_record frame, uint32_t module, uint64_t address)
{
    for (size_t i = 0; i < b->native_count; i++) {
        struct tm_native_frame_record *native = &b->natives[i];
        frame.native = (uint32_t)i + 1;
        if (native->module == module && native->address == address &&
            memcmp(&frame, &b->frames[native->frame - 1], sizeof frame) == 0) {
            return native->frame;
        }
    }
    frame.native = (uint32_t)b->native_count + 1;
    uint32_t id = frame_id(b, frame);
    *APPEND(b->natives, b->native_count) = (struct tm_native_frame_record){id, module, address};
    return id;
}

/* PATH+0xADDRESS or PATH+0xADDRESS=FILE:LINE:FUNCTION */
static uint32_t parse_native_frame(struct tm_builder *b, const char *at, const char *plus, size_t length,
                                   const char *line)
{
    char *end;
    uint32_t path = string_id(b, unescape(at, (size_t)(plus - at)));
    uint64_t address = strtoull(plus + 1, &end, 16);
    struct tm_frame_record frame = {.file = path};
    if (end < at + length && *end == '=') {
        const char *file = end + 1, *colon = memchr(file, ':', (size_t)(at + length - file));
        if (colon == NULL) {
            give_up("a frame is FILE:LINE", line);
        }
        const char *rest = colon + 1;
        frame.file = string_id(b, unescape(file, (size_t)(colon - file)));
        frame.line = (uint32_t)number_at(&rest, line);
        frame.function = string_id(b, unescape(rest + 1, (size_t)(at + length - rest - 1)));
    }
    return native_frame_id(b, frame, module_number(b, path), address);
}

static uint32_t parse_frame(struct tm_builder *b, const char *at, size_t length, const char *line)
{
    const char *plus = memmem(at, length, "+0x", 3);
    if (plus != NULL) {
        return parse_native_frame(b, at, plus, length, line);
    }
    const char *colon = memchr(at, ':', length);
    if (colon == NULL) {
        give_up("a frame is FILE:LINE", line);
    }
    struct tm_frame_record frame = {.file = string_id(b, unescape(at, (size_t)(colon - at)))};
    const char *rest = colon + 1;
    frame.line = (uint32_t)number_at(&rest, line);
    if (rest < at + length) {
        rest++;
        frame.function = string_id(b, unescape(rest, (size_t)(at + length - rest)));
    }
    return frame_id(b, frame);
}

static struct tm_counter_record *counter_in(struct tm_counter_record **counters, size_t *count, uint32_t traceback,
                                            enum tm_domain domain)
{
    for (size_t i = 0; i < *count; i++) {
        if ((*counters)[i].traceback == traceback && (*counters)[i].domain == domain) {
            return &(*counters)[i];
        }
    }
    struct tm_counter_record *counter = APPEND(*counters, *count);
    *counter = (struct tm_counter_record){.traceback = traceback, .domain = (uint8_t)domain};
    return counter;
}

static void add_figure(struct tm_counter_record *c, const char *word, const char *line)
{
    size_t name = strcspn(word, "=");
    const char *at = word + name + 1;
    uint64_t bytes = number_at(&at, line), blocks = 0;
    if (*at == '/') {
        at++;
        blocks = number_at(&at, line);
    }
    if (strncmp(word, "live", name) == 0) {
        c->live_bytes += bytes;
        c->live_blocks += blocks;
    } else if (strncmp(word, "ever", name) == 0) {
        c->ever_bytes += bytes;
        c->ever_blocks += blocks;
    } else if (strncmp(word, "temporary", name) == 0) {
        c->temporary_blocks += bytes;
    } else if (strncmp(word, "python-peak", name) == 0) {
        c->peak_python_bytes += bytes;
        c->peak_python_blocks += blocks;
    } else if (strncmp(word, "heap-peak", name) == 0) {
        c->peak_heap_bytes += bytes;
        c->peak_heap_blocks += blocks;
    } else {
        give_up("no such figure", line);
    }
}

static enum tm_domain domain_of(const char *word, size_t length, const char *line)
{
    enum tm_domain domain = TM_DOMAIN_RAW;
    if (!tm_domain_find(word, length, &domain)) {
        give_up("no such domain", line);
    }
    return domain;
}

/* The next word of *AT, which moves behind it; length 0 at the end. */
static const char *next_word(const char **at, size_t *length)
{
    const char *word = *at + strspn(*at, " ");
    *length = strcspn(word, " ");
    *at = word + *length;
    return word;
}

/* The traceback behind the | of LINE. */
static uint32_t parse_traceback(struct tm_builder *b, const char *line)
{
    const char *at = strchr(line, '|');
    uint32_t traceback = 0;
    size_t length;
    if (at == NULL) {
        give_up("a trace needs | and frames", line);
    }
    at++;
    for (const char *word = next_word(&at, &length); length > 0; word = next_word(&at, &length)) {
        traceback = traceback_id(b, (struct tm_traceback_record){traceback, parse_frame(b, word, length, line)});
    }
    return traceback;
}

static void add_block(struct tm_builder *b, const char *line)
{
    const char *at = line;
    size_t length;
    struct tm_block_record block = {.traceback = parse_traceback(b, line)};
    (void)next_word(&at, &length);
    const char *word = next_word(&at, &length);
    block.domain = (uint8_t)domain_of(word, length, line);
    block.address = strtoull(next_word(&at, &length), NULL, 16);
    block.size = number_at(&at, line);
    *APPEND(b->blocks, b->block_count) = block;
    b->has_blocks = true;
}

/* Of COUNTERS or of INHERITED. */
static void add_trace(struct tm_builder *b, struct tm_counter_record **counters, size_t *count, const char *line)
{
    const char *at = line;
    uint32_t traceback = parse_traceback(b, line);
    size_t length;
    (void)next_word(&at, &length);
    const char *word = next_word(&at, &length);
    struct tm_counter_record *counter = counter_in(counters, count, traceback, domain_of(word, length, line));
    for (word = next_word(&at, &length); *word != '|'; word = next_word(&at, &length)) {
        add_figure(counter, word, line);
    }
}

static void add_meta(struct tm_builder *b, const char *line)
{
    const char *at = line;
    size_t length;
    (void)next_word(&at, &length);
    const char *key = next_word(&at, &length);
    struct fact fact = {.key = unescape(key, length).bytes};
    const char *type = next_word(&at, &length);
    const char *value = next_word(&at, &length);
    if (strncmp(type, "bytes", 5) == 0) {
        fact.type = TM_META_BYTES;
        fact.bytes = unescape(value, length);
    } else if (strncmp(type, "u64", 3) == 0) {
        fact.type = TM_META_U64;
        fact.number = number_at(&value, line);
    } else if (strncmp(type, "i64", 3) == 0) {
        fact.type = TM_META_I64;
        fact.number = (uint64_t)strtoll(value, NULL, 10);
    } else {
        give_up("no such type", line);
    }
    *APPEND(b->facts, b->fact_count) = fact;
}

static void add_size(struct tm_builder *b, const char *line)
{
    const char *at = line;
    size_t length;
    (void)next_word(&at, &length);
    const char *word = next_word(&at, &length);
    struct tm_size_class_record size = {.domain = (uint8_t)domain_of(word, length, line)};
    size.bound = number_at(&at, line);
    size.live_blocks = number_at(&at, line);
    size.ever_blocks = number_at(&at, line);
    *APPEND(b->sizes, b->size_count) = size;
}

static void add_module(struct tm_builder *b, const char *line)
{
    const char *at = line;
    size_t length;
    (void)next_word(&at, &length);
    const char *path = next_word(&at, &length);
    uint32_t module = module_number(b, string_id(b, unescape(path, length)));
    const char *id = next_word(&at, &length);
    uint8_t *bytes = malloc(length / 2 + 1);
    if (bytes == NULL) {
        give_up("out of memory", "");
    }
    for (size_t i = 0; i + 1 < length; i += 2) {
        bytes[i / 2] = (uint8_t)(hex_digit(id[i]) * 16 + hex_digit(id[i + 1]));
    }
    b->modules[module - 1].build_id = (struct tm_span){bytes, length / 2};
}

static void add_line(struct tm_builder *b, const char *line)
{
    if (strncmp(line, "trace ", 6) == 0) {
        add_trace(b, &b->counters, &b->counter_count, line);
    } else if (strncmp(line, "inherited ", 10) == 0) {
        add_trace(b, &b->inherited, &b->inherited_count, line);
    } else if (strncmp(line, "meta ", 5) == 0) {
        add_meta(b, line);
    } else if (strncmp(line, "module ", 7) == 0) {
        add_module(b, line);
    } else if (strncmp(line, "size ", 5) == 0) {
        add_size(b, line);
    } else if (strncmp(line, "block ", 6) == 0) {
        add_block(b, line);
    } else if (strcmp(line, "blocks") == 0) {
        b->has_blocks = true;
    } else if (line[0] != '\0' && line[0] != '#') {
        give_up("no such line", line);
    }
}

struct tm_builder *tm_builder_new(void)
{
    struct tm_builder *builder = calloc(1, sizeof *builder);
    if (builder == NULL) {
        give_up("out of memory", "");
    }
    (void)string_id(builder, unescape("", 0));
    return builder;
}

void tm_builder_free(struct tm_builder *b)
{
    for (size_t i = 0; i < b->fact_count; i++) {
        free(b->facts[i].key);
        free(b->facts[i].bytes.bytes);
    }
    for (size_t i = 0; i < b->string_count; i++) {
        free(b->strings[i].bytes);
    }
    free(b->facts);
    free(b->strings);
    free(b->frames);
    free(b->tracebacks);
    free(b->counters);
    free(b->inherited);
    free(b->sizes);
    for (size_t i = 0; i < b->module_count; i++) {
        free((void *)(uintptr_t)b->modules[i].build_id.bytes);
    }
    free(b->modules);
    free(b->natives);
    free(b->blocks);
    free(b);
}

void tm_builder_add(struct tm_builder *builder, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        char *line = strndup(text, length);
        if (line == NULL) {
            give_up("out of memory", "");
        }
        add_line(builder, line);
        free(line);
        text += length + (text[length] == '\n');
    }
}

static int compare_counters(const void *a, const void *b)
{
    return tm_counter_compare(a, b);
}

static int compare_blocks(const void *a, const void *b)
{
    const struct tm_block_record *x = a, *y = b;
    if (x->address != y->address) {
        return x->address < y->address ? -1 : 1;
    }
    return (int)x->domain - (int)y->domain;
}

static void encode_meta(struct tm_writer *w, const struct tm_builder *b)
{
    for (size_t i = 0; i < b->fact_count; i++) {
        const struct fact *fact = &b->facts[i];
        if (fact->type == TM_META_BYTES) {
            tm_encode_meta_bytes(w, fact->key, fact->bytes.bytes, fact->bytes.length);
        } else if (fact->type == TM_META_U64) {
            tm_encode_meta_u64(w, fact->key, fact->number);
        } else {
            tm_encode_meta_i64(w, fact->key, (int64_t)fact->number);
        }
    }
}

static void encode_items(struct tm_writer *w, const struct tm_builder *b, uint32_t kind)
{
    struct tm_frame_record frame = {.line = 0};
    struct tm_native_frame_record native = {0, 0, 0};
    struct tm_traceback_record traceback = {0, 0};
    struct tm_counter_record counter = {0};
    struct tm_block_record block = {0, 0, 0, 0};
    switch (kind) {
    case TM_SECTION_META:
        encode_meta(w, b);
        break;
    case TM_SECTION_STRINGS:
        for (size_t i = 0; i < b->string_count; i++) {
            tm_encode_string(w, b->strings[i].bytes, b->strings[i].length);
        }
        break;
    case TM_SECTION_FRAMES:
        for (size_t i = 0; i < b->frame_count; i++) {
            tm_encode_frame(w, &frame, &b->frames[i]);
        }
        break;
    case TM_SECTION_TRACEBACKS:
        for (size_t i = 0; i < b->traceback_count; i++) {
            tm_encode_traceback(w, (uint32_t)i + 1, &traceback, &b->tracebacks[i]);
        }
        break;
    case TM_SECTION_COUNTERS:
        for (size_t i = 0; i < b->counter_count; i++) {
            tm_encode_counter(w, &counter, &b->counters[i]);
        }
        break;
    case TM_SECTION_INHERITED:
        for (size_t i = 0; i < b->inherited_count; i++) {
            tm_encode_counter(w, &counter, &b->inherited[i]);
        }
        break;
    case TM_SECTION_MODULES:
        for (size_t i = 0; i < b->module_count; i++) {
            tm_encode_module(w, &b->modules[i]);
        }
        break;
    case TM_SECTION_NATIVE_FRAMES:
        for (size_t i = 0; i < b->native_count; i++) {
            tm_encode_native_frame(w, &native, &b->natives[i]);
        }
        break;
    case TM_SECTION_BLOCKS:
        for (size_t i = 0; i < b->block_count; i++) {
            tm_encode_block(w, &block, &b->blocks[i]);
        }
        break;
    default:
        for (size_t i = 0; i < b->size_count; i++) {
            tm_encode_size_class(w, &b->sizes[i]);
        }
        break;
    }
}

static size_t bytes_needed(const struct tm_builder *b)
{
    size_t size = b->frame_count * TM_FRAME_MAX_BYTES + b->traceback_count * TM_TRACEBACK_MAX_BYTES +
                  (b->counter_count + b->inherited_count) * TM_COUNTER_MAX_BYTES +
                  b->size_count * TM_SIZE_CLASS_MAX_BYTES + b->native_count * TM_NATIVE_MAX_BYTES +
                  b->block_count * TM_BLOCK_MAX_BYTES;
    for (size_t i = 0; i < b->module_count; i++) {
        size += TM_MODULE_MAX_BYTES + b->modules[i].build_id.length;
    }
    for (size_t i = 0; i < b->string_count; i++) {
        size += TM_STRING_MAX_BYTES + b->strings[i].length;
    }
    for (size_t i = 0; i < b->fact_count; i++) {
        size += TM_META_MAX_BYTES + strlen(b->facts[i].key) + b->facts[i].bytes.length;
    }
    return size + 1;
}

#define FRAME_BYTES 16U

/* RAW as zstd frames of FRAME_BYTES each; their length. */
static size_t compress_frames(uint8_t *to, const uint8_t *raw, size_t size)
{
    size_t length = 0;
    for (size_t at = 0; at < size; at += FRAME_BYTES) {
        size_t part = size - at < FRAME_BYTES ? size - at : FRAME_BYTES;
        length += ZSTD_compress(to + length, ZSTD_compressBound(part), raw + at, part, 3);
    }
    return length;
}

/* Appends the section to FILE, which has room for it. */
static void append_section(const struct tm_builder *b, struct tm_section *section, uint8_t *file, size_t *end,
                           size_t capacity)
{
    uint8_t *raw = malloc(capacity);
    if (raw == NULL) {
        give_up("out of memory", "");
    }
    struct tm_writer w = tm_writer_make(raw, capacity);
    encode_items(&w, b, section->kind);
    section->offset = *end;
    section->raw_size = tm_writer_length(&w);
    section->stored_size = section->raw_size;
    if (section->codec == TM_CODEC_ZSTD) {
        section->stored_size =
            ZSTD_compress(file + *end, ZSTD_compressBound(section->raw_size), raw, section->raw_size, 3);
    } else if (section->codec == TM_CODEC_ZSTD_FRAMES) {
        section->stored_size = compress_frames(file + *end, raw, section->raw_size);
    } else {
        memcpy(file + *end, raw, section->raw_size);
    }
    section->checksum = tm_crc32c(0, file + *end, section->stored_size);
    *end += section->stored_size;
    free(raw);
}

/* Leaves out, in place, sections that few snapshots have; how many stay. */
static unsigned drop_empty(struct tm_section *sections, unsigned count, bool has_blocks)
{
    unsigned kept = 0;
    bool is_native = false;
    for (unsigned i = 0; i < count; i++) {
        is_native |= sections[i].kind == TM_SECTION_NATIVE_FRAMES && sections[i].count > 0;
    }
    for (unsigned i = 0; i < count; i++) {
        uint32_t kind = sections[i].kind;
        bool is_of_native = kind == TM_SECTION_MODULES || kind == TM_SECTION_NATIVE_FRAMES;
        bool is_there = kind == TM_SECTION_INHERITED ? sections[i].count > 0
                        : kind == TM_SECTION_BLOCKS  ? has_blocks
                                                     : !is_of_native || is_native;
        if (is_there) {
            sections[kept++] = sections[i];
        }
    }
    return kept;
}

static void sort(struct tm_counter_record *counters, size_t count)
{
    if (count > 0) {
        qsort(counters, count, sizeof *counters, compare_counters);
    }
}

uint8_t *tm_builder_bytes(const struct tm_builder *b, enum tm_codec codec, size_t *size)
{
    struct tm_section sections[] = {{.kind = TM_SECTION_META, .count = b->fact_count},
                                    {.kind = TM_SECTION_STRINGS, .count = b->string_count},
                                    {.kind = TM_SECTION_FRAMES, .count = b->frame_count},
                                    {.kind = TM_SECTION_TRACEBACKS, .count = b->traceback_count},
                                    {.kind = TM_SECTION_COUNTERS, .count = b->counter_count},
                                    {.kind = TM_SECTION_SIZES, .count = b->size_count},
                                    {.kind = TM_SECTION_MODULES, .count = b->module_count},
                                    {.kind = TM_SECTION_NATIVE_FRAMES, .count = b->native_count},
                                    {.kind = TM_SECTION_BLOCKS, .count = b->block_count},
                                    {.kind = TM_SECTION_INHERITED, .count = b->inherited_count}};
    unsigned count = drop_empty(sections, (unsigned)TM_COUNT_OF(sections), b->has_blocks);
    size_t needed = bytes_needed(b), head = tm_format_head_size(count);
    size_t frames = needed / FRAME_BYTES * ZSTD_compressBound(FRAME_BYTES);
    uint8_t *file = malloc(head + (count + 1) * ZSTD_compressBound(needed) + frames);
    if (file == NULL) {
        give_up("out of memory", "");
    }
    sort(b->counters, b->counter_count);
    sort(b->inherited, b->inherited_count);
    if (b->block_count > 0) {
        qsort(b->blocks, b->block_count, sizeof *b->blocks, compare_blocks);
    }
    *size = head;
    for (unsigned i = 0; i < count; i++) {
        bool in_frames = codec == TM_CODEC_ZSTD && sections[i].kind == TM_SECTION_BLOCKS;
        sections[i].codec = in_frames ? TM_CODEC_ZSTD_FRAMES : codec;
        append_section(b, &sections[i], file, size, needed);
    }
    struct tm_writer w = tm_writer_make(file, head);
    tm_encode_head(&w, sections, count);
    return file;
}

uint8_t *tm_build(const char *text, enum tm_codec codec, size_t *size)
{
    struct tm_builder *builder = tm_builder_new();
    tm_builder_add(builder, text);
    uint8_t *bytes = tm_builder_bytes(builder, codec, size);
    tm_builder_free(builder);
    return bytes;
}
