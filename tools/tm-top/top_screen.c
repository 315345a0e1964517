/* SPDX-License-Identifier: MIT */
#include "tools/tm-top/top_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER       "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J" /* other screen, no cursor, no wrapping, clear */
#define LEAVE       "\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l"
#define HOME        "\x1b[H"
#define CLEAR_BELOW "\x1b[J"

#define WIDTH_DEFAULT  80U
#define HEIGHT_DEFAULT 24U
#define HEIGHT_MIN     10U

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static struct termios before;
static sigset_t outside_mask; /* the mask to wait with: the signals come then and only then */
static volatile sig_atomic_t ending, suspended, resized;

static void note(int number)
{
    if (number == SIGTSTP) {
        suspended = 1;
    } else if (number == SIGWINCH || number == SIGCONT) {
        resized = 1;
    } else {
        ending = number;
    }
}

static void write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno != EINTR) {
            ending = ending != 0 ? ending : SIGHUP; /* the terminal is gone */
            return;
        }
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
}

static void enter(void)
{
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    write_all(ENTER, strlen(ENTER));
}

static void leave(void)
{
    write_all(LEAVE, strlen(LEAVE));
    (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

static void take_signals(void)
{
    struct sigaction action = {.sa_handler = note};
    sigset_t ours;
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < TM_COUNT_OF(ending_signals); i++) {
        (void)sigaddset(&ours, ending_signals[i]);
        (void)sigaction(ending_signals[i], &action, NULL);
    }
    static const int others[] = {SIGTSTP, SIGWINCH, SIGCONT};
    for (size_t i = 0; i < TM_COUNT_OF(others); i++) {
        (void)sigaddset(&ours, others[i]);
        (void)sigaction(others[i], &action, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &ours, &outside_mask);
}

bool tm_screen_open(void)
{
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0 || tcgetattr(STDIN_FILENO, &before) != 0) {
        (void)fputs("tm-top: needs a terminal; --once prints one picture without\n", stderr);
        return false;
    }
    take_signals();
    enter();
    return true;
}

void tm_screen_close(void)
{
    leave();
}

void tm_screen_size(size_t *width, size_t *height)
{
    struct winsize size;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *width = known ? size.ws_col : WIDTH_DEFAULT;
    *height = known ? size.ws_row : HEIGHT_DEFAULT;
    *height = *height > HEIGHT_MIN ? *height : HEIGHT_MIN;
}

void tm_screen_show(const char *picture, size_t length)
{
    write_all(HOME, strlen(HOME));
    write_all(picture, length);
    write_all(CLEAR_BELOW, strlen(CLEAR_BELOW));
}

/* The terminal is the shell's while this process is stopped. */
static void suspend(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL}, ours;
    sigset_t stop;
    leave();
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTSTP);
    (void)sigaction(SIGTSTP, &plain, &ours);
    (void)raise(SIGTSTP);
    (void)sigprocmask(SIG_UNBLOCK, &stop, NULL); /* here it stops, and goes on */
    (void)sigprocmask(SIG_BLOCK, &stop, NULL);
    (void)sigaction(SIGTSTP, &ours, NULL);
    suspended = 0;
    enter();
}

static struct timespec time_left(const struct timespec *until)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    long nanoseconds = until->tv_nsec - now.tv_nsec;
    time_t seconds = until->tv_sec - now.tv_sec - (nanoseconds < 0);
    return seconds < 0 ? (struct timespec){0, 0}
                       : (struct timespec){seconds, nanoseconds < 0 ? nanoseconds + 1000000000L : nanoseconds};
}

static enum tm_screen_event read_key(char *key)
{
    if (read(STDIN_FILENO, key, 1) != 1) {
        ending = SIGHUP;
        return TM_SCREEN_END;
    }
    return TM_SCREEN_KEY;
}

enum tm_screen_event tm_screen_wait(const struct timespec *until, char *key)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec left = time_left(until);
    int ready = ppoll(&input, 1, &left, &outside_mask);
    if (suspended && !ending) {
        suspend();
        return TM_SCREEN_REDRAW;
    }
    if (ending) {
        return TM_SCREEN_END;
    }
    if (resized) {
        resized = 0;
        return TM_SCREEN_REDRAW;
    }
    return ready > 0 ? read_key(key) : TM_SCREEN_TIME;
}

void tm_screen_die(void)
{
    if (ending) {
        (void)signal(ending, SIG_DFL);
        (void)raise(ending);
        (void)sigprocmask(SIG_SETMASK, &outside_mask, NULL);
    }
}
