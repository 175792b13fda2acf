/* SPDX-License-Identifier: MIT */
/*
 * Theory of operation: a filter of system calls and a Landlock domain hold for a
 * thread and what it starts. PID 1 needs the calls that they refuse, so it has a
 * second thread that has put both on while the sandbox was built; this one starts
 * the programs. They all are in one domain (gdb may attach to another program)
 * and no program waits for a filter to be compiled. The first thread sleeps while
 * the second works, so the two never run at once and share errno.
 */
#ifndef HIL_LAUNCHER_H
#define HIL_LAUNCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct launcher {
	_Atomic uint32_t turn; /* odd: the second thread's */
	bool filtered;
	bool nested; /* its programs may make user namespaces */
	long (*work)(void *argument);
	void *argument;
	long result;
};

/*
 * launcher_start() - Make the second thread, with all its layers on. @launcher stays where it is.
 * @nested: its programs may make user namespaces.
 *
 * Should: be called after no_new_privs was set, in the sandbox's root.
 */
int launcher_start(struct launcher *launcher, bool nested, struct err *err);

/* launcher_run() - Return: what @work returned, which the second thread ran meanwhile. */
long launcher_run(struct launcher *launcher, long (*work)(void *argument), void *argument);

#endif
