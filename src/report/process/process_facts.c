/* SPDX-License-Identifier: MIT */
#include "report/process/process_facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define PID_MAX (UINT64_C(1) << 22) /* the kernel's own limit (PID_MAX_LIMIT) */

static size_t read_file(pid_t pid, const char *name, char *text, size_t capacity)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? 0 : read(descriptor, text, capacity - 1);
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

/* What stands behind KEY at the start of a line of /proc/PID/status; NULL when the line is not there. */
static const char *line_of(const char *status, const char *key)
{
    const char *at = strstr(status, key);
    return at == NULL ? NULL : at + strlen(key);
}

/* The last of the numbers on a line: the innermost namespace's. */
static uint32_t last_number(const char *line, uint32_t fallback)
{
    uint32_t number = fallback;
    while (line != NULL && *line != '\0' && *line != '\n') {
        char *end;
        unsigned long value = strtoul(line, &end, 10);
        if (end == line) {
            break;
        }
        number = (uint32_t)value;
        line = end;
    }
    return number;
}

bool tm_process_facts_read(pid_t pid, struct tm_process_facts *facts)
{
    char status[4096], folder[64];
    struct stat found;
    (void)snprintf(folder, sizeof folder, "/proc/%ld", (long)pid);
    if (stat(folder, &found) != 0 || read_file(pid, "status", status, sizeof status) == 0) {
        return false;
    }
    *facts = (struct tm_process_facts){.pid = pid, .owner = found.st_uid, .state = '?'};
    facts->inner_pid = last_number(line_of(status, "\nNSpid:"), (uint32_t)pid);
    const char *uids = line_of(status, "\nUid:"), *state = line_of(status, "\nState:\t");
    unsigned real = found.st_uid, effective = found.st_uid;
    if (uids != NULL && sscanf(uids, "%u %u", &real, &effective) == 2) {
        facts->effective_uid = effective;
    }
    if (state != NULL) {
        facts->state = state[0];
    }
    return true;
}

void tm_process_command_line(pid_t pid, char *text, size_t capacity)
{
    size_t length = read_file(pid, "cmdline", text, capacity);
    while (length > 0 && text[length - 1] == '\0') {
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        text[i] = (char)(text[i] == '\0' ? ' ' : text[i]);
    }
}

bool tm_process_parse_pid(const char *text, pid_t *pid)
{
    uint64_t number;
    if (!tm_text_to_unsigned(text, PID_MAX, &number) || number == 0) {
        return false;
    }
    *pid = (pid_t)number;
    return true;
}
