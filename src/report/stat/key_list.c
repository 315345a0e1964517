/* SPDX-License-Identifier: MIT */
#include "report/stat/key_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "report/stat/module_name.h"
#include "report/stat/trace_forest.h"

static bool list_init(struct tm_key_list *list, size_t keys, const struct tm_forest *forest)
{
    *list = (struct tm_key_list){.keys = calloc(keys + 1, sizeof *list->keys),
                                 .of_node = calloc(forest->node_count, sizeof *list->of_node)};
    return list->keys != NULL && list->of_node != NULL;
}

void tm_key_list_free(struct tm_key_list *list)
{
    free(list->keys);
    free(list->of_node);
    *list = (struct tm_key_list){NULL, 0, NULL};
}

/* A node on its way into the list of functions. */
struct candidate {
    uint64_t key; /* name ids of file and function: names are numbered in their order */
    uint32_t node;
};

static int compare_candidates(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->key, y = ((const struct candidate *)b)->key;
    return (x > y) - (x < y);
}

static void number_functions(struct tm_key_list *list, const struct tm_forest *forest,
                             const struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || candidates[i - 1].key != candidates[i].key) {
            list->keys[list->count++] = (struct tm_key){forest->names.names[candidates[i].key >> 32],
                                                        forest->names.names[(uint32_t)candidates[i].key]};
        }
        list->of_node[candidates[i].node] = list->count - 1;
    }
}

bool tm_key_list_functions(struct tm_key_list *list, const struct tm_forest *forest)
{
    size_t count = forest->node_count - 1;
    struct candidate *candidates = calloc(count + 1, sizeof *candidates);
    bool memory = list_init(list, count, forest) && candidates != NULL;
    for (uint32_t i = 0; memory && i < count; i++) {
        const struct tm_node *node = &forest->nodes[i + 1];
        uint64_t file = forest->sites.sites[node->site].file;
        candidates[i] = (struct candidate){file << 32 | node->function, i + 1};
    }
    if (memory) {
        qsort(candidates, count, sizeof *candidates, compare_candidates);
        number_functions(list, forest, candidates, count);
    }
    free(candidates);
    return memory;
}

/* The module of a site, on its way into the list. */
struct module {
    struct tm_span name;
    uint32_t site;
};

static int compare_modules(const void *a, const void *b)
{
    const struct tm_span *x = &((const struct module *)a)->name, *y = &((const struct module *)b)->name;
    return tm_utf8_compare(x->bytes, x->length, y->bytes, y->length);
}

static void number_modules(struct tm_key_list *list, const struct module *modules, size_t count, uint32_t *of_site)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_modules(&modules[i - 1], &modules[i]) != 0) {
            list->keys[list->count++].file = modules[i].name;
        }
        of_site[modules[i].site] = list->count - 1;
    }
}

/* Machine frames say themselves which file their code is in, also where their source is known. */
static void collect_modules(struct module *modules, const struct tm_forest *forest)
{
    for (uint32_t i = 0; i < forest->sites.count; i++) {
        modules[i] = (struct module){tm_module_name(forest->names.names[forest->sites.sites[i].file]), i};
    }
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        const struct tm_snapshot *snapshot = forest->snapshots[s];
        for (uint32_t i = 0; i < snapshot->native_count; i++) {
            const struct tm_native_frame_record *native = &snapshot->natives[i];
            modules[forest->sites.ids[s][native->frame]].name =
                tm_module_name_native(snapshot->strings[snapshot->modules[native->module].path]);
        }
    }
}

bool tm_key_list_modules(struct tm_key_list *list, const struct tm_forest *forest)
{
    size_t count = forest->sites.count;
    struct module *modules = calloc(count + 1, sizeof *modules);
    uint32_t *of_site = calloc(count + 1, sizeof *of_site);
    bool memory = list_init(list, count, forest) && modules != NULL && of_site != NULL;
    if (memory) {
        collect_modules(modules, forest);
        qsort(modules, count, sizeof *modules, compare_modules);
        number_modules(list, modules, count, of_site);
        for (uint32_t i = 1; i < forest->node_count; i++) {
            list->of_node[i] = of_site[forest->nodes[i].site];
        }
    }
    free(modules);
    free(of_site);
    return memory;
}
