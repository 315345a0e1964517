/* SPDX-License-Identifier: MIT */
#include "report/render/page_sources.h"

#include <stdlib.h>
#include <string.h>

#include "report/render/json_text.h"
#include "report/render/source_line.h"

#define FILE_MAX ((size_t)1 << 20)
#define ALL_MAX  ((size_t)24 << 20)

/* A file name and the folder that its snapshot's program ran in. */
struct named {
    struct tm_span file;
    struct tm_span folder;
};

static int compare_names(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    size_t shorter = x->file.length < y->file.length ? x->file.length : y->file.length;
    int order = shorter > 0 ? memcmp(x->file.bytes, y->file.bytes, shorter) : 0;
    return order != 0 ? order : x->file.length < y->file.length ? -1 : x->file.length > y->file.length;
}

/* Appends the files of one snapshot's frames, each once.  False without memory. */
static bool add_names(struct named **names, size_t *count, const struct tm_snapshot *snapshot)
{
    uint8_t *seen = calloc(snapshot->string_count, 1);
    struct named *larger = realloc(*names, (*count + snapshot->string_count) * sizeof **names);
    *names = larger != NULL ? larger : *names;
    bool memory = seen != NULL && larger != NULL;
    for (uint32_t i = 0; memory && i < snapshot->frame_count; i++) {
        uint32_t file = snapshot->frames[i].file;
        if (!seen[file] && snapshot->strings[file].length > 0) {
            seen[file] = 1;
            (*names)[(*count)++] = (struct named){snapshot->strings[file], tm_snapshot_bytes(snapshot, "cwd")};
        }
    }
    free(seen);
    return memory;
}

/* The size of what was written. */
static size_t write_source(struct tm_out *out, const struct tm_page *page, const struct named *name, bool first)
{
    struct tm_source_cache cache = {.roots = page->roots, .root_count = page->root_count, .folder = name->folder};
    (void)tm_source_line(&cache, name->file, 1);
    size_t size = cache.bytes != NULL && cache.size <= FILE_MAX ? cache.size : 0;
    if (size > 0) {
        tm_out_text(out, first ? "\n" : ",\n");
        tm_json_text(out, name->file);
        tm_out_text(out, ":");
        tm_json_text(out, (struct tm_span){cache.bytes, size});
    }
    tm_source_cache_free(&cache);
    return size;
}

bool tm_page_sources(struct tm_out *out, const struct tm_page *page)
{
    struct named *names = NULL;
    size_t count = 0, written = 0;
    bool memory = true;
    for (unsigned i = 0; memory && i < page->count; i++) {
        memory = add_names(&names, &count, page->snapshots[i]);
    }
    if (memory && count > 0) {
        qsort(names, count, sizeof *names, compare_names);
    }
    for (size_t i = 0; memory && i < count && written < ALL_MAX; i++) {
        if (i == 0 || compare_names(&names[i - 1], &names[i]) != 0) {
            written += write_source(out, page, &names[i], written == 0);
        }
    }
    free(names);
    return memory;
}
