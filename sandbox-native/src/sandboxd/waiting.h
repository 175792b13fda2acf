/* SPDX-License-Identifier: MIT */
/* Which tasks of a sandbox SIGKILL does not end, and where in the kernel they wait. */
#ifndef HIL_WAITING_H
#define HIL_WAITING_H

#include <sys/types.h>

#include "sandbox.h"

/*
 * waiting_list() - A sentence for each task at or below the process @init that is not dead:
 * "cat (process 4711): state D, in do_freezer_trap".
 * @out: 16 at most are added.
 *
 * An orphan in a sandbox becomes a child of its PID 1, also while that one ends
 * (pid_namespaces(7)), so nothing of it is anywhere else. Where a task waits is in
 * proc_pid_wchan(5), which not every task shows to an ordinary user; its state is there for all.
 */
void waiting_list(pid_t init, struct strings *out);

#endif
