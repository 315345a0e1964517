/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_message.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

void tm_message(const char *a, const char *b, const char *c)
{
    char line[5120];
    struct tm_text text;
    int saved = errno;
    tm_text_init(&text, line, sizeof line - 1);
    tm_text_add(&text, "libtracemalloc: ");
    const char *parts[] = {a, b, c};
    for (unsigned i = 0; i < 3; i++) {
        if (parts[i] != NULL) {
            tm_text_add(&text, parts[i]);
        }
    }
    line[text.length] = '\n';
    ssize_t written = (ssize_t)syscall(SYS_write, STDERR_FILENO, line, text.length + 1);
    (void)written;
    errno = saved;
}
