/* SPDX-License-Identifier: MIT */
#include "report/stat/series.h"

#include <stdlib.h>

#include "report/snapshot/snapshot_identity.h"

#define NS_PER_HOUR 3.6e12
#define GROWTH_MIN  3U /* snapshots: two of them always tell of growth or shrinkage */

static void set_hours(struct tm_series *series, const struct tm_forest *forest)
{
    bool known = true;
    for (unsigned s = 0; s < series->count; s++) {
        known &= tm_snapshot_time_ns(forest->snapshots[s]) != 0;
    }
    double first = (double)tm_snapshot_time_ns(forest->snapshots[0]);
    for (unsigned s = 0; known && s < series->count; s++) {
        series->hours[s] = ((double)tm_snapshot_time_ns(forest->snapshots[s]) - first) / NS_PER_HOUR;
    }
}

static bool add_snapshot(struct tm_series *series, const struct tm_forest *forest, unsigned s,
                         const struct tm_grouping *grouping)
{
    uint32_t keys = tm_key_count(forest, grouping->key_type);
    struct tm_amount *sums = tm_group_sums(forest, s, grouping);
    series->sizes[s] = calloc((size_t)keys + 1, sizeof *series->sizes[s]);
    bool memory = sums != NULL && series->sizes[s] != NULL;
    for (uint32_t key = 0; memory && key < keys; key++) {
        series->sizes[s][key] = sums[key].size;
    }
    series->totals[s] = tm_group_total(forest, s, grouping).size;
    free(sums);
    return memory;
}

bool tm_series_make(struct tm_series *series, const struct tm_forest *forest, const struct tm_grouping *grouping)
{
    unsigned count = forest->snapshot_count;
    *series = (struct tm_series){.count = count,
                                 .hours = calloc(count, sizeof *series->hours),
                                 .sizes = calloc(count, sizeof *series->sizes),
                                 .totals = calloc(count, sizeof *series->totals)};
    bool memory = series->hours != NULL && series->sizes != NULL && series->totals != NULL;
    if (memory) {
        set_hours(series, forest);
    }
    for (unsigned s = 0; memory && s < count; s++) {
        memory = add_snapshot(series, forest, s, grouping);
    }
    return memory;
}

void tm_series_free(struct tm_series *series)
{
    for (unsigned s = 0; series->sizes != NULL && s < series->count; s++) {
        free(series->sizes[s]);
    }
    free(series->hours);
    free(series->sizes);
    free(series->totals);
    *series = (struct tm_series){.count = 0};
}

/* KEY NULL: the totals. */
static double size_at(const struct tm_series *series, unsigned s, const uint32_t *key)
{
    return (double)(key != NULL ? series->sizes[s][*key] : series->totals[s]);
}

static double slope(const struct tm_series *series, const uint32_t *key)
{
    double mean = 0, product = 0, square = 0;
    for (unsigned s = 0; s < series->count; s++) {
        mean += series->hours[s] / series->count;
    }
    for (unsigned s = 0; s < series->count; s++) {
        double away = series->hours[s] - mean;
        product += away * size_at(series, s, key);
        square += away * away;
    }
    return square > 0 ? product / square : 0;
}

bool tm_series_is_timed(const struct tm_series *series)
{
    for (unsigned s = 1; s < series->count; s++) {
        if (series->hours[s] != series->hours[0]) {
            return true;
        }
    }
    return false;
}

double tm_series_slope(const struct tm_series *series, uint32_t key)
{
    return slope(series, &key);
}

double tm_series_total_slope(const struct tm_series *series)
{
    return slope(series, NULL);
}

bool tm_series_grew(const struct tm_series *series, uint32_t key)
{
    bool grew = series->count >= GROWTH_MIN;
    for (unsigned s = 1; grew && s < series->count; s++) {
        grew = series->sizes[s][key] > series->sizes[s - 1][key];
    }
    return grew;
}
