/* SPDX-License-Identifier: MIT */
/* Names as JSON and on a terminal, and lines of source files. */
#include "support/cmocka_include.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "report/render/json_text.h"
#include "report/render/location_text.h"
#include "report/render/source_line.h"

static char *written;
static size_t written_length;

static struct tm_out open_out(void)
{
    struct tm_out out = {.stream = open_memstream(&written, &written_length)};
    assert_non_null(out.stream);
    return out;
}

static void assert_written(struct tm_out *out, const char *expected)
{
    assert_int_equal(tm_out_flush(out), 0);
    (void)fclose(out->stream);
    assert_string_equal(written, expected);
    free(written);
}

static struct tm_span span(const char *text)
{
    return (struct tm_span){(const uint8_t *)text, strlen(text)};
}

static void assert_json(const char *text, const char *expected)
{
    struct tm_out out = open_out();
    tm_json_text(&out, span(text));
    assert_written(&out, expected);
}

static void json_of_any_bytes_is_json(void **state)
{
    (void)state;
    assert_json("plain.py", "\"plain.py\"");
    assert_json("q\"b\\s/", "\"q\\\"b\\\\s/\"");
    assert_json("\n\t\x01\x7F", "\"\\n\\u0009\\u0001\\u007f\"");
    assert_json("\xC3\xA9", "\"\xC3\xA9\"");
    assert_json("a\xFFz", "\"a\\udcffz\"");
    assert_json("\xED\xA0\x80", "\"\\udced\\udca0\\udc80\"");
}

/* Wherever it stands: what needs no escape is passed over eight bytes at a time. */
static void json_escapes_at_every_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *json;
    } pieces[] = {{"\"", "\\\""},           {"\\", "\\\\"},      {"\n", "\\n"},
                  {"\x1F", "\\u001f"},      {"\x7F", "\\u007f"}, {"\xFF", "\\udcff"},
                  {"\xC3\xA9", "\xC3\xA9"}, {" !#[]~", " !#[]~"}};
    for (size_t piece = 0; piece < TM_COUNT_OF(pieces); piece++) {
        for (int before = 0; before < 20; before++) {
            for (int after = 0; after < 20; after++) {
                char text[64], json[64];
                (void)snprintf(text, sizeof text, "%.*s%s%.*s", before, "abcdefghijklmnopqrst", pieces[piece].text,
                               after, "ABCDEFGHIJKLMNOPQRST");
                (void)snprintf(json, sizeof json, "\"%.*s%s%.*s\"", before, "abcdefghijklmnopqrst", pieces[piece].json,
                               after, "ABCDEFGHIJKLMNOPQRST");
                assert_json(text, json);
            }
        }
    }
}

static void assert_location(const char *file, uint32_t line, const char *function, size_t width, const char *expected)
{
    struct tm_out out = open_out();
    struct tm_key_frame frame = {span(file), span(function), line, false};
    tm_print_location(&out, &frame, line > 0, width, 0);
    assert_written(&out, expected);
}

static void long_paths_lose_their_left_end(void **state)
{
    (void)state;
    assert_location("a.py", 3, "f", 80, "a.py:3  f");
    assert_location("a.py", 0, "", 80, "a.py");
    assert_location("/usr/lib/python3/site-packages/mod.py", 12, "f", SIZE_MAX,
                    "/usr/lib/python3/site-packages/mod.py:12  f");
    assert_location("/usr/lib/python3/site-packages/mod.py", 12, "f", 36, ".../site-packages/mod.py:12  f");
}

/* A hostile file may have a name of any length: minutes, were what is left measured again for each character. */
static void the_longest_paths_are_soon_cut(void **state)
{
    (void)state;
    size_t length = (size_t)1 << 20;
    char *path = malloc(length + 1);
    assert_non_null(path);
    memset(path, 'a', length);
    path[length] = '\0';
    assert_location(path, 1, "", 30, "...aaaaaaaaaaaaaaaaaaaaaaaaa:1");
    free(path);
}

static void terminals_are_not_moved_by_names(void **state)
{
    (void)state;
    assert_location("\x1B[2J\n.py", 1, "\x07", 80, "\\x1b[2J\\x0a.py:1  \\x07");
    assert_location("\xC2\x9B"
                    "1m\xFF",
                    1, "", 80, "\\xc2\\x9b1m\\xff:1");
    assert_location("\xE2\x80\xAE"
                    "x",
                    1, "", 80, "\\xe2\\x80\\xaex:1");
    assert_location("\xC3\xA9.py", 1, "", 80, "\xC3\xA9.py:1");
}

static void errors_of_writing_stick(void **state)
{
    (void)state;
    struct tm_out out = {.stream = fopen("/dev/full", "w")};
    assert_non_null(out.stream);
    (void)setvbuf(out.stream, NULL, _IONBF, 0);
    tm_out_text(&out, "x");
    assert_int_equal(out.error, ENOSPC);
    tm_out_format(&out, "%d", 1);
    assert_int_equal(tm_out_flush(&out), ENOSPC);
    (void)fclose(out.stream);
}

static void assert_line(struct tm_source_cache *cache, const char *file, uint32_t line, const char *expected)
{
    struct tm_span text = tm_source_line(cache, span(file), line);
    assert_u64_equal(text.length, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.length);
}

static void lines_of_sources_are_stripped(void **state)
{
    (void)state;
    char folder[] = "/tmp/tm-source-XXXXXX", path[64], fifo[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.py", folder);
    (void)snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    (void)fputs("one\r\n  two  \rthree\n\nlast", stream);
    (void)fclose(stream);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    struct tm_source_cache cache = {.folder = span(folder)};
    assert_line(&cache, "a.py", 1, "one");
    assert_line(&cache, "a.py", 2, "two");
    assert_line(&cache, "a.py", 3, "three");
    assert_line(&cache, "a.py", 4, "");
    assert_line(&cache, "a.py", 5, "last");
    assert_line(&cache, "a.py", 6, "");
    assert_line(&cache, "a.py", 0, "");
    assert_line(&cache, path, 2, "two");
    assert_line(&cache, "fifo", 1, "");
    assert_line(&cache, "absent.py", 1, "");
    assert_line(&cache, "<string>", 1, "");
    assert_line(&cache, "", 1, "");
    tm_source_cache_free(&cache);
    (void)unlink(path);
    (void)unlink(fifo);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_any_bytes_is_json),        cmocka_unit_test(json_escapes_at_every_place),
        cmocka_unit_test(long_paths_lose_their_left_end),   cmocka_unit_test(the_longest_paths_are_soon_cut),
        cmocka_unit_test(terminals_are_not_moved_by_names), cmocka_unit_test(errors_of_writing_stick),
        cmocka_unit_test(lines_of_sources_are_stripped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
