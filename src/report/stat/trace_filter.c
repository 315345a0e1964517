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
    *filter = (struct tm_filter){.text = text, .inclusive = inclusive, .all_frames = all_frames};
    filter->text_length = split_line(text, &filter->has_line, &filter->line);
    return tm_pattern_init(&filter->name, text, filter->text_length);
}

bool tm_filter_init_function(struct tm_filter *filter, const char *text)
{
    *filter = (struct tm_filter){.text = text, .text_length = strlen(text), .by_function = true, .inclusive = true};
    return tm_pattern_init(&filter->name, text, strlen(text));
}

void tm_filter_free(struct tm_filter *filter)
{
    tm_pattern_free(&filter->name);
}

/* What a filter matches is worked out once for each name, and handed down from older to newer frames. */
struct matches {
    uint8_t *names; /* by name id: 0 not known yet, 1 no, 2 yes */
    uint8_t *nodes; /* by node id, of the filter at work */
    uint8_t *included;
    uint8_t *functions; /* those that a filter by function matches */
    uint8_t *excluded;
};

static bool name_matches(const struct tm_forest *forest, const struct tm_filter *filter, uint8_t *names, uint32_t name)
{
    if (names[name] == 0) {
        names[name] = tm_pattern_match(&filter->name, forest->names.names[name]) ? 2 : 1;
    }
    return names[name] == 2;
}

static bool node_matches(const struct tm_forest *forest, const struct tm_filter *filter, uint8_t *names,
                         const struct tm_node *node)
{
    /* The most recent frame is the most recent one of Python. */
    bool by_place = !filter->all_frames && !filter->by_function;
    const struct tm_site *site = &forest->sites.sites[by_place ? forest->nodes[node->place].site : node->site];
    return name_matches(forest, filter, names, filter->by_function ? node->function : site->file) &&
           (!filter->has_line || filter->line == site->line);
}

static void apply(const struct tm_forest *forest, const struct tm_filter *filter, struct matches *matches)
{
    uint8_t *result = filter->by_function ? matches->functions
                      : filter->inclusive ? matches->included
                                          : matches->excluded;
    memset(matches->names, 0, forest->names.count);
    matches->nodes[0] = 0;
    for (uint32_t i = 1; i < forest->node_count; i++) {
        const struct tm_node *node = &forest->nodes[i];
        bool older = filter->all_frames && matches->nodes[node->parent];
        matches->nodes[i] = older || node_matches(forest, filter, matches->names, node);
        result[i] |= matches->nodes[i];
    }
}

/* Puts what passes all filters into `included`. */
static void combine(const struct tm_forest *forest, struct matches *matches, bool any_inclusive, bool any_function)
{
    for (uint32_t i = 1; i < forest->node_count; i++) {
        matches->included[i] = (matches->included[i] || !any_inclusive) && (matches->functions[i] || !any_function) &&
                               !matches->excluded[i];
    }
}

static bool matches_init(struct matches *matches, const struct tm_forest *forest)
{
    *matches = (struct matches){.names = calloc(forest->names.count, 1),
                                .nodes = calloc(forest->node_count, 1),
                                .included = calloc(forest->node_count, 1),
                                .functions = calloc(forest->node_count, 1),
                                .excluded = calloc(forest->node_count, 1)};
    return matches->names != NULL && matches->nodes != NULL && matches->included != NULL &&
           matches->functions != NULL && matches->excluded != NULL;
}

uint8_t *tm_filter_nodes(const struct tm_forest *forest, const struct tm_filter *filters, size_t count)
{
    struct matches matches;
    bool memory = matches_init(&matches, forest);
    bool any_inclusive = false, any_function = false;
    for (size_t i = 0; memory && i < count; i++) {
        any_inclusive |= filters[i].inclusive && !filters[i].by_function;
        any_function |= filters[i].by_function;
        apply(forest, &filters[i], &matches);
    }
    if (memory) {
        combine(forest, &matches, any_inclusive, any_function);
    }
    free(matches.names);
    free(matches.nodes);
    free(matches.functions);
    free(matches.excluded);
    if (!memory) {
        free(matches.included);
        return NULL;
    }
    return matches.included;
}
