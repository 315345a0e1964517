/* SPDX-License-Identifier: MIT */
#include "report/render/gzip_out.h"

#include <string.h>
#include <zlib.h>

#define WINDOW_GZIP  (15 + 16) /* the largest window; 16 asks for gzip instead of zlib */
#define MEMORY_LEVEL 8
#define INPUT_MAX    ((size_t)1 << 30) /* zlib counts in unsigned int */

bool tm_gzip_out(struct tm_out *out, const void *bytes, size_t size)
{
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return false;
    }
    const uint8_t *at = bytes;
    int result = Z_OK;
    while (result != Z_STREAM_END) {
        size_t input = size < INPUT_MAX ? size : INPUT_MAX;
        uint8_t packed[16384];
        stream.next_in = (Bytef *)(uintptr_t)at; /* zlib's headers have no const here */
        stream.avail_in = (uInt)input;
        stream.next_out = packed;
        stream.avail_out = sizeof packed;
        result = deflate(&stream, input == size ? Z_FINISH : Z_NO_FLUSH);
        at += input - stream.avail_in;
        size -= input - stream.avail_in;
        tm_out_bytes(out, packed, sizeof packed - stream.avail_out);
    }
    (void)deflateEnd(&stream);
    return true;
}
