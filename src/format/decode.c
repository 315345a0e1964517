/* SPDX-License-Identifier: MIT */
#include "format/decode.h"

static bool refuse(struct tm_reader *r)
{
    r->failed = true;
    return false;
}

static struct tm_span read_text(struct tm_reader *r)
{
    uint64_t length = tm_read_varint(r);
    const uint8_t *bytes = tm_read_bytes(r, length);
    return (struct tm_span){bytes, bytes != NULL ? (size_t)length : 0};
}

static uint32_t read_delta(struct tm_reader *r, uint32_t previous)
{
    int64_t delta = tm_read_zigzag(r);
    if (delta < -(int64_t)previous || delta > (int64_t)UINT32_MAX - (int64_t)previous) {
        r->failed = true;
        return 0;
    }
    return (uint32_t)((int64_t)previous + delta);
}

static uint32_t read_u32_varint(struct tm_reader *r)
{
    return (uint32_t)tm_read_varint_max(r, UINT32_MAX);
}

bool tm_decode_head(struct tm_reader *r, struct tm_head_record *head)
{
    head->magic = tm_read_bytes(r, TM_SNAPSHOT_MAGIC_SIZE);
    head->version = tm_read_u32(r);
    head->flags = tm_read_u32(r);
    head->sections = tm_read_u32(r);
    head->checksum = tm_read_u32(r);
    return !r->failed;
}

bool tm_decode_section(struct tm_reader *r, struct tm_section *section)
{
    section->kind = tm_read_u32(r);
    section->codec = tm_read_u32(r);
    section->offset = tm_read_u64(r);
    section->stored_size = tm_read_u64(r);
    section->raw_size = tm_read_u64(r);
    section->count = tm_read_u64(r);
    section->checksum = tm_read_u32(r);
    (void)tm_read_u32(r);
    return !r->failed;
}

bool tm_decode_meta(struct tm_reader *r, struct tm_meta_record *meta)
{
    *meta = (struct tm_meta_record){.key = read_text(r)};
    switch (tm_read_u8(r)) {
    case TM_META_U64:
        meta->type = TM_META_U64;
        meta->number = tm_read_varint(r);
        break;
    case TM_META_BYTES:
        meta->type = TM_META_BYTES;
        meta->bytes = read_text(r);
        break;
    case TM_META_I64:
        meta->type = TM_META_I64;
        meta->number = (uint64_t)tm_read_zigzag(r);
        break;
    default:
        return refuse(r);
    }
    return !r->failed;
}

bool tm_decode_string(struct tm_reader *r, struct tm_span *string)
{
    *string = read_text(r);
    return !r->failed;
}

bool tm_decode_frame(struct tm_reader *r, struct tm_frame_record *previous, struct tm_frame_record *next)
{
    next->file = read_delta(r, previous->file);
    next->function = read_delta(r, previous->function);
    next->line = read_u32_varint(r);
    next->native = 0;
    *previous = *next;
    return !r->failed;
}

bool tm_decode_traceback(struct tm_reader *r, uint32_t id, struct tm_traceback_record *previous,
                         struct tm_traceback_record *next)
{
    uint64_t back = tm_read_varint(r);
    if (back == 0 || back > id) {
        return refuse(r);
    }
    next->parent = id - (uint32_t)back;
    next->frame = read_delta(r, previous->frame);
    *previous = *next;
    return !r->failed;
}

bool tm_decode_counter(struct tm_reader *r, bool first, struct tm_counter_record *previous,
                       struct tm_counter_record *next)
{
    uint64_t delta = tm_read_varint_max(r, UINT32_MAX - previous->traceback);
    uint8_t domain = tm_read_u8(r);
    uint8_t mask = tm_read_u8(r);
    if (domain >= TM_DOMAIN_COUNT || mask > TM_COUNTER_MASK_ALL) {
        return refuse(r);
    }
    if (!first && delta == 0 && domain <= previous->domain) {
        return refuse(r);
    }
    *next = (struct tm_counter_record){.traceback = previous->traceback + (uint32_t)delta, .domain = domain};
    next->live_bytes = mask & TM_COUNTER_LIVE_BYTES ? tm_read_varint(r) : 0;
    next->live_blocks = mask & TM_COUNTER_LIVE_BLOCKS ? tm_read_varint(r) : 0;
    next->ever_bytes = mask & TM_COUNTER_EVER_BYTES ? tm_read_varint(r) : 0;
    next->ever_blocks = mask & TM_COUNTER_EVER_BLOCKS ? tm_read_varint(r) : 0;
    next->temporary_blocks = mask & TM_COUNTER_TEMPORARY_BLOCKS ? tm_read_varint(r) : 0;
    next->peak_python_bytes = mask & TM_COUNTER_PEAK_PYTHON ? tm_read_varint(r) : 0;
    next->peak_python_blocks = mask & TM_COUNTER_PEAK_PYTHON ? tm_read_varint(r) : 0;
    next->peak_heap_bytes = mask & TM_COUNTER_PEAK_HEAP ? tm_read_varint(r) : 0;
    next->peak_heap_blocks = mask & TM_COUNTER_PEAK_HEAP ? tm_read_varint(r) : 0;
    *previous = *next;
    return !r->failed;
}

bool tm_decode_module(struct tm_reader *r, struct tm_module_record *next)
{
    next->path = read_u32_varint(r);
    next->build_id = read_text(r);
    return !r->failed;
}

bool tm_decode_native_frame(struct tm_reader *r, struct tm_native_frame_record *previous,
                            struct tm_native_frame_record *next)
{
    uint64_t frame = previous->frame + tm_read_varint_max(r, UINT32_MAX);
    next->frame = (uint32_t)frame;
    next->module = read_u32_varint(r);
    next->address = tm_read_varint(r);
    if (frame == previous->frame || frame > UINT32_MAX || next->module == 0) {
        return refuse(r);
    }
    *previous = *next;
    return !r->failed;
}

bool tm_decode_size_class(struct tm_reader *r, struct tm_size_class_record *next)
{
    next->domain = tm_read_u8(r);
    if (next->domain >= TM_DOMAIN_COUNT) {
        return refuse(r);
    }
    next->bound = tm_read_varint(r);
    next->live_blocks = tm_read_varint(r);
    next->ever_blocks = tm_read_varint(r);
    return !r->failed;
}

bool tm_decode_block(struct tm_reader *r, bool first, struct tm_block_record *previous, struct tm_block_record *next)
{
    uint64_t delta = tm_read_varint(r);
    next->domain = tm_read_u8(r);
    next->size = tm_read_varint(r);
    next->traceback = read_u32_varint(r);
    next->address = previous->address + delta;
    bool ascends = first || delta > 0 || next->domain > previous->domain;
    /* The block may end at 2^64, not behind. */
    if (!ascends || delta > UINT64_MAX - previous->address || next->domain >= TM_DOMAIN_COUNT ||
        (next->size > 0 && next->size - 1 > UINT64_MAX - next->address)) {
        return refuse(r);
    }
    *previous = *next;
    return !r->failed;
}
