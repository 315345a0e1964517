/* SPDX-License-Identifier: MIT */
#include "runtime/hook/door.h"

bool tm_doors_are_open;
bool tm_doors_hear_all;
bool tm_doors_sample;
bool tm_doors_are_careful = true;

bool tm_door_drop(struct tm_thread *thread, const void *block, struct tm_taken *taken)
{
    bool may_look = tm_doors_are_open && (thread->guard & TM_DOOR_OWN_GUARDS) == 0;
    return may_look && block != NULL && tm_tracker_take(thread, block, taken);
}
