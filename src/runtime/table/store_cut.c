/* SPDX-License-Identifier: MIT */
#include "runtime/table/store_cut.h"

#include <stddef.h>
#include <string.h>

#include "runtime/os/os_memory.h"

#define WORDS(type) (sizeof(type) / sizeof(uint64_t))
#define AHEAD       24U /* records that are fetched before they are copied: a fifth of the time of the copy */

typedef uint64_t __attribute__((__may_alias__)) any_word;

/* Whoever counts meanwhile writes whole words. */
static void copy_words(void *to, const void *from, size_t words)
{
    any_word *out = to;
    const any_word *in = from;
    for (size_t i = 0; i < words; i++) {
        out[i] = __atomic_load_n(&in[i], __ATOMIC_RELAXED);
    }
}

/* At a new maximum what is live is the peak, and nothing that was saved counts. */
static bool has_saved_peaks(const struct tm_store_header *header)
{
    const struct tm_totals *totals = &header->totals;
    uint64_t python, heap;
    tm_store_traced(header, &python, &heap);
    return (int64_t)(python - atomic_load_explicit(&totals->python_peak, memory_order_relaxed)) <= 0 ||
           (int64_t)(heap - atomic_load_explicit(&totals->heap_peak, memory_order_relaxed)) <= 0;
}

bool tm_store_cut_begin(struct tm_store_cut *cut, const struct tm_live_store *store)
{
    uint64_t length = atomic_load_explicit(&store->header->lengths[TM_STORE_RECORDS], memory_order_acquire);
    uint32_t records = (uint32_t)(length / sizeof(struct tm_record));
    memset(cut, 0, sizeof *cut);
    cut->capacity = records + records / 8 + 1024;
    cut->peaks = TM_STORE_HEADER_SIZE + (size_t)cut->capacity * sizeof(struct tm_record);
    cut->loose = cut->peaks + (size_t)cut->capacity * sizeof(struct tm_record_peak);
    cut->size = cut->loose + (size_t)cut->capacity * sizeof(struct tm_record_loose);
    cut->pages = tm_pages_map(cut->size);
    cut->wanted = has_saved_peaks(store->header) ? cut->loose : cut->peaks;
    return cut->pages != NULL;
}

bool tm_store_cut_prepare(struct tm_store_cut *cut, size_t bytes)
{
    size_t left = cut->wanted - cut->touched;
    size_t some = tm_page_round(bytes < left ? bytes : left);
    tm_pages_touch(cut->pages + cut->touched, some);
    cut->touched += some < left ? some : left;
    return cut->touched < cut->wanted;
}

/* Extents are of the file alone; words are complete up to their length. */
static void copy_header(struct tm_store_header *to, const struct tm_store_header *from)
{
    uint32_t meta = atomic_load_explicit(&from->meta_length, memory_order_acquire);
    const size_t behind = offsetof(struct tm_store_header, whole_bytes);
    copy_words(to, from, offsetof(struct tm_store_header, extents) / sizeof(uint64_t));
    copy_words((uint8_t *)to + behind, (const uint8_t *)from + behind, (sizeof *from - behind) / sizeof(uint64_t));
    memcpy(to->meta, from->meta, meta);
    atomic_store_explicit(&to->meta_length, meta, memory_order_relaxed);
}

static void copy_record(struct tm_store_cut *cut, const struct tm_live_store *store, uint32_t id, uint64_t marks)
{
    struct tm_record *record = (struct tm_record *)(void *)(cut->pages + TM_STORE_HEADER_SIZE) + id;
    const struct tm_record *from = (const struct tm_record *)(const void *)store->sections[TM_STORE_RECORDS] + id;
    __builtin_prefetch(from + AHEAD);
    __builtin_prefetch(record + AHEAD, 1);
    copy_words(record, from, WORDS(struct tm_record));
    uint64_t changed = atomic_load_explicit(&record->marks, memory_order_relaxed) ^ marks;
    if ((uint32_t)changed == 0 || changed >> 32 == 0) {
        size_t at = (size_t)id * sizeof(struct tm_record_peak);
        copy_words(cut->pages + cut->peaks + at, store->sections[TM_STORE_PEAKS] + at, WORDS(struct tm_record_peak));
    }
    if (atomic_load_explicit(&record->has_loose, memory_order_relaxed) != 0) {
        size_t at = (size_t)id * sizeof(struct tm_record_loose);
        copy_words(cut->pages + cut->loose + at, store->sections[TM_STORE_LOOSE] + at, WORDS(struct tm_record_loose));
    }
}

bool tm_store_cut_take(struct tm_store_cut *cut, const struct tm_live_store *store)
{
    tm_store_view_init(&cut->view, store->header, store->sections);
    uint32_t count = tm_store_view_count(&cut->view, TM_STORE_RECORDS);
    if (count > cut->capacity) {
        tm_store_cut_end(cut);
        if (!tm_store_cut_begin(cut, store)) {
            return false;
        }
        tm_store_view_init(&cut->view, store->header, store->sections);
        count = tm_store_view_count(&cut->view, TM_STORE_RECORDS);
        count = count < cut->capacity ? count : cut->capacity;
    }
    struct tm_store_header *header = (struct tm_store_header *)(void *)cut->pages;
    copy_header(header, store->header);
    uint64_t marks = atomic_load_explicit(&header->totals.marks, memory_order_relaxed);
    for (uint32_t id = 1; id < count; id++) {
        copy_record(cut, store, id, marks);
    }
    cut->view.header = header;
    cut->view.lengths[TM_STORE_RECORDS] = (uint64_t)count * sizeof(struct tm_record);
    cut->view.sections[TM_STORE_RECORDS] = cut->pages + TM_STORE_HEADER_SIZE;
    cut->view.sections[TM_STORE_PEAKS] = cut->pages + cut->peaks;
    cut->view.sections[TM_STORE_LOOSE] = cut->pages + cut->loose;
    return true;
}

bool tm_store_cut_give_back(struct tm_store_cut *cut, size_t bytes)
{
    if (cut->pages == NULL || cut->size <= bytes) {
        tm_store_cut_end(cut);
        return false;
    }
    size_t kept = tm_page_round(cut->size - bytes);
    size_t all = tm_page_round(cut->size);
    cut->size = kept; /* first: see tm_store_cut_end */
    if (kept < all) {
        tm_pages_unmap(cut->pages + kept, all - kept);
    }
    return true;
}

void tm_store_cut_end(struct tm_store_cut *cut)
{
    uint8_t *pages = cut->pages;
    cut->pages = NULL; /* first: a child forked meanwhile must not give back what is somebody else's by then */
    if (pages != NULL) {
        tm_pages_unmap(pages, cut->size);
    }
}
