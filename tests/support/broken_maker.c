/* SPDX-License-Identifier: MIT */
/* usage: broken_maker FOLDER      writes snapshots with one fault each, everything else about them being right */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/compiler.h"
#include "base/crc32c.h"
#include "format/encode.h"

#define SECTIONS_MAX 8U
#define RAW_MAX      512U
#define FILE_MAX     8192U

/* A file before its bytes: raw sections, and what the directory says of them. */
struct draft {
    struct tm_section sections[SECTIONS_MAX];
    uint8_t raw[SECTIONS_MAX][RAW_MAX];
    unsigned count;
};

struct file {
    uint8_t bytes[FILE_MAX];
    size_t size;
};

static const char *folder;

static struct tm_section *section_of(struct draft *draft, uint32_t kind)
{
    for (unsigned i = 0; i < draft->count; i++) {
        if (draft->sections[i].kind == kind) {
            return &draft->sections[i];
        }
    }
    abort();
}

static uint8_t *raw_of(struct draft *draft, uint32_t kind)
{
    return draft->raw[section_of(draft, kind) - draft->sections];
}

/* Replaces the content of a section. */
static void put(struct draft *draft, uint32_t kind, const void *bytes, size_t size, uint64_t items)
{
    struct tm_section *section = section_of(draft, kind);
    memcpy(raw_of(draft, kind), bytes, size);
    section->raw_size = section->stored_size = size;
    section->count = items;
}

static struct tm_writer begin(struct draft *draft, uint32_t kind, uint64_t items)
{
    draft->sections[draft->count] = (struct tm_section){.kind = kind, .count = items};
    return tm_writer_make(draft->raw[draft->count], RAW_MAX);
}

static void end(struct draft *draft, const struct tm_writer *w)
{
    struct tm_section *section = &draft->sections[draft->count++];
    section->raw_size = section->stored_size = tm_writer_length(w);
}

static struct draft good_draft(void)
{
    struct draft draft = {.count = 0};
    struct tm_writer w = begin(&draft, TM_SECTION_META, 1);
    tm_encode_meta_u64(&w, "pid", 4711);
    end(&draft, &w);
    w = begin(&draft, TM_SECTION_STRINGS, 3);
    tm_encode_string(&w, "", 0);
    tm_encode_string(&w, "a.py", 4);
    tm_encode_string(&w, "main", 4);
    end(&draft, &w);
    w = begin(&draft, TM_SECTION_FRAMES, 2);
    struct tm_frame_record frame = {.line = 0};
    tm_encode_frame(&w, &frame, &(const struct tm_frame_record){1, 2, 3, 0});
    tm_encode_frame(&w, &frame, &(const struct tm_frame_record){1, 2, 7, 0});
    end(&draft, &w);
    w = begin(&draft, TM_SECTION_TRACEBACKS, 2);
    struct tm_traceback_record traceback = {0, 0};
    tm_encode_traceback(&w, 1, &traceback, &(const struct tm_traceback_record){0, 1});
    tm_encode_traceback(&w, 2, &traceback, &(const struct tm_traceback_record){1, 2});
    end(&draft, &w);
    w = begin(&draft, TM_SECTION_COUNTERS, 2);
    struct tm_counter_record counter = {0};
    tm_encode_counter(&w, &counter,
                      &(const struct tm_counter_record){.traceback = 1, .live_bytes = 9, .live_blocks = 1});
    tm_encode_counter(
        &w, &counter,
        &(const struct tm_counter_record){.traceback = 2, .domain = 2, .live_bytes = 90, .live_blocks = 2});
    end(&draft, &w);
    w = begin(&draft, TM_SECTION_SIZES, 1);
    tm_encode_size_class(&w, &(const struct tm_size_class_record){2, 64, 2, 2});
    end(&draft, &w);
    return draft;
}

/* Puts the raw bytes of SECTIONS one behind the other; stored sizes, offsets and checksums become right. */
static struct file lay_out(struct draft *draft)
{
    struct file file = {.size = tm_format_head_size(draft->count)};
    for (unsigned i = 0; i < draft->count; i++) {
        struct tm_section *section = &draft->sections[i];
        section->offset = file.size;
        if (section->codec == TM_CODEC_ZSTD) {
            section->stored_size =
                ZSTD_compress(file.bytes + file.size, FILE_MAX - file.size, draft->raw[i], section->raw_size, 3);
        } else {
            memcpy(file.bytes + file.size, draft->raw[i], section->stored_size);
        }
        section->checksum = tm_crc32c(0, file.bytes + file.size, section->stored_size);
        file.size += section->stored_size;
    }
    return file;
}

static void write_head(struct file *file, const struct draft *draft)
{
    struct tm_writer w = tm_writer_make(file->bytes, FILE_MAX);
    tm_encode_head(&w, draft->sections, draft->count);
}

static struct file finish(struct draft *draft)
{
    struct file file = lay_out(draft);
    write_head(&file, draft);
    return file;
}

static struct file good_file(void)
{
    struct draft draft = good_draft();
    return finish(&draft);
}

static void save(const char *name, const void *bytes, size_t size)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s.tms", folder, name);
    FILE *stream = fopen(path, "wb");
    if (stream == NULL || fwrite(bytes, 1, size, stream) != size || fclose(stream) != 0) {
        perror(path);
        exit(1);
    }
}

static void save_file(const char *name, const struct file *file)
{
    save(name, file->bytes, file->size);
}

static void save_draft(const char *name, struct draft *draft)
{
    struct file file = finish(draft);
    save_file(name, &file);
}

/* A word of the head is changed and its checksum made right again. */
static void save_with_head_word(const char *name, size_t at, uint32_t value)
{
    struct file file = good_file();
    struct tm_writer w = tm_writer_make(file.bytes + at, 4);
    tm_write_u32(&w, value);
    uint32_t checksum = tm_crc32c(0, file.bytes, TM_SNAPSHOT_HEAD_SIZE - 4);
    size_t directory = tm_format_head_size(6) - TM_SNAPSHOT_HEAD_SIZE;
    checksum = tm_crc32c(checksum, file.bytes + TM_SNAPSHOT_HEAD_SIZE, directory);
    w = tm_writer_make(file.bytes + TM_SNAPSHOT_HEAD_SIZE - 4, 4);
    tm_write_u32(&w, checksum);
    save_file(name, &file);
}

/* The bytes of a section are replaced by BYTES. */
static void save_with_section(const char *name, uint32_t kind, const void *bytes, size_t size, uint64_t items)
{
    struct draft draft = good_draft();
    put(&draft, kind, bytes, size, items);
    save_draft(name, &draft);
}

static void make_foreign(void)
{
    save("empty", "", 0);
    save("foreign-text", "hello, world\n", 13);
    save("foreign-pickle", "\x80\x04\x95\x10\0\0\0", 7);
    save("foreign-live-store", "tmLIVE\r\n\1\0\0\0", 12);
    save("foreign-text-mode", "\x89TMS\n\x1a\n\1\0\0\0\0", 12);
    save("head-of-one-byte", TM_SNAPSHOT_MAGIC, 1);
    save("head-cut", TM_SNAPSHOT_MAGIC, 8);
}

static void make_heads(void)
{
    struct file file = good_file();
    save_with_head_word("head-version-0", 8, 0);
    save_with_head_word("head-version-2", 8, 2);
    save_with_head_word("head-flags", 12, 1);
    save_with_head_word("head-many-sections", 16, UINT32_MAX);
    save_with_head_word("head-more-sections", 16, 100);
    save("directory-cut", file.bytes, TM_SNAPSHOT_HEAD_SIZE + 100);
    file.bytes[TM_SNAPSHOT_HEAD_SIZE + 5] ^= 0x10;
    save_file("directory-flipped", &file);
}

static void make_places(void)
{
    struct file file = good_file();
    save("section-cut", file.bytes, file.size - 1);
    save("section-missing", file.bytes, tm_format_head_size(6));
    file.size++;
    save_file("bytes-behind", &file);
    file = good_file();
    file.bytes[file.size - 1] ^= 1;
    save_file("section-flipped", &file);
    struct draft draft = good_draft();
    file = lay_out(&draft);
    draft.sections[3].offset++;
    write_head(&file, &draft);
    save_file("section-gap", &file);
    draft.sections[3].offset = UINT64_MAX;
    write_head(&file, &draft);
    save_file("section-far-away", &file);
    draft = good_draft();
    file = lay_out(&draft);
    draft.sections[5].stored_size = UINT64_MAX;
    write_head(&file, &draft);
    save_file("section-huge", &file);
    draft = good_draft();
    draft.sections[1].kind = TM_SECTION_META;
    save_draft("section-twice", &draft);
}

static void make_codecs(void)
{
    struct draft draft = good_draft();
    section_of(&draft, TM_SECTION_STRINGS)->codec = 7;
    save_draft("codec-unknown", &draft);
    draft = good_draft();
    section_of(&draft, TM_SECTION_STRINGS)->raw_size++;
    save_draft("stored-of-two-sizes", &draft);
    draft = good_draft();
    section_of(&draft, TM_SECTION_STRINGS)->codec = TM_CODEC_ZSTD;
    struct file file = lay_out(&draft);
    section_of(&draft, TM_SECTION_STRINGS)->raw_size++;
    write_head(&file, &draft);
    save_file("zstd-of-another-size", &file);
    section_of(&draft, TM_SECTION_STRINGS)->raw_size = UINT64_C(1) << 40;
    write_head(&file, &draft);
    save_file("zstd-bomb", &file);
    draft = good_draft();
    section_of(&draft, TM_SECTION_STRINGS)->codec = TM_CODEC_ZSTD;
    file = lay_out(&draft);
    struct tm_section *strings = section_of(&draft, TM_SECTION_STRINGS);
    file.bytes[strings->offset + strings->stored_size - 4] ^= 0xFF;
    file.bytes[strings->offset + 6] ^= 0x06;
    strings->checksum = tm_crc32c(0, file.bytes + strings->offset, strings->stored_size);
    write_head(&file, &draft);
    save_file("zstd-damaged", &file);
    draft = good_draft();
    file = lay_out(&draft);
    section_of(&draft, TM_SECTION_FRAMES)->codec = TM_CODEC_ZSTD;
    write_head(&file, &draft);
    save_file("zstd-that-is-none", &file);
}

static void make_counts(void)
{
    struct draft draft = good_draft();
    section_of(&draft, TM_SECTION_FRAMES)->count = UINT64_MAX;
    save_draft("count-absurd", &draft);
    draft = good_draft();
    section_of(&draft, TM_SECTION_STRINGS)->count++;
    save_draft("count-too-large", &draft);
    draft = good_draft();
    section_of(&draft, TM_SECTION_COUNTERS)->count--;
    save_draft("count-too-small", &draft);
}

#define SECTION(name, kind, items, ...)                                                                                \
    save_with_section(name, kind, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), items)

static void make_items(void)
{
    SECTION("meta-of-unknown-type", TM_SECTION_META, 1, 1, 'k', 9, 0);
    SECTION("meta-key-too-long", TM_SECTION_META, 1, 100, 'k', 1, 0);
    SECTION("string-0-not-empty", TM_SECTION_STRINGS, 3, 1, 'x', 1, 'a', 1, 'b');
    SECTION("string-too-long", TM_SECTION_STRINGS, 3, 0, 1, 'a', 9, 'b');
    SECTION("frame-of-no-string", TM_SECTION_FRAMES, 2, 2, 4, 3, 4, 0, 7);
    SECTION("frame-below-zero", TM_SECTION_FRAMES, 2, 1, 4, 3, 0, 0, 7);
    SECTION("frame-line-too-large", TM_SECTION_FRAMES, 2, 2, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0x10, 0, 0, 7);
    SECTION("traceback-its-own-parent", TM_SECTION_TRACEBACKS, 2, 1, 2, 0, 2);
    SECTION("traceback-parent-below-zero", TM_SECTION_TRACEBACKS, 2, 1, 2, 3, 2);
    SECTION("traceback-of-no-frame", TM_SECTION_TRACEBACKS, 2, 1, 2, 1, 4);
    SECTION("traceback-of-frame-0", TM_SECTION_TRACEBACKS, 2, 1, 2, 1, 1);
    SECTION("counter-of-no-traceback", TM_SECTION_COUNTERS, 1, 3, 0, 1, 5);
    SECTION("counter-of-no-domain", TM_SECTION_COUNTERS, 1, 1, TM_DOMAIN_COUNT, 1, 5);
    SECTION("counter-with-unknown-bits", TM_SECTION_COUNTERS, 1, 1, 0, 128, 5);
    SECTION("counters-twice", TM_SECTION_COUNTERS, 2, 1, 2, 1, 5, 0, 2, 1, 5);
    SECTION("counters-descending", TM_SECTION_COUNTERS, 2, 1, 2, 1, 5, 0, 1, 1, 5);
    SECTION("counter-cut", TM_SECTION_COUNTERS, 1, 1, 2, 3, 5);
    SECTION("counter-varint-too-long", TM_SECTION_COUNTERS, 1, 1, 2, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0x7F);
    SECTION("counters-of-too-much", TM_SECTION_COUNTERS, 2, 1, 2, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0x3F, 1, 2, 1, 2);
    SECTION("size-of-no-domain", TM_SECTION_SIZES, 1, TM_DOMAIN_COUNT, 1, 1, 1);
}

static void add_blocks(struct draft *draft, const void *bytes, size_t size, uint64_t items)
{
    struct tm_writer w = begin(draft, TM_SECTION_BLOCKS, items);
    tm_write_bytes(&w, bytes, size);
    end(draft, &w);
}

static void save_with_blocks(const char *name, const void *bytes, size_t size, uint64_t items)
{
    struct draft draft = good_draft();
    add_blocks(&draft, bytes, size, items);
    save_draft(name, &draft);
}

#define BLOCKS(name, items, ...)                                                                                       \
    save_with_blocks(name, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), items)
#define HIGHEST 0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 /* 2^64 - 16 */
#define HUGE    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F       /* 2^62 - 1 */

static void make_blocks(void)
{
    BLOCKS("blocks-twice", 2, 16, 2, 9, 1, 0, 2, 9, 1);
    BLOCKS("blocks-descending-domains", 2, 16, 2, 9, 1, 0, 1, 9, 1);
    BLOCKS("blocks-round-the-end", 2, 16, 2, 9, 1, HIGHEST, 2, 9, 1);
    BLOCKS("block-of-no-domain", 1, 16, TM_DOMAIN_COUNT, 9, 1);
    BLOCKS("block-of-no-traceback", 1, 16, 2, 9, 3);
    BLOCKS("block-over-the-end", 1, HIGHEST, 2, 17, 1);
    BLOCKS("block-cut", 1, 16, 2, 9);
    BLOCKS("blocks-of-too-much", 2, 16, 2, HUGE, 1, 16, 2, 2, 1);
    BLOCKS("blocks-fewer-than-said", 3, 16, 2, 9, 1, 16, 2, 9, 1);
}

/* Blocks in two zstd frames: without the last CUT bytes, with MORE_RAW bytes said to be in them, the first one's magic
 * flipped. */
static void save_frames(const char *name, uint64_t more_raw, size_t cut, uint8_t flip)
{
    static const uint8_t items[2][4] = {{16, 2, 9, 1}, {16, 2, 9, 1}};
    struct draft draft = good_draft();
    uint8_t frames[128];
    size_t length = ZSTD_compress(frames, sizeof frames, items[0], 4, 3);
    frames[0] ^= flip;
    length += ZSTD_compress(frames + length, sizeof frames - length, items[1], 4, 3);
    add_blocks(&draft, frames, length - cut, 2);
    struct tm_section *blocks = section_of(&draft, TM_SECTION_BLOCKS);
    struct file file = lay_out(&draft);
    blocks->codec = TM_CODEC_ZSTD_FRAMES;
    blocks->raw_size = 8 + more_raw;
    write_head(&file, &draft);
    save_file(name, &file);
}

static void make_frames(void)
{
    save_frames("zstd-frames-cut", 0, 1, 0);
    save_frames("zstd-frames-damaged", 0, 0, 1);
    save_frames("zstd-frames-too-few", 1, 0, 0);
    save_frames("zstd-frames-too-many", UINT64_MAX, 0, 0);
}

/* What was inherited, beside the counters of good_draft: 9 bytes in 1 block of (1, raw), 90 in 2 of (2, obj). */
static void make_inherited(void)
{
    static const struct {
        const char *name;
        struct tm_counter_record record;
    } cases[] = {
        {"inherited-without-counter", {.traceback = 2, .domain = 1, .live_bytes = 1}},
        {"inherited-behind-all-counters", {.traceback = 2, .domain = 3, .live_bytes = 1}},
        {"inherited-bytes-too-many", {.traceback = 2, .domain = 2, .live_bytes = 91, .live_blocks = 2}},
        {"inherited-blocks-too-many", {.traceback = 1, .live_blocks = 2}},
        {"inherited-ever-too-many", {.traceback = 1, .ever_blocks = 1}},
        {"inherited-temporary-too-many", {.traceback = 1, .temporary_blocks = 1}},
    };
    for (size_t i = 0; i < TM_COUNT_OF(cases); i++) {
        struct tm_counter_record previous = {0};
        struct draft draft = good_draft();
        struct tm_writer w = begin(&draft, TM_SECTION_INHERITED, 1);
        tm_encode_counter(&w, &previous, &cases[i].record);
        end(&draft, &w);
        save_draft(cases[i].name, &draft);
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        (void)fputs("usage: broken_maker FOLDER\n", stderr);
        return 2;
    }
    folder = arguments[1];
    make_foreign();
    make_heads();
    make_places();
    make_codecs();
    make_counts();
    make_items();
    make_blocks();
    make_frames();
    make_inherited();
    return 0;
}
