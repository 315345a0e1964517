/* SPDX-License-Identifier: MIT */
/* A folder of a test's own, gone afterwards with the files in it. */
#ifndef TM_TESTS_SCRATCH_FOLDER_H
#define TM_TESTS_SCRATCH_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch_folder {
    char path[256];
    char name[1024]; /* of the last scratch_name */
};

static inline void scratch_make(struct scratch_folder *folder)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder->path, sizeof folder->path, "%s/tm-unit-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder->path) == NULL) {
        perror(folder->path);
        abort();
    }
}

/* FOLDER/NAME; good until the next call. */
static inline const char *scratch_name(struct scratch_folder *folder, const char *name)
{
    (void)snprintf(folder->name, sizeof folder->name, "%s/%s", folder->path, name);
    return folder->name;
}

/* The number of files whose name ends in END. */
static inline unsigned scratch_count(struct scratch_folder *folder, const char *end)
{
    unsigned count = 0;
    DIR *listing = opendir(folder->path);
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        size_t length = strlen(entry->d_name);
        count +=
            length >= strlen(end) && entry->d_name[0] != '.' && strcmp(entry->d_name + length - strlen(end), end) == 0;
    }
    (void)closedir(listing);
    return count;
}

static inline void scratch_remove(struct scratch_folder *folder)
{
    DIR *listing = opendir(folder->path);
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(scratch_name(folder, entry->d_name)) != 0) {
            (void)rmdir(folder->name);
        }
    }
    (void)closedir(listing);
    (void)rmdir(folder->path);
}

#endif
