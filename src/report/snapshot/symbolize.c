/* SPDX-License-Identifier: MIT */
#include "report/snapshot/symbolize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "report/snapshot/module_symbols.h"

#define BUFFERS   9U /* that are handed to the model */
#define NOTES_MAX 4U /* objects of each kind that are named; of the others their number */

/* An array that grows. */
struct list {
    void *items;
    size_t count, capacity;
};

struct work {
    struct tm_snapshot *snapshot;
    const char *debug_dir;
    struct list strings;    /* struct tm_span: those of the file, then new ones */
    struct list frames;     /* struct tm_frame_record */
    struct list natives;    /* struct tm_native_frame_record */
    struct list tracebacks; /* struct tm_traceback_record */
    struct list texts;      /* char *: what new strings point to */
    uint32_t *by_hash;      /* string ids, open addressing */
    size_t hash_mask;
    uint32_t *outer; /* by old frame id: first of the frames to put before it; they follow each other */
    uint32_t *outer_count;
    char *notes;
    size_t notes_size;
    FILE *notes_stream;
    unsigned missing, other_build;
    bool no_memory;
    bool is_without_elfutils;
};

static void *add(struct work *work, struct list *list, size_t size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 64;
        void *items = realloc(list->items, capacity * size);
        if (items == NULL) {
            work->no_memory = true;
            return NULL;
        }
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + size * list->count++;
}

static bool copy(struct work *work, struct list *list, const void *items, size_t count, size_t size)
{
    list->items = malloc((count + 1) * size);
    list->capacity = count + 1;
    list->count = count;
    work->no_memory |= list->items == NULL;
    if (list->items != NULL) {
        memcpy(list->items, items, count * size);
    }
    return list->items != NULL;
}

static struct tm_span *string_at(const struct work *work, uint32_t id)
{
    return (struct tm_span *)work->strings.items + id;
}

static bool grow_hash(struct work *work)
{
    size_t capacity = work->hash_mask == 0 ? 1024 : (work->hash_mask + 1) * 2;
    uint32_t *grown = calloc(capacity, sizeof *grown);
    if (grown == NULL) {
        work->no_memory = true;
        return false;
    }
    for (uint32_t id = work->snapshot->string_count; id < work->strings.count; id++) {
        struct tm_span *string = string_at(work, id);
        size_t at = tm_hash_bytes(string->bytes, string->length) & (capacity - 1);
        while (grown[at] != 0) {
            at = (at + 1) & (capacity - 1);
        }
        grown[at] = id;
    }
    free(work->by_hash);
    work->by_hash = grown;
    work->hash_mask = capacity - 1;
    return true;
}

/* The id of TEXT among the new strings. */
static uint32_t intern(struct work *work, const char *text)
{
    size_t length = strlen(text);
    size_t used = work->strings.count - work->snapshot->string_count;
    if ((work->hash_mask == 0 || used * 2 > work->hash_mask) && !grow_hash(work)) {
        return 0;
    }
    size_t at = tm_hash_bytes(text, length) & work->hash_mask;
    for (; work->by_hash[at] != 0; at = (at + 1) & work->hash_mask) {
        struct tm_span *string = string_at(work, work->by_hash[at]);
        if (string->length == length && memcmp(string->bytes, text, length) == 0) {
            return work->by_hash[at];
        }
    }
    char **kept = add(work, &work->texts, sizeof *kept);
    struct tm_span *string = add(work, &work->strings, sizeof *string);
    if (kept == NULL || string == NULL || (*kept = strdup(text)) == NULL) {
        work->no_memory = true;
        return 0;
    }
    *string = (struct tm_span){(const uint8_t *)*kept, length};
    work->by_hash[at] = (uint32_t)work->strings.count - 1;
    return work->by_hash[at];
}

/* What SYMBOL says, for a frame of NATIVE's object. */
static struct tm_frame_record named(struct work *work, const struct tm_native_frame_record *native,
                                    const struct tm_symbol_frame *symbol)
{
    bool has_place = symbol->file != NULL && symbol->line > 0;
    struct tm_frame_record frame = {.file = work->snapshot->modules[native->module].path};
    frame.function = intern(work, symbol->function);
    if (has_place) {
        frame.file = intern(work, symbol->file);
        frame.line = symbol->line;
    }
    return frame;
}

/* Frames for what native frame number I was inlined into, the outermost first. */
static void add_outer(struct work *work, uint32_t i, const struct tm_symbol_frame *symbols, unsigned count)
{
    struct tm_native_frame_record native = work->snapshot->natives[i];
    uint32_t inner = native.frame;
    work->outer[inner] = (uint32_t)work->frames.count;
    work->outer_count[inner] = count - 1;
    for (unsigned at = count - 1; at > 0; at--) {
        struct tm_frame_record *frame = add(work, &work->frames, sizeof *frame);
        struct tm_native_frame_record *added = add(work, &work->natives, sizeof *added);
        if (frame == NULL || added == NULL) {
            return;
        }
        *frame = named(work, &native, &symbols[at]);
        frame->native = (uint32_t)work->natives.count;
        native.frame = (uint32_t)work->frames.count - 1;
        *added = native;
    }
}

static void name_frame(struct work *work, struct tm_module_symbols *module, uint32_t i)
{
    const struct tm_native_frame_record *native = &work->snapshot->natives[i];
    struct tm_symbol_frame symbols[TM_SYMBOL_FRAMES_MAX];
    unsigned count = tm_module_symbols_at(module, native->address, symbols);
    if (count > 0) {
        struct tm_frame_record frame = named(work, native, &symbols[0]);
        frame.native = i + 1;
        ((struct tm_frame_record *)work->frames.items)[native->frame] = frame;
        add_outer(work, i, symbols, count);
    }
    for (unsigned at = 0; at < count; at++) {
        free(symbols[at].function);
    }
}

static bool is_unnamed(const struct tm_snapshot *snapshot, uint32_t i)
{
    return snapshot->frames[snapshot->natives[i].frame].function >= snapshot->made_strings;
}

static bool needs_names(const struct tm_snapshot *snapshot, uint32_t module)
{
    for (uint32_t i = 0; i < snapshot->native_count; i++) {
        if (snapshot->natives[i].module == module && is_unnamed(snapshot, i)) {
            return true;
        }
    }
    return false;
}

static void note(struct work *work, const struct tm_module_record *module, enum tm_symbols_found found, const char *id)
{
    char wanted[TM_BUILD_ID_TEXT];
    struct tm_span path = work->snapshot->strings[module->path];
    unsigned *count = found == TM_SYMBOLS_OTHER_BUILD ? &work->other_build : &work->missing;
    tm_build_id_text(module->build_id.bytes, module->build_id.length, wanted);
    if (++*count > NOTES_MAX || work->notes_stream == NULL) {
        return;
    }
    if (found == TM_SYMBOLS_OTHER_BUILD) {
        (void)fprintf(work->notes_stream, "%.*s is another build here (%s): no names; wanted is %s\n", (int)path.length,
                      (const char *)path.bytes, id[0] != '\0' ? id : "no build id",
                      wanted[0] != '\0' ? wanted : "one without a build id");
    } else {
        (void)fprintf(work->notes_stream, "%.*s is not here: no names; wanted is build id %s\n", (int)path.length,
                      (const char *)path.bytes, wanted[0] != '\0' ? wanted : "(none)");
    }
}

static void note_rest(struct work *work)
{
    unsigned rest = (work->missing > NOTES_MAX ? work->missing - NOTES_MAX : 0) +
                    (work->other_build > NOTES_MAX ? work->other_build - NOTES_MAX : 0);
    if (rest > 0 && work->notes_stream != NULL) {
        (void)fprintf(work->notes_stream, "%u more programs and libraries are not here, or of another build\n", rest);
    }
}

/* The kernel's own code has no file. */
static bool has_file(struct tm_span path)
{
    return memchr(path.bytes, '/', path.length) != NULL;
}

static void name_module(struct work *work, uint32_t number)
{
    const struct tm_module_record *module = &work->snapshot->modules[number];
    struct tm_span span = work->snapshot->strings[module->path];
    char found_id[TM_BUILD_ID_TEXT];
    struct tm_module_symbols *symbols;
    if (!has_file(span) || !needs_names(work->snapshot, number)) {
        return;
    }
    char *path = strndup((const char *)span.bytes, span.length);
    if (path == NULL) {
        work->no_memory = true;
        return;
    }
    const struct tm_wanted_module wanted = {path, module->build_id.bytes, module->build_id.length, work->debug_dir};
    enum tm_symbols_found found = tm_module_symbols_open(&wanted, &symbols, found_id);
    for (uint32_t i = 0; found == TM_SYMBOLS_OPEN && !work->no_memory && i < work->snapshot->native_count; i++) {
        if (work->snapshot->natives[i].module == number && is_unnamed(work->snapshot, i)) {
            name_frame(work, symbols, i);
        }
    }
    if (found == TM_SYMBOLS_NONE && !work->is_without_elfutils) {
        work->is_without_elfutils = true;
        (void)fputs("this program was built without elfutils: machine frames stay addresses; "
                    "a tm-report that was built with libdw (and without TM_STATIC_TOOLS) names them\n",
                    work->notes_stream);
    }
    if (found == TM_SYMBOLS_NO_FILE || found == TM_SYMBOLS_OTHER_BUILD) {
        note(work, module, found, found_id);
    }
    tm_module_symbols_close(symbols);
    free(path);
}

/* MOVED ascends, so the order stays.  Owned by the model; NULL without memory. */
static struct tm_counter_record *move_counters(struct work *work, const struct tm_counter_record *items, size_t count,
                                               const uint32_t *moved)
{
    struct tm_counter_record *counters = malloc((count + 1) * sizeof *counters);
    if (counters == NULL) {
        work->no_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        counters[i] = items[i];
        counters[i].traceback = moved[items[i].traceback];
    }
    work->snapshot->buffers[work->snapshot->buffer_count++] = counters;
    return counters;
}

/* Every traceback whose frame has become several becomes as many, one upon the other. */
static bool expand_tracebacks(struct work *work)
{
    const struct tm_snapshot *s = work->snapshot;
    uint32_t *moved = calloc(s->traceback_count, sizeof *moved);
    struct tm_block_record *blocks = malloc((s->block_count + 1) * sizeof *blocks);
    bool memory = moved != NULL && blocks != NULL && add(work, &work->tracebacks, sizeof(struct tm_traceback_record));
    if (memory) {
        *(struct tm_traceback_record *)work->tracebacks.items = (struct tm_traceback_record){0, 0};
    }
    for (uint32_t i = 1; memory && i < s->traceback_count; i++) {
        uint32_t parent = moved[s->tracebacks[i].parent], frame = s->tracebacks[i].frame;
        for (uint32_t at = 0; memory && at <= work->outer_count[frame]; at++) {
            struct tm_traceback_record *next = add(work, &work->tracebacks, sizeof *next);
            memory = next != NULL;
            if (memory) {
                *next = (struct tm_traceback_record){parent,
                                                     at < work->outer_count[frame] ? work->outer[frame] + at : frame};
                parent = (uint32_t)work->tracebacks.count - 1;
            }
        }
        moved[i] = parent;
    }
    for (size_t i = 0; memory && i < s->block_count; i++) {
        blocks[i] = s->blocks[i];
        blocks[i].traceback = moved[blocks[i].traceback];
    }
    const struct tm_counter_record *counters =
        memory ? move_counters(work, s->counters, s->counter_count, moved) : NULL;
    const struct tm_counter_record *inherited =
        counters != NULL ? move_counters(work, s->inherited, s->inherited_count, moved) : NULL;
    free(moved);
    if (inherited == NULL) {
        free(blocks);
        return false;
    }
    work->snapshot->buffers[work->snapshot->buffer_count++] = blocks;
    work->snapshot->counters = counters;
    work->snapshot->inherited = inherited;
    work->snapshot->blocks = blocks;
    return true;
}

/* The names that the loader made go behind the new ones, so that a writer can leave them out. */
static bool reorder_strings(struct work *work)
{
    const struct tm_snapshot *s = work->snapshot;
    uint32_t made = s->string_count - s->made_strings, fresh = (uint32_t)work->strings.count - s->string_count;
    struct tm_span *kept = malloc((made + 1) * sizeof *kept);
    if (kept == NULL) {
        return false;
    }
    memcpy(kept, string_at(work, s->made_strings), made * sizeof *kept);
    memmove(string_at(work, s->made_strings), string_at(work, s->string_count), fresh * sizeof *kept);
    memcpy(string_at(work, s->made_strings + fresh), kept, made * sizeof *kept);
    free(kept);
    struct tm_frame_record *frames = work->frames.items;
    for (size_t i = 0; i < work->frames.count; i++) {
        uint32_t *ids[] = {&frames[i].file, &frames[i].function};
        for (unsigned j = 0; j < 2; j++) {
            *ids[j] += *ids[j] >= s->string_count ? 0 - made : *ids[j] >= s->made_strings ? fresh : 0;
        }
    }
    return true;
}

/* Hands what was made over to the model. */
static void take_over(struct work *work)
{
    struct tm_snapshot *s = work->snapshot;
    s->made_strings += (uint32_t)work->strings.count - s->string_count;
    struct list *lists[] = {&work->strings, &work->frames, &work->natives, &work->tracebacks};
    for (size_t i = 0; i < TM_COUNT_OF(lists); i++) {
        s->buffers[s->buffer_count++] = lists[i]->items;
    }
    s->strings = work->strings.items;
    s->string_count = (uint32_t)work->strings.count;
    s->frames = work->frames.items;
    s->frame_count = (uint32_t)work->frames.count;
    s->natives = work->natives.items;
    s->native_count = (uint32_t)work->natives.count;
    s->tracebacks = work->tracebacks.items;
    s->traceback_count = (uint32_t)work->tracebacks.count;
    work->strings.items = work->frames.items = work->natives.items = work->tracebacks.items = NULL;
}

static bool begin(struct work *work)
{
    struct tm_snapshot *s = work->snapshot;
    work->outer = calloc(s->frame_count, sizeof *work->outer);
    work->outer_count = calloc(s->frame_count, sizeof *work->outer_count);
    work->notes_stream = open_memstream(&work->notes, &work->notes_size);
    return work->outer != NULL && work->outer_count != NULL && work->notes_stream != NULL &&
           copy(work, &work->strings, s->strings, s->string_count, sizeof *s->strings) &&
           copy(work, &work->frames, s->frames, s->frame_count, sizeof *s->frames) &&
           copy(work, &work->natives, s->natives, s->native_count, sizeof *s->natives);
}

/* All texts in one buffer, which the model owns. */
static bool join_texts(struct work *work)
{
    size_t size = 0;
    char **texts = work->texts.items;
    for (size_t i = 0; i < work->texts.count; i++) {
        size += strlen(texts[i]);
    }
    char *joined = malloc(size + 1), *to = joined;
    if (joined == NULL) {
        return false;
    }
    size_t first = work->strings.count - work->texts.count;
    for (size_t i = 0; i < work->texts.count; i++) {
        struct tm_span *string = string_at(work, (uint32_t)(first + i));
        memcpy(to, texts[i], string->length);
        string->bytes = (const uint8_t *)to;
        to += string->length;
    }
    work->snapshot->buffers[work->snapshot->buffer_count++] = joined;
    return true;
}

static void end(struct work *work)
{
    char **texts = work->texts.items;
    for (size_t i = 0; i < work->texts.count; i++) {
        free(texts[i]);
    }
    free(work->texts.items);
    free(work->by_hash);
    free(work->outer);
    free(work->outer_count);
    free(work->strings.items);
    free(work->frames.items);
    free(work->natives.items);
    free(work->tracebacks.items);
    if (work->notes_stream != NULL) {
        (void)fclose(work->notes_stream);
    }
    free(work->notes);
}

static void keep_notes(struct work *work)
{
    struct tm_snapshot *s = work->snapshot;
    note_rest(work);
    (void)fclose(work->notes_stream);
    work->notes_stream = NULL;
    s->symbol_notes = (struct tm_span){(const uint8_t *)work->notes, work->notes_size};
    s->buffers[s->buffer_count++] = work->notes;
    work->notes = NULL;
}

bool tm_snapshot_symbolize(struct tm_snapshot *snapshot, const char *debug_dir)
{
    struct work work = {.snapshot = snapshot, .debug_dir = debug_dir};
    if (snapshot->made_strings == 0) {
        return true; /* every machine frame has a name */
    }
    bool done = snapshot->buffer_count + BUFFERS <= TM_SNAPSHOT_BUFFERS && begin(&work);
    for (uint32_t module = 1; done && module < snapshot->module_count; module++) {
        name_module(&work, module);
        done = !work.no_memory;
    }
    if (done && work.texts.count > 0) {
        done = join_texts(&work) && reorder_strings(&work) && expand_tracebacks(&work);
        if (done) {
            take_over(&work);
        }
    }
    if (done) {
        keep_notes(&work);
    }
    end(&work);
    return done;
}
