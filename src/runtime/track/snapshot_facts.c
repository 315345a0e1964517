/* SPDX-License-Identifier: MIT */
#include "runtime/track/snapshot_facts.h"

#include <string.h>

#include "runtime/os/lent_pages.h"
#include "runtime/os/os_call.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/store_words.h"

static void add_text(struct tm_snapshot_facts *facts, const char *key, const char *text)
{
    facts->list[facts->count++] = (struct tm_encode_fact){.key = key, .text = text, .length = strlen(text)};
}

static void add_number(struct tm_snapshot_facts *facts, const char *key, uint64_t number)
{
    facts->list[facts->count++] = (struct tm_encode_fact){.key = key, .number = number};
}

static const char *frames_word(const struct tm_runtime *runtime)
{
    if (!runtime->python_is_found) {
        return "none";
    }
    return runtime->layout != NULL ? "read" : runtime->layout_is_decided ? "unsupported" : "none";
}

/* _exit may be called by a signal handler, also by one that interrupted malloc while it held a lock. */
static bool may_ask_libc(const struct tm_runtime *runtime)
{
    return runtime->exit_moment == NULL || strcmp(runtime->exit_moment, "_exit") != 0;
}

void tm_snapshot_facts_begin(struct tm_snapshot_facts *facts, const char *moment)
{
    struct tm_runtime *runtime = &tm_runtime;
    facts->count = 0;
    tm_lent_pages_sweep();
    tm_store_words_refresh();
    runtime->told_failures = tm_os_failures().count;
    facts->store_path = runtime->store.in_file ? runtime->store.path : NULL;
    add_number(facts, "time_ns", tm_process_time_ns());
    add_text(facts, "moment", moment);
    add_text(facts, "start_moment", runtime->start_moment);
    add_text(facts, "python_frames", frames_word(runtime));
}

void tm_snapshot_facts_add_resident(struct tm_snapshot_facts *facts, bool in_brief)
{
    facts->count = tm_resident_facts_add(facts->list, facts->count, facts->store_path, in_brief);
}

void tm_snapshot_facts_add_rest(struct tm_snapshot_facts *facts)
{
    const struct tm_runtime *runtime = &tm_runtime;
    bool ask_libc = !facts->leaves_libc && may_ask_libc(runtime);
    facts->count = tm_allocator_facts_add(facts->list, facts->count, ask_libc);
    add_text(facts, "store", facts->store_path != NULL ? "file" : "memory");
    if (runtime->exit_moment != NULL) {
        add_text(facts, "exit_moment", runtime->exit_moment);
    }
}
