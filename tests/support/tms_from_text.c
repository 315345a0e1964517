/* SPDX-License-Identifier: MIT */
/* usage: tms_from_text [stored|zstd] OUTPUT < TEXT      the text is that of support/snapshot_builder.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/snapshot_builder.h"

static char *read_all(FILE *stream)
{
    size_t capacity = 1 << 16, size = 0, got;
    char *text = malloc(capacity);
    while (text != NULL && (got = fread(text + size, 1, capacity - size - 1, stream)) > 0) {
        size += got;
        if (size + 1 == capacity) {
            capacity *= 2;
            text = realloc(text, capacity);
        }
    }
    if (text == NULL) {
        abort();
    }
    text[size] = '\0';
    return text;
}

int main(int count, char **arguments)
{
    if (count < 2 || count > 3) {
        (void)fputs("usage: tms_from_text [stored|zstd] OUTPUT < TEXT\n", stderr);
        return 2;
    }
    enum tm_codec codec = count == 3 && strcmp(arguments[1], "stored") == 0 ? TM_CODEC_STORED : TM_CODEC_ZSTD;
    char *text = read_all(stdin);
    size_t size;
    uint8_t *bytes = tm_build(text, codec, &size);
    FILE *output = fopen(arguments[count - 1], "wb");
    int failed = output == NULL || fwrite(bytes, 1, size, output) != size || fclose(output) != 0;
    free(bytes);
    free(text);
    if (failed) {
        perror(arguments[count - 1]);
    }
    return failed;
}
