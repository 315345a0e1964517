/* SPDX-License-Identifier: MIT */
#include "store/store_view.h"

#include <string.h>

static const size_t item_size[TM_STORE_SECTIONS] = {
    [TM_STORE_STRINGS] = 4,
    [TM_STORE_FRAMES] = sizeof(struct tm_stored_frame),
    [TM_STORE_TRACEBACKS] = sizeof(struct tm_stored_traceback),
    [TM_STORE_RECORDS] = sizeof(struct tm_record),
    [TM_STORE_PEAKS] = sizeof(struct tm_record_peak),
    [TM_STORE_LOOSE] = sizeof(struct tm_record_loose),
};

void tm_store_view_init(struct tm_store_view *view, const struct tm_store_header *header,
                        uint8_t *const sections[TM_STORE_SECTIONS])
{
    static const enum tm_section_name order[] = {TM_STORE_RECORDS, TM_STORE_TRACEBACKS, TM_STORE_FRAMES,
                                                 TM_STORE_STRINGS};
    view->header = header;
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        view->sections[i] = sections[i];
    }
    for (unsigned i = 0; i < TM_COUNT_OF(order); i++) {
        view->lengths[order[i]] = atomic_load_explicit(&header->lengths[order[i]], memory_order_acquire);
    }
    uint64_t records = view->lengths[TM_STORE_RECORDS] / sizeof(struct tm_record);
    view->lengths[TM_STORE_PEAKS] = records * sizeof(struct tm_record_peak);
    view->lengths[TM_STORE_LOOSE] = records * sizeof(struct tm_record_loose);
}

uint32_t tm_store_view_count(const struct tm_store_view *view, enum tm_section_name section)
{
    return (uint32_t)(view->lengths[section] / item_size[section]);
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* Below 0 for a moment, when one thread's free was counted before another's allocation. */
static uint64_t at_least_0(uint64_t sum)
{
    return (int64_t)sum < 0 ? 0 : sum;
}

void tm_store_traced(const struct tm_store_header *header, uint64_t *python, uint64_t *heap)
{
    const struct tm_totals *totals = &header->totals;
    uint64_t native = load(&totals->native_held) + load(&totals->native_shared);
    *python = load(&totals->python_held) + load(&totals->python_shared);
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        const struct tm_tally_line *line = &header->tallies[i];
        *python += load(&line->python) - load(&line->python_base);
        native += load(&line->native) - load(&line->native_base);
    }
    *heap = at_least_0(*python + native);
    *python = at_least_0(*python);
}

uint64_t tm_store_peak_bound(const struct tm_store_header *header)
{
    uint64_t threads = 0;
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        threads += atomic_load_explicit(&header->tallies[i].is_used, memory_order_relaxed) != 0;
    }
    /* Alone a thread looks at what it has not told. */
    return threads > 1 || (threads == 1 && header->python_hex != 0) ? threads * TM_TALLY_REACH : 0;
}

bool tm_store_view_word(const struct tm_store_view *view, uint32_t *cursor, struct tm_store_word *word)
{
    uint32_t end = atomic_load_explicit(&view->header->meta_length, memory_order_acquire);
    const uint8_t *meta = (const uint8_t *)view->header->meta;
    uint32_t at = *cursor;
    if (end > TM_STORE_META_CAPACITY || at >= end) {
        return false;
    }
    word->key_length = meta[at++];
    if (word->key_length + 2 > end - at) {
        return false;
    }
    word->key = (const char *)meta + at;
    at += (uint32_t)word->key_length;
    word->value_length = (size_t)meta[at] | (size_t)meta[at + 1] << 8;
    at += 2;
    if (word->value_length > end - at) {
        return false;
    }
    word->value = (const char *)meta + at;
    *cursor = at + (uint32_t)word->value_length;
    return true;
}

static const char *check_strings(const struct tm_store_view *view)
{
    uint64_t end = view->lengths[TM_STORE_STRINGS];
    uint64_t at = 0;
    while (at < end) {
        uint32_t length;
        if (end - at < sizeof length) {
            return "a string is cut off";
        }
        memcpy(&length, view->sections[TM_STORE_STRINGS] + at, sizeof length);
        uint64_t size = (sizeof length + (uint64_t)length + 1 + 3) / 4 * 4;
        if (size > end - at) {
            return "a string is longer than its section";
        }
        at += size;
    }
    return end == 0 ? "there are no strings" : NULL;
}

static const char *check_name(const struct tm_store_view *view, uint32_t id)
{
    uint64_t strings = view->lengths[TM_STORE_STRINGS];
    uint64_t at = (uint64_t)id * 4;
    uint32_t length;
    if (at + sizeof length > strings) {
        return "a frame names a string that is not there";
    }
    memcpy(&length, view->sections[TM_STORE_STRINGS] + at, sizeof length);
    return length > strings - at - sizeof length ? "a frame names what is not a string" : NULL;
}

static const char *check_frames(const struct tm_store_view *view)
{
    const struct tm_stored_frame *frames = (const void *)view->sections[TM_STORE_FRAMES];
    for (uint32_t id = 1; id < tm_store_view_count(view, TM_STORE_FRAMES); id++) {
        const char *fault = NULL;
        if (!tm_frame_is_native(&frames[id])) {
            fault = check_name(view, frames[id].file);
            fault = fault != NULL ? fault : check_name(view, frames[id].function & ~TM_FRAME_MODULE);
        } else if (frames[id].file == 0 || frames[id].file >= id || !tm_frame_is_module(&frames[frames[id].file])) {
            fault = "a machine frame names an object that is not there";
        }
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}

static const char *check_tracebacks(const struct tm_store_view *view)
{
    const struct tm_stored_traceback *tracebacks = (const void *)view->sections[TM_STORE_TRACEBACKS];
    const struct tm_stored_frame *items = (const void *)view->sections[TM_STORE_FRAMES];
    uint32_t frames = tm_store_view_count(view, TM_STORE_FRAMES);
    for (uint32_t id = 1; id < tm_store_view_count(view, TM_STORE_TRACEBACKS); id++) {
        if (tracebacks[id].parent >= id || tracebacks[id].frame == 0 || tracebacks[id].frame >= frames ||
            tm_frame_is_module(&items[tracebacks[id].frame])) {
            return "a traceback refers to what is not there";
        }
    }
    return NULL;
}

static const char *check_records(const struct tm_store_view *view)
{
    const struct tm_record *records = (const void *)view->sections[TM_STORE_RECORDS];
    uint32_t tracebacks = tm_store_view_count(view, TM_STORE_TRACEBACKS);
    for (uint32_t id = 1; id < tm_store_view_count(view, TM_STORE_RECORDS); id++) {
        if (records[id].traceback >= (tracebacks == 0 ? 1 : tracebacks) || records[id].domain > 4) {
            return "a record refers to what is not there";
        }
        if (records[id].size > TM_EXACT_SIZE_MAX && records[id].size != TM_SIZE_VARIES) {
            return "a record has a size that no record has";
        }
    }
    return NULL;
}

const char *tm_store_view_check(const struct tm_store_view *view)
{
    static const char *(*const checks[])(const struct tm_store_view *) = {check_strings, check_frames, check_tracebacks,
                                                                          check_records};
    for (unsigned i = 0; i < TM_COUNT_OF(checks); i++) {
        const char *fault = checks[i](view);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}
