/* SPDX-License-Identifier: MIT */
#include "report/process/why.h"

#include <stdarg.h>
#include <stdio.h>

bool tm_why_say(struct tm_why *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return false;
}

bool tm_why_fault(struct tm_why *why, const char *path, const struct tm_fault *fault)
{
    return tm_why_say(why, "%s: offset %llu: %s", path, (unsigned long long)fault->offset, fault->what);
}
