/* SPDX-License-Identifier: MIT */
#include "runtime/track/aging.h"

#include "runtime/os/os_memory.h"
#include "runtime/os/os_process.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"

#define RECORDS_MIN 1024U
#define SUMS        512U

/* One round.  The sets are private and for this round only. */
struct round {
    struct tm_runtime *runtime;
    uint32_t tracebacks, records, frames;
    struct tm_id_set going; /* tracebacks with a frame that died */
    struct tm_id_set kept;  /* of these: what is live, and what leads there */
    struct tm_id_set used;  /* frames, then strings, that something still has */
    struct tm_id_set idle;  /* records of those that go, of which no block is live */
    uint32_t released;      /* records */
    uint32_t sums[SUMS];    /* the last record of (aged out) for each of so many kinds; 0: none yet */
};

static uint32_t count_of(const struct tm_runtime *runtime, enum tm_section_name section, size_t size)
{
    return (uint32_t)(atomic_load_explicit(&runtime->store.header->lengths[section], memory_order_relaxed) / size);
}

static const struct tm_stored_traceback *traceback_at(const struct round *round, uint32_t id)
{
    return tm_traceback_at(&round->runtime->store, id);
}

static bool is_free(const struct round *round, uint32_t traceback)
{
    return tm_free_ids_have(&round->runtime->tracebacks.free, traceback);
}

/* Parents have smaller ids. */
static bool find_going(struct round *round)
{
    const struct tm_stored_traceback *all = traceback_at(round, 0);
    for (uint32_t id = 1; id < round->tracebacks; id++) {
        const struct tm_stored_traceback item = all[id];
        bool goes = tm_id_set_has(&round->runtime->aging.died, item.frame) ||
                    (item.parent != 0 && tm_id_set_has(&round->going, item.parent));
        if (goes && !is_free(round, id) && !tm_id_set_add(&round->going, id)) {
            return false;
        }
    }
    return true;
}

static bool keep(struct round *round, uint32_t traceback)
{
    for (; tm_id_set_has(&round->going, traceback) && !tm_id_set_has(&round->kept, traceback);
         traceback = traceback_at(round, traceback)->parent) {
        if (!tm_id_set_add(&round->kept, traceback)) {
            return false;
        }
    }
    return true;
}

TM_INLINE bool is_live(const struct round *round, uint32_t id)
{
    const struct tm_record *record = &round->runtime->records.records[id];
    uint64_t blocks, bytes;
    if (TM_LIKELY(atomic_load_explicit(&record->has_loose, memory_order_relaxed) == 0)) {
        return tm_word_load(&record->ever_blocks) != tm_word_load(&record->freed_blocks) ||
               tm_word_load(&record->ever_bytes) != tm_word_load(&record->freed_bytes);
    }
    tm_record_live(round->runtime, id, &blocks, &bytes);
    return blocks != 0 || bytes != 0;
}

static bool find_kept(struct round *round)
{
    for (uint32_t id = 1; id < round->records; id++) {
        uint32_t traceback = round->runtime->records.records[id].traceback;
        if (tm_id_set_has(&round->going, traceback) &&
            !(is_live(round, id) ? keep(round, traceback) : tm_id_set_add(&round->idle, id))) {
            return false;
        }
    }
    return true;
}

/* Most are 0, and an atomic addition is dear. */
static void add(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
    uint64_t value = tm_word_load(from);
    if (value != 0) {
        tm_word_add_loose(to, value);
    }
}

/* What was counted in FROM, of which nothing is live, is counted in TO from now on. */
static void take_over(struct tm_runtime *runtime, uint32_t to, uint32_t from)
{
    struct tm_record *old = &runtime->records.records[from];
    struct tm_record *sum = &runtime->records.records[to];
    struct tm_record_loose *loose = &runtime->records.loose[to];
    const struct tm_record_loose *old_loose = &runtime->records.loose[from];
    struct tm_record_peak *peak = &runtime->records.peaks[to];
    const struct tm_record_peak *old_peak = &runtime->records.peaks[from];
    /* Where a maximum has been left since the record changed last, nothing of it was live then. */
    const uint64_t changed = tm_word_load(&old->marks) ^ tm_word_load(&runtime->totals->marks);
    tm_record_save_peaks(runtime, to, sum);
    bool has_loose = atomic_load_explicit(&old->has_loose, memory_order_relaxed) != 0;
    atomic_store_explicit(&sum->has_loose, 1, memory_order_relaxed);
    add(&loose->ever_blocks, &old->ever_blocks);
    add(&loose->freed_blocks, &old->freed_blocks);
    add(&loose->ever_bytes, &old->ever_bytes);
    add(&loose->freed_bytes, &old->freed_bytes);
    if (has_loose) {
        add(&loose->ever_blocks, &old_loose->ever_blocks);
        add(&loose->freed_blocks, &old_loose->freed_blocks);
        add(&loose->ever_bytes, &old_loose->ever_bytes);
        add(&loose->freed_bytes, &old_loose->freed_bytes);
    }
    add(&sum->temporary_blocks, &old->temporary_blocks);
    if ((changed & TM_MARK_PYTHON) == 0) {
        add(&peak->python_blocks, &old_peak->python_blocks);
        add(&peak->python_bytes, &old_peak->python_bytes);
    }
    if ((changed & TM_MARK_HEAP) == 0) {
        add(&peak->heap_blocks, &old_peak->heap_blocks);
        add(&peak->heap_bytes, &old_peak->heap_bytes);
    }
}

static bool make_aged_traceback(struct tm_runtime *runtime)
{
    static const char name[] = "(aged out)";
    struct tm_stored_frame frame = {0, 0, 0};
    if (runtime->aging.aged_traceback != 0) {
        return true;
    }
    uint32_t id = tm_string_intern(&runtime->strings, name, sizeof name - 1, &frame.file)
                      ? tm_frame_intern(&runtime->frames, &frame)
                      : 0;
    runtime->aging.aged_traceback = id != 0 ? tm_traceback_intern(&runtime->tracebacks, 0, id) : 0;
    return runtime->aging.aged_traceback != 0;
}

/* The record of (aged out) that takes over what was counted in RECORD; 0: there is no room for it. */
static uint32_t sum_of(struct round *round, const struct tm_record *record)
{
    struct tm_record_table *table = &round->runtime->records;
    const struct tm_record_key key = {round->runtime->aging.aged_traceback, record->epoch, record->size, record->domain,
                                      TM_OWNER_HELD};
    uint32_t *last = &round->sums[(key.size + key.domain * 171U) % SUMS];
    const struct tm_record *sum = &table->records[*last];
    if (*last == 0 || sum->epoch != key.epoch || sum->size != key.size || sum->domain != key.domain) {
        *last = tm_record_intern(table, &key);
    }
    return *last;
}

/* Where a record stays for lack of memory, its traceback does. */
static bool release_record(void *data, uint32_t id)
{
    struct round *round = data;
    struct tm_runtime *runtime = round->runtime;
    uint32_t sum = sum_of(round, &runtime->records.records[id]);
    if (sum == 0) {
        return keep(round, runtime->records.records[id].traceback);
    }
    take_over(runtime, sum, id);
    tm_record_release(&runtime->records, id);
    round->released++;
    return true;
}

static bool release_records(struct round *round)
{
    bool done = tm_id_set_visit(&round->idle, release_record, round);
    atomic_fetch_add_explicit(&round->runtime->store.header->aged_records, round->released, memory_order_relaxed);
    return done;
}

static bool release_traceback(void *data, uint32_t id)
{
    struct round *round = data;
    if (!tm_id_set_has(&round->kept, id)) {
        tm_traceback_release(&round->runtime->tracebacks, id);
    }
    return true;
}

static void release_tracebacks(struct round *round)
{
    (void)!tm_id_set_visit(&round->going, release_traceback, round);
}

/* The frames of all tracebacks that stay. */
static bool find_used_frames(struct round *round)
{
    const struct tm_stored_traceback *all = traceback_at(round, 0);
    for (uint32_t id = 1; id < round->tracebacks; id++) {
        if (!is_free(round, id) && !tm_id_set_add(&round->used, all[id].frame)) {
            return false;
        }
    }
    return true;
}

static bool use_names(struct round *round, const struct tm_stored_frame *frame)
{
    if (tm_frame_is_native(frame)) {
        return true; /* its file is a frame */
    }
    return tm_id_set_add(&round->used, frame->file) &&
           tm_id_set_add(&round->used, frame->function & ~(tm_frame_is_module(frame) ? TM_FRAME_MODULE : 0));
}

static bool find_used_names(struct round *round)
{
    for (uint32_t id = 1; id < round->frames; id++) {
        if (!tm_free_ids_have(&round->runtime->frames.free, id) &&
            !use_names(round, tm_frame_at(&round->runtime->store, id))) {
            return false;
        }
    }
    return true;
}

static void release_name(struct round *round, uint32_t id)
{
    if (id != 0 && !tm_id_set_has(&round->used, id)) {
        tm_string_release(&round->runtime->strings, id);
        (void)!tm_id_set_add(&round->used, id); /* once */
    }
}

/* Frames that died and that no traceback has any more, and their names. */
static void release_names(struct round *round)
{
    struct tm_runtime *runtime = round->runtime;
    struct tm_id_set gone = {NULL, 0, 0};
    struct tm_id_set *died = &runtime->aging.died;
    for (uint32_t id = tm_id_set_next(died, 1); id != 0; id = tm_id_set_next(died, id + 1)) {
        if (!tm_id_set_has(&round->used, id) && tm_id_set_add(&gone, id)) {
            tm_frame_release(&runtime->frames, id);
            tm_id_set_remove(died, id);
        }
    }
    tm_id_set_free(&round->used);
    if (!runtime->aging.texts_are_out && find_used_names(round)) {
        for (uint32_t id = tm_id_set_next(&gone, 1); id != 0; id = tm_id_set_next(&gone, id + 1)) {
            const struct tm_stored_frame *frame = tm_frame_at(&runtime->store, id);
            release_name(round, frame->file);
            release_name(round, frame->function);
        }
    }
    tm_id_set_free(&gone);
}

static void begin_round(struct tm_runtime *runtime)
{
    tm_free_ids_begin_round(&runtime->records.free);
    tm_free_ids_begin_round(&runtime->tracebacks.free);
    tm_free_ids_begin_round(&runtime->frames.free);
    for (unsigned room = 0; room < TM_STRING_ROOMS; room++) {
        tm_free_ids_begin_round(&runtime->strings.free[room]);
    }
    atomic_fetch_add_explicit(&runtime->store.header->aging_rounds, 1, memory_order_acq_rel);
}

/* Under the life and the intern lock: nobody takes a snapshot or forks, no name is learned. */
static void age(struct tm_runtime *runtime)
{
    struct round round = {.runtime = runtime};
    tm_code_table_remove_frames(&runtime->codes, &runtime->aging.died);
    if (!make_aged_traceback(runtime)) {
        return;
    }
    begin_round(runtime);
    round.tracebacks = count_of(runtime, TM_STORE_TRACEBACKS, sizeof(struct tm_stored_traceback));
    round.records = count_of(runtime, TM_STORE_RECORDS, sizeof(struct tm_record));
    round.frames = count_of(runtime, TM_STORE_FRAMES, sizeof(struct tm_stored_frame));
    if (find_going(&round) && find_kept(&round) && release_records(&round)) {
        release_tracebacks(&round);
        if (find_used_frames(&round)) {
            release_names(&round);
        }
    }
    tm_id_set_free(&round.going);
    tm_id_set_free(&round.kept);
    tm_id_set_free(&round.used);
    tm_id_set_free(&round.idle);
    tm_trace_cache_new_generation(&runtime->cache); /* and the notes of the present stack */
    /* Frames that died and stay, because their blocks live, would be looked at in vain again. */
    uint32_t stay = runtime->aging.died.count;
    uint32_t share = tm_record_count(&runtime->records) / 8;
    uint32_t wait = stay > share ? stay : share;
    runtime->aging.next_count = stay + (wait > TM_AGING_FRAMES_MIN ? wait : TM_AGING_FRAMES_MIN);
}

void tm_aging_release_old_epochs(uint32_t epoch)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_record_table *records = &runtime->records;
    uint32_t count = tm_record_count(records);
    uint32_t used = count - tm_free_ids_count(&records->free);
    const struct round round = {.runtime = runtime};
    if (used < RECORDS_MIN || used < runtime->aging.next_records) {
        return;
    }
    begin_round(runtime);
    for (uint32_t id = 1; id < count; id++) {
        if (records->records[id].epoch < epoch && !tm_free_ids_have(&records->free, id) && !is_live(&round, id)) {
            tm_record_release(records, id);
        }
    }
    runtime->aging.next_records = 2 * (count - tm_free_ids_count(&records->free));
}

static uint32_t next_count(const struct tm_aging *aging)
{
    return aging->next_count != 0 ? aging->next_count : TM_AGING_FRAMES_MIN;
}

bool tm_aging_has_begun(void)
{
    const struct tm_aging *aging = &tm_runtime.aging;
    return aging->aged_traceback != 0 || aging->died.count > next_count(aging) / 2;
}

size_t tm_aging_bytes(void)
{
    const struct tm_runtime *runtime = &tm_runtime;
    size_t sum = tm_id_set_bytes(&runtime->aging.died) + tm_free_ids_bytes(&runtime->records.free) +
                 tm_free_ids_bytes(&runtime->tracebacks.free) + tm_free_ids_bytes(&runtime->frames.free);
    for (unsigned room = 0; room < TM_STRING_ROOMS; room++) {
        sum += tm_free_ids_bytes(&runtime->strings.free[room]);
    }
    return sum;
}

void tm_aging_look(struct tm_thread *thread)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (TM_LIKELY(runtime->aging.died.count < next_count(&runtime->aging)) || runtime->sample_rate != 0 ||
        !tm_life_is_tracing() || runtime->pid != tm_process_pid()) {
        return;
    }
    thread->guard++;
    if (tm_lock_try(&runtime->life_lock)) { /* else a snapshot or a fork is under way: after another capture */
        if (atomic_load_explicit(&runtime->name_readers, memory_order_acquire) == 0) {
            tm_lock_take(&runtime->intern_lock);
            age(runtime);
            tm_lock_release(&runtime->intern_lock);
        }
        tm_lock_release(&runtime->life_lock);
    }
    thread->guard--;
}
