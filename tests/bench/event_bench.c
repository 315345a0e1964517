/* SPDX-License-Identifier: MIT */
/*
 * What a malloc and its free cost a program without Python, so that a preloaded tracer's native doors can be measured
 * alone.  Prints "name value unit" lines: processor time per pair, not wall time, so that four threads on two cores
 * compare with one.
 *
 *     event_bench [PAIRS]
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_PAIRS 10000000
#define MAX_PAIRS     1000000000
#define BATCH         1000
#define THREADS       4
#define MIN_BYTES     24
#define SIZES         81 /* 24 to 104 bytes: what most native blocks are */

struct job {
    void (*work)(long pairs);
    long pairs;
    double seconds;
};

static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The compiler must believe that somebody reads the block, or it removes the pair. */
static void keep(void *block)
{
    __asm__ volatile("" : : "r"(block) : "memory");
}

static size_t size_of(long number)
{
    return MIN_BYTES + (size_t)(number * 7 % SIZES);
}

static void tight(long pairs)
{
    for (long i = 0; i < pairs; i++) {
        void *block = malloc(size_of(i));
        keep(block);
        free(block);
    }
}

static void batch(long pairs)
{
    void *blocks[BATCH];
    for (long done = 0; done < pairs; done += BATCH) {
        for (long i = 0; i < BATCH; i++) {
            blocks[i] = malloc(size_of(i));
            keep(blocks[i]);
        }
        for (long i = 0; i < BATCH; i++) {
            free(blocks[i]);
        }
    }
}

static void *run_job(void *argument)
{
    struct job *job = argument;
    double started = thread_seconds();
    job->work(job->pairs);
    job->seconds = thread_seconds() - started;
    return NULL;
}

static double ns_per_pair(void (*work)(long pairs), long pairs)
{
    struct job job = {.work = work, .pairs = pairs};
    run_job(&job);
    return job.seconds * 1e9 / (double)pairs;
}

/* The mean over the threads; -1 when one could not be started. */
static double ns_per_pair_of_threads(long pairs)
{
    pthread_t threads[THREADS];
    struct job jobs[THREADS];
    int started = 0;
    double seconds = 0;
    while (started < THREADS) {
        jobs[started] = (struct job){.work = batch, .pairs = pairs};
        if (pthread_create(&threads[started], NULL, run_job, &jobs[started]) != 0) {
            break;
        }
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        seconds += jobs[i].seconds;
    }
    return started == THREADS ? seconds * 1e9 / ((double)pairs * THREADS) : -1;
}

/* Whether a tracer is loaded and at work: without this line a library that ld.so refused would look fast. */
static bool is_traced(void)
{
    void *symbol = dlsym(RTLD_DEFAULT, "tracemalloc_is_tracing");
    bool (*is_tracing)(void);
    if (symbol == NULL) {
        return false;
    }
    memcpy(&is_tracing, &symbol, sizeof(is_tracing));
    return is_tracing();
}

/* Whole batches, at least one; 0 for what is no number. */
static long parse_pairs(const char *text)
{
    char *end;
    long pairs = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || pairs <= 0 || pairs > MAX_PAIRS) {
        return 0;
    }
    return (pairs + BATCH - 1) / BATCH * BATCH;
}

int main(int argc, char **argv)
{
    long pairs = argc > 1 ? parse_pairs(argv[1]) : DEFAULT_PAIRS;
    if (argc > 2 || pairs == 0) {
        fprintf(stderr, "usage: event_bench [PAIRS]\n");
        return 2;
    }
    /* A first round, not measured: the heap grows, tables are touched. */
    batch(BATCH);
    printf("tight %.2f ns/pair\n", ns_per_pair(tight, pairs));
    printf("batch %.2f ns/pair\n", ns_per_pair(batch, pairs));
    double threads = ns_per_pair_of_threads((pairs / THREADS + BATCH - 1) / BATCH * BATCH);
    if (threads < 0) {
        fprintf(stderr, "event_bench: no thread could be started\n");
        return 1;
    }
    printf("threads4 %.2f ns/pair\n", threads);
    printf("tracing %d flag\n", is_traced());
    return 0;
}
