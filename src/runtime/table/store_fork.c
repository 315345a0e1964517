/* SPDX-License-Identifier: MIT */
#include "runtime/table/store_fork.h"

#include <string.h>

#include "runtime/os/os_memory.h"

bool tm_store_fork_prepare(struct tm_store_fork *fork, const struct tm_live_store *store)
{
    struct tm_store_cut *cut = &fork->cut;
    uint64_t records = atomic_load_explicit(&store->header->lengths[TM_STORE_RECORDS], memory_order_acquire);
    if (!tm_store_cut_begin(cut, store)) {
        return false;
    }
    const size_t wanted = TM_STORE_HEADER_SIZE + (size_t)records;
    cut->wanted =
        wanted < cut->wanted ? wanted : cut->wanted; /* few have peaks that were saved since the last maximum */
    (void)tm_store_cut_prepare(cut, cut->wanted);
    return true;
}

static void show(struct tm_store_fork *fork, enum tm_section_name section, const uint8_t *from, uint64_t bytes)
{
    fork->image.sections[section] = from;
    fork->image.bytes[section] = bytes;
}

static void show_counters(struct tm_store_fork *fork)
{
    const struct tm_store_view *view = &fork->cut.view;
    const uint64_t count = tm_store_view_count(view, TM_STORE_RECORDS);
    fork->image.header = fork->cut.pages;
    show(fork, TM_STORE_RECORDS, view->sections[TM_STORE_RECORDS], count * sizeof(struct tm_record));
    show(fork, TM_STORE_PEAKS, view->sections[TM_STORE_PEAKS], count * sizeof(struct tm_record_peak));
    show(fork, TM_STORE_LOOSE, view->sections[TM_STORE_LOOSE], count * sizeof(struct tm_record_loose));
}

/* A record that was saved at a maximum after that of the header, which is MARKS, has no peaks in a cut: it must not
 * pass for saved when the child comes to a maximum of its own. */
static void unsave_what_is_ahead(const struct tm_store_fork *fork, struct tm_record *records, uint64_t marks)
{
    const uint32_t count = tm_store_view_count(&fork->cut.view, TM_STORE_RECORDS);
    const uint64_t before = ((marks >> 32) - 1) << 32 | (uint32_t)(marks - 1);
    for (uint32_t id = 1; id < count; id++) {
        uint64_t own = atomic_load_explicit(&records[id].marks, memory_order_relaxed);
        if ((uint32_t)own != (uint32_t)marks && own >> 32 != marks >> 32) {
            atomic_store_explicit(&records[id].marks, before, memory_order_relaxed);
        }
    }
}

/* A cut is read and thrown away; in this one somebody counts on.  Record 0 has no quick way. */
static void make_going_on(struct tm_store_fork *fork, const struct tm_live_store *store)
{
    struct tm_record *records = (struct tm_record *)(void *)(fork->cut.pages + TM_STORE_HEADER_SIZE);
    const uint64_t marks = atomic_load_explicit(&fork->cut.view.header->totals.marks, memory_order_relaxed);
    records[0].stamp = UINT32_MAX;
    if (atomic_load_explicit(&store->header->totals.marks, memory_order_relaxed) != marks) {
        unsave_what_is_ahead(fork, records, marks);
    }
}

static bool copy_names(struct tm_store_fork *fork, const struct tm_live_store *store)
{
    static const enum tm_section_name sections[] = {TM_STORE_TRACEBACKS, TM_STORE_FRAMES, TM_STORE_STRINGS};
    uint64_t lengths[TM_COUNT_OF(sections)];
    size_t at = 0;
    fork->names_size = 0;
    for (unsigned i = 0; i < TM_COUNT_OF(sections); i++) {
        lengths[i] = atomic_load_explicit(&store->header->lengths[sections[i]], memory_order_acquire);
        fork->names_size += tm_page_round((size_t)lengths[i]);
    }
    fork->names = tm_pages_map(fork->names_size);
    if (fork->names == NULL) {
        return false;
    }
    for (unsigned i = 0; i < TM_COUNT_OF(sections); i++) {
        memcpy(fork->names + at, store->sections[sections[i]], (size_t)lengths[i]);
        show(fork, sections[i], fork->names + at, lengths[i]);
        at += tm_page_round((size_t)lengths[i]);
    }
    return true;
}

bool tm_store_fork_take(struct tm_store_fork *fork, const struct tm_live_store *store, bool everything)
{
    memset(&fork->image, 0, sizeof fork->image);
    if ((fork->cut.pages == NULL && !tm_store_cut_begin(&fork->cut, store)) || !tm_store_cut_take(&fork->cut, store)) {
        return false;
    }
    make_going_on(fork, store);
    show_counters(fork);
    fork->image.valid = !everything || copy_names(fork, store);
    return fork->image.valid;
}

void tm_store_fork_end(struct tm_store_fork *fork)
{
    fork->image.valid = false;
    tm_store_cut_end(&fork->cut);
    if (fork->names != NULL) {
        tm_pages_unmap(fork->names, fork->names_size);
        fork->names = NULL;
    }
}
