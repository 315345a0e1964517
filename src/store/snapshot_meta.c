/* SPDX-License-Identifier: MIT */
/* The META section: facts and totals. */
#include <string.h>

#include "store/snapshot_encoding.h"

static void put_number(struct tm_encoding *encoding, const char *key, uint64_t value)
{
    tm_encode_meta_u64(&encoding->raw, key, value);
    encoding->items++;
}

static void put_bytes(struct tm_encoding *encoding, const char *key, const void *bytes, size_t length)
{
    tm_encode_meta_bytes(&encoding->raw, key, bytes, length);
    encoding->items++;
}

/* A word of the header that a later word or a fact replaces is left out. */
static bool is_replaced(const struct tm_encoding *encoding, const struct tm_store_word *word, uint32_t after)
{
    struct tm_store_word later;
    for (unsigned i = 0; i < encoding->fact_count; i++) {
        const char *key = encoding->facts[i].key;
        if (strlen(key) == word->key_length && memcmp(key, word->key, word->key_length) == 0) {
            return true;
        }
    }
    while (tm_store_view_word(encoding->view, &after, &later)) {
        if (later.key_length == word->key_length && memcmp(later.key, word->key, word->key_length) == 0) {
            return true;
        }
    }
    return false;
}

static void encode_words(struct tm_encoding *encoding)
{
    struct tm_store_word word;
    uint32_t cursor = 0;
    char key[256];
    while (tm_store_view_word(encoding->view, &cursor, &word)) {
        if (!is_replaced(encoding, &word, cursor)) {
            memcpy(key, word.key, word.key_length);
            key[word.key_length] = '\0';
            put_bytes(encoding, key, word.value, word.value_length);
        }
    }
}

static void encode_facts(struct tm_encoding *encoding)
{
    for (unsigned i = 0; i < encoding->fact_count; i++) {
        const struct tm_encode_fact *fact = &encoding->facts[i];
        if (fact->text != NULL) {
            put_bytes(encoding, fact->key, fact->text, fact->length);
        } else {
            put_number(encoding, fact->key, fact->number);
        }
    }
}

static void encode_block_facts(struct tm_encoding *encoding)
{
    if (encoding->blocks == NULL) {
        return;
    }
    uint64_t before = encoding->traffic, now = tm_selection_traffic(&encoding->selection);
    /* It falls where estimates are rounded, and where records are given back. */
    put_number(encoding, "blocks_skew", now > before ? now - before : before - now);
    put_number(encoding, "blocks_left_out", encoding->blocks_left_out);
}

/* What the header has texts for. */
static void encode_said(struct tm_encoding *encoding)
{
    const struct tm_store_header *header = encoding->view->header;
    uint64_t how = atomic_load_explicit(&header->recycled, memory_order_relaxed);
    uint64_t failed = atomic_load_explicit(&header->failed_calls, memory_order_acquire);
    if (how != 0) {
        put_bytes(encoding, "recycled", &how, strnlen((const char *)&how, sizeof how));
    }
    if (failed != 0) {
        put_number(encoding, "failed_calls", failed);
        put_bytes(encoding, "failed_call", header->failed_call,
                  strnlen(header->failed_call, sizeof header->failed_call));
        put_number(encoding, "failed_call_errno", header->failed_call_errno);
    }
}

static void encode_totals(struct tm_encoding *encoding)
{
    const struct tm_store_header *header = encoding->view->header;
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
        {"live_small_bytes", encoding->sizes.live_small_bytes},
        {"live_bytes_raw", encoding->live_bytes[TM_DOMAIN_RAW]},
        {"live_blocks_raw", encoding->live_blocks[TM_DOMAIN_RAW]},
        {"live_bytes_mem", encoding->live_bytes[TM_DOMAIN_MEM]},
        {"live_blocks_mem", encoding->live_blocks[TM_DOMAIN_MEM]},
        {"live_bytes_obj", encoding->live_bytes[TM_DOMAIN_OBJ]},
        {"live_blocks_obj", encoding->live_blocks[TM_DOMAIN_OBJ]},
        {"live_bytes_native", encoding->live_bytes[TM_DOMAIN_NATIVE]},
        {"live_blocks_native", encoding->live_blocks[TM_DOMAIN_NATIVE]},
        {"live_bytes_mmap", encoding->live_bytes[TM_DOMAIN_MMAP]},
        {"live_blocks_mmap", encoding->live_blocks[TM_DOMAIN_MMAP]},
    };
    for (unsigned i = 0; i < TM_COUNT_OF(figures); i++) {
        put_number(encoding, figures[i].key, figures[i].value);
    }
    uint64_t rate = atomic_load_explicit(&header->sample_rate, memory_order_relaxed);
    if (rate != 0) {
        put_number(encoding, "sample_rate", rate);
    }
    if (header->native_unmerged != 0) {
        put_number(encoding, "native_unmerged", header->native_unmerged);
    }
    if (header->aged_records != 0) {
        put_number(encoding, "aged_records", header->aged_records);
    }
    if (header->merged_events != 0) {
        put_number(encoding, "merged_events", header->merged_events);
    }
    if (header->fork_epoch != 0) {
        put_number(encoding, "forked_from", header->forked_from);
        put_number(encoding, "fork_time_ns", header->fork_time_ns);
    }
    encode_said(encoding);
}

void tm_snapshot_meta_encode(struct tm_encoding *encoding)
{
    encode_words(encoding);
    encode_facts(encoding);
    encode_totals(encoding);
    encode_block_facts(encoding);
}

size_t tm_snapshot_meta_bound(const struct tm_encoding *encoding)
{
    size_t size = 4096U + 2U * TM_STORE_META_CAPACITY;
    for (unsigned i = 0; i < encoding->fact_count; i++) {
        size += TM_META_MAX_BYTES + strlen(encoding->facts[i].key) + encoding->facts[i].length;
    }
    return size;
}
