/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/getter_code.h"

#include <string.h>

#if defined(__x86_64__)

/* Takes the bytes of STRING off *CODE if they are next. */
static bool take(const unsigned char **code, const char *string, size_t length)
{
    if (memcmp(*code, string, length) != 0) {
        return false;
    }
    *code += length;
    return true;
}
#define TAKE(code, string) take(code, string, sizeof string - 1)

static int32_t take_int(const unsigned char **code)
{
    int32_t value;
    memcpy(&value, *code, sizeof value);
    *code += sizeof value;
    return value;
}

/* An address that the instruction gives relative to its end, here also the end of its displacement. */
static uintptr_t take_relative(const unsigned char **code)
{
    const int32_t displacement = take_int(code);
    return (uintptr_t)*code + (uintptr_t)(intptr_t)displacement;
}

/* (%rax) as the source of an instruction into %rax or %eax, with its three lengths of displacement. */
static bool take_operand(const unsigned char **code, int32_t *displacement)
{
    if (TAKE(code, "\x00")) {
        *displacement = 0;
    } else if (TAKE(code, "\x40")) {
        *displacement = (int8_t) * (*code)++;
    } else if (TAKE(code, "\x80")) {
        *displacement = take_int(code);
    } else {
        return false;
    }
    return true;
}

/* mov disp(%rax),%rax */
static bool take_load(const unsigned char **code, int32_t *displacement)
{
    return TAKE(code, "\x48\x8b") && take_operand(code, displacement);
}

static void take_prologue(const unsigned char **code)
{
    TAKE(code, "\xf3\x0f\x1e\xfa"); /* endbr64 */
    if (TAKE(code, "\xe9")) {       /* jmp: the public name of an internal function */
        *code = (const unsigned char *)take_relative(code);
        TAKE(code, "\xf3\x0f\x1e\xfa");
    }
    TAKE(code, "\x55\x48\x89\xe5"); /* push %rbp; mov %rsp,%rbp */
    TAKE(code, "\x48\x83\xec\x08"); /* sub $8,%rsp */
}

static bool take_epilogue(const unsigned char **code)
{
    TAKE(code, "\x48\x83\xc4\x08"); /* add $8,%rsp */
    TAKE(code, "\x5d");             /* pop %rbp */
    return TAKE(code, "\xc3");
}

/* lea tls_index(%rip),%rdi; call __tls_get_addr, padded in the global dynamic model so that a linker can rewrite it. */
static bool take_tls_call(const unsigned char **code, uintptr_t *index)
{
    if (TAKE(code, "\x66\x48\x8d\x3d")) {
        *index = take_relative(code);
        if (!TAKE(code, "\x66\x66\x48\xe8") && !TAKE(code, "\x66\x48\xff\x15")) {
            return false;
        }
    } else if (TAKE(code, "\x48\x8d\x3d")) {
        *index = take_relative(code);
        if (!TAKE(code, "\xe8") && !TAKE(code, "\xff\x15")) {
            return false;
        }
    } else {
        return false;
    }
    take_int(code);
    return true;
}

static intptr_t static_tls_offset(uintptr_t index, int32_t displacement, const struct tm_loaded_search *search)
{
    const uintptr_t *words = (const uintptr_t *)index; /* module number, offset in its storage */
    uintptr_t thread_pointer, address;
    __asm__("movq %%fs:0, %0" : "=r"(thread_pointer));
    if (words[0] == 0 || words[0] != search->library.tls_module || search->library.tls_block == 0) {
        return 0;
    }
    address = search->library.tls_block + words[1] + (uintptr_t)(intptr_t)displacement;
    /* Static storage ends at the thread pointer; a block of dlopen's lies elsewhere and differs by thread. */
    if (address >= thread_pointer || thread_pointer - address > search->tls_bytes_max) {
        return 0;
    }
    return (intptr_t)(address - thread_pointer);
}

static void decode(struct tm_cpython_getter *getter, const unsigned char *code, const struct tm_loaded_search *search)
{
    int32_t displacement;
    uintptr_t address;
    take_prologue(&code);
    if (TAKE(&code, "\x64\x48\x8b\x04\x25")) { /* mov %fs:disp,%rax */
        displacement = take_int(&code);
        getter->tls_offset = take_epilogue(&code) ? displacement : 0;
    } else if (take_tls_call(&code, &address)) {
        if (take_load(&code, &displacement) && take_epilogue(&code)) {
            getter->tls_offset = static_tls_offset(address, displacement, search);
        }
    } else if (TAKE(&code, "\x48\x8b\x05")) { /* mov variable(%rip),%rax */
        address = take_relative(&code);
        if (TAKE(&code, "\x64\x48\x8b\x00")) { /* mov %fs:(%rax),%rax */
            getter->tls_offset = take_epilogue(&code) ? *(const intptr_t *)address : 0;
        } else if (take_load(&code, &displacement)) {
            address = *(const uintptr_t *)address + (uintptr_t)(intptr_t)displacement;
            getter->word = take_epilogue(&code) ? (const uintptr_t *)address : NULL;
        } else {
            getter->word = take_epilogue(&code) ? (const uintptr_t *)address : NULL;
        }
    }
}

/* 0: not one of the forms. */
static uintptr_t decode_int(const unsigned char *code)
{
    int32_t displacement;
    uintptr_t address;
    take_prologue(&code);
    if (TAKE(&code, "\x8b\x05")) { /* mov variable(%rip),%eax */
        address = take_relative(&code);
        return take_epilogue(&code) ? address : 0;
    }
    if (TAKE(&code, "\x48\x8d\x05")) { /* lea structure(%rip),%rax */
        address = take_relative(&code);
    } else if (TAKE(&code, "\x48\x8b\x05")) { /* mov its entry in the global offset table,%rax */
        address = *(const uintptr_t *)take_relative(&code);
    } else {
        return 0;
    }
    if (!TAKE(&code, "\x8b") || !take_operand(&code, &displacement) || !take_epilogue(&code)) {
        return 0;
    }
    return address + (uintptr_t)(intptr_t)displacement;
}

/* cmpq $0,disp(%rax) */
static bool take_compare(const unsigned char **code, int32_t *displacement)
{
    if (TAKE(code, "\x48\x83\x78")) {
        *displacement = (int8_t) * (*code)++;
    } else if (TAKE(code, "\x48\x83\xb8")) {
        *displacement = take_int(code);
    } else {
        return false;
    }
    return TAKE(code, "\x00");
}

/* 0: not one of the forms. */
static uintptr_t decode_truth(const unsigned char *code)
{
    int32_t displacement;
    uintptr_t address;
    take_prologue(&code);
    if (TAKE(&code, "\x31\xc0\x48\x83\x3d")) { /* xor %eax,%eax; cmpq $0,variable(%rip) */
        address = take_relative(&code) + 1;    /* relative to the end of the constant */
        return TAKE(&code, "\x00\x0f\x95\xc0") && take_epilogue(&code) ? address : 0;
    }
    if (!TAKE(&code, "\x48\x8b\x05")) { /* mov variable(%rip),%rax, or its entry in the global offset table */
        return 0;
    }
    address = take_relative(&code);
    if (take_compare(&code, &displacement)) {
        address = *(const uintptr_t *)address + (uintptr_t)(intptr_t)displacement;
    } else {
        if (take_load(&code, &displacement)) {
            address = *(const uintptr_t *)address + (uintptr_t)(intptr_t)displacement;
        }
        if (!TAKE(&code, "\x48\x85\xc0")) { /* test %rax,%rax */
            return 0;
        }
    }
    return TAKE(&code, "\x0f\x95\xc0\x0f\xb6\xc0") && take_epilogue(&code) ? address : 0; /* setne; movzbl */
}

#else

static uintptr_t decode_truth(const unsigned char *code)
{
    (void)code;
    return 0;
}

static uintptr_t decode_int(const unsigned char *code)
{
    (void)code;
    return 0;
}

static void decode(struct tm_cpython_getter *getter, const unsigned char *code, const struct tm_loaded_search *search)
{
    (void)getter;
    (void)code;
    (void)search;
}

#endif

void tm_getter_resolve(struct tm_cpython_getter *getter, uintptr_t (*function)(void),
                       const struct tm_loaded_search *search)
{
    const unsigned char *code;
    memset(getter, 0, sizeof *getter);
    getter->call = function;
    if (function == NULL) {
        return;
    }
    memcpy(&code, &function, sizeof code);
    decode(getter, code, search);
    if ((getter->tls_offset != 0 || getter->word != NULL) && tm_cpython_getter_read(getter) != function()) {
        getter->tls_offset = 0;
        getter->word = NULL;
    }
}

int *tm_getter_int(int (*function)(void))
{
    const unsigned char *code;
    if (function == NULL) {
        return NULL;
    }
    memcpy(&code, &function, sizeof code);
    int *place = (int *)decode_int(code);
    return place != NULL && *place == function() ? place : NULL;
}

const uintptr_t *tm_getter_truth(int (*function)(void))
{
    const unsigned char *code;
    if (function == NULL) {
        return NULL;
    }
    memcpy(&code, &function, sizeof code);
    const uintptr_t *word = (const uintptr_t *)decode_truth(code);
    return word != NULL && (*word != 0) == (function() != 0) ? word : NULL;
}
