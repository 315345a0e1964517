/* SPDX-License-Identifier: MIT */
#include "report/render/json_snapshot.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"
#include "report/render/json_text.h"
#include "report/snapshot/snapshot_totals.h"

/* Written in a form of their own, so not once more among the other facts. */
static const char *const own_keys[] = {"path", "pid",     "python",  "traceback_limit", "time",      "traced",
                                       "heap", "domains", "program", "notes",           "since_fork"};

static bool has_prefix(struct tm_span key, const char *prefix)
{
    size_t length = strlen(prefix);
    return key.length >= length && memcmp(key.bytes, prefix, length) == 0;
}

static bool is_own(struct tm_span key)
{
    for (size_t i = 0; i < TM_COUNT_OF(own_keys); i++) {
        if (tm_span_is(key, own_keys[i])) {
            return true;
        }
    }
    return has_prefix(key, "live_bytes_") || has_prefix(key, "live_blocks_");
}

static void write_value(struct tm_out *out, const struct tm_meta_record *meta)
{
    if (meta == NULL) {
        tm_out_text(out, "null");
    } else if (meta->type == TM_META_BYTES) {
        tm_json_text(out, meta->bytes);
    } else if (meta->type == TM_META_I64) {
        tm_out_format(out, "%lld", (long long)meta->number);
    } else {
        tm_out_format(out, "%llu", (unsigned long long)meta->number);
    }
}

static void write_fact(struct tm_out *out, const struct tm_snapshot *snapshot, const char *key)
{
    tm_out_format(out, ", \"%s\": ", key);
    write_value(out, tm_snapshot_meta(snapshot, key));
}

static void write_time(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    uint64_t ns = tm_snapshot_number(snapshot, "time_ns", 0);
    if (ns == 0) {
        tm_out_text(out, ", \"time\": null");
    } else {
        tm_out_format(out, ", \"time\": %llu.%09llu", (unsigned long long)(ns / 1000000000),
                      (unsigned long long)(ns % 1000000000));
    }
}

static void write_traced(struct tm_out *out, const char *key, struct tm_traced traced, bool has_peak)
{
    tm_out_format(out, ", \"%s\": {\"current\": %llu", key, (unsigned long long)traced.current);
    if (has_peak) {
        tm_out_format(out, ", \"peak\": %llu}", (unsigned long long)traced.peak);
    } else {
        tm_out_text(out, ", \"peak\": null}");
    }
}

static void write_domains(struct tm_out *out, const struct tm_snapshot *snapshot)
{
    tm_out_text(out, ", \"domains\": {");
    for (int i = 0; i < TM_DOMAIN_COUNT; i++) {
        struct tm_domain_total total = tm_snapshot_domain_total(snapshot, (enum tm_domain)i);
        tm_out_format(out, "%s\"%s\": {\"size\": %llu, \"count\": %llu}", i > 0 ? ", " : "",
                      tm_domain_name((enum tm_domain)i), (unsigned long long)total.live_bytes,
                      (unsigned long long)total.live_blocks);
    }
    tm_out_text(out, "}");
}

/* Parts between SEPARATORs as an array; a separator at the end closes the last part. */
static void write_parts(struct tm_out *out, const struct tm_snapshot *snapshot, const char *key, char separator)
{
    struct tm_span left = tm_snapshot_bytes(snapshot, key);
    tm_out_format(out, ", \"%s\": [", key);
    for (bool first = true; left.length > 0; first = false) {
        const uint8_t *end = memchr(left.bytes, separator, left.length);
        size_t length = end != NULL ? (size_t)(end - left.bytes) : left.length;
        tm_out_text(out, first ? "" : ", ");
        tm_json_text(out, (struct tm_span){left.bytes, length});
        length += end != NULL;
        left = (struct tm_span){left.bytes + length, left.length - length};
    }
    tm_out_text(out, "]");
}

/* A key that is there twice counts once, the first time, as for everybody who looks it up. */
static bool is_repeated(const struct tm_snapshot *snapshot, size_t item)
{
    struct tm_span key = snapshot->meta[item].key;
    for (size_t i = 0; i < item; i++) {
        struct tm_span before = snapshot->meta[i].key;
        if (before.length == key.length && memcmp(before.bytes, key.bytes, key.length) == 0) {
            return true;
        }
    }
    return false;
}

void tm_json_snapshot(struct tm_out *out, const struct tm_snapshot *snapshot, const char *path)
{
    tm_out_text(out, "{\"path\": ");
    tm_json_string(out, path);
    write_fact(out, snapshot, "pid");
    write_fact(out, snapshot, "python");
    write_fact(out, snapshot, "traceback_limit");
    write_time(out, snapshot);
    write_traced(out, "traced", tm_snapshot_traced_python(snapshot), !snapshot->is_since_fork);
    write_traced(out, "heap", tm_snapshot_traced_heap(snapshot), !snapshot->is_since_fork);
    write_domains(out, snapshot);
    write_parts(out, snapshot, "program", '\0');
    write_parts(out, snapshot, "notes", '\n');
    tm_out_text(out, snapshot->is_since_fork ? ", \"since_fork\": true" : "");
    for (size_t i = 0; i < snapshot->meta_count; i++) {
        if (!is_own(snapshot->meta[i].key) && !is_repeated(snapshot, i)) {
            tm_out_text(out, ", ");
            tm_json_text(out, snapshot->meta[i].key);
            tm_out_text(out, ": ");
            write_value(out, &snapshot->meta[i]);
        }
    }
    tm_out_text(out, "}");
}
