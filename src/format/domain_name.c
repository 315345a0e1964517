/* SPDX-License-Identifier: MIT */
#include "format/domain_name.h"

#include <string.h>

static const char *const names[TM_DOMAIN_COUNT] = {
    [TM_DOMAIN_RAW] = "raw",       [TM_DOMAIN_MEM] = "mem",   [TM_DOMAIN_OBJ] = "obj",
    [TM_DOMAIN_NATIVE] = "native", [TM_DOMAIN_MMAP] = "mmap",
};

const char *tm_domain_name(enum tm_domain domain)
{
    return (unsigned)domain < TM_DOMAIN_COUNT ? names[domain] : "?";
}

bool tm_domain_find(const char *name, size_t length, enum tm_domain *domain)
{
    for (unsigned i = 0; i < TM_DOMAIN_COUNT; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            *domain = (enum tm_domain)i;
            return true;
        }
    }
    return false;
}
