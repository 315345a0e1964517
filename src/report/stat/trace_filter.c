/* SPDX-License-Identifier: MIT */
#include "report/stat/trace_filter.h"

#include <stdlib.h>
#include <string.h>

/* PATTERN:LINE ends in a colon and digits that fit 32 bits; everything else is a pattern. */
static size_t split_line(const char *text, bool *has_line, uint32_t *line)
{
    size_t length = strlen(text), at = length;
    while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9') {
        at--;
    }
    size_t digits = length - at;
    unsigned long long value = digits > 0 && digits <= 10 ? strtoull(text + at, NULL, 10) : UINT64_MAX;
    *has_line = at > 0 && text[at - 1] == ':' && value <= UINT32_MAX;
    *line = *has_line ? (uint32_t)value : 0;
    return *has_line ? at - 1 : length;
}

bool tm_filter_init(struct tm_filter *filter, const char *text, bool inclusive, bool all_frames)
{
    filter->inclusive = inclusive;
    filter->all_frames = all_frames;
    size_t length = split_line(text, &filter->has_line, &filter->line);
    return tm_pattern_init(&filter->filename, text, length);
}

void tm_filter_free(struct tm_filter *filter)
{
    tm_pattern_free(&filter->filename);
}

/* What a filter matches is worked out once for each file, and handed down from older to newer frames. */
struct matches {
    uint8_t *files; /* by name id: 0 not known yet, 1 no, 2 yes */
    uint8_t *nodes; /* by node id, of the filter at work */
    uint8_t *included;
    uint8_t *excluded;
};

static bool site_matches(const struct tm_forest *forest, const struct tm_filter *filter, uint8_t *files, uint32_t site)
{
    uint32_t file = forest->sites.sites[site].file;
    if (files[file] == 0) {
        files[file] = tm_pattern_match(&filter->filename, forest->names.names[file]) ? 2 : 1;
    }
    return files[file] == 2 && (!filter->has_line || filter->line == forest->sites.sites[site].line);
}

static void apply(const struct tm_forest *forest, const struct tm_filter *filter, struct matches *matches)
{
    uint8_t *result = filter->inclusive ? matches->included : matches->excluded;
    memset(matches->files, 0, forest->names.count);
    matches->nodes[0] = 0;
    for (uint32_t i = 1; i < forest->node_count; i++) {
        const struct tm_node *node = &forest->nodes[i];
        bool older = filter->all_frames && matches->nodes[node->parent];
        matches->nodes[i] = older || site_matches(forest, filter, matches->files, node->site);
        result[i] |= matches->nodes[i];
    }
}

uint8_t *tm_filter_nodes(const struct tm_forest *forest, const struct tm_filter *filters, size_t count)
{
    struct matches matches = {
        .files = calloc(forest->names.count, 1),
        .nodes = calloc(forest->node_count, 1),
        .included = calloc(forest->node_count, 1),
        .excluded = calloc(forest->node_count, 1),
    };
    bool memory =
        matches.files != NULL && matches.nodes != NULL && matches.included != NULL && matches.excluded != NULL;
    bool any_inclusive = false;
    for (size_t i = 0; memory && i < count; i++) {
        any_inclusive |= filters[i].inclusive;
        apply(forest, &filters[i], &matches);
    }
    for (uint32_t i = 1; memory && i < forest->node_count; i++) {
        matches.included[i] = (matches.included[i] || !any_inclusive) && !matches.excluded[i];
    }
    free(matches.files);
    free(matches.nodes);
    free(matches.excluded);
    if (!memory) {
        free(matches.included);
        return NULL;
    }
    return matches.included;
}
