/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/snapshot/file_bytes.h"
#include "report/snapshot/snapshot_load.h"
#include "report/snapshot/store_bytes.h"
#include "report/snapshot/store_copy.h"

/* A regular file may be a store that is being written; what else there is, a pipe or standard input, is a stream. */
static enum tm_status read_bytes(const char *path, uint8_t **bytes, size_t *size, struct tm_fault *fault)
{
    struct stat found;
    if (strcmp(path, "-") == 0 || stat(path, &found) != 0 || !S_ISREG(found.st_mode)) {
        return tm_file_read(path, bytes, size, fault);
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
        fault->offset = 0;
        (void)snprintf(fault->what, sizeof fault->what, "%s", strerror(errno));
        return TM_STATUS_IO;
    }
    enum tm_status status = tm_store_bytes_read(descriptor, bytes, size, fault);
    (void)close(descriptor);
    return status;
}

enum tm_status tm_snapshot_open(const char *path, struct tm_snapshot **snapshot, struct tm_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    *snapshot = NULL;
    enum tm_status status = read_bytes(path, &bytes, &size, fault);
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
