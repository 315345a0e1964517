/* SPDX-License-Identifier: MIT */
#include "support/cmocka_include.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report/snapshot/file_bytes.h"

static void whole_file_is_read(void **state)
{
    (void)state;
    char path[] = "/tmp/tm-file-bytes-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    for (size_t size = 0; size < 300000; size = size * 2 + 1) {
        uint8_t *written = malloc(size + 1), *bytes;
        size_t got;
        struct tm_fault fault;
        assert_non_null(written);
        for (size_t i = 0; i < size; i++) {
            written[i] = (uint8_t)(i * 7);
        }
        assert_int_equal(pwrite(descriptor, written, size, 0), (ssize_t)size);
        assert_int_equal(tm_file_read(path, &bytes, &got, &fault), TM_STATUS_OK);
        assert_u64_equal(got, size);
        assert_memory_equal(bytes, written, size);
        free(bytes);
        free(written);
    }
    (void)close(descriptor);
    (void)unlink(path);
}

static void reason_is_told_when_it_cannot_be_read(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t size;
    struct tm_fault fault;
    assert_int_equal(tm_file_read("/nowhere/at/all", &bytes, &size, &fault), TM_STATUS_IO);
    assert_string_equal(fault.what, "No such file or directory");
    assert_int_equal(tm_file_read("/", &bytes, &size, &fault), TM_STATUS_IO);
    assert_string_equal(fault.what, "Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_file_is_read),
        cmocka_unit_test(reason_is_told_when_it_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
