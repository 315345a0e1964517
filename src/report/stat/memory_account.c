/* SPDX-License-Identifier: MIT */
#include "report/stat/memory_account.h"

#include <string.h>

#include "report/snapshot/snapshot_totals.h"

static const struct {
    const char *name;
    const char *title;
} texts[TM_MEMORY_PARTS] = {
    [TM_MEMORY_PYTHON] = {"python", "Python, live"},
    [TM_MEMORY_NATIVE] = {"native", "native, live"},
    [TM_MEMORY_MAPS] = {"maps", "mmap, live and touched"},
    [TM_MEMORY_ARENAS] = {"arenas", "free or rounded up in Python's arenas"},
    [TM_MEMORY_LIBC_USED] = {"libc_used", "overhead of malloc, and blocks that were not traced"},
    [TM_MEMORY_LIBC_FREE] = {"libc_free", "free in malloc's heaps"},
    [TM_MEMORY_FILES] = {"files", "mapped files (code, data)"},
    [TM_MEMORY_FILES_OWN] = {"files_own", "mapped files, changed (variables of libraries)"},
    [TM_MEMORY_SHARED] = {"shared", "shared memory"},
    [TM_MEMORY_STACK] = {"stack", "stack of the main thread"},
    [TM_MEMORY_TRACER] = {"tracer", "the tracer itself"},
    [TM_MEMORY_UNEXPLAINED] = {"unexplained", "unexplained"},
};

const char *tm_memory_part_name(enum tm_memory_part part)
{
    return texts[part].name;
}

const char *tm_memory_part_title(enum tm_memory_part part)
{
    return texts[part].title;
}

/* Hostile files may say anything: figures are kept so small that no sum of them overflows. */
static int64_t figure(const struct tm_snapshot *snapshot, const char *key)
{
    uint64_t value = tm_snapshot_number(snapshot, key, 0);
    return value > INT64_MAX / 64 ? INT64_MAX / 64 : (int64_t)value;
}

static int64_t live(const struct tm_snapshot *snapshot, enum tm_domain domain)
{
    uint64_t bytes = tm_snapshot_domain_total(snapshot, domain).live_bytes;
    return bytes > INT64_MAX / 64 ? INT64_MAX / 64 : (int64_t)bytes;
}

/* What lies in CPython's arenas.  2.7 has them, but no door that tells: what is free in them stays unexplained. */
static int64_t live_in_arenas(const struct tm_snapshot *snapshot)
{
    bool is_2 = figure(snapshot, "python_hex") >> 24 == 2;
    return figure(snapshot, "arenas") > 0 || is_2 ? figure(snapshot, "live_small_bytes") : 0;
}

bool tm_memory_account_make(const struct tm_snapshot *snapshot, struct tm_memory_account *account)
{
    int64_t *parts = account->parts;
    memset(account, 0, sizeof *account);
    account->rss = (uint64_t)figure(snapshot, "rss_bytes");
    account->pss = (uint64_t)figure(snapshot, "pss_bytes");
    account->swap = (uint64_t)figure(snapshot, "swap_bytes");
    if (account->rss == 0 || snapshot->is_since_fork) { /* what was inherited is in RSS, but in no record */
        return false;
    }
    bool has_arenas = figure(snapshot, "arenas") > 0;
    bool has_libc = tm_snapshot_meta(snapshot, "libc_used") != NULL;
    int64_t in_arenas = live_in_arenas(snapshot);
    parts[TM_MEMORY_PYTHON] =
        live(snapshot, TM_DOMAIN_RAW) + live(snapshot, TM_DOMAIN_MEM) + live(snapshot, TM_DOMAIN_OBJ);
    parts[TM_MEMORY_NATIVE] = live(snapshot, TM_DOMAIN_NATIVE);
    parts[TM_MEMORY_MAPS] = figure(snapshot, "map_rss");
    if (has_arenas) {
        parts[TM_MEMORY_ARENAS] = figure(snapshot, "arena_rss") - in_arenas;
    }
    if (has_libc) {
        int64_t from_libc = parts[TM_MEMORY_PYTHON] + parts[TM_MEMORY_NATIVE] - in_arenas;
        parts[TM_MEMORY_LIBC_USED] = figure(snapshot, "libc_used") + figure(snapshot, "libc_mapped") - from_libc;
        parts[TM_MEMORY_LIBC_FREE] = figure(snapshot, "libc_free");
    }
    parts[TM_MEMORY_FILES] = figure(snapshot, "rss_file");
    parts[TM_MEMORY_FILES_OWN] = figure(snapshot, "rss_file_own");
    parts[TM_MEMORY_SHARED] = figure(snapshot, "rss_shared");
    parts[TM_MEMORY_STACK] = figure(snapshot, "rss_stack");
    parts[TM_MEMORY_TRACER] = figure(snapshot, "tracer_anonymous") + figure(snapshot, "rss_store");
    parts[TM_MEMORY_UNEXPLAINED] = (int64_t)account->rss;
    for (unsigned part = 0; part < TM_MEMORY_UNEXPLAINED; part++) {
        parts[TM_MEMORY_UNEXPLAINED] -= parts[part];
    }
    return true;
}
