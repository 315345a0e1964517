/* SPDX-License-Identifier: MIT */
#include "runtime/os/thread_state.h"

/* Used: assembly writes it too (hook/door.h), which link-time optimisation does not see. */
TM_THREAD_LOCAL __attribute__((used)) struct tm_thread tm_thread_state;
