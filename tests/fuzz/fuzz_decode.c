/* SPDX-License-Identifier: MIT */
/* Any bytes as a row of items of one kind: a decoder refuses them or gives a record that its encoder turns into bytes
 * that decode to the same record. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/decode.h"
#include "format/encode.h"
#include "fuzz/fuzz_target.h"

static uint8_t buffer[256];

static void check(bool fact)
{
    if (!fact) {
        abort();
    }
}

static struct tm_reader read_back(const struct tm_writer *w)
{
    check(!w->overflow);
    return tm_reader_make(buffer, tm_writer_length(w));
}

static void frames(struct tm_reader *r)
{
    struct tm_frame_record before = {.line = 0}, next, again;
    for (struct tm_frame_record start = before; tm_decode_frame(r, &before, &next); start = next) {
        struct tm_frame_record from = start, to = start;
        struct tm_writer w = tm_writer_make(buffer, TM_FRAME_MAX_BYTES);
        tm_encode_frame(&w, &from, &next);
        struct tm_reader back = read_back(&w);
        check(tm_decode_frame(&back, &to, &again) && memcmp(&next, &again, sizeof next) == 0);
    }
}

static void tracebacks(struct tm_reader *r)
{
    struct tm_traceback_record before = {0, 0}, start = before, next, again;
    for (uint32_t id = 1; tm_decode_traceback(r, id, &before, &next); id++) {
        check(next.parent < id);
        struct tm_traceback_record from = start, to = start;
        struct tm_writer w = tm_writer_make(buffer, TM_TRACEBACK_MAX_BYTES);
        tm_encode_traceback(&w, id, &from, &next);
        struct tm_reader back = read_back(&w);
        check(tm_decode_traceback(&back, id, &to, &again) && memcmp(&next, &again, sizeof next) == 0);
        start = next;
    }
}

static bool is_same_counter(const struct tm_counter_record *a, const struct tm_counter_record *b)
{
    return a->traceback == b->traceback && a->domain == b->domain && a->live_bytes == b->live_bytes &&
           a->live_blocks == b->live_blocks && a->ever_bytes == b->ever_bytes && a->ever_blocks == b->ever_blocks &&
           a->temporary_blocks == b->temporary_blocks && a->peak_python_bytes == b->peak_python_bytes &&
           a->peak_python_blocks == b->peak_python_blocks && a->peak_heap_bytes == b->peak_heap_bytes &&
           a->peak_heap_blocks == b->peak_heap_blocks;
}

static void counters(struct tm_reader *r)
{
    struct tm_counter_record before = {0}, start = before, next, again;
    for (bool first = true; tm_decode_counter(r, first, &before, &next); first = false) {
        check(next.domain < TM_DOMAIN_COUNT);
        struct tm_counter_record from = start, to = start;
        struct tm_writer w = tm_writer_make(buffer, TM_COUNTER_MAX_BYTES);
        tm_encode_counter(&w, &from, &next);
        struct tm_reader back = read_back(&w);
        check(tm_decode_counter(&back, first, &to, &again) && is_same_counter(&next, &again));
        start = next;
    }
}

static void sizes(struct tm_reader *r)
{
    struct tm_size_class_record next, again;
    while (tm_decode_size_class(r, &next)) {
        struct tm_writer w = tm_writer_make(buffer, TM_SIZE_CLASS_MAX_BYTES);
        tm_encode_size_class(&w, &next);
        struct tm_reader back = read_back(&w);
        check(tm_decode_size_class(&back, &again) && next.domain == again.domain && next.bound == again.bound &&
              next.live_blocks == again.live_blocks && next.ever_blocks == again.ever_blocks);
    }
}

static void texts(struct tm_reader *r)
{
    struct tm_span string;
    while (tm_decode_string(r, &string)) {
        check(string.bytes >= r->start && string.bytes + string.length <= r->end);
    }
}

static void metas(struct tm_reader *r)
{
    struct tm_meta_record meta;
    while (tm_decode_meta(r, &meta)) {
        check(meta.key.bytes >= r->start && meta.key.bytes + meta.key.length <= r->end);
        check(meta.type == TM_META_U64 || meta.type == TM_META_BYTES || meta.type == TM_META_I64);
    }
}

static void blocks(struct tm_reader *r)
{
    struct tm_block_record before = {0, 0, 0, 0}, start = before, next, again;
    for (bool first = true; tm_decode_block(r, first, &before, &next); first = false) {
        check(next.domain < TM_DOMAIN_COUNT && next.address >= start.address &&
              (next.size == 0 || next.address + (next.size - 1) >= next.address));
        struct tm_block_record from = start, to = start;
        struct tm_writer w = tm_writer_make(buffer, TM_BLOCK_MAX_BYTES);
        tm_encode_block(&w, &from, &next);
        struct tm_reader back = read_back(&w);
        check(tm_decode_block(&back, first, &to, &again) && next.address == again.address && next.size == again.size &&
              next.traceback == again.traceback && next.domain == again.domain);
        start = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct tm_reader *) = {frames, tracebacks, counters, sizes, texts, metas, blocks};
    for (size_t i = 0; i < TM_COUNT_OF(kinds); i++) {
        /* A copy of exactly this size: a sanitizer sees the first byte read behind it. */
        uint8_t *copy = malloc(size > 0 ? size : 1);
        check(copy != NULL);
        memcpy(copy, data, size);
        struct tm_reader reader = tm_reader_make(copy, size);
        kinds[i](&reader);
        check(reader.failed && reader.at >= reader.start && reader.at <= reader.end);
        free(copy);
    }
    return 0;
}
