/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot.h"

#include <stdlib.h>
#include <string.h>

void tm_snapshot_free(struct tm_snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    for (unsigned i = 0; i < snapshot->buffer_count; i++) {
        free(snapshot->buffers[i]);
    }
    free(snapshot);
}

bool tm_span_is(struct tm_span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

const struct tm_meta_record *tm_snapshot_meta(const struct tm_snapshot *snapshot, const char *key)
{
    for (size_t i = 0; i < snapshot->meta_count; i++) {
        if (tm_span_is(snapshot->meta[i].key, key)) {
            return &snapshot->meta[i];
        }
    }
    return NULL;
}

uint64_t tm_snapshot_number(const struct tm_snapshot *snapshot, const char *key, uint64_t fallback)
{
    const struct tm_meta_record *meta = tm_snapshot_meta(snapshot, key);
    return meta != NULL && meta->type == TM_META_U64 ? meta->number : fallback;
}

struct tm_span tm_snapshot_bytes(const struct tm_snapshot *snapshot, const char *key)
{
    const struct tm_meta_record *meta = tm_snapshot_meta(snapshot, key);
    if (meta == NULL || meta->type != TM_META_BYTES) {
        return (struct tm_span){(const uint8_t *)"", 0};
    }
    return meta->bytes;
}
