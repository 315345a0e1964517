/* SPDX-License-Identifier: MIT */
#include "runtime/track/snapshot_failure.h"

#include <errno.h>

#include "base/text.h"
#include "runtime/os/os_call.h"
#include "runtime/os/os_message.h"
#include "runtime/track/runtime_state.h"

/* strerror allocates and asks the locale. */
static const char *reason_of(int error)
{
    switch (error) {
    case ENOSPC:
        return "no space left on device";
    case EDQUOT:
        return "disk quota exceeded";
    case EACCES:
    case EPERM:
        return "permission denied";
    case EROFS:
        return "read-only file system";
    case ENOENT:
        return "no such folder";
    case EISDIR:
        return "there is a folder or a device of that name";
    case EEXIST:
        return "this name and those that follow are taken";
    case ENAMETOOLONG:
        return "name too long";
    case EFBIG:
        return "over the file size limit";
    case ENOMEM:
        return "no memory";
    case EMFILE:
    case ENFILE:
        return "too many open files";
    default:
        return "input/output error";
    }
}

static void say_failure(int error)
{
    static char path[TM_PATH_CAPACITY]; /* under the snapshot lock */
    char line[TM_PATH_CAPACITY + 128];
    struct tm_text text;
    tm_text_init(&text, line, sizeof line);
    tm_text_add(&text, "the snapshot could not be written to ");
    bool fits = tm_runtime_output_name(tm_runtime.last_number + 1, path, sizeof path);
    tm_text_add(&text, fits ? path : tm_runtime.output);
    tm_text_add(&text, ": ");
    tm_text_add(&text, reason_of(error));
    if (tm_live_store_is_whole(&tm_runtime.store)) {
        tm_text_add(&text, "; the data is kept in ");
        tm_text_add(&text, tm_runtime.store.path);
    }
    tm_message(line, NULL, NULL);
}

void tm_snapshot_tell_late_failures(void)
{
    const struct tm_os_failures failures = tm_os_failures();
    /* A process may end in steps, and one fault may come back in each. */
    bool is_news = failures.last != tm_runtime.told_call || failures.last_error != tm_runtime.told_error;
    if (failures.count > tm_runtime.told_failures && is_news) {
        char line[128];
        struct tm_text text;
        tm_text_init(&text, line, sizeof line);
        tm_runtime.told_failures = failures.count;
        tm_runtime.told_call = failures.last;
        tm_runtime.told_error = failures.last_error;
        tm_text_add(&text, "a system call failed at the last snapshot or after it: ");
        tm_text_add(&text, failures.last);
        tm_text_add(&text, ", ");
        tm_text_add(&text, reason_of((int)failures.last_error));
        tm_message(line, NULL, NULL);
    }
}

void tm_snapshot_note_result(int status)
{
    if (status != 0 && status != tm_runtime.last_failure) {
        say_failure(-status);
    }
    tm_runtime.last_failure = status;
}
