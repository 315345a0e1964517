/* SPDX-License-Identifier: MIT */
/* New files are whole or not there, and nothing is overwritten or written through by accident. */
#include "support/cmocka_include.h"

#include <stdint.h>
#include <sys/stat.h>

#include "report/process/new_file.h"
#include "support/scratch_folder.h"

static struct scratch_folder folder;

static int begin(void **state)
{
    (void)state;
    scratch_make(&folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_remove(&folder);
    return 0;
}

static void assert_content(const char *path, const char *text)
{
    char found[32] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(found, 1, sizeof found - 1, file);
    (void)fclose(file);
    found[length] = '\0';
    assert_string_equal(found, text);
}

static void a_file_is_made_and_replaced_only_when_asked(void **state)
{
    (void)state;
    struct tm_why why;
    struct stat found;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", scratch_name(&folder, "x.tms"));
    assert_int_equal(tm_new_file_write(path, false, geteuid(), "one", 3, &why), TM_NEW_FILE_DONE);
    assert_int_equal(tm_new_file_write(path, false, geteuid(), "two", 3, &why), TM_NEW_FILE_TAKEN);
    assert_content(path, "one");
    assert_int_equal(tm_new_file_write(path, true, geteuid(), "three", 5, &why), TM_NEW_FILE_DONE);
    assert_content(path, "three");
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(scratch_count(&folder, ".part"), 0);
}

static void a_link_is_neither_followed_nor_replaced(void **state)
{
    (void)state;
    struct tm_why why;
    struct stat found;
    char target[1024], path[1024];
    (void)snprintf(target, sizeof target, "%s", scratch_name(&folder, "target"));
    (void)snprintf(path, sizeof path, "%s", scratch_name(&folder, "link.tms"));
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(tm_new_file_write(path, true, geteuid(), "x", 1, &why), TM_NEW_FILE_FAILED);
    assert_non_null(strstr(why.text, "no regular file"));
    assert_int_equal(tm_new_file_write(path, false, geteuid(), "x", 1, &why), TM_NEW_FILE_TAKEN);
    assert_int_not_equal(stat(target, &found), 0);
    assert_int_equal(unlink(path), 0);
    /* A link at the temporary name is not followed either: another name is taken. */
    char part[1100];
    (void)snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid());
    assert_int_equal(symlink(target, part), 0);
    assert_int_equal(tm_new_file_write(path, true, geteuid(), "x", 1, &why), TM_NEW_FILE_DONE);
    assert_content(path, "x");
    assert_int_equal(lstat(path, &found), 0);
    assert_true(S_ISREG(found.st_mode));
    assert_int_not_equal(stat(target, &found), 0);
    assert_int_equal(unlink(part), 0); /* and it was still there */
}

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void what_a_killed_process_left_is_not_in_the_way(void **state)
{
    (void)state;
    struct tm_why why;
    char path[1024], part[1100];
    (void)snprintf(path, sizeof path, "%s", scratch_name(&folder, "left.tms"));
    for (unsigned i = 1; i <= 100; i++) {
        char again[16] = "";
        if (i > 1) {
            (void)snprintf(again, sizeof again, "-%u", i);
        }
        assert_int_equal(tm_new_file_write(path, true, geteuid(), "new", 3, &why), TM_NEW_FILE_DONE);
        assert_content(path, "new");
        assert_int_equal(unlink(path), 0);
        (void)snprintf(part, sizeof part, "%s.%ld%s.part", path, (long)getpid(), again);
        make_file(part, "half");
    }
    /* All names are taken: the last is named, and all are as they were. */
    assert_int_equal(tm_new_file_write(path, true, geteuid(), "new", 3, &why), TM_NEW_FILE_FAILED);
    assert_non_null(strstr(why.text, part));
    assert_int_equal(access(path, F_OK), -1);
    assert_content(part, "half");
    assert_int_equal(scratch_count(&folder, ".part"), 100);
}

static void it_is_the_owner_s_whatever_the_umask(void **state)
{
    (void)state;
    static const mode_t masks[] = {0, 022, 0777};
    for (unsigned i = 0; i < 3; i++) {
        struct tm_why why;
        struct stat found;
        const char *path = scratch_name(&folder, "mode.tms");
        mode_t before = umask(masks[i]);
        enum tm_new_file result = tm_new_file_write(path, true, geteuid(), "x", 1, &why);
        (void)umask(before);
        assert_int_equal(result, TM_NEW_FILE_DONE);
        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(found.st_mode & 07777, 0600);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct tm_why why;
    assert_int_equal(tm_new_file_write("/nonexistent/x.tms", true, geteuid(), "x", 1, &why), TM_NEW_FILE_FAILED);
    assert_non_null(strstr(why.text, "/nonexistent/x.tms: No such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_made_and_replaced_only_when_asked),
        cmocka_unit_test(a_link_is_neither_followed_nor_replaced),
        cmocka_unit_test(what_a_killed_process_left_is_not_in_the_way),
        cmocka_unit_test(it_is_the_owner_s_whatever_the_umask),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
