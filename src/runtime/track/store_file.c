/* SPDX-License-Identifier: MIT */
#include "runtime/track/store_file.h"

#include <errno.h>

#include "runtime/os/os_process.h"
#include "runtime/track/output_path.h"
#include "runtime/track/runtime_state.h"

#define ATTEMPTS 1000U

static int move_to_file(struct tm_runtime *runtime)
{
    char path[TM_PATH_CAPACITY];
    int status = -EEXIST;
    for (unsigned attempt = 1; status == -EEXIST && attempt <= ATTEMPTS; attempt++) {
        if (!tm_output_store(runtime->store_folder, runtime->pid, attempt, path, sizeof path)) {
            return -ENAMETOOLONG;
        }
        status = tm_live_store_to_file(&runtime->store, path);
        tm_record_table_was_moved(&runtime->records);
        runtime->store_attempt = attempt;
    }
    return status;
}

void tm_store_file_make(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->store_folder[0] == '\0' || runtime->store.in_file) {
        return;
    }
    if (tm_process_threads() != 1) {
        /* What another thread counts between the copy and the mapping would be lost. */
        tm_runtime_say("notes", "the live store stayed in memory: several threads ran already");
        return;
    }
    if (!tm_file_system_maps(runtime->store_folder)) {
        tm_runtime_say("notes",
                       "the live store stayed in memory: its folder is missing, or on a file system that is not "
                       "known to carry it");
        return;
    }
    if (move_to_file(runtime) != 0) {
        tm_runtime_say("notes", "the live store stayed in memory: its file could not be made");
    }
}

/* What another thread counts between the copy and the mapping would be lost. */
void tm_store_file_make_again(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->store.in_file && runtime->store.is_removed && tm_process_threads() == 1) {
        (void)move_to_file(runtime);
    }
}
