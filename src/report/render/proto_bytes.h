/* SPDX-License-Identifier: MIT */
/* The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding/), as far as profile.proto
 * needs it: varints, and fields with a length.
 *
 * Memory   one malloc'ed buffer that grows; `failed` is set and kept when it cannot.     Threads  one per buffer. */
#ifndef TM_REPORT_RENDER_PROTO_BYTES_H
#define TM_REPORT_RENDER_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tm_proto {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    bool failed;
};

void tm_proto_free(struct tm_proto *proto);

/* The next bytes begin a new message: what was there is forgotten, the memory kept. */
void tm_proto_clear(struct tm_proto *proto);

void tm_proto_varint(struct tm_proto *proto, uint64_t value);

/* FIELD with a number; 0 is left out, as it is the default. */
void tm_proto_number(struct tm_proto *proto, unsigned field, uint64_t value);

/* FIELD with LENGTH bytes: a string, a packed list or a message. */
void tm_proto_bytes(struct tm_proto *proto, unsigned field, const void *bytes, size_t length);

/* FIELD with the message PART, which must not have failed. */
void tm_proto_message(struct tm_proto *proto, unsigned field, const struct tm_proto *part);

#endif
