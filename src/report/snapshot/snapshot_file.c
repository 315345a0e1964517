/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot_file.h"

#include <stdlib.h>

#include "report/snapshot/file_bytes.h"
#include "report/snapshot/snapshot_load.h"
#include "report/snapshot/store_copy.h"

enum tm_status tm_snapshot_open(const char *path, struct tm_snapshot **snapshot, struct tm_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    *snapshot = NULL;
    enum tm_status status = tm_file_read(path, &bytes, &size, fault);
    if (status == TM_STATUS_OK && tm_store_copy_is_one(bytes, size)) {
        uint8_t *store = bytes;
        status = tm_store_copy_encode(store, size, &bytes, &size, fault);
        free(store);
    }
    if (status == TM_STATUS_OK) {
        status = tm_snapshot_load(bytes, size, snapshot, fault);
    }
    free(bytes);
    return status;
}
