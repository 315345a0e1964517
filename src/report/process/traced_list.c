/* SPDX-License-Identifier: MIT */
#include "report/process/traced_list.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/process/store_place.h"
#include "report/process/store_reading.h"
#include "report/process/tracer_memory.h"
#include "store/store_view.h"

static uint64_t now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void take_figures(struct tm_traced_process *process, const struct tm_store_header *header)
{
    uint64_t python;
    uint64_t now = now_ns(), start = header->start_time_ns;
    process->age_ns = now > start ? now - start : 0;
    tm_store_traced(header, &python, &process->traced_bytes);
    process->peak_bytes = larger(process->traced_bytes, header->totals.heap_peak);
}

/* False when there is nothing to show of the process. */
static bool look_at(pid_t pid, struct tm_store_header *header, struct tm_traced_process *process,
                    struct tm_traced_unseen *unseen)
{
    struct tm_process_facts facts;
    struct tm_store_place place;
    struct tm_why why;
    struct stat found;
    int descriptor;
    bool is_traced;
    if (!tm_process_facts_read(pid, &facts)) {
        return false;
    }
    *process = (struct tm_traced_process){.pid = pid, .state = facts.state};
    tm_process_command_line(pid, process->command, sizeof process->command);
    if (!tm_store_place_find(&facts, &place, &is_traced, &why)) {
        unseen->of_others += !is_traced && geteuid() != 0 && facts.owner != geteuid();
        unseen->without_store += is_traced;
        return false;
    }
    if (!tm_store_place_open(&facts, &place, &descriptor, &why)) {
        unseen->without_store++;
        return false;
    }
    bool done = fstat(descriptor, &found) == 0 && tm_store_read_header(descriptor, place.path, header, &why);
    if (done) {
        take_figures(process, header);
        process->tracer_bytes = tm_tracer_memory(pid, header, (uint64_t)found.st_size);
    }
    (void)close(descriptor);
    return done;
}

static int compare(const void *a, const void *b)
{
    pid_t first = ((const struct tm_traced_process *)a)->pid, second = ((const struct tm_traced_process *)b)->pid;
    return (first > second) - (first < second);
}

/* Room for one more. */
static bool grow(struct tm_traced_process **list, size_t count)
{
    if ((count & (count - 1)) != 0 && count != 0) {
        return true; /* there is room up to the next power of two */
    }
    struct tm_traced_process *grown = realloc(*list, (count == 0 ? 1 : 2 * count) * sizeof **list);
    if (grown == NULL) {
        return false;
    }
    *list = grown;
    return true;
}

struct tm_traced_process *tm_traced_list(size_t *count, struct tm_traced_unseen *unseen)
{
    struct tm_traced_process *list = NULL;
    void *header = NULL;
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    *count = 0;
    *unseen = (struct tm_traced_unseen){0, 0};
    bool memory = posix_memalign(&header, 64, TM_STORE_HEADER_SIZE) == 0 && grow(&list, 0);
    while (memory && processes != NULL && (entry = readdir(processes)) != NULL) {
        pid_t pid;
        if (tm_process_parse_pid(entry->d_name, &pid)) {
            memory = grow(&list, *count);
            *count += memory && look_at(pid, header, &list[*count], unseen);
        }
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
    free(header);
    if (!memory) {
        free(list);
        return NULL;
    }
    qsort(list, *count, sizeof *list, compare);
    return list;
}
