/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/unwind/getter_code.h"

static uintptr_t variable = 0x1234;
static uintptr_t calls;

static uintptr_t function(void)
{
    calls++;
    return variable;
}

#if defined(__x86_64__)

/* Executable memory, so that the instructions are those of the cases and not this compiler's. */
static unsigned char *code_page;

static int make_page(void **state)
{
    (void)state;
    code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code_page == MAP_FAILED ? -1 : 0;
}

struct assembly {
    unsigned length;
};

static void put(struct assembly *at, const void *bytes, size_t length)
{
    memcpy(code_page + at->length, bytes, length);
    at->length += (unsigned)length;
}
#define PUT(at, string) put(at, string, sizeof string - 1)

/* A displacement from the end of these four bytes to TARGET within the page. */
static void put_relative(struct assembly *at, unsigned target)
{
    const int32_t displacement = (int32_t)target - (int32_t)(at->length + 4);
    put(at, &displacement, sizeof displacement);
}

static struct tm_cpython_getter resolve(const struct tm_loaded_search *search)
{
    struct tm_cpython_getter getter;
    uintptr_t (*code)(void);
    memcpy(&code, &code_page, sizeof code);
    tm_getter_resolve(&getter, code, search);
    return getter;
}

enum { DATA = 1024 }; /* where the page keeps its variables */

static void test_variable(void **state)
{
    const struct tm_loaded_search search = {0};
    const uintptr_t value = 77;
    struct assembly at = {0};
    struct tm_cpython_getter getter;
    (void)state;
    memcpy(code_page + DATA, &value, sizeof value);
    PUT(&at, "\xf3\x0f\x1e\xfa\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\xc3");
    getter = resolve(&search);
    assert_ptr_equal(getter.word, code_page + DATA);
    assert_int_equal(tm_cpython_getter_read(&getter), 77);
}

/* Through the global offset table, with each length of displacement, behind a jump. */
static void test_variable_through_a_table(void **state)
{
    static const int32_t displacements[] = {0, 0x40, 0x240};
    const struct tm_loaded_search search = {0};
    const uintptr_t structure = (uintptr_t)code_page + DATA + 64;
    unsigned i;
    (void)state;
    for (i = 0; i < 3; i++) {
        struct assembly at = {0};
        struct tm_cpython_getter getter;
        const uintptr_t value = 100 + i;
        memcpy(code_page + DATA, &structure, sizeof structure);
        memcpy((void *)(structure + (uintptr_t)displacements[i]), &value, sizeof value);
        PUT(&at, "\xf3\x0f\x1e\xfa\xe9");
        put_relative(&at, 32);
        at.length = 32;
        PUT(&at, "\x48\x8b\x05");
        put_relative(&at, DATA);
        if (i == 0) {
            PUT(&at, "\x48\x8b\x00");
        } else if (i == 1) {
            PUT(&at, "\x48\x8b\x40\x40");
        } else {
            PUT(&at, "\x48\x8b\x80");
            put(&at, &displacements[i], 4);
        }
        PUT(&at, "\xc3");
        getter = resolve(&search);
        assert_true((uintptr_t)getter.word == structure + (uintptr_t)displacements[i]);
        assert_int_equal(tm_cpython_getter_read(&getter), value);
    }
}

static TM_THREAD_LOCAL uintptr_t local_variable;

static void *read_in_a_thread(void *data)
{
    local_variable = 4242;
    return (void *)tm_cpython_getter_read((const struct tm_cpython_getter *)data);
}

static intptr_t local_offset(void)
{
    uintptr_t thread_pointer;
    __asm__("movq %%fs:0, %0" : "=r"(thread_pointer));
    return (intptr_t)((uintptr_t)&local_variable - thread_pointer);
}

static void expect_thread_local(struct tm_cpython_getter *getter)
{
    pthread_t thread;
    void *answer = NULL;
    assert_true(getter->tls_offset == local_offset());
    local_variable = 99;
    assert_int_equal(tm_cpython_getter_read(getter), 99);
    assert_int_equal(pthread_create(&thread, NULL, read_in_a_thread, getter), 0);
    pthread_join(thread, &answer);
    assert_true((uintptr_t)answer == 4242);
}

static void test_thread_local_in_the_program(void **state)
{
    const struct tm_loaded_search search = {0};
    const int32_t offset = (int32_t)local_offset();
    const intptr_t wide = offset;
    struct assembly at = {0};
    struct tm_cpython_getter getter;
    (void)state;
    local_variable = 5;
    PUT(&at, "\x55\x48\x89\xe5\x64\x48\x8b\x04\x25"); /* local exec, with a frame pointer */
    put(&at, &offset, sizeof offset);
    PUT(&at, "\x5d\xc3");
    getter = resolve(&search);
    expect_thread_local(&getter);
    at.length = 0; /* initial exec */
    memcpy(code_page + DATA, &wide, sizeof wide);
    PUT(&at, "\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\x64\x48\x8b\x00\xc3");
    getter = resolve(&search);
    expect_thread_local(&getter);
}

extern void *__tls_get_addr(size_t *index);

/* Writes the code that a shared library has, with its call going to a jump to the real __tls_get_addr. */
static void put_tls_call(struct assembly *at, const char *lea, size_t lea_length, const char *call, size_t call_length,
                         unsigned index_at)
{
    void *(*target)(size_t *) = __tls_get_addr;
    memcpy(code_page + 512, "\xff\x25\x00\x00\x00\x00", 6); /* jmp *0(%rip) */
    memcpy(code_page + 518, &target, sizeof target);
    put(at, lea, lea_length);
    put_relative(at, index_at);
    put(at, call, call_length);
    put_relative(at, 512);
}

static void test_thread_local_in_a_library(void **state)
{
    struct tm_loaded_search search = {0};
    size_t index[2] = {1, 0};
    struct assembly at = {0};
    struct tm_cpython_getter getter;
    (void)state;
    search.library.tls_module = 1;
    search.library.tls_block = (uintptr_t)__tls_get_addr(index);
    search.tls_bytes_max = 1 << 16;
    index[1] = (uintptr_t)&local_variable - search.library.tls_block;
    memcpy(code_page + DATA, index, sizeof index);
    local_variable = 6;
    PUT(&at, "\x48\x83\xec\x08");
    put_tls_call(&at, "\x66\x48\x8d\x3d", 4, "\x66\x66\x48\xe8", 4, DATA);
    PUT(&at, "\x48\x8b\x00\x48\x83\xc4\x08\xc3");
    getter = resolve(&search);
    expect_thread_local(&getter);

    /* Local dynamic: the offset stands in the load. */
    at.length = 0;
    index[1] -= 8;
    memcpy(code_page + DATA, index, sizeof index);
    PUT(&at, "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5");
    put_tls_call(&at, "\x48\x8d\x3d", 3, "\xe8", 1, DATA);
    PUT(&at, "\x48\x8b\x40\x08\x5d\xc3");
    getter = resolve(&search);
    expect_thread_local(&getter);

    /* Not in static storage, or of another module: every thread may have it elsewhere. */
    search.tls_bytes_max = 0;
    getter = resolve(&search);
    assert_int_equal(getter.tls_offset, 0);
    assert_null(getter.word);
    search.tls_bytes_max = 1 << 16;
    search.library.tls_module = 2;
    getter = resolve(&search);
    assert_int_equal(getter.tls_offset, 0);
    assert_int_equal(tm_cpython_getter_read(&getter), local_variable);
}

static void test_other_code_is_called(void **state)
{
    static const char *const others[] = {
        "\x48\x31\xc0\xc3",                 /* xor %rax,%rax */
        "\x48\xc7\xc0\x05\x00\x00\x00\xc3", /* mov $5,%rax */
    };
    const struct tm_loaded_search search = {0};
    struct assembly at = {0};
    struct tm_cpython_getter getter;
    (void)state;
    put(&at, others[0], 4);
    getter = resolve(&search);
    assert_null(getter.word);
    at.length = 0;
    put(&at, others[1], 8);
    getter = resolve(&search);
    assert_null(getter.word);
    assert_int_equal(tm_cpython_getter_read(&getter), 5);
    /* A load, then something else than the end. */
    at.length = 0;
    PUT(&at, "\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\x48\xff\xc0\xc3");
    getter = resolve(&search);
    assert_null(getter.word);
    assert_int_equal(getter.tls_offset, 0);
}

static int *resolve_int(void)
{
    int (*code)(void);
    memcpy(&code, &code_page, sizeof code);
    return tm_getter_int(code);
}

/* Directly, as a part of a structure, and of one that the global offset table names. */
static void test_int(void **state)
{
    const int values[2] = {41, 42};
    const uintptr_t structure = (uintptr_t)code_page + DATA + 64;
    struct assembly at = {0};
    (void)state;
    memcpy(code_page + DATA, values, sizeof values);
    PUT(&at, "\xf3\x0f\x1e\xfa\x55\x48\x89\xe5\x8b\x05");
    put_relative(&at, DATA + 4);
    PUT(&at, "\x5d\xc3");
    assert_ptr_equal(resolve_int(), code_page + DATA + 4);
    at.length = 0;
    PUT(&at, "\x48\x8d\x05");
    put_relative(&at, DATA - 0x240);
    PUT(&at, "\x8b\x80\x40\x02\x00\x00\xc3");
    assert_ptr_equal(resolve_int(), code_page + DATA);
    memcpy(code_page + DATA, &structure, sizeof structure);
    memcpy((void *)(structure + 4), values, sizeof values);
    at.length = 0;
    PUT(&at, "\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\x8b\x40\x04\xc3");
    assert_true((uintptr_t)resolve_int() == structure + 4);
}

static void test_other_int_is_not_taken(void **state)
{
    struct assembly at = {0};
    (void)state;
    memset(code_page + DATA, 1, 8);
    PUT(&at, "\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\xff\xc0\xc3"); /* inc %eax */
    assert_null(resolve_int());
    at.length = 0;
    PUT(&at, "\x48\x8d\x05");
    put_relative(&at, DATA);
    PUT(&at, "\xc3"); /* its address */
    assert_null(resolve_int());
    assert_null(tm_getter_int(NULL));
}

static const uintptr_t *resolve_truth(void)
{
    int (*code)(void);
    memcpy(&code, &code_page, sizeof code);
    return tm_getter_truth(code);
}

/* Both answers, as each form gives them. */
static void expect_truth(const uintptr_t *word)
{
    for (uintptr_t value = 0; value < 2; value++) {
        memcpy((void *)(uintptr_t)word, &value, sizeof value);
        assert_ptr_equal(resolve_truth(), word);
    }
}

static void test_truth(void **state)
{
    const uintptr_t structure = (uintptr_t)code_page + DATA + 64;
    struct assembly at = {0};
    (void)state;
    PUT(&at, "\xf3\x0f\x1e\xfa\x31\xc0\x48\x83\x3d");
    put_relative(&at, DATA + 8 - 1);
    PUT(&at, "\x00\x0f\x95\xc0\xc3");
    expect_truth((const uintptr_t *)((uintptr_t)code_page + DATA + 8));
    at.length = 0;
    PUT(&at, "\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\x48\x85\xc0\x0f\x95\xc0\x0f\xb6\xc0\xc3");
    expect_truth((const uintptr_t *)((uintptr_t)code_page + DATA));
    memcpy(code_page + DATA, &structure, sizeof structure);
    at.length = 0;
    PUT(&at, "\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\x48\x8b\x40\x18\x48\x85\xc0\x0f\x95\xc0\x0f\xb6\xc0\xc3");
    expect_truth((const uintptr_t *)(structure + 0x18));
    at.length = 0;
    PUT(&at, "\x48\x8b\x05");
    put_relative(&at, DATA);
    PUT(&at, "\x48\x83\x78\x10\x00\x0f\x95\xc0\x0f\xb6\xc0\xc3");
    expect_truth((const uintptr_t *)(structure + 0x10));
}

static void test_other_truth_is_not_taken(void **state)
{
    struct assembly at = {0};
    (void)state;
    memset(code_page + DATA, 0, 8);
    PUT(&at, "\x31\xc0\x48\x83\x3d");
    put_relative(&at, DATA - 1);
    PUT(&at, "\x00\x0f\x94\xc0\xc3"); /* sete */
    assert_null(resolve_truth());
    at.length = 0;
    PUT(&at, "\x31\xc0\x48\x83\x3d");
    put_relative(&at, DATA - 1);
    PUT(&at, "\x01\x0f\x95\xc0\xc3"); /* not 1 */
    assert_null(resolve_truth());
    assert_null(tm_getter_truth(NULL));
}

#endif

static void test_none(void **state)
{
    const struct tm_loaded_search search = {0};
    struct tm_cpython_getter getter;
    (void)state;
    tm_getter_resolve(&getter, NULL, &search);
    assert_int_equal(tm_cpython_getter_read(&getter), 0);
}

/* Whatever this compiler makes of a function with a side effect, it must be called. */
static void test_side_effect(void **state)
{
    const struct tm_loaded_search search = {0};
    struct tm_cpython_getter getter;
    (void)state;
    tm_getter_resolve(&getter, function, &search);
    calls = 0;
    assert_int_equal(tm_cpython_getter_read(&getter), 0x1234);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
        cmocka_unit_test(test_variable),
        cmocka_unit_test(test_variable_through_a_table),
        cmocka_unit_test(test_thread_local_in_the_program),
        cmocka_unit_test(test_thread_local_in_a_library),
        cmocka_unit_test(test_other_code_is_called),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_other_int_is_not_taken),
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_other_truth_is_not_taken),
#endif
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_side_effect),
    };
#if defined(__x86_64__)
    return cmocka_run_group_tests(tests, make_page, NULL);
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
