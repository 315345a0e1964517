/* SPDX-License-Identifier: MIT */
#include "report/render/key_frames.h"

#include <stdlib.h>
#include <string.h>

static struct tm_key_frame frame_of(const struct tm_forest *forest, uint32_t site, uint32_t function)
{
    const struct tm_site *place = &forest->sites.sites[site];
    return (struct tm_key_frame){forest->names.names[place->file], forest->names.names[function], place->line,
                                 place->is_native};
}

struct tm_key_frame tm_key_recent_frame(const struct tm_forest *forest, enum tm_key_type key_type, uint32_t key)
{
    switch (key_type) {
    case TM_KEY_FILENAME:
        return (struct tm_key_frame){forest->names.names[key], {(const uint8_t *)"", 0}, 0, false};
    case TM_KEY_LINENO:
        return frame_of(forest, key, forest->sites.sites[key].function);
    case TM_KEY_FUNCTION:
        return (struct tm_key_frame){forest->functions.keys[key].file, forest->functions.keys[key].function, 0, false};
    case TM_KEY_MODULE:
        return (struct tm_key_frame){forest->modules.keys[key].file, {(const uint8_t *)"", 0}, 0, false};
    case TM_KEY_DOMAIN: {
        const char *name = tm_domain_name((enum tm_domain)key);
        return (struct tm_key_frame){{(const uint8_t *)name, strlen(name)}, {(const uint8_t *)"", 0}, 0, false};
    }
    default:
        return frame_of(forest, forest->nodes[key].site, forest->nodes[key].function);
    }
}

bool tm_key_frames_get(struct tm_key_frames *frames, const struct tm_forest *forest, enum tm_key_type key_type,
                       uint32_t key)
{
    size_t count = key_type == TM_KEY_TRACEBACK ? forest->nodes[key].depth : 1;
    if (count > frames->capacity) {
        struct tm_key_frame *larger = realloc(frames->frames, count * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        frames->frames = larger;
        frames->capacity = count;
    }
    frames->count = count;
    for (size_t i = count; i-- > 0;) {
        frames->frames[i] = tm_key_recent_frame(forest, key_type, key);
        key = key_type == TM_KEY_TRACEBACK ? forest->nodes[key].parent : key;
    }
    return true;
}

void tm_key_frames_free(struct tm_key_frames *frames)
{
    free(frames->frames);
    *frames = (struct tm_key_frames){NULL, 0, 0};
}
