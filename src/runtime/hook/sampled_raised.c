/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_raised.h"

#include "runtime/hook/python_hooks.h"
#include "runtime/hook/sampled_hooks.h"

enum tm_sampled_passing tm_sampled_passing;
bool tm_sampled_some_are_small;
size_t tm_sampled_quick_sizes;
size_t tm_sampled_quick_large;
bool tm_sampled_are_held;

static enum tm_sampled_quick quickness;

bool tm_sampled_may_be_held(void)
{
    return tm_sampled_passing == TM_PASSING_PROVEN && tm_runtime.python.version < 0x030C0000;
}

static void decide_quick(void)
{
    tm_sampled_quick_sizes = quickness != TM_SAMPLED_LOOKS ? TM_SMALL_SIZE_MAX : 0;
    tm_sampled_quick_large = tm_sampled_passing != TM_PASSING_PROVEN || tm_sampled_quick_sizes == 0 ? 0
                             : quickness >= TM_SAMPLED_QUICK                                        ? SIZE_MAX
                                                             : tm_sampled_quick_sizes + 1;
    tm_sampled_are_held = quickness == TM_SAMPLED_QUICK_TO_RAW && tm_sampled_may_be_held();
    if (!tm_sampled_are_held) {
        tm_sampler_held_rest();
    }
}

bool tm_sampled_hooks_are_held(void)
{
    return tm_sampled_are_held;
}

void tm_sampled_hooks_set_quick(enum tm_sampled_quick now)
{
    quickness = now;
    decide_quick();
}

bool tm_sampled_hooks_hear_raw_only(void)
{
    return tm_sampled_passing == TM_PASSING_PROVEN;
}

bool tm_sampled_hooks_spare_arenas(void)
{
    return tm_sampled_all_are_raised();
}

void tm_sampled_prove(struct tm_thread *thread, const void *block)
{
    tm_sampled_passing = thread->raw_block == (uintptr_t)block ? TM_PASSING_PROVEN : TM_PASSING_REFUTED;
    if (tm_sampled_passing == TM_PASSING_PROVEN) {
        tm_python_hooks_renew_small();
    }
    decide_quick();
}
