/* SPDX-License-Identifier: MIT */
#include "report/stat/nearest_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/edit_distance.h"

#define LETTERS_MAX 3U /* a name that is further off is another name */

static struct tm_span name_of(const struct tm_forest *forest, const struct tm_filter *filter, uint32_t node)
{
    const struct tm_node *n = &forest->nodes[node];
    return forest->names.names[filter->by_function ? n->function : forest->sites.sites[n->site].file];
}

static bool has_line(const struct tm_forest *forest, const struct tm_filter *filter, uint32_t node)
{
    return !filter->has_line || forest->sites.sites[forest->nodes[node].site].line == filter->line;
}

static bool matches(const struct tm_forest *forest, const struct tm_filter *filter, uint32_t node)
{
    return has_line(forest, filter, node) && tm_pattern_match(&filter->name, name_of(forest, filter, node));
}

/* A node that matches and of which some snapshot counts a trace, 0 if none. */
static uint32_t find_recent(const struct tm_forest *forest, const struct tm_filter *filter)
{
    for (unsigned s = 0; s < forest->snapshot_count; s++) {
        const struct tm_snapshot *snapshot = forest->snapshots[s];
        for (size_t i = 0; i < snapshot->counter_count; i++) {
            uint32_t node = forest->node_of[s][snapshot->counters[i].traceback];
            if (matches(forest, filter, node)) {
                return node;
            }
        }
    }
    return 0;
}

/* The node whose name PATTERN matches first, 0 if none; with LINE its line must match too. */
static uint32_t find(const struct tm_forest *forest, const struct tm_filter *filter, const struct tm_pattern *pattern,
                     bool line)
{
    for (uint32_t i = 1; i < forest->node_count; i++) {
        if ((!line || has_line(forest, filter, i)) && tm_pattern_match(pattern, name_of(forest, filter, i))) {
            return i;
        }
    }
    return 0;
}

static uint32_t find_around(const struct tm_forest *forest, const struct tm_filter *filter, const char *before,
                            const char *after)
{
    struct tm_pattern pattern;
    char *text = NULL;
    uint32_t found = 0;
    if (asprintf(&text, "%s%.*s%s", before, (int)filter->text_length, filter->text, after) < 0) {
        return 0;
    }
    if (tm_pattern_init(&pattern, text, strlen(text))) {
        found = find(forest, filter, &pattern, false);
        tm_pattern_free(&pattern);
    }
    free(text);
    return found;
}

static struct tm_span last_part(struct tm_span path)
{
    const uint8_t *slash = path.length > 0 ? memrchr(path.bytes, '/', path.length) : NULL;
    size_t skipped = slash != NULL ? (size_t)(slash + 1 - path.bytes) : 0;
    return (struct tm_span){path.bytes + skipped, path.length - skipped};
}

static struct tm_nearest spelled_alike(const struct tm_forest *forest, const struct tm_filter *filter)
{
    struct tm_span wanted = last_part((struct tm_span){(const uint8_t *)filter->text, filter->text_length});
    struct tm_nearest nearest = {TM_NEAR_NOTHING, {NULL, 0}};
    unsigned least = LETTERS_MAX + 1;
    for (uint32_t i = 1; i < forest->node_count; i++) {
        struct tm_span name = name_of(forest, filter, i), part = last_part(name);
        unsigned letters =
            tm_edit_distance((const char *)wanted.bytes, wanted.length, (const char *)part.bytes, part.length);
        if (letters < least && letters < part.length) {
            least = letters;
            nearest = (struct tm_nearest){TM_NEAR_SPELLING, name};
        }
    }
    return nearest;
}

static struct tm_nearest matched(const struct tm_forest *forest, const struct tm_filter *filter, uint32_t first)
{
    uint32_t itself = filter->all_frames ? first : find_recent(forest, filter);
    return itself != 0 ? (struct tm_nearest){TM_NEAR_ITSELF, name_of(forest, filter, itself)}
                       : (struct tm_nearest){TM_NEAR_OLDER, name_of(forest, filter, first)};
}

struct tm_nearest tm_nearest_name(const struct tm_forest *forest, const struct tm_filter *filter)
{
    uint32_t found = find(forest, filter, &filter->name, true);
    if (found != 0) {
        return matched(forest, filter, found);
    }
    if ((found = find(forest, filter, &filter->name, false)) != 0) {
        return (struct tm_nearest){TM_NEAR_LINE, name_of(forest, filter, found)};
    }
    if (!filter->by_function && (found = find_around(forest, filter, "*/", "")) != 0) {
        return (struct tm_nearest){TM_NEAR_END, name_of(forest, filter, found)};
    }
    if ((found = find_around(forest, filter, "*", "*")) != 0) {
        return (struct tm_nearest){TM_NEAR_PART, name_of(forest, filter, found)};
    }
    return spelled_alike(forest, filter);
}
