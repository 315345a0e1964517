/* SPDX-License-Identifier: MIT */
#include "runtime/track/event_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "runtime/track/log/event_layout.h"

static struct tm_event_header *header;
static struct tm_event *events;
static uint32_t logging_pid;

static const char *path_of_log(void)
{
    static const char name[] = "TM_EVENT_LOG_FILE=";
    for (char **item = environ; item != NULL && *item != NULL; item++) {
        if (strncmp(*item, name, sizeof name - 1) == 0) {
            return *item + sizeof name - 1;
        }
    }
    return NULL;
}

void tm_event_log_begin(void)
{
    const char *path = path_of_log();
    const size_t size = TM_EVENT_HEADER_SIZE + TM_EVENT_MAX * sizeof(struct tm_event);
    if (path == NULL) {
        return;
    }
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    void *pages = MAP_FAILED;
    if (descriptor >= 0 && syscall(SYS_ftruncate, descriptor, size) == 0) {
        pages = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0L);
    }
    (void)syscall(SYS_close, descriptor);
    if (pages == MAP_FAILED) {
        tm_message("the event log could not be made: ", path, NULL);
        return;
    }
    header = pages;
    events = (struct tm_event *)(void *)((char *)pages + TM_EVENT_HEADER_SIZE);
    logging_pid = tm_process_pid();
}

void tm_event_log(enum tm_event_kind kind, const struct tm_record *record, uintptr_t address, uint64_t size)
{
    if (header == NULL || tm_process_pid() != logging_pid) {
        return;
    }
    uint64_t place = atomic_fetch_add_explicit(&header->count, 1, memory_order_relaxed);
    if (place < TM_EVENT_MAX) {
        struct tm_event *event = &events[place];
        event->address = address;
        event->size = size;
        event->thread = tm_process_thread_id();
        event->traceback = record->traceback;
        event->domain = record->domain;
        atomic_store_explicit(&event->kind, 1U + (uint32_t)kind, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
    }
}
