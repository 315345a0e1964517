/* SPDX-License-Identifier: MIT */
#include "runtime/os/thread_state.h"

TM_THREAD_LOCAL struct tm_thread tm_thread_state;
