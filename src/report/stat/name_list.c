/* SPDX-License-Identifier: MIT */
#include "report/stat/name_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* A string on its way into the list. */
struct candidate {
    struct tm_span name;
    uint32_t *id; /* where to write its name id */
};

static int compare_names(const void *a, const void *b)
{
    const struct tm_span *x = &((const struct candidate *)a)->name, *y = &((const struct candidate *)b)->name;
    return tm_utf8_compare(x->bytes, x->length, y->bytes, y->length);
}

static void number(struct tm_name_list *list, const struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_names(&candidates[i - 1], &candidates[i]) != 0) {
            list->names[list->count++] = candidates[i].name;
        }
        *candidates[i].id = list->count - 1;
    }
}

bool tm_name_list_init(struct tm_name_list *list, const struct tm_snapshot *const *snapshots, unsigned count)
{
    *list = (struct tm_name_list){.ids = calloc(count, sizeof *list->ids), .snapshot_count = count};
    size_t total = 1;
    for (unsigned s = 0; s < count; s++) {
        total += snapshots[s]->string_count;
        if (list->ids == NULL) {
            return false;
        }
        list->ids[s] = calloc(snapshots[s]->string_count, sizeof *list->ids[s]);
        if (list->ids[s] == NULL) {
            return false;
        }
    }
    struct candidate *candidates = calloc(total, sizeof *candidates);
    list->names = calloc(total, sizeof *list->names);
    if (candidates == NULL || list->names == NULL) {
        free(candidates);
        return false;
    }
    size_t used = 0;
    candidates[used++] =
        (struct candidate){{(const uint8_t *)TM_UNKNOWN_NAME, sizeof TM_UNKNOWN_NAME - 1}, &list->unknown};
    for (unsigned s = 0; s < count; s++) {
        for (uint32_t i = 0; i < snapshots[s]->string_count; i++) {
            candidates[used++] = (struct candidate){snapshots[s]->strings[i], &list->ids[s][i]};
        }
    }
    qsort(candidates, total, sizeof *candidates, compare_names);
    number(list, candidates, total);
    free(candidates);
    return true;
}

void tm_name_list_free(struct tm_name_list *list)
{
    free(list->names);
    for (unsigned s = 0; list->ids != NULL && s < list->snapshot_count; s++) {
        free(list->ids[s]);
    }
    free(list->ids);
    memset(list, 0, sizeof *list);
}
