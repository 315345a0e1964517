/* SPDX-License-Identifier: MIT */
#include "runtime/track/snapshot_series.h"

#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/snapshot_writer.h"

void tm_snapshot_series_begin(void)
{
    tm_runtime.last_number = 0;
    tm_runtime.series.written = 0;
}

static void remove_file(const struct tm_kept_snapshot *kept)
{
    static char path[TM_PATH_CAPACITY];
    if (tm_runtime_output_name(kept->number, path, sizeof path)) {
        (void)tm_file_remove(path, &kept->identity); /* gone, or another file of that name: not ours to care for */
    }
}

/* Without memory for the ring all stay. */
static void keep(const struct tm_file_identity *identity, unsigned number)
{
    struct tm_snapshot_series *series = &tm_runtime.series;
    uint32_t most = tm_runtime.config.keep;
    if (series->ring == NULL && most != 0) {
        series->ring = tm_pages_map(most * sizeof *series->ring);
    }
    if (series->ring == NULL) {
        return;
    }
    struct tm_kept_snapshot *place = &series->ring[series->written % most];
    if (series->written >= most) {
        remove_file(place);
    }
    *place = (struct tm_kept_snapshot){*identity, number};
    series->written++;
}

int tm_snapshot_write_next(const char *moment, const struct tm_encoded *encoded)
{
    struct tm_file_identity identity;
    int status = tm_snapshot_write_numbered(moment, encoded, &identity);
    if (status == 0 && strcmp(moment, "interval") == 0) {
        keep(&identity, tm_runtime.last_number);
    }
    return status;
}
