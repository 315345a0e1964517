/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/newest_snapshots.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHOWN 5U

struct found {
    char *name;
    struct timespec time;
};

static bool is_newer(const struct found *a, const struct found *b)
{
    if (a->time.tv_sec != b->time.tv_sec) {
        return a->time.tv_sec > b->time.tv_sec;
    }
    return a->time.tv_nsec != b->time.tv_nsec ? a->time.tv_nsec > b->time.tv_nsec : strcmp(a->name, b->name) < 0;
}

/* Keeps the newest, newest first; what falls out is freed. */
static void keep(struct found *newest, struct found candidate)
{
    for (size_t i = 0; i < SHOWN; i++) {
        if (newest[i].name == NULL || is_newer(&candidate, &newest[i])) {
            struct found pushed = newest[i];
            newest[i] = candidate;
            if (pushed.name == NULL) {
                return;
            }
            candidate = pushed;
        }
    }
    free(candidate.name);
}

static bool is_snapshot_name(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".tms") == 0;
}

void tm_list_newest_snapshots(void)
{
    struct found newest[SHOWN] = {{NULL, {0, 0}}};
    DIR *folder = opendir(".");
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct stat status;
        if (is_snapshot_name(entry->d_name) && stat(entry->d_name, &status) == 0 && S_ISREG(status.st_mode)) {
            char *name = strdup(entry->d_name);
            if (name != NULL) {
                keep(newest, (struct found){name, status.st_mtim});
            }
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    if (newest[0].name != NULL) {
        (void)fputs("\nnewest snapshots here:\n", stderr);
    }
    for (size_t i = 0; i < SHOWN; i++) {
        if (newest[i].name != NULL) {
            (void)fprintf(stderr, "  %s\n", newest[i].name);
            free(newest[i].name);
        }
    }
}
