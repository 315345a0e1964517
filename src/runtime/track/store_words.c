/* SPDX-License-Identifier: MIT */
#include "runtime/track/store_words.h"

#include <string.h>

#include "runtime/os/os_call.h"
#include "runtime/track/runtime_state.h"

#define FIRST_RECYCLING 0x0308U /* before 3.8 Python's own module moves nothing, so nothing is declined */

/* Asked for and not to be had with this build of Python: no advice to ask for it again. */
static const char *recycled_word(const struct tm_runtime *runtime)
{
    bool is_declined = runtime->config.exact && strcmp(runtime->recycled, "none") == 0 &&
                       runtime->python.version >> 16 >= FIRST_RECYCLING;
    return is_declined ? "declined" : runtime->recycled;
}

static void write_failures(struct tm_store_header *header)
{
    const struct tm_os_failures failures = tm_os_failures();
    if (failures.count == 0) {
        return;
    }
    if (atomic_load_explicit(&header->failed_calls, memory_order_relaxed) == 0) {
        size_t length = strlen(failures.first);
        memcpy(header->failed_call, failures.first,
               length < sizeof header->failed_call ? length : sizeof header->failed_call);
        header->failed_call_errno = failures.first_error;
    }
    atomic_store_explicit(&header->failed_calls, failures.count, memory_order_release);
}

static void listen(void)
{
    /* Until a forked child has a header of its own it sees its parent's. */
    if (tm_life_now() != TM_LIFE_UNKNOWN) {
        write_failures(tm_runtime.store.header);
    }
}

void tm_store_words_begin(void)
{
    tm_os_failure_listener = listen;
    tm_store_words_refresh();
}

void tm_store_words_refresh(void)
{
    const struct tm_runtime *runtime = &tm_runtime;
    if (runtime->store.header == NULL) {
        return;
    }
    uint64_t word = 0;
    const char *how = recycled_word(runtime);
    size_t length = strlen(how);
    memcpy(&word, how, length < sizeof word ? length : sizeof word);
    atomic_store_explicit(&runtime->store.header->recycled, word, memory_order_relaxed);
    write_failures(runtime->store.header);
}
