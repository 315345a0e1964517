/* SPDX-License-Identifier: MIT */
#include "report/stat/site_list.h"

#include <stdlib.h>
#include <string.h>

/* A frame on its way into the list. */
struct candidate {
    uint64_t key;   /* file, line */
    size_t serial;  /* keeps the first one first */
    uint32_t split; /* tells apart what has one key: the function of a machine frame without a line */
    uint32_t function;
    bool is_native;
    uint32_t *id; /* where to write its site id */
};

static int compare_frames(const void *a, const void *b)
{
    const struct candidate *x = (const struct candidate *)a, *y = (const struct candidate *)b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    if (x->split != y->split) {
        return x->split < y->split ? -1 : 1;
    }
    return (x->serial > y->serial) - (x->serial < y->serial);
}

static void number(struct tm_site_list *list, const struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct candidate *c = &candidates[i];
        if (i == 0 || c[-1].key != c->key || c[-1].split != c->split) {
            list->sites[list->count++] =
                (struct tm_site){(uint32_t)(c->key >> 32), (uint32_t)c->key, c->function, c->is_native};
        }
        *candidates[i].id = list->count - 1;
    }
}

static size_t collect(struct candidate *candidates, const struct tm_site_list *list, unsigned s,
                      const struct tm_snapshot *snapshot, const struct tm_name_list *names, size_t used)
{
    for (uint32_t i = 0; i < snapshot->frame_count; i++) {
        const struct tm_frame_record *frame = &snapshot->frames[i];
        uint32_t file = i > 0 ? names->ids[s][frame->file] : names->unknown;
        uint32_t function = names->ids[s][frame->function];
        candidates[used] = (struct candidate){.key = (uint64_t)file << 32 | frame->line,
                                              .serial = used,
                                              .split = frame->native != 0 && frame->line == 0 ? function : 0,
                                              .function = function,
                                              .is_native = frame->native != 0,
                                              .id = &list->ids[s][i]};
        used++;
    }
    return used;
}

bool tm_site_list_init(struct tm_site_list *list, const struct tm_snapshot *const *snapshots, unsigned count,
                       const struct tm_name_list *names)
{
    *list = (struct tm_site_list){.ids = calloc(count, sizeof *list->ids), .snapshot_count = count};
    size_t total = 0;
    for (unsigned s = 0; s < count; s++) {
        total += snapshots[s]->frame_count;
        if (list->ids == NULL) {
            return false;
        }
        list->ids[s] = calloc(snapshots[s]->frame_count, sizeof *list->ids[s]);
        if (list->ids[s] == NULL) {
            return false;
        }
    }
    struct candidate *candidates = calloc(total, sizeof *candidates);
    list->sites = calloc(total, sizeof *list->sites);
    if (candidates == NULL || list->sites == NULL) {
        free(candidates);
        return false;
    }
    size_t used = 0;
    for (unsigned s = 0; s < count; s++) {
        used = collect(candidates, list, s, snapshots[s], names, used);
    }
    qsort(candidates, used, sizeof *candidates, compare_frames);
    number(list, candidates, used);
    list->unknown = list->ids[0][0];
    free(candidates);
    return true;
}

void tm_site_list_free(struct tm_site_list *list)
{
    free(list->sites);
    for (unsigned s = 0; list->ids != NULL && s < list->snapshot_count; s++) {
        free(list->ids[s]);
    }
    free(list->ids);
    memset(list, 0, sizeof *list);
}
