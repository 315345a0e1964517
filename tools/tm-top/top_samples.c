/* SPDX-License-Identifier: MIT */
#include "tools/tm-top/top_samples.h"

#include <stdlib.h>
#include <unistd.h>

#include "report/process/store_place.h"
#include "report/process/store_reading.h"
#include "report/snapshot/snapshot_load.h"

static struct tm_snapshot *look(pid_t pid, struct tm_why *why)
{
    struct tm_store_place place;
    struct tm_snapshot *snapshot = NULL;
    struct tm_fault fault;
    uint8_t *bytes = NULL;
    size_t size = 0;
    int descriptor;
    if (!tm_store_open_process(pid, &place, &descriptor, why)) {
        return NULL;
    }
    if (tm_store_read_snapshot(descriptor, place.path, "tm-top", &bytes, &size, why) &&
        tm_snapshot_load(bytes, size, &snapshot, &fault) != TM_STATUS_OK) {
        (void)tm_why_fault(why, place.path, &fault);
    }
    free(bytes);
    (void)close(descriptor);
    return snapshot;
}

static void drop(struct tm_top_samples *samples, struct tm_snapshot *snapshot)
{
    if (snapshot != samples->first && snapshot != samples->previous && snapshot != samples->now) {
        tm_snapshot_free(snapshot);
    }
}

static bool is_same_life(const struct tm_snapshot *a, const struct tm_snapshot *b)
{
    return tm_snapshot_number(a, "start_time_ns", 0) == tm_snapshot_number(b, "start_time_ns", 0);
}

bool tm_top_sample(struct tm_top_samples *samples, pid_t pid, struct tm_why *why)
{
    struct tm_snapshot *now = look(pid, why);
    if (now == NULL) {
        return false;
    }
    if (samples->now == NULL || !is_same_life(samples->now, now)) {
        tm_top_samples_free(samples);
        *samples = (struct tm_top_samples){now, now, now};
        return true;
    }
    struct tm_snapshot *oldest = samples->previous;
    samples->previous = samples->now;
    samples->now = now;
    drop(samples, oldest);
    return true;
}

void tm_top_samples_restart(struct tm_top_samples *samples)
{
    struct tm_snapshot *first = samples->first;
    samples->first = samples->now;
    drop(samples, first);
}

void tm_top_samples_free(struct tm_top_samples *samples)
{
    struct tm_snapshot *all[] = {samples->first, samples->previous, samples->now};
    *samples = (struct tm_top_samples){NULL, NULL, NULL};
    tm_snapshot_free(all[0]);
    if (all[1] != all[0]) {
        tm_snapshot_free(all[1]);
    }
    if (all[2] != all[1] && all[2] != all[0]) {
        tm_snapshot_free(all[2]);
    }
}
