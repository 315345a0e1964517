/* SPDX-License-Identifier: MIT */
#include "store/snapshot_select.h"

#include <string.h>

#include "base/hash.h"
#include "base/sample_chance.h"

static const struct tm_record *record_at(const struct tm_store_view *view, uint32_t id)
{
    return (const struct tm_record *)(const void *)view->sections[TM_STORE_RECORDS] + id;
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)word, memory_order_relaxed);
}

/* The two words move at different moments: for an instant more may have come back than was handed out. */
static uint64_t difference(uint64_t ever, uint64_t freed)
{
    return (int64_t)(ever - freed) < 0 ? 0 : ever - freed;
}

/* What others than its owner counted is mostly nothing, and lies in a cache line of its own. */
static bool is_loose(const struct tm_record *record)
{
    return atomic_load_explicit(&record->has_loose, memory_order_relaxed) != 0;
}

static bool is_estimate(const struct tm_store_view *view, const struct tm_record *record)
{
    const struct tm_store_header *header = view->header;
    return record->domain != TM_DOMAIN_MMAP && /* mappings are never sampled */
           atomic_load_explicit(&header->sample_rate, memory_order_relaxed) != 0 &&
           record->epoch >= atomic_load_explicit(&header->sampled_epoch, memory_order_relaxed);
}

/* Whole blocks of a record that counts in parts of one.  What is left over becomes a block with the chance that it is
 * one, the same for all figures of a record: so that sums over many records stay right, and one block never becomes
 * none. */
static uint64_t whole_blocks(uint32_t id, uint64_t parts)
{
    uint64_t share = tm_hash_word(id * TM_HASH_MULTIPLIER) % TM_SAMPLE_ONE;
    return (parts + share) / TM_SAMPLE_ONE;
}

static inline uint64_t stored_blocks(uint32_t id, bool is_estimated, const _Atomic uint64_t *word)
{
    return is_estimated ? whole_blocks(id, load(word)) : load(word);
}

static struct tm_record_figures figures_of(const struct tm_store_view *view, uint32_t id, bool is_estimated)
{
    const struct tm_record *held = record_at(view, id);
    const struct tm_record_loose *loose =
        (const struct tm_record_loose *)(const void *)view->sections[TM_STORE_LOOSE] + id;
    struct tm_record_figures figures;
    bool has_loose = is_loose(held);
    uint64_t freed = load(&held->freed_blocks) + (has_loose ? load(&loose->freed_blocks) : 0);
    figures.ever_blocks = load(&held->ever_blocks) + (has_loose ? load(&loose->ever_blocks) : 0);
    figures.live_blocks = difference(figures.ever_blocks, freed);
    if (held->size == TM_SIZE_VARIES) {
        uint64_t freed_bytes = load(&held->freed_bytes) + (has_loose ? load(&loose->freed_bytes) : 0);
        figures.ever_bytes = load(&held->ever_bytes) + (has_loose ? load(&loose->ever_bytes) : 0);
        figures.live_bytes = difference(figures.ever_bytes, freed_bytes);
    } else {
        figures.ever_bytes =
            is_estimated ? tm_sample_bytes(figures.ever_blocks, held->size) : figures.ever_blocks * held->size;
        figures.live_bytes =
            is_estimated ? tm_sample_bytes(figures.live_blocks, held->size) : figures.live_blocks * held->size;
    }
    if (is_estimated) {
        figures.ever_blocks = whole_blocks(id, figures.ever_blocks);
        figures.live_blocks = whole_blocks(id, figures.live_blocks);
    }
    return figures;
}

struct tm_record_figures tm_record_figures_of(const struct tm_store_view *view, uint32_t id)
{
    return figures_of(view, id, is_estimate(view, record_at(view, id)));
}

/* The record belongs to an epoch that counts (from BASE on) and was ever used. */
static bool has(const struct tm_store_view *view, uint32_t id, uint32_t base)
{
    const struct tm_record *record = record_at(view, id);
    if (record->epoch < base || record->domain >= TM_DOMAIN_COUNT) {
        return false;
    }
    if (!is_loose(record)) {
        if (load(&record->ever_blocks) == 0) {
            return false; /* never used, or given back */
        }
        if (!is_estimate(view, record)) {
            return true; /* nearly all others */
        }
    }
    struct tm_record_figures figures = tm_record_figures_of(view, id);
    return figures.ever_blocks != 0 || figures.live_blocks != 0;
}

uint64_t tm_selection_traffic(const struct tm_selection *selection)
{
    uint64_t sum = 0;
    for (uint32_t id = 1; id < tm_store_view_count(selection->view, TM_STORE_RECORDS); id++) {
        struct tm_record_figures figures = tm_record_figures_of(selection->view, id);
        sum += 2 * figures.ever_blocks - figures.live_blocks;
    }
    return sum;
}

static size_t array_length(const struct tm_store_view *view, enum tm_section_name section)
{
    return (size_t)tm_store_view_count(view, section) + 1;
}

static size_t array_bytes(const struct tm_store_view *view)
{
    return (2 * array_length(view, TM_STORE_TRACEBACKS) + array_length(view, TM_STORE_RECORDS) +
            array_length(view, TM_STORE_FRAMES) + array_length(view, TM_STORE_STRINGS)) *
           sizeof(uint32_t);
}

static bool make_arrays(struct tm_selection *selection, const struct tm_encode_memory *memory)
{
    const struct tm_store_view *view = selection->view;
    selection->array_bytes = array_bytes(view);
    uint32_t *array = memory->get(selection->array_bytes);
    if (array == NULL) {
        return false;
    }
    selection->tracebacks = array;
    selection->first_record = selection->tracebacks + array_length(view, TM_STORE_TRACEBACKS);
    selection->next_record = selection->first_record + array_length(view, TM_STORE_TRACEBACKS);
    selection->frames = selection->next_record + array_length(view, TM_STORE_RECORDS);
    selection->strings = selection->frames + array_length(view, TM_STORE_FRAMES);
    return true;
}

void tm_selection_free(struct tm_selection *selection, const struct tm_encode_memory *memory)
{
    if (selection->tracebacks != NULL) {
        memory->release(selection->tracebacks, selection->array_bytes);
        selection->tracebacks = NULL;
    }
}

/* The passes go over items 0 ... count - 1 in steps; what is done for one item does not depend on where a step ends. */

static uint32_t all_but_first(const struct tm_selection *selection, enum tm_section_name section)
{
    uint32_t count = tm_store_view_count(selection->view, section);
    return count == 0 ? 0 : count - 1;
}

/* From the last record to the first, so that each traceback's are listed in their order. */
static uint32_t select_records(struct tm_selection *selection, uint32_t from, uint32_t to)
{
    const struct tm_store_view *view = selection->view;
    uint32_t tracebacks = tm_store_view_count(view, TM_STORE_TRACEBACKS);
    uint32_t records = all_but_first(selection, TM_STORE_RECORDS);
    uint32_t base = atomic_load_explicit(&view->header->base_epoch, memory_order_relaxed);
    uint32_t *first = selection->first_record, *next = selection->next_record, *marked = selection->tracebacks;
    for (uint32_t id = records - from; id > records - to; id--) {
        uint32_t traceback = record_at(view, id)->traceback;
        if (traceback < tracebacks + (tracebacks == 0) && has(view, id, base)) {
            next[id] = first[traceback];
            first[traceback] = id;
            marked[traceback] = 1;
        }
    }
    return records;
}

/* Parents have smaller ids: one pass down marks them, one pass up numbers them. */
static uint32_t select_parents(struct tm_selection *selection, uint32_t from, uint32_t to)
{
    const struct tm_stored_traceback *items = (const void *)selection->view->sections[TM_STORE_TRACEBACKS];
    uint32_t last = all_but_first(selection, TM_STORE_TRACEBACKS);
    uint32_t *tracebacks = selection->tracebacks, *frames = selection->frames;
    for (uint32_t id = last - from; id > last - to; id--) {
        if (tracebacks[id] != 0) {
            tracebacks[items[id].parent] = 1;
            frames[items[id].frame] = 1;
        }
    }
    return last;
}

static uint32_t number_tracebacks(struct tm_selection *selection, uint32_t from, uint32_t to)
{
    uint32_t *tracebacks = selection->tracebacks;
    uint32_t count = selection->traceback_count;
    tracebacks[0] = 0;
    for (uint32_t id = from + 1; id <= to; id++) {
        if (tracebacks[id] != 0) {
            tracebacks[id] = ++count;
        }
    }
    selection->traceback_count = count;
    return all_but_first(selection, TM_STORE_TRACEBACKS);
}

static uint32_t length_of(const struct tm_store_view *view, uint32_t string)
{
    uint32_t length;
    memcpy(&length, view->sections[TM_STORE_STRINGS] + (uint64_t)string * 4, sizeof length);
    return length;
}

static void select_frame(struct tm_selection *selection, const struct tm_stored_frame *frames, uint32_t id)
{
    if (tm_frame_is_module(&frames[id])) {
        selection->frames[id] = ++selection->module_count;
        selection->strings[frames[id].file] = 1;
        selection->build_id_bytes += length_of(selection->view, frames[id].function & ~TM_FRAME_MODULE);
        return;
    }
    selection->frames[id] = ++selection->frame_count;
    if (tm_frame_is_native(&frames[id])) {
        selection->native_count++;
        return;
    }
    selection->strings[frames[id].file] = 1;
    selection->strings[frames[id].function] = 1;
}

static uint32_t select_objects(struct tm_selection *selection, uint32_t from, uint32_t to)
{
    const struct tm_stored_frame *frames = (const void *)selection->view->sections[TM_STORE_FRAMES];
    for (uint32_t id = from + 1; id <= to; id++) {
        if (selection->frames[id] != 0 && tm_frame_is_native(&frames[id])) {
            selection->frames[frames[id].file] = 1;
        }
    }
    return all_but_first(selection, TM_STORE_FRAMES);
}

static uint32_t number_frames(struct tm_selection *selection, uint32_t from, uint32_t to)
{
    const struct tm_stored_frame *frames = (const void *)selection->view->sections[TM_STORE_FRAMES];
    for (uint32_t id = from + 1; id <= to; id++) {
        if (selection->frames[id] != 0) {
            select_frame(selection, frames, id);
        }
    }
    return all_but_first(selection, TM_STORE_FRAMES);
}

static uint32_t number_strings(struct tm_selection *selection, uint32_t from, uint32_t to)
{
    selection->strings[0] = 0; /* the empty one, which is always there */
    for (uint32_t id = from + 1; id <= to; id++) {
        if (selection->strings[id] != 0) {
            selection->strings[id] = selection->string_count++;
            selection->string_bytes += length_of(selection->view, id);
        }
    }
    return all_but_first(selection, TM_STORE_STRINGS);
}

/* Each answers how many items it has; without items (FROM is TO) it does no more. */
static uint32_t (*const passes[])(struct tm_selection *selection, uint32_t from, uint32_t to) = {
    select_records, select_parents, number_tracebacks, select_objects, number_frames, number_strings,
};

static void look_at_peaks(struct tm_selection *selection)
{
    const struct tm_totals *totals = &selection->view->header->totals;
    uint64_t python, heap;
    tm_store_traced(selection->view->header, &python, &heap);
    selection->marks = load(&totals->marks);
    selection->python_peaks_now = (int64_t)(python - load(&totals->python_peak)) > 0;
    selection->heap_peaks_now = (int64_t)(heap - load(&totals->heap_peak)) > 0;
}

bool tm_selection_begin(struct tm_selection *selection, const struct tm_store_view *view,
                        const struct tm_encode_memory *memory)
{
    memset(selection, 0, sizeof *selection);
    selection->view = view;
    selection->string_count = 1;
    if (!make_arrays(selection, memory)) {
        tm_selection_free(selection, memory);
        return false;
    }
    look_at_peaks(selection);
    return true;
}

bool tm_selection_step(struct tm_selection *selection, uint32_t most)
{
    if (selection->pass == TM_COUNT_OF(passes)) {
        return false;
    }
    uint32_t count = passes[selection->pass](selection, 0, 0);
    uint32_t left = count - selection->done;
    uint32_t to = selection->done + (left < most ? left : most);
    (void)passes[selection->pass](selection, selection->done, to);
    selection->done = to;
    if (to == count) {
        selection->pass++;
        selection->done = 0;
    }
    return true;
}

bool tm_selection_make(struct tm_selection *selection, const struct tm_store_view *view,
                       const struct tm_encode_memory *memory)
{
    bool done = tm_selection_begin(selection, view, memory);
    while (done && tm_selection_step(selection, UINT32_MAX)) {
    }
    return done;
}

/* What is live in a record is what was live at the maximum: it did not change since, or this is the maximum.  CHANGED
 * are its marks against those of now. */
static inline bool python_is_live(const struct tm_selection *selection, uint64_t changed)
{
    return (uint32_t)changed != 0 || selection->python_peaks_now;
}

static inline bool heap_is_live(const struct tm_selection *selection, uint64_t changed)
{
    return changed >> 32 != 0 || selection->heap_peaks_now;
}

static void add_peaks(const struct tm_selection *selection, uint32_t id, bool is_estimated,
                      const struct tm_record_figures *figures, struct tm_counter_record *counter)
{
    const struct tm_store_view *view = selection->view;
    const struct tm_record_peak *peak =
        (const struct tm_record_peak *)(const void *)view->sections[TM_STORE_PEAKS] + id;
    uint64_t changed = load(&record_at(view, id)->marks) ^ selection->marks;
    bool python_live = python_is_live(selection, changed), heap_live = heap_is_live(selection, changed);
    if (counter->domain <= TM_DOMAIN_OBJ) {
        counter->peak_python_blocks +=
            python_live ? figures->live_blocks : stored_blocks(id, is_estimated, &peak->python_blocks);
        counter->peak_python_bytes += python_live ? figures->live_bytes : load(&peak->python_bytes);
    }
    counter->peak_heap_blocks += heap_live ? figures->live_blocks : stored_blocks(id, is_estimated, &peak->heap_blocks);
    counter->peak_heap_bytes += heap_live ? figures->live_bytes : load(&peak->heap_bytes);
}

static inline void add_sizes(size_t domain, uint64_t size, uint64_t live_blocks, uint64_t ever_blocks,
                             struct tm_size_sums *sizes)
{
    bool varies = size > TM_EXACT_SIZE_MAX;
    size_t class = varies ? TM_SIZE_CLASSES - 1 : (size + TM_SIZE_STEP - 1U) / TM_SIZE_STEP;
    sizes->classes[domain][class].live_blocks += live_blocks;
    sizes->classes[domain][class].ever_blocks += ever_blocks;
    if (!varies && domain != TM_DOMAIN_RAW && domain != TM_DOMAIN_NATIVE) {
        sizes->live_small_bytes += live_blocks * size;
    }
}

/* That of DOMAIN, which begins with the first record that comes to it. */
static inline struct tm_counter_record *counter_in(struct tm_counters *counters, size_t domain)
{
    struct tm_counter_record *counter = &counters->of[domain];
    if ((counters->domains >> domain & 1) == 0) {
        counters->domains |= UINT32_C(1) << domain;
        *counter = (struct tm_counter_record){.domain = (uint8_t)domain};
    }
    return counter;
}

static inline void add_figures(struct tm_counter_record *counter, const struct tm_record_figures *figures,
                               uint64_t temporary)
{
    counter->live_blocks += figures->live_blocks;
    counter->live_bytes += figures->live_bytes;
    counter->ever_blocks += figures->ever_blocks;
    counter->ever_bytes += figures->ever_bytes;
    counter->temporary_blocks += temporary;
}

/* Where counters are added up. */
struct sums {
    struct tm_counters *counters;
    struct tm_counters *inherited;
    struct tm_size_sums *sizes;
};

static TM_COLD void add_any(const struct tm_selection *selection, uint32_t id, const struct sums *sums)
{
    const struct tm_store_view *view = selection->view;
    const struct tm_record *record = record_at(view, id);
    const uint64_t size = record->size; /* once, as the domain: where it is given back meanwhile, they change */
    const uint8_t domain = record->domain;
    bool is_estimated = is_estimate(view, record);
    const struct tm_record_figures figures = figures_of(view, id, is_estimated);
    uint64_t temporary = stored_blocks(id, is_estimated, &record->temporary_blocks);
    struct tm_counter_record *counter = counter_in(sums->counters, domain);
    add_figures(counter, &figures, temporary);
    add_peaks(selection, id, is_estimated, &figures, counter);
    add_sizes(domain, size, figures.live_blocks, figures.ever_blocks, sums->sizes);
    if (record->epoch < view->header->fork_epoch) {
        add_figures(counter_in(sums->inherited, domain), &figures, temporary);
    }
}

/* Nearly all records are so that no more than add_plainly does is needed. */
static inline bool is_plain(const struct tm_selection *selection, const struct tm_record *record, uint32_t fork_epoch)
{
    uint64_t changed = load(&record->marks) ^ selection->marks;
    return record->size <= TM_EXACT_SIZE_MAX && !is_loose(record) && !is_estimate(selection->view, record) &&
           record->epoch >= fork_epoch && python_is_live(selection, changed) && heap_is_live(selection, changed);
}

/* What add_any does with such a record: what is live is what was live at the maxima. */
static inline void add_plainly(const struct tm_record *record, const struct sums *sums)
{
    const uint64_t size = record->size, ever = load(&record->ever_blocks);
    const uint64_t live = difference(ever, load(&record->freed_blocks)), live_bytes = live * size;
    const size_t domain = record->domain;
    struct tm_counter_record *counter = counter_in(sums->counters, domain);
    counter->ever_blocks += ever;
    counter->ever_bytes += ever * size;
    counter->temporary_blocks += load(&record->temporary_blocks);
    if (live != 0) {
        counter->live_blocks += live;
        counter->live_bytes += live_bytes;
        counter->peak_heap_blocks += live;
        counter->peak_heap_bytes += live_bytes;
        counter->peak_python_blocks += domain <= TM_DOMAIN_OBJ ? live : 0;
        counter->peak_python_bytes += domain <= TM_DOMAIN_OBJ ? live_bytes : 0;
    }
    add_sizes(domain, size, live, ever, sums->sizes);
}

void tm_selection_counters(const struct tm_selection *selection, uint32_t traceback, struct tm_counters *counters,
                           struct tm_counters *inherited, struct tm_size_sums *sizes)
{
    const struct tm_store_view *view = selection->view;
    const uint32_t fork_epoch = view->header->fork_epoch;
    const struct sums sums = {counters, inherited, sizes};
    counters->domains = inherited->domains = 0;
    for (uint32_t id = selection->first_record[traceback]; id != 0; id = selection->next_record[id]) {
        const struct tm_record *record = record_at(view, id);
        if (TM_LIKELY(is_plain(selection, record, fork_epoch))) {
            add_plainly(record, &sums);
        } else {
            add_any(selection, id, &sums);
        }
    }
}
