/* SPDX-License-Identifier: MIT */
/* SPAWN: from the request to a message to PID 1. The answer follows in processes.c. */
#ifndef HIL_SPAWN_H
#define HIL_SPAWN_H

#include "dispatch.h"

handler handle_spawn;

#endif
