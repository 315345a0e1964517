/* SPDX-License-Identifier: MIT */
#include "report/render/proto_bytes.h"

#include <stdlib.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_LENGTH = 2 };

static uint8_t *room(struct tm_proto *proto, size_t length)
{
    if (!proto->failed && length > proto->capacity - proto->size) {
        size_t capacity = proto->capacity + proto->capacity / 2 + length + 256;
        uint8_t *larger = realloc(proto->bytes, capacity);
        proto->failed = larger == NULL;
        proto->bytes = larger != NULL ? larger : proto->bytes;
        proto->capacity = larger != NULL ? capacity : proto->capacity;
    }
    return proto->failed ? NULL : proto->bytes + proto->size;
}

void tm_proto_free(struct tm_proto *proto)
{
    free(proto->bytes);
    *proto = (struct tm_proto){NULL, 0, 0, false};
}

void tm_proto_clear(struct tm_proto *proto)
{
    proto->size = 0;
}

void tm_proto_varint(struct tm_proto *proto, uint64_t value)
{
    uint8_t *at = room(proto, 10);
    if (at == NULL) {
        return;
    }
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    proto->size = (size_t)(at - proto->bytes);
}

void tm_proto_number(struct tm_proto *proto, unsigned field, uint64_t value)
{
    if (value != 0) {
        tm_proto_varint(proto, field << 3 | WIRE_VARINT);
        tm_proto_varint(proto, value);
    }
}

void tm_proto_bytes(struct tm_proto *proto, unsigned field, const void *bytes, size_t length)
{
    tm_proto_varint(proto, field << 3 | WIRE_LENGTH);
    tm_proto_varint(proto, length);
    uint8_t *at = room(proto, length);
    if (at != NULL && length > 0) {
        memcpy(at, bytes, length);
        proto->size += length;
    }
}

void tm_proto_message(struct tm_proto *proto, unsigned field, const struct tm_proto *part)
{
    proto->failed = proto->failed || part->failed;
    if (!proto->failed) {
        tm_proto_bytes(proto, field, part->bytes, part->size);
    }
}
