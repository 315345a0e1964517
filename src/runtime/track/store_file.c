/* SPDX-License-Identifier: MIT */
#include "runtime/track/store_file.h"

#include <errno.h>

#include "runtime/os/os_message.h"
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

/* Who names a folder for it wants what a kill leaves, and hears why there will be nothing. */
static void say_chosen_store(struct tm_runtime *runtime, bool is_folder)
{
    if (runtime->config.store == NULL || runtime->pid != runtime->first_pid || runtime->told_store) {
        return;
    }
    runtime->told_store = true;
    if (is_folder) {
        tm_message("the live store stays in memory, a kill would leave nothing: no store can lie in the folder ",
                   runtime->store_folder, " as it is now");
    } else {
        tm_message("the live store stays in memory, a kill would leave nothing: several threads ran already", NULL,
                   NULL);
    }
}

static void stay_in_memory(struct tm_runtime *runtime, bool is_folder, const char *why)
{
    tm_runtime_say("notes", why);
    say_chosen_store(runtime, is_folder);
}

void tm_store_file_make(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->store_folder[0] == '\0' || runtime->store.in_file) {
        return;
    }
    if (tm_process_threads() != 1) {
        /* What another thread counts between the copy and the mapping would be lost. */
        stay_in_memory(runtime, false, "the live store stayed in memory: several threads ran already");
        return;
    }
    if (!tm_file_system_maps(runtime->store_folder)) {
        stay_in_memory(runtime, true,
                       "the live store stayed in memory: its folder is missing, or on a file system that is not "
                       "known to carry it");
        return;
    }
    if (move_to_file(runtime) != 0) {
        stay_in_memory(runtime, true, "the live store stayed in memory: its file could not be made");
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
