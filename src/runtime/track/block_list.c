/* SPDX-License-Identifier: MIT */
#include "runtime/track/block_list.h"

#include "runtime/os/os_memory.h"
#include "runtime/table/block_walk.h"
#include "runtime/track/map_tracker.h"
#include "runtime/track/runtime_state.h"

#define MORE 256U /* that may come between the count of odd blocks and mappings and their copy */

struct list {
    const struct tm_runtime *runtime;
    const struct tm_selection *selection;
    struct tm_block_section *section;
    uint32_t record_count;
    uint32_t traceback_count;
    uint32_t base_epoch;
    struct tm_block_walk *walk;
    struct tm_odd_block *others; /* what the shadow does not have: by address, once sorted */
    size_t capacity;
    size_t other_count;
    size_t next; /* of the others */
    uint64_t left_out;
};

/* A block of record ID, which may be of no epoch that counts, or younger than the selection.  SIZE as the table has
 * it. */
static void add_block(struct list *list, uintptr_t address, uint32_t id, uint64_t size)
{
    if (id == 0 || id >= list->record_count) {
        return;
    }
    const struct tm_record *record = &list->runtime->records.records[id];
    uint32_t traceback = record->traceback;
    bool varies = record->size == TM_SIZE_VARIES;
    if (record->epoch < list->base_epoch || record->domain >= TM_DOMAIN_COUNT ||
        (traceback != 0 && traceback >= list->traceback_count) || (varies && size == 0)) {
        return; /* without a size where it varies: just being freed */
    }
    struct tm_block_record block = {address, varies ? size : record->size, list->selection->tracebacks[traceback],
                                    record->domain};
    if (traceback == 0 || block.traceback != 0) {
        tm_block_section_add(list->section, &block);
    }
}

/* Those below ADDRESS. */
static void add_others(struct list *list, uintptr_t address)
{
    for (; list->next < list->other_count && list->others[list->next].address < address; list->next++) {
        const struct tm_odd_block *other = &list->others[list->next];
        add_block(list, other->address, other->word & TM_SLOT_RECORD, other->size);
    }
}

static void visit(uintptr_t address, void *context)
{
    struct list *list = context;
    struct tm_block block;
    add_others(list, address);
    if (tm_block_table_find_steady(&list->runtime->blocks, address, &block)) {
        add_block(list, address, block.word & TM_SLOT_RECORD, block.size);
    }
}

static void note_mapping(const struct tm_map_extent *extent, void *context)
{
    struct list *list = context;
    if (extent->record == 0) {
        return;
    }
    if (list->other_count == list->capacity) {
        list->left_out++;
        return;
    }
    list->others[list->other_count++] =
        (struct tm_odd_block){extent->start, extent->end - extent->start, extent->record, 0};
}

/* The odd table also has what the shadow knows the start of: that is visited there. */
static void drop_even(struct list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->other_count; i++) {
        if (tm_block_is_odd(&list->runtime->blocks, list->others[i].address)) {
            list->others[kept++] = list->others[i];
        }
    }
    list->other_count = kept;
}

/* Lets others[ROOT] sink to its place in a heap of COUNT. */
static void sink(struct tm_odd_block *others, size_t root, size_t count)
{
    struct tm_odd_block moved = others[root];
    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        child += child + 1 < count && others[child + 1].address > others[child].address;
        if (others[child].address <= moved.address) {
            break;
        }
        others[root] = others[child];
        root = child;
    }
    others[root] = moved;
}

static void sort_others(struct list *list)
{
    for (size_t i = list->other_count / 2; i-- > 0;) {
        sink(list->others, i, list->other_count);
    }
    for (size_t end = list->other_count; end > 1;) {
        end--;
        struct tm_odd_block last = list->others[end];
        list->others[end] = list->others[0];
        list->others[0] = last;
        sink(list->others, 0, end);
    }
}

static void collect_others(struct list *list)
{
    const struct tm_odd_block_table *odd = &list->runtime->blocks.odd;
    size_t all = tm_odd_block_table_copy(odd, list->others, list->capacity);
    list->other_count = all < list->capacity ? all : list->capacity;
    list->left_out += all - list->other_count;
    drop_even(list);
    if (!tm_map_tracker_each(note_mapping, list)) {
        list->left_out += tm_map_tracker_count();
    }
    sort_others(list);
}

bool tm_block_list_add(struct tm_block_section *section, const struct tm_selection *selection, uint64_t *left_out)
{
    const struct tm_store_view *view = selection->view;
    /* Apart: gcc 10 misses the other fields where an initializer has it. */
    uint32_t base_epoch = atomic_load_explicit(&tm_runtime.base_epoch, memory_order_relaxed);
    struct list list = {
        .runtime = &tm_runtime,
        .selection = selection,
        .section = section,
        .record_count = tm_store_view_count(view, TM_STORE_RECORDS),
        .traceback_count = tm_store_view_count(view, TM_STORE_TRACEBACKS),
        .base_epoch = base_epoch,
    };
    list.capacity = tm_odd_block_table_copy(&tm_runtime.blocks.odd, NULL, 0) + tm_map_tracker_count() + MORE;
    list.others = tm_pages_map(list.capacity * sizeof *list.others);
    list.walk = tm_pages_map(sizeof *list.walk);
    bool done = list.others != NULL && list.walk != NULL;
    if (done) {
        collect_others(&list);
        tm_block_table_each(&tm_runtime.blocks, list.walk, visit, &list);
        add_others(&list, UINTPTR_MAX);
        *left_out = list.left_out;
    }
    if (list.others != NULL) {
        tm_pages_unmap(list.others, list.capacity * sizeof *list.others);
    }
    if (list.walk != NULL) {
        tm_pages_unmap(list.walk, sizeof *list.walk);
    }
    return done;
}
