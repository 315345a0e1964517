/* SPDX-License-Identifier: MIT */
#include "report/web/page_bytes.h"

#ifdef TM_PAGE_FILE
/* The assembler takes the file as it is: a megabyte as a C array would take the compiler seconds. */
__asm__(".section .rodata\n"
        ".global tm_page_bytes\n"
        ".hidden tm_page_bytes\n"
        "tm_page_bytes: .incbin \"" TM_PAGE_FILE "\"\n"
        "tm_page_end: .balign 8\n"
        ".global tm_page_size\n"
        ".hidden tm_page_size\n"
        "tm_page_size: .quad tm_page_end - tm_page_bytes\n"
        ".previous\n");
#else
const uint8_t tm_page_bytes[1] = {0};
const size_t tm_page_size = 0;
#endif
