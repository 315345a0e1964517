/* SPDX-License-Identifier: MIT */
#include "report/stat/merge.h"

#include <stdlib.h>
#include <string.h>

#include "report/stat/merge_facts.h"
#include "report/stat/merge_native.h"

/* A node on its way to its frame: (site, function). */
struct candidate {
    uint64_t key;
    uint32_t node;
};

static int compare_candidates(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->key, y = ((const struct candidate *)b)->key;
    return (x > y) - (x < y);
}

/* Nodes are tracebacks, in an order in which the older ones come first.  SITE_OF gets the site of each frame. */
static void fill_frames(struct tm_snapshot *snapshot, const struct tm_forest *forest,
                        const struct candidate *candidates, struct tm_frame_record *frames,
                        struct tm_traceback_record *tracebacks, uint32_t *site_of, const uint32_t *string_of)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i + 1 < forest->node_count; i++) {
        if (i == 0 || candidates[i - 1].key != candidates[i].key) {
            uint32_t site = (uint32_t)(candidates[i].key >> 32), function = (uint32_t)candidates[i].key;
            frames[++count] = (struct tm_frame_record){.file = string_of[forest->sites.sites[site].file],
                                                       .function = string_of[function],
                                                       .line = forest->sites.sites[site].line};
            site_of[count] = site;
        }
        tracebacks[candidates[i].node] = (struct tm_traceback_record){forest->nodes[candidates[i].node].parent, count};
    }
    snapshot->frames = frames;
    snapshot->frame_count = count + 1;
    snapshot->tracebacks = tracebacks;
    snapshot->traceback_count = forest->node_count;
}

static bool add_tracebacks(struct tm_snapshot *snapshot, const struct tm_forest *forest, const uint32_t *string_of)
{
    size_t count = forest->node_count - 1;
    struct candidate *candidates = calloc(count + 1, sizeof *candidates);
    uint32_t *site_of = calloc(count + 1, sizeof *site_of);
    struct tm_frame_record *frames = tm_merge_get(snapshot, count, sizeof *frames);
    struct tm_traceback_record *tracebacks = tm_merge_get(snapshot, count, sizeof *tracebacks);
    bool memory = candidates != NULL && site_of != NULL && frames != NULL && tracebacks != NULL;
    for (uint32_t i = 0; memory && i < count; i++) {
        const struct tm_node *node = &forest->nodes[i + 1];
        candidates[i] = (struct candidate){(uint64_t)node->site << 32 | node->function, i + 1};
    }
    if (memory) {
        qsort(candidates, count, sizeof *candidates, compare_candidates);
        fill_frames(snapshot, forest, candidates, frames, tracebacks, site_of, string_of);
        memory = tm_merge_natives(snapshot, forest, frames, site_of, string_of);
    }
    free(candidates);
    free(site_of);
    return memory;
}

static int compare_counters(const void *a, const void *b)
{
    return tm_counter_compare((const struct tm_counter_record *)a, (const struct tm_counter_record *)b);
}

static void add_counter(struct tm_counter_record *sum, const struct tm_counter_record *c)
{
    sum->live_bytes += c->live_bytes;
    sum->live_blocks += c->live_blocks;
    sum->ever_bytes += c->ever_bytes;
    sum->ever_blocks += c->ever_blocks;
    sum->temporary_blocks += c->temporary_blocks;
    sum->peak_python_bytes += c->peak_python_bytes;
    sum->peak_python_blocks += c->peak_python_blocks;
    sum->peak_heap_bytes += c->peak_heap_bytes;
    sum->peak_heap_blocks += c->peak_heap_blocks;
}

static bool add_counters(struct tm_snapshot *snapshot, const struct tm_forest *forest)
{
    size_t count = 0, used = 0, kept = 0;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        count += forest->snapshots[s]->counter_count;
    }
    struct tm_counter_record *counters = tm_merge_get(snapshot, count, sizeof *counters);
    if (counters == NULL) {
        return false;
    }
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        for (size_t i = 0; i < forest->snapshots[s]->counter_count; i++) {
            counters[used] = forest->snapshots[s]->counters[i];
            counters[used].traceback = forest->node_of[s][counters[used].traceback];
            used++;
        }
    }
    qsort(counters, count, sizeof *counters, compare_counters);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_counters(&counters[kept - 1], &counters[i]) == 0) {
            add_counter(&counters[kept - 1], &counters[i]);
        } else {
            counters[kept++] = counters[i];
        }
    }
    snapshot->counters = counters;
    snapshot->counter_count = kept;
    return true;
}

static struct tm_size_class_record *find_class(struct tm_size_class_record *sizes, size_t count,
                                               const struct tm_size_class_record *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (sizes[i].domain == wanted->domain && sizes[i].bound == wanted->bound) {
            return &sizes[i];
        }
    }
    return NULL;
}

/* There are a few dozen classes at most. */
static bool add_sizes(struct tm_snapshot *snapshot, const struct tm_forest *forest)
{
    size_t count = 0;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        count += forest->snapshots[s]->size_count;
    }
    struct tm_size_class_record *sizes = tm_merge_get(snapshot, count, sizeof *sizes);
    if (sizes == NULL) {
        return false;
    }
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        for (size_t i = 0; i < forest->snapshots[s]->size_count; i++) {
            const struct tm_size_class_record *size = &forest->snapshots[s]->sizes[i];
            struct tm_size_class_record *sum = find_class(sizes, snapshot->size_count, size);
            if (sum == NULL) {
                sizes[snapshot->size_count++] = *size;
            } else {
                sum->live_blocks += size->live_blocks;
                sum->ever_blocks += size->ever_blocks;
            }
        }
    }
    snapshot->sizes = sizes;
    return true;
}

/* What is missing in one of them is missing in the whole. */
static bool is_since_fork(const struct tm_forest *forest)
{
    bool any = false;
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        any = any || forest->snapshots[s]->is_since_fork;
    }
    return any;
}

struct tm_snapshot *tm_merge(const struct tm_forest *forest)
{
    struct tm_snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL) {
        return NULL;
    }
    uint32_t *string_of = NULL;
    snapshot->is_since_fork = is_since_fork(forest);
    bool memory = tm_merge_strings(snapshot, forest, &string_of) && add_tracebacks(snapshot, forest, string_of) &&
                  add_counters(snapshot, forest) && (snapshot->is_since_fork || add_sizes(snapshot, forest)) &&
                  tm_merge_facts(snapshot, forest);
    free(string_of);
    if (!memory) {
        tm_snapshot_free(snapshot);
        return NULL;
    }
    return snapshot;
}
