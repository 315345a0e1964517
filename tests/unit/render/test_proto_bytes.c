/* SPDX-License-Identifier: MIT */
/* The wire format of protocol buffers, gzip, and names as UTF-8. */
#include "support/cmocka_include.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/compiler.h"
#include "report/render/export_text.h"
#include "report/render/gzip_out.h"
#include "report/render/proto_bytes.h"

static void assert_bytes(struct tm_proto *proto, const void *expected, size_t length)
{
    assert_false(proto->failed);
    assert_int_equal(proto->size, length);
    assert_memory_equal(proto->bytes, expected, length);
    tm_proto_clear(proto);
}

static void varints_have_seven_bits_a_byte(void **state)
{
    (void)state;
    struct tm_proto proto = {NULL, 0, 0, false};
    tm_proto_varint(&proto, 0);
    assert_bytes(&proto, "\0", 1);
    tm_proto_varint(&proto, 127);
    assert_bytes(&proto, "\x7F", 1);
    tm_proto_varint(&proto, 150); /* the example of the format's documentation */
    assert_bytes(&proto, "\x96\x01", 2);
    tm_proto_varint(&proto, UINT64_MAX);
    assert_bytes(&proto, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10);
    tm_proto_free(&proto);
}

static void fields_have_number_and_type(void **state)
{
    (void)state;
    struct tm_proto proto = {NULL, 0, 0, false}, part = {NULL, 0, 0, false};
    tm_proto_number(&proto, 1, 0);
    assert_int_equal(proto.size, 0);
    tm_proto_number(&proto, 1, 150);
    assert_bytes(&proto, "\x08\x96\x01", 3);
    tm_proto_bytes(&proto, 2, "testing", 7);
    assert_bytes(&proto, "\x12\x07testing", 9);
    tm_proto_bytes(&proto, 6, "", 0); /* string 0 of a profile: empty, but there */
    assert_bytes(&proto, "\x32\x00", 2);
    tm_proto_number(&part, 1, 150);
    tm_proto_message(&proto, 3, &part);
    assert_bytes(&proto, "\x1A\x03\x08\x96\x01", 5);
    tm_proto_free(&proto);
    tm_proto_free(&part);
}

static void a_failure_is_kept(void **state)
{
    (void)state;
    struct tm_proto proto = {NULL, 0, 0, false}, part = {NULL, 0, 0, true};
    tm_proto_message(&proto, 3, &part);
    assert_true(proto.failed);
    tm_proto_number(&proto, 1, 1);
    assert_int_equal(proto.size, 0);
    tm_proto_free(&proto);
}

static void check_gzip(size_t size)
{
    char *packed = NULL;
    size_t length = 0;
    uint8_t *bytes = malloc(size + 1), *again = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(i * 2654435761U >> 13); /* so that more than one buffer comes out */
    }
    struct tm_out out = {.stream = open_memstream(&packed, &length)};
    assert_true(tm_gzip_out(&out, bytes, size));
    assert_int_equal(tm_out_flush(&out), 0);
    (void)fclose(out.stream);
    z_stream stream = {.next_in = (Bytef *)packed, .avail_in = (uInt)length};
    stream.next_out = again;
    stream.avail_out = (uInt)size + 1;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, size);
    assert_int_equal(stream.avail_in, 0);
    assert_memory_equal(again, bytes, size);
    (void)inflateEnd(&stream);
    free(packed);
    free(bytes);
    free(again);
}

static void gzip_comes_back(void **state)
{
    (void)state;
    check_gzip(0);
    check_gzip(1);
    check_gzip(200000);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    uint8_t bytes[100] = {0};
    struct tm_out out = {.stream = fopen("/dev/full", "w")};
    assert_non_null(out.stream);
    assert_true(tm_gzip_out(&out, bytes, sizeof bytes));
    assert_int_equal(tm_out_flush(&out), ENOSPC);
    (void)fclose(out.stream);
}

static void assert_text(const char *text, const char *expected)
{
    char *written = NULL;
    size_t length = 0;
    struct tm_out out = {.stream = open_memstream(&written, &length)};
    tm_export_text(&out, (struct tm_span){(const uint8_t *)text, strlen(text)}, ";", ':');
    assert_int_equal(tm_out_flush(&out), 0);
    (void)fclose(out.stream);
    assert_string_equal(written, expected);
    free(written);
}

static void names_become_text(void **state)
{
    (void)state;
    assert_text("plain.py", "plain.py");
    assert_text("a;b", "a:b");
    assert_text("line\nend\x7F", "line\\x0aend\\x7f");
    assert_text("caf\xC3\xA9 \xF0\x9F\x98\x80", "caf\xC3\xA9 \xF0\x9F\x98\x80");
    assert_text("odd\xFF\xC3", "odd\\xff\\xc3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_have_seven_bits_a_byte),
        cmocka_unit_test(fields_have_number_and_type),
        cmocka_unit_test(a_failure_is_kept),
        cmocka_unit_test(gzip_comes_back),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(names_become_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
