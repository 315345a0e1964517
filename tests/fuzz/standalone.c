/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target without libFuzzer: on each FILE as it is, then on COUNT mutations of them, the same ones each
 * time.
 *
 * usage: TARGET COUNT FILE...     A number of the last mutation is printed when the target dies of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz_target.h"

#define FILE_MAX ((size_t)1 << 20)

struct input {
    uint8_t *bytes;
    size_t size;
};

static uint64_t state = 1;
static volatile unsigned long number;

/* splitmix64 */
static uint64_t next_random(void)
{
    uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t below(size_t limit)
{
    return limit > 0 ? (size_t)(next_random() % limit) : 0;
}

static void say_number(int signal_number)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "mutation %lu\n", number);
    if (write(STDERR_FILENO, digits, (size_t)length) < 0) {
        _exit(3);
    }
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static struct input read_file(const char *path)
{
    struct input input = {malloc(FILE_MAX), 0};
    FILE *stream = fopen(path, "rb");
    if (stream == NULL || input.bytes == NULL) {
        perror(path);
        exit(2);
    }
    input.size = fread(input.bytes, 1, FILE_MAX, stream);
    (void)fclose(stream);
    return input;
}

static const uint8_t interesting[] = {0x00, 0x01, 0x02, 0x7F, 0x80, 0x81, 0xFE, 0xFF};

/* One small change; BYTES has room for twice FILE_MAX. */
static void mutate(uint8_t *bytes, size_t *size, const struct input *other)
{
    size_t at = below(*size), length = 1 + below(16);
    switch (below(7)) {
    case 0:
        if (*size > 0) {
            bytes[at] ^= (uint8_t)(1U << below(8));
        }
        break;
    case 1:
        if (*size > 0) {
            bytes[at] = interesting[below(sizeof interesting)];
        }
        break;
    case 2:
        if (*size > 0) {
            bytes[at] = (uint8_t)next_random();
        }
        break;
    case 3: /* take bytes out */
        length = length < *size - at ? length : *size - at;
        memmove(bytes + at, bytes + at + length, *size - at - length);
        *size -= length;
        break;
    case 4: /* put bytes in */
        if (*size + length <= FILE_MAX) {
            memmove(bytes + at + length, bytes + at, *size - at);
            memset(bytes + at, interesting[below(sizeof interesting)], length);
            *size += length;
        }
        break;
    case 5: /* a piece of another input */
        length = length < other->size ? length : other->size;
        length = length < *size - at ? length : *size - at;
        memcpy(bytes + at, other->bytes + below(other->size - length + 1), length);
        break;
    default:
        if (below(8) == 0) {
            *size = at;
        }
        break;
    }
}

int main(int count, char **arguments)
{
    if (count < 3) {
        (void)fprintf(stderr, "usage: %s COUNT FILE...\n", arguments[0]);
        return 2;
    }
    (void)signal(SIGABRT, say_number);
    (void)signal(SIGSEGV, say_number);
    size_t inputs_count = (size_t)count - 2;
    unsigned long mutations = strtoul(arguments[1], NULL, 10);
    struct input *inputs = calloc(inputs_count, sizeof *inputs);
    uint8_t *bytes = malloc(2 * FILE_MAX);
    if (inputs == NULL || bytes == NULL) {
        return 2;
    }
    for (size_t i = 0; i < inputs_count; i++) {
        inputs[i] = read_file(arguments[i + 2]);
        (void)LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].size);
    }
    for (number = 1; number <= mutations; number++) {
        const struct input *input = &inputs[below(inputs_count)];
        size_t size = input->size;
        memcpy(bytes, input->bytes, size);
        for (size_t changes = 1 + below(4); changes > 0; changes--) {
            mutate(bytes, &size, &inputs[below(inputs_count)]);
        }
        (void)LLVMFuzzerTestOneInput(bytes, size);
    }
    for (size_t i = 0; i < inputs_count; i++) {
        free(inputs[i].bytes);
    }
    free(inputs);
    free(bytes);
    (void)printf("%zu files, %lu mutations\n", inputs_count, mutations);
    return 0;
}
