/* SPDX-License-Identifier: MIT */
/* A store's sections made by hand, without the tables of the process half. */
#ifndef TM_TESTS_HAND_MADE_STORE_H
#define TM_TESTS_HAND_MADE_STORE_H

#include <stdlib.h>
#include <string.h>

#include "store/snapshot_encode.h"

#define HAND_MADE_CAPACITY ((size_t)256 << 10) /* bytes of each section */

struct hand_made {
    struct tm_store_header *header;
    uint8_t *sections[TM_STORE_SECTIONS];
};

static inline void *hand_made_pages(size_t size)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64, size) != 0) {
        abort();
    }
    memset(memory, 0, size);
    return memory;
}

static inline void hand_made_end(struct hand_made *store)
{
    free(store->header);
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        free(store->sections[i]);
    }
}

/* LENGTH bytes more in SECTION; their offset. */
static inline uint64_t hand_made_grow(struct hand_made *store, enum tm_section_name section, size_t length)
{
    uint64_t at = atomic_load(&store->header->lengths[section]);
    if (at + length > HAND_MADE_CAPACITY) {
        abort();
    }
    atomic_store(&store->header->lengths[section], at + length);
    return at;
}

static inline uint32_t hand_made_string(struct hand_made *store, const char *text, uint32_t length)
{
    uint64_t at = hand_made_grow(store, TM_STORE_STRINGS, (sizeof length + length + 1 + 3) / 4 * 4);
    memcpy(store->sections[TM_STORE_STRINGS] + at, &length, sizeof length);
    memcpy(store->sections[TM_STORE_STRINGS] + at + sizeof length, text, length);
    return (uint32_t)(at / 4);
}

static inline struct tm_stored_frame *hand_made_frame_at(struct hand_made *store, uint32_t id)
{
    return (struct tm_stored_frame *)(void *)store->sections[TM_STORE_FRAMES] + id;
}

static inline uint32_t hand_made_frame(struct hand_made *store, uint32_t file, uint32_t function, uint32_t line)
{
    uint32_t id = (uint32_t)(hand_made_grow(store, TM_STORE_FRAMES, sizeof(struct tm_stored_frame)) /
                             sizeof(struct tm_stored_frame));
    *hand_made_frame_at(store, id) = (struct tm_stored_frame){file, function, line};
    return id;
}

static inline struct tm_stored_traceback *hand_made_traceback_at(struct hand_made *store, uint32_t id)
{
    return (struct tm_stored_traceback *)(void *)store->sections[TM_STORE_TRACEBACKS] + id;
}

static inline uint32_t hand_made_traceback(struct hand_made *store, uint32_t parent, uint32_t frame)
{
    uint32_t id = (uint32_t)(hand_made_grow(store, TM_STORE_TRACEBACKS, sizeof(struct tm_stored_traceback)) /
                             sizeof(struct tm_stored_traceback));
    *hand_made_traceback_at(store, id) = (struct tm_stored_traceback){parent, frame};
    return id;
}

static inline struct tm_record *hand_made_record_at(struct hand_made *store, uint32_t id)
{
    return (struct tm_record *)(void *)store->sections[TM_STORE_RECORDS] + id;
}

static inline struct tm_record_peak *hand_made_peak_at(struct hand_made *store, uint32_t id)
{
    return (struct tm_record_peak *)(void *)store->sections[TM_STORE_PEAKS] + id;
}

static inline struct tm_record_loose *hand_made_loose_at(struct hand_made *store, uint32_t id)
{
    return (struct tm_record_loose *)(void *)store->sections[TM_STORE_LOOSE] + id;
}

static inline uint32_t hand_made_record(struct hand_made *store, uint32_t traceback, uint8_t domain, uint16_t size)
{
    uint32_t id =
        (uint32_t)(hand_made_grow(store, TM_STORE_RECORDS, sizeof(struct tm_record)) / sizeof(struct tm_record));
    struct tm_record *record = hand_made_record_at(store, id);
    record->traceback = traceback;
    record->domain = domain;
    record->size = size;
    return id;
}

/* Empty: the empty string, and what stands at id 0. */
static inline void hand_made_begin(struct hand_made *store)
{
    store->header = hand_made_pages(TM_STORE_HEADER_SIZE);
    memcpy(store->header->magic, TM_STORE_MAGIC, sizeof store->header->magic);
    store->header->version = TM_STORE_VERSION;
    store->header->header_size = TM_STORE_HEADER_SIZE;
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        store->sections[i] = hand_made_pages(HAND_MADE_CAPACITY);
    }
    (void)hand_made_string(store, "", 0);
    (void)hand_made_frame(store, 0, 0, 0);
    (void)hand_made_traceback(store, 0, 0);
    (void)hand_made_record(store, 0, 0, 0);
}

static inline void hand_made_word(struct hand_made *store, const char *key, const char *value, size_t length)
{
    uint32_t at = atomic_load(&store->header->meta_length);
    char *to = store->header->meta + at;
    *to++ = (char)strlen(key);
    memcpy(to, key, strlen(key));
    to += strlen(key);
    *to++ = (char)(length & 0xFF);
    *to++ = (char)(length >> 8);
    memcpy(to, value, length);
    atomic_store(&store->header->meta_length, at + 3 + (uint32_t)(strlen(key) + length));
}

static inline struct tm_store_view hand_made_view(struct hand_made *store)
{
    struct tm_store_view view;
    tm_store_view_init(&view, store->header, store->sections);
    return view;
}

/* malloc with what is out, and a failure on order. */
static unsigned memory_out;
static unsigned memory_gets;
static size_t memory_sum;        /* bytes of them, also of those that came back */
static unsigned memory_fails_at; /* 0: never */

static void *memory_get(size_t size)
{
    if (++memory_gets == memory_fails_at) {
        return NULL;
    }
    size_t *memory = calloc(1, size + 64);
    if (memory == NULL) {
        return NULL;
    }
    memory_out++;
    memory_sum += size;
    *memory = size;
    return (char *)memory + 64;
}

static void memory_release(void *memory, size_t size)
{
    size_t *start = (size_t *)(void *)((char *)memory - 64);
    if (*start != size) {
        abort(); /* what was asked for must come back */
    }
    memory_out--;
    free(start);
}

static const struct tm_encode_memory counted_memory = {memory_get, memory_release};

#endif
