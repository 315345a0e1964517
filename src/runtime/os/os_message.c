/* SPDX-License-Identifier: MIT */
#include "runtime/os/os_message.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* Writes where the reader of a pipe may have gone: the signal for that would kill the program.  The signal is directed
 * at the writing thread, so it can be held back and taken away. */
static void write_unharmed(const char *bytes, size_t length)
{
    static const struct timespec at_once = {0, 0};
    sigset_t broken_pipe;
    sigset_t before;
    sigset_t waiting;
    (void)sigemptyset(&broken_pipe);
    (void)sigemptyset(&waiting);
    (void)sigaddset(&broken_pipe, SIGPIPE);
    /* Of the calling thread alone, on Linux; pthread_sigmask is the same but lay in libpthread before glibc 2.32. */
    bool held = sigprocmask(SIG_BLOCK, &broken_pipe, &before) == 0;
    bool was_waiting = sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE) == 1;
    ssize_t written = (ssize_t)syscall(SYS_write, STDERR_FILENO, bytes, length);
    if (held) {
        if (written < 0 && errno == EPIPE && !was_waiting) {
            (void)sigtimedwait(&broken_pipe, NULL, &at_once);
        }
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
    }
}

/* A path or a value may have any byte: of one that ends the line, or speaks to the terminal, a question mark is
 * told. */
static void make_one_line(char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)bytes[i] < ' ' || bytes[i] == '\x7f') {
            bytes[i] = '?';
        }
    }
}

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
    make_one_line(line, text.length);
    line[text.length] = '\n';
    write_unharmed(line, text.length + 1);
    errno = saved;
}
