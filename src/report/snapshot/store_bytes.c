/* SPDX-License-Identifier: MIT */
#include "report/snapshot/store_bytes.h"

#include <string.h>
#include <unistd.h>

#include "report/snapshot/file_bytes.h"
#include "report/snapshot/store_copy.h"

/* The strings are last: their length comes with the file. */
static const enum tm_section_name order[] = {TM_STORE_RECORDS, TM_STORE_TRACEBACKS, TM_STORE_FRAMES};

static off_t place_of_length(enum tm_section_name section)
{
    return (off_t)(offsetof(struct tm_store_header, lengths) + section * sizeof(uint64_t));
}

enum tm_status tm_store_bytes_read(int descriptor, uint8_t **bytes, size_t *size, struct tm_fault *fault)
{
    uint64_t lengths[TM_COUNT_OF(order)];
    bool measured = true;
    for (unsigned i = 0; i < TM_COUNT_OF(order); i++) {
        measured = pread(descriptor, &lengths[i], sizeof lengths[i], place_of_length(order[i])) ==
                       (ssize_t)sizeof lengths[i] &&
                   measured;
    }
    enum tm_status status = tm_file_read_open(descriptor, bytes, size, fault);
    if (status == TM_STATUS_OK && measured && *size >= TM_STORE_HEADER_SIZE && tm_store_copy_is_one(*bytes, *size)) {
        for (unsigned i = 0; i < TM_COUNT_OF(order); i++) {
            memcpy(*bytes + place_of_length(order[i]), &lengths[i], sizeof lengths[i]);
        }
    }
    return status;
}
