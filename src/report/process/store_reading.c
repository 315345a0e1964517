/* SPDX-License-Identifier: MIT */
#include "report/process/store_reading.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report/snapshot/store_bytes.h"
#include "report/snapshot/store_copy.h"
#include "store/store_view.h"

#define ATTEMPTS 5U

struct reading {
    uint8_t *bytes;
    size_t size;
    struct tm_store_copy *copy;
};

/* What the first of two readings is kept for. */
struct earlier {
    uint64_t traffic;
    uint32_t epoch;
};

static void drop(struct reading *reading)
{
    tm_store_copy_close(reading->copy);
    free(reading->bytes);
    *reading = (struct reading){NULL, 0, NULL};
}

static bool read_file(int descriptor, struct reading *reading, struct tm_fault *fault)
{
    return tm_store_bytes_read(descriptor, &reading->bytes, &reading->size, fault) == TM_STATUS_OK;
}

static bool look_at(struct reading *reading, struct tm_fault *fault)
{
    if (!tm_store_copy_is_one(reading->bytes, reading->size)) {
        *fault = (struct tm_fault){0, "it is not a live store"};
        return false;
    }
    return tm_store_copy_open(reading->bytes, reading->size, &reading->copy, fault) == TM_STATUS_OK;
}

static uint32_t epoch_of(const struct reading *reading)
{
    return atomic_load(&tm_store_copy_header(reading->copy)->base_epoch);
}

/* One behind the other, and only then looked at: the less time, the less is counted in between. */
static bool read_pair(int descriptor, struct earlier *earlier, struct reading *reading, struct tm_fault *fault)
{
    struct reading first = {NULL, 0, NULL};
    bool done = read_file(descriptor, &first, fault) && read_file(descriptor, reading, fault) && look_at(&first, fault);
    if (done) {
        *earlier = (struct earlier){tm_store_copy_traffic(first.copy), epoch_of(&first)};
    }
    drop(&first);
    return done && look_at(reading, fault);
}

/* What was read is of one round: ids may have come to mean something else in between. */
static bool is_of_one_round(int descriptor, const struct reading *reading)
{
    uint64_t now = 0;
    (void)!pread(descriptor, &now, sizeof now, (off_t)offsetof(struct tm_store_header, aging_rounds));
    return atomic_load(&tm_store_copy_header(reading->copy)->aging_rounds) == now;
}

/* Two readings of one epoch: clear_traces in between would make them speak of different things. */
static bool read_twice(int descriptor, struct earlier *earlier, struct reading *reading, struct tm_fault *fault)
{
    for (unsigned attempt = 1;; attempt++) {
        bool done = read_pair(descriptor, earlier, reading, fault);
        bool is_sound = done && earlier->epoch == epoch_of(reading) && is_of_one_round(descriptor, reading);
        if (is_sound || (done && attempt == ATTEMPTS)) {
            return true;
        }
        drop(reading);
        if (attempt == ATTEMPTS) {
            return false;
        }
    }
}

static uint64_t now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool tm_store_read_snapshot(int descriptor, const char *name, const char *moment, uint8_t **bytes, size_t *size,
                            struct tm_why *why)
{
    struct reading reading = {NULL, 0, NULL};
    struct earlier earlier = {0, 0};
    struct tm_fault fault;
    *bytes = NULL;
    if (!read_twice(descriptor, &earlier, &reading, &fault)) {
        return tm_why_fault(why, name, &fault);
    }
    const struct tm_encode_fact facts[] = {
        {.key = "moment", .text = moment, .length = strlen(moment)},
        {.key = "time_ns", .number = now_ns()},
        {.key = "store", .text = "file", .length = 4},
        {.key = "skew_bytes", .number = tm_store_copy_traffic(reading.copy) - earlier.traffic},
    };
    bool done = tm_store_copy_snapshot(reading.copy, facts, TM_COUNT_OF(facts), bytes, size, &fault) == TM_STATUS_OK;
    drop(&reading);
    return done || tm_why_fault(why, name, &fault);
}

bool tm_store_read_header(int descriptor, const char *name, struct tm_store_header *header, struct tm_why *why)
{
    if (pread(descriptor, header, TM_STORE_HEADER_SIZE, 0) != (ssize_t)TM_STORE_HEADER_SIZE ||
        !tm_store_copy_is_one(header, TM_STORE_HEADER_SIZE)) {
        return tm_why_say(why, "%s: is not a live store", name);
    }
    if (header->version != TM_STORE_VERSION || header->header_size != TM_STORE_HEADER_SIZE) {
        return tm_why_say(why, "%s: is of another version; use the tm-snap of the library that it runs with", name);
    }
    return true;
}

bool tm_store_lacks_blocks(const struct tm_store_header *header)
{
    static const char key[] = "blocks_asked";
    const struct tm_store_view view = {.header = header};
    struct tm_store_word word;
    uint32_t cursor = 0;
    while (tm_store_view_word(&view, &cursor, &word)) {
        if (word.key_length == sizeof key - 1 && memcmp(word.key, key, word.key_length) == 0) {
            return true;
        }
    }
    return false;
}
