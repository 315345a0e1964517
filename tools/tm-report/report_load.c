/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/report_load.h"

#include <stdio.h>
#include <string.h>

#include "report/snapshot/snapshot_file.h"

static void say_fault(const char *path, enum tm_status status, const struct tm_fault *fault)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    if (status == TM_STATUS_IO) {
        (void)fprintf(stderr, "tm-report: %s: %s\n", name, fault->what);
        return;
    }
    const char *remedy = tm_status_remedy(status);
    (void)fprintf(stderr, "tm-report: %s: offset %llu: %s%s%s\n", name, (unsigned long long)fault->offset, fault->what,
                  remedy[0] != '\0' ? "; " : "", remedy);
}

bool tm_report_load(const char *path, struct tm_snapshot **snapshot)
{
    struct tm_fault fault;
    enum tm_status status = tm_snapshot_open(path, snapshot, &fault);
    if (status != TM_STATUS_OK) {
        say_fault(path, status, &fault);
    }
    return status == TM_STATUS_OK;
}
