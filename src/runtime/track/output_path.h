/* SPDX-License-Identifier: MIT */
/* Names of the files that this process leaves.
 *
 *   pattern   /data/tracemalloc.%p.tms
 *   store     /data/tracemalloc.4711.live     /data/tracemalloc.4711-2.live when that name is taken
 *   exit      /data/tracemalloc.4711.tms      likewise
 *
 * %h, %e and %t are the same for the whole life of a process and are replaced once, at its start; %p and %n when a name
 * is made.  A name without any of them is the first process's own and is replaced; forked descendants insert their pid.
 * Pure functions of their arguments; false when the result does not fit. */
#ifndef TM_RUNTIME_TRACK_OUTPUT_PATH_H
#define TM_RUNTIME_TRACK_OUTPUT_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/config_options.h"

/* PATH with FOLDER before it where it is relative (FOLDER may be empty: then it stays relative). */
TM_CHECKED bool tm_output_absolute(const char *path, const char *folder, size_t folder_length, char *to,
                                   size_t capacity);

/* The same for a pattern: percent signs in FOLDER, which is no pattern, are doubled; one that ends in a slash names a
 * folder for files of the default name. */
TM_CHECKED bool tm_output_pattern(const char *pattern, const char *folder, size_t folder_length, char *to,
                                  size_t capacity);

/* What %h, %e and %t stand for.  Bytes that would make another path or pattern of it (/ and %) become _. */
struct tm_output_facts {
    const char *host;
    size_t host_length;
    const char *program; /* path or name; only what follows the last slash counts */
    size_t program_length;
    uint64_t time_ns; /* since 1970: becomes 20261231-235959, UTC */
};

/* PATTERN with %h, %e and %t replaced; the rest stays. */
TM_CHECKED bool tm_output_expand(const char *pattern, const struct tm_output_facts *facts, char *to, size_t capacity);

/* The folder part of PATH, which is no pattern; "." where it has none. */
TM_CHECKED bool tm_output_folder(const char *path, char *to, size_t capacity);

/* Whether PATTERN has %LETTER. */
bool tm_output_has(const char *pattern, char letter);
bool tm_output_has_pid(const char *pattern);
bool tm_output_has_number(const char *pattern);

/* PATTERN with .%n before its last dot where it has no %n. */
TM_CHECKED bool tm_output_add_number(const char *pattern, char *to, size_t capacity);

/* The file name of PATTERN for PID: %p replaced, or, with INSERT and no %p, .PID put before the last dot.  %n is
 * ATTEMPT in four digits; without it ATTEMPT 1 is the plain name, N puts -N before the last dot. */
TM_CHECKED bool tm_output_name(const char *pattern, uint32_t pid, bool insert, unsigned attempt, char *to,
                               size_t capacity);

/* FOLDER/tracemalloc.PID[-ATTEMPT].live */
TM_CHECKED bool tm_output_store(const char *folder, uint32_t pid, unsigned attempt, char *to, size_t capacity);

#endif
