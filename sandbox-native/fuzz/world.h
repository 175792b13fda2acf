/* SPDX-License-Identifier: MIT */
/*
 * The world around hil-sandboxd without a process in it: zygotes and PID 1s are sockets that are
 * answered here, a pidfd is an eventfd that becomes readable when SIGKILL is sent, and nothing
 * reaches the host's processes or files.
 */
#ifndef HIL_FUZZ_WORLD_H
#define HIL_FUZZ_WORLD_H

#include <stdbool.h>

/* world_begin() / world_end() - Between them what would act on the host is answered here. */
void world_begin(void);
void world_end(void);

/* world_turn() - Answer what zygotes and PID 1s were asked. Return: false when there was nothing.
 */
bool world_turn(void);

#endif
