/* SPDX-License-Identifier: MIT */
#include "runtime/track/capture.h"

#include "runtime/os/os_memory.h"
#include "runtime/track/native_frames.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/tracer_words.h"
#include "runtime/unwind/python_stack.h"

#define FIRST_SCRATCH 4096U
#define LONGEST_NAME  (1U << 20) /* bytes; longer names are cut */

/* What the tracer holds is told to readers outside at every so manyth record. */
#define RECORDS_BETWEEN_WORDS 128U

/* Interns the text of a Python string; the empty string where that fails. */
static uint32_t intern_text(struct tm_runtime *runtime, uintptr_t text)
{
    uint32_t id = 0;
    if (text == 0) {
        return 0;
    }
    if (runtime->scratch == NULL) {
        runtime->scratch = tm_pages_map(FIRST_SCRATCH);
        runtime->scratch_size = runtime->scratch == NULL ? 0 : FIRST_SCRATCH;
    }
    size_t length = tm_python_text(runtime->layout, text, runtime->scratch, runtime->scratch_size);
    if (length > runtime->scratch_size && length <= LONGEST_NAME) {
        char *larger = tm_pages_map(length);
        if (larger != NULL) {
            if (runtime->scratch != NULL) {
                tm_pages_unmap(runtime->scratch, runtime->scratch_size);
            }
            runtime->scratch = larger;
            runtime->scratch_size = tm_page_round(length);
            length = tm_python_text(runtime->layout, text, runtime->scratch, runtime->scratch_size);
        }
    }
    length = length < runtime->scratch_size ? length : runtime->scratch_size;
    tm_string_intern_from(&runtime->strings, text, runtime->scratch, length, &id);
    return id;
}

static uint32_t unknown_frame(struct tm_runtime *runtime)
{
    static const char unknown[] = "<unknown>";
    struct tm_stored_frame frame = {0, 0, 0};
    tm_string_intern(&runtime->strings, unknown, sizeof unknown - 1, &frame.file);
    return tm_frame_intern(&runtime->frames, &frame);
}

/* So many references, to be exact more, has what CPython never frees. */
#define IMMORTAL (UINT32_C(1) << 29)

/* The code of a frozen module: a variable of the program, not a block. */
static bool lives_for_ever(const struct tm_runtime *runtime, uintptr_t code)
{
    const unsigned references = runtime->layout->object_type - (unsigned)sizeof(uintptr_t); /* they stand before it */
    return code >= runtime->program_begin && code < runtime->program_end &&
           (uint32_t)tm_python_word(code, references) > IMMORTAL;
}

/* Remembers that ID is the frame at RAW, of the code object CODE, for as long as that lives.  KNOWN is its entry, if it
 * has one.  Answers the entry; NULL: it cannot be remembered. */
static struct tm_code *remember_frame(struct tm_runtime *runtime, const struct tm_raw_frame *raw, uintptr_t code,
                                      struct tm_code *known, uint32_t id)
{
    struct tm_code_table *codes = &runtime->codes;
    if (known != NULL) {
        return tm_code_table_add_to(codes, known, raw->place, raw->offset, id) ? known : NULL;
    }
    /* Only what will be heard to die may be remembered; the free of a block that was not sampled is not. */
    bool is_heard = (runtime->sample_rate == 0 || runtime->budget.thins) &&
                    (lives_for_ever(runtime, code) ||
                     tm_block_table_mark_code(&runtime->blocks, tm_python_block_of(runtime->layout, code)));
    return is_heard && tm_code_table_add(codes, code, raw->place, raw->offset, id) ? tm_code_table_code(codes, code)
                                                                                   : NULL;
}

TM_INLINE bool has_sampled_frames(const struct tm_runtime *runtime)
{
    return runtime->sample_rate != 0 && !runtime->config.slow;
}

/* Resolves a frame that was not seen before and remembers it for as long as its code object lives. */
static __attribute__((noinline)) uint32_t learn_frame(struct tm_runtime *runtime, const struct tm_raw_frame *raw,
                                                      bool *may_cache)
{
    struct tm_frame_names names;
    struct tm_line_cursor cursor = {TM_LINE_NOWHERE, 0, 0};
    const uint32_t sampled = has_sampled_frames(runtime) ? tm_sampled_frames_find(runtime, raw) : 0;
    if (sampled != 0) {
        *may_cache = false;
        return sampled;
    }
    struct tm_code *known = tm_code_table_code(&runtime->codes, tm_python_frame_code(runtime->layout, raw));
    if (known != NULL) {
        cursor = known->cursor;
    }
    if (!tm_python_frame_names_from(runtime->layout, raw, &cursor, &names)) {
        *may_cache = false;
        return unknown_frame(runtime);
    }
    struct tm_stored_frame frame = {.line = names.line};
    if (known != NULL && known->filename == names.filename) { /* an import may give its code another one, at first */
        frame.file = known->file;
        frame.function = known->function;
    } else {
        frame.file = intern_text(runtime, names.filename);
        frame.function = intern_text(runtime, names.function);
    }
    uint32_t id = tm_frame_intern(&runtime->frames, &frame);
    known = id != 0 ? remember_frame(runtime, raw, names.code, known, id) : NULL;
    const bool is_whole = id != 0 && frame.file != 0 && frame.function != 0; /* 0 may be a lack of memory */
    if (known == NULL) {
        *may_cache = false;
        if (is_whole && has_sampled_frames(runtime)) {
            tm_sampled_frames_keep(runtime, raw, &names, &cursor, id);
        }
        return id;
    }
    known->cursor = cursor;
    if (is_whole) {
        known->filename = names.filename;
        known->file = frame.file;
        known->function = frame.function;
    }
    return id;
}

TM_INLINE uint32_t find_frame(struct tm_runtime *runtime, const struct tm_raw_frame *raw, bool *may_cache)
{
    const bool is_native = raw->kind == TM_RAW_NATIVE;
    uint32_t id = is_native ? 0 : tm_code_table_frame(&runtime->codes, raw->place, raw->offset);
    if (TM_LIKELY(id != 0)) {
        return id;
    }
    bool may = *may_cache; /* so that *MAY_CACHE itself needs no memory */
    id = is_native ? tm_native_frame_find(runtime, raw->place, &may) : learn_frame(runtime, raw, &may);
    *may_cache = may;
    return id;
}

/* A deep stack costs its changed part: the frames after the last one that has a note. */
TM_INLINE bool find_traceback(struct tm_runtime *runtime, const struct tm_raw_frame *frames, unsigned count,
                              uint32_t *notes, uint32_t *id, bool *may_cache)
{
    unsigned i = notes == NULL ? 0 : count;
    while (i > 0 && notes[i - 1] == 0) {
        i--;
    }
    uint32_t known = i > 0 ? notes[i - 1] : 0;
    for (; i < count; i++) {
        uint32_t frame = find_frame(runtime, &frames[i], may_cache);
        known = frame == 0 ? 0 : tm_traceback_intern(&runtime->tracebacks, known, frame);
        if (TM_UNLIKELY(known == 0)) {
            return false;
        }
        if (notes != NULL && TM_LIKELY(*may_cache)) {
            notes[i] = known;
        }
    }
    *id = known;
    return true;
}

/* Near the memory limit nothing is made: a trace that is not known becomes (merged), which is not remembered for its
 * frames, because nobody hears them die. */
static uint32_t find_or_merge(struct tm_runtime *runtime, const struct tm_raw_frame *frames, unsigned count,
                              struct tm_record_key *key, bool *may_cache)
{
    key->traceback = 0;
    for (unsigned i = 0; i < count && *may_cache; i++) {
        uint32_t frame = frames[i].kind == TM_RAW_NATIVE
                             ? tm_native_frame_find(runtime, frames[i].place, may_cache)
                             : tm_code_table_frame(&runtime->codes, frames[i].place, frames[i].offset);
        key->traceback = frame == 0 ? 0 : tm_traceback_find(&runtime->tracebacks, key->traceback, frame);
        *may_cache = *may_cache && key->traceback != 0;
    }
    uint32_t record = *may_cache ? tm_record_find(&runtime->records, key) : 0;
    if (record == 0) {
        key->traceback = runtime->budget.merged_traceback;
        record = tm_record_intern(&runtime->records, key);
        atomic_fetch_add_explicit(&runtime->store.header->merged_events, 1, memory_order_relaxed);
    }
    return record;
}

/* A sampled event whose traceback may be FRAME alone, which is known: no more is looked up.  0: the long way. */
TM_INLINE uint32_t find_sampled(const struct tm_runtime *runtime, const struct tm_raw_frame *frame, unsigned count,
                                const struct tm_record_key *key)
{
    return TM_UNLIKELY(has_sampled_frames(runtime)) && count == 1 && frame->kind != TM_RAW_NATIVE
               ? tm_sampled_frames_record(runtime, frame, key)
               : 0;
}

static uint32_t intern_record(struct tm_runtime *runtime, const struct tm_raw_frame *frames, unsigned count,
                              const struct tm_record_key *key, bool may_cache)
{
    uint32_t record = tm_record_intern(&runtime->records, key);
    if (TM_UNLIKELY(record % RECORDS_BETWEEN_WORDS == 0)) {
        tm_tracer_words_update(runtime);
    }
    if (TM_UNLIKELY(has_sampled_frames(runtime)) && count == 1 && !may_cache && frames[0].kind != TM_RAW_NATIVE) {
        tm_sampled_frames_keep_record(runtime, &frames[0], key, record);
    }
    return record;
}

struct tm_captured tm_capture_record(struct tm_thread *thread, const struct tm_raw_frame *frames, unsigned count,
                                     uint32_t *notes, uint8_t domain, uint16_t size, uint16_t owner)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_record_key key = {.size = size, .domain = domain, .owner = owner};
    uint32_t record = 0;
    bool may_cache = true;
    thread->guard++;
    tm_lock_take(&runtime->intern_lock);
    key.epoch = atomic_load_explicit(&runtime->epoch, memory_order_relaxed);
    if (TM_UNLIKELY(atomic_load_explicit(&runtime->budget.merges, memory_order_relaxed))) {
        bool may = true; /* so that MAY_CACHE itself needs no memory */
        record = find_or_merge(runtime, frames, count, &key, &may);
        may_cache = may;
    } else if (TM_UNLIKELY((record = find_sampled(runtime, frames, count, &key)) != 0)) {
        may_cache = false;
    } else if (find_traceback(runtime, frames, count, notes, &key.traceback, &may_cache)) {
        record = intern_record(runtime, frames, count, &key, may_cache);
    }
    tm_lock_release(&runtime->intern_lock);
    if (TM_UNLIKELY(runtime->budget.limit != 0)) {
        tm_budget_look(thread);
    }
    if (TM_UNLIKELY(runtime->aging.died.count >= TM_AGING_FRAMES_MIN)) {
        tm_aging_look(thread);
    }
    thread->guard--;
    if (TM_UNLIKELY(record == 0)) {
        atomic_fetch_add_explicit(&runtime->store.header->dropped_events, 1, memory_order_relaxed);
    }
    return (struct tm_captured){record, may_cache};
}

static void forget_place(uintptr_t place, void *cache)
{
    tm_trace_cache_forget_place(cache, place);
}

void tm_capture_forget_code(struct tm_thread *thread, uintptr_t code, bool held)
{
    struct tm_runtime *runtime = &tm_runtime;
    thread->guard++;
    tm_lock_take(&runtime->intern_lock);
    if (held) {
        tm_code_table_visit(&runtime->codes, code, forget_place, &runtime->cache);
    }
    if (tm_code_table_forget(&runtime->codes, code, &runtime->aging.died)) {
        atomic_fetch_add_explicit(&runtime->native.deaths, 1, memory_order_relaxed);
        if (held) {
            tm_stack_cache_clear(&runtime->held_stack); /* a frame of its code may stand there */
        } else {
            tm_trace_cache_new_generation(&runtime->cache);
        }
    }
    tm_lock_release(&runtime->intern_lock);
    thread->guard--;
}
