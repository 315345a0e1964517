/* SPDX-License-Identifier: MIT */
#include "report/stat/merge_native.h"

#include <stdlib.h>
#include <string.h>

void *tm_merge_get(struct tm_snapshot *snapshot, size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory != NULL) {
        snapshot->buffers[snapshot->buffer_count++] = memory;
    }
    return memory;
}

static uint32_t real_strings(const struct tm_snapshot *snapshot)
{
    return snapshot->made_strings != 0 ? snapshot->made_strings : snapshot->string_count;
}

/* By name: does some file have it? */
static uint8_t *find_real(const struct tm_forest *forest)
{
    uint8_t *real = calloc(forest->names.count, 1);
    for (unsigned s = 0; real != NULL && s < forest->snapshot_count; s++) {
        for (uint32_t i = 0; i < real_strings(forest->snapshots[s]); i++) {
            real[forest->names.ids[s][i]] = 1;
        }
    }
    if (real != NULL) {
        real[forest->names.unknown] = 1;
    }
    return real;
}

/* The smallest name is the empty one, which every file has: it stays the first. */
bool tm_merge_strings(struct tm_snapshot *snapshot, const struct tm_forest *forest, uint32_t **string_of)
{
    uint32_t count = forest->names.count, used = 0;
    uint8_t *real = find_real(forest);
    struct tm_span *strings = tm_merge_get(snapshot, count, sizeof *strings);
    *string_of = calloc(count, sizeof **string_of);
    bool memory = real != NULL && strings != NULL && *string_of != NULL;
    for (uint8_t wanted = 2; memory && wanted-- > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            if (real[i] == wanted) {
                strings[used] = forest->names.names[i];
                (*string_of)[i] = used++;
            }
        }
        snapshot->made_strings = wanted == 1 && used < count ? used : snapshot->made_strings;
    }
    snapshot->strings = strings;
    snapshot->string_count = count;
    free(real);
    return memory;
}

struct merging {
    struct tm_snapshot *snapshot;
    const struct tm_forest *forest;
    const uint32_t *string_of;
    struct tm_module_record *modules;
    uint32_t module_count; /* with 0 */
};

/* A machine frame of one of the files. */
struct example {
    uint32_t snapshot;
    uint32_t native; /* its place and 1; 0: there is none */
};

static void find_examples(const struct tm_forest *forest, struct example *examples)
{
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        for (uint32_t i = 0; i < forest->snapshots[s]->native_count; i++) {
            struct example *example = &examples[forest->sites.ids[s][forest->snapshots[s]->natives[i].frame]];
            if (example->native == 0) {
                *example = (struct example){s, i + 1};
            }
        }
    }
}

/* The number of the module that MODULE of file number S is; there are a few dozen. */
static uint32_t module_of(struct merging *merging, unsigned s, uint32_t module)
{
    struct tm_module_record wanted = merging->forest->snapshots[s]->modules[module];
    wanted.path = merging->string_of[merging->forest->names.ids[s][wanted.path]];
    for (uint32_t i = 1; i < merging->module_count; i++) {
        const struct tm_module_record *known = &merging->modules[i];
        if (known->path == wanted.path && known->build_id.length == wanted.build_id.length &&
            (wanted.build_id.length == 0 ||
             memcmp(known->build_id.bytes, wanted.build_id.bytes, wanted.build_id.length) == 0)) {
            return i;
        }
    }
    merging->modules[merging->module_count] = wanted;
    return merging->module_count++;
}

static void add_natives(struct merging *merging, struct tm_frame_record *frames, const uint32_t *site_of,
                        const struct example *examples, struct tm_native_frame_record *natives)
{
    struct tm_snapshot *snapshot = merging->snapshot;
    for (uint32_t frame = 1; frame < snapshot->frame_count; frame++) {
        const struct example *example = &examples[site_of[frame]];
        if (example->native != 0 && merging->forest->sites.sites[site_of[frame]].is_native) {
            const struct tm_native_frame_record *native =
                &merging->forest->snapshots[example->snapshot]->natives[example->native - 1];
            natives[snapshot->native_count] = (struct tm_native_frame_record){
                frame, module_of(merging, example->snapshot, native->module), native->address};
            frames[frame].native = ++snapshot->native_count;
        }
    }
    snapshot->natives = natives;
    snapshot->modules = merging->modules;
    snapshot->module_count = merging->module_count;
}

bool tm_merge_natives(struct tm_snapshot *snapshot, const struct tm_forest *forest, struct tm_frame_record *frames,
                      const uint32_t *site_of, const uint32_t *string_of)
{
    size_t modules = 1;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        modules += forest->snapshots[s]->module_count;
    }
    struct merging merging = {.snapshot = snapshot,
                              .forest = forest,
                              .string_of = string_of,
                              .modules = tm_merge_get(snapshot, modules, sizeof *merging.modules),
                              .module_count = 1};
    struct tm_native_frame_record *natives = tm_merge_get(snapshot, snapshot->frame_count, sizeof *natives);
    struct example *examples = calloc((size_t)forest->sites.count + 1, sizeof *examples);
    bool memory = merging.modules != NULL && natives != NULL && examples != NULL;
    if (memory) {
        find_examples(forest, examples);
        add_natives(&merging, frames, site_of, examples, natives);
    }
    free(examples);
    return memory;
}
