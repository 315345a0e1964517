/* SPDX-License-Identifier: MIT */
#include "store/snapshot_encode.h"

#include "store/snapshot_encoding.h"

#define ITEMS 1024U /* of a step */

struct tm_encoding *tm_encoding_begin(const struct tm_store_view *view, struct tm_encode_blocks *blocks,
                                      const struct tm_encode_fact *facts, unsigned fact_count,
                                      const struct tm_encode_memory *memory)
{
    struct tm_encoding *encoding = memory->get(sizeof *encoding);
    if (encoding == NULL) {
        return NULL;
    }
    encoding->view = view;
    encoding->blocks = blocks;
    encoding->facts = facts;
    encoding->fact_count = fact_count;
    encoding->memory = memory;
    if (!tm_selection_begin(&encoding->selection, view, memory)) {
        memory->release(encoding, sizeof *encoding);
        return NULL;
    }
    return encoding;
}

bool tm_encoding_step(struct tm_encoding *encoding)
{
    const uint32_t most = encoding->at_once ? UINT32_MAX : ITEMS;
    switch (encoding->stage) {
    case TM_ENCODING_SELECTS:
        if (!tm_selection_step(&encoding->selection, most)) {
            encoding->stage = TM_ENCODING_WRITES;
            tm_snapshot_sections_begin(encoding);
        }
        break;
    case TM_ENCODING_WRITES:
        if (!tm_snapshot_sections_step(encoding, most)) {
            encoding->stage = TM_ENCODING_PACKS;
            tm_selection_free(&encoding->selection, encoding->memory);
            tm_snapshot_pack_begin(encoding);
        }
        break;
    case TM_ENCODING_PACKS:
        if (!tm_snapshot_pack_step(encoding)) {
            encoding->stage = TM_ENCODING_IS_OVER;
        }
        break;
    case TM_ENCODING_IS_OVER:
        break;
    }
    if (encoding->result != TM_ENCODE_DONE) {
        encoding->stage = TM_ENCODING_IS_OVER;
    }
    return encoding->stage != TM_ENCODING_IS_OVER;
}

/* Nothing of it is left, but for the bytes where BYTES takes them. */
static void free_all(struct tm_encoding *encoding, uint8_t **bytes)
{
    const struct tm_encode_memory *memory = encoding->memory;
    if (bytes != NULL) {
        *bytes = encoding->bytes;
    } else if (encoding->bytes != NULL) {
        memory->release(encoding->bytes, encoding->capacity);
    }
    if (encoding->compressor != NULL) {
        tm_compressor_free(encoding->compressor);
    }
    tm_snapshot_sections_free(encoding);
    tm_selection_free(&encoding->selection, memory);
    memory->release(encoding, sizeof *encoding);
}

enum tm_encode_result tm_encoding_end(struct tm_encoding *encoding, uint8_t **bytes, size_t *size, size_t *capacity)
{
    enum tm_encode_result result = encoding->result;
    bool is_done = result == TM_ENCODE_DONE && encoding->stage == TM_ENCODING_IS_OVER;
    *bytes = NULL;
    *size = encoding->size;
    *capacity = encoding->capacity;
    free_all(encoding, is_done ? bytes : NULL);
    return is_done || result != TM_ENCODE_DONE ? result : TM_ENCODE_FAILED;
}

void tm_encoding_drop(struct tm_encoding *encoding)
{
    free_all(encoding, NULL);
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
    struct tm_encoding *encoding = tm_encoding_begin(view, blocks, facts, fact_count, memory);
    *bytes = NULL;
    if (encoding == NULL) {
        return TM_ENCODE_NO_MEMORY;
    }
    encoding->at_once = true;
    while (tm_encoding_step(encoding)) {
    }
    return tm_encoding_end(encoding, bytes, size, capacity);
}
